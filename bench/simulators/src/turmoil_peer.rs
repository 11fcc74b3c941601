use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use turmoil::net::UdpSocket;

use crate::{LATENCY_MS, NODES};

const PORT: u16 = 9_000;

pub fn simulate(seconds: u64) -> u64 {
    let heard = Arc::new(AtomicU64::new(0));
    let latency = Duration::from_millis(LATENCY_MS);
    let mut simulation = turmoil::Builder::new()
        .simulation_duration(Duration::from_secs(seconds + 10))
        .min_message_latency(latency)
        .max_message_latency(latency)
        .udp_capacity(1_024)
        .rng_seed(1)
        .build();
    for node in 0..NODES {
        let heard = Arc::clone(&heard);
        simulation.host(format!("n{node}"), move || {
            let heard = Arc::clone(&heard);
            async move {
                let socket = UdpSocket::bind(("0.0.0.0", PORT)).await?;
                // Until all of them listen.
                tokio::time::sleep(Duration::from_millis(10)).await;
                for other in (0..NODES).filter(|other| *other != node) {
                    let address = turmoil::lookup(format!("n{other}"));
                    socket.send_to(&[0], (address, PORT)).await?;
                }
                let mut message = [0];
                loop {
                    let (_, from) = socket.recv_from(&mut message).await?;
                    heard.fetch_add(1, Ordering::Relaxed);
                    message[0] ^= 1;
                    socket.send_to(&message, from).await?;
                }
            }
        });
    }
    simulation.client("watch", async move {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        Ok(())
    });
    simulation.run().expect("the simulation goes well");
    heard.load(Ordering::Relaxed)
}
