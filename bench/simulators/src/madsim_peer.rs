use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use madsim::net::Endpoint;
use madsim::runtime::{Handle, Runtime};

use crate::{LATENCY_MS, NODES};

/// What messages are matched by.
const TAG: u64 = 1;

pub fn simulate(seconds: u64) -> u64 {
    let heard = Arc::new(AtomicU64::new(0));
    let mut config = madsim::Config::default();
    let latency = Duration::from_millis(LATENCY_MS);
    config.net.send_latency = latency..latency + Duration::from_nanos(1);
    let runtime = Runtime::with_seed_and_config(1, config);
    let counted = Arc::clone(&heard);
    runtime.block_on(async move {
        for node in 0..NODES {
            let heard = Arc::clone(&counted);
            let host = Handle::current().create_node().ip(address(node).ip()).build();
            host.spawn(async move {
                let endpoint = Endpoint::bind(address(node)).await.expect("the address is free");
                // Until all of them listen.
                madsim::time::sleep(Duration::from_millis(10)).await;
                for other in (0..NODES).filter(|other| *other != node) {
                    endpoint.send_to(address(other), TAG, &[0]).await.expect("it is sent");
                }
                let mut message = [0];
                loop {
                    let (_, from) = endpoint.recv_from(TAG, &mut message).await.expect("one comes");
                    heard.fetch_add(1, Ordering::Relaxed);
                    message[0] ^= 1;
                    endpoint.send_to(from, TAG, &message).await.expect("it is sent");
                }
            });
        }
        madsim::time::sleep(Duration::from_secs(seconds)).await;
    });
    heard.load(Ordering::Relaxed)
}

fn address(node: usize) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, u8::try_from(node + 1).expect("few nodes")], 9_000))
}
