use std::collections::VecDeque;
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use cadre_process::{Conversation, Program};
use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

/// A headless Chromium that a test steers by the DevTools protocol, as a person would by mouse and
/// keyboard, and that tells what the page complained of and what it asked the network for.
///
/// Chromium comes from the package `chromium` of the system, or from the path in
/// `CADRE_CHROMIUM`.
#[derive(Debug)]
pub struct Browser {
    socket: WebSocket<TcpStream>,
    session: String,
    calls: u64,
    events: VecDeque<Value>,
    complaints: Vec<String>,
    requests: Vec<String>,
    /// Kills the browser when it goes; the directory goes after it.
    process: Conversation,
    _directory: tempfile::TempDir,
}

/// The size of the window.
pub const WINDOW: (u32, u32) = (1280, 800);

/// Longer than anything takes on a machine that is busy with other things.
const LIMIT: Duration = Duration::from_secs(60);
/// What is waited for is looked at so often, with a nap in between.
const LOOKS: u32 = 2_400;
const NAP: Duration = Duration::from_millis(25);

impl Browser {
    /// Starts a browser with an empty page.
    ///
    /// # Panics
    ///
    /// Where there is no Chromium: these tests are worth nothing without one, so they do not pass.
    pub fn start() -> Self {
        let path = std::env::var("CADRE_CHROMIUM").unwrap_or_else(|_| "chromium".to_owned());
        let directory = tempfile::tempdir().expect("a temporary directory");
        let profile = directory.path().join("profile");
        let quiet = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            "--font-render-hinting=none",
            "--remote-debugging-port=0",
        ];
        let program = Program::new(&path)
            .args(quiet)
            .arg(format!("--window-size={},{}", WINDOW.0, WINDOW.1))
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg("about:blank");
        let process = cadre_process::converse(&program, &directory.path().join("log"));
        let mut process = process.unwrap_or_else(|error| {
            panic!(
                "expected Chromium as `{path}`, found none: {error}; install the package \
                 `chromium` of your system, or tell its path in CADRE_CHROMIUM"
            )
        });
        let mut browser = Self {
            socket: connect(&profile.join("DevToolsActivePort"), &mut process),
            session: String::new(),
            calls: 0,
            events: VecDeque::new(),
            complaints: Vec::new(),
            requests: Vec::new(),
            process,
            _directory: directory,
        };
        browser.attach();
        browser
    }

    /// Opens a file, with what stands behind its path in the address, and waits until the report in
    /// it is ready. Complaints and requests are counted from here on.
    pub fn open(&mut self, file: &Path, behind: &str) {
        self.call("Page.navigate", json!({ "url": "about:blank" }));
        self.settle();
        self.complaints.clear();
        self.requests.clear();
        let url = format!("file://{}{behind}", file.display());
        self.call("Page.navigate", json!({ "url": url }));
        self.wait_for("document.documentElement?.dataset.ready === 'true'");
    }

    /// Opens a picture.
    pub fn show(&mut self, file: &Path) {
        self.call("Page.navigate", json!({ "url": format!("file://{}", file.display()) }));
        self.wait_for("document.readyState === 'complete'");
    }

    /// Waits until an expression of JavaScript is true.
    ///
    /// # Panics
    ///
    /// Where it does not become true.
    pub fn wait_for(&mut self, condition: &str) {
        for _ in 0..LOOKS {
            if self.evaluate(condition) == json!(true) {
                return;
            }
            nap(&mut self.process);
        }
        panic!("{condition} stays untrue: {:?}", self.complaints);
    }

    /// The value of an expression of JavaScript in the page.
    ///
    /// # Panics
    ///
    /// Where it throws.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let asked = json!({
            "expression": expression, "returnByValue": true, "awaitPromise": true,
        });
        let answer = self.call("Runtime.evaluate", asked);
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Presses a key as a person does: a name such as `ArrowDown`, or a letter.
    pub fn press(&mut self, key: &str) {
        let mut down = json!({ "type": "keyDown", "key": key });
        if key.chars().count() == 1 {
            down["text"] = json!(key);
        } else if key == "Enter" {
            down["text"] = json!("\r");
        }
        self.call("Input.dispatchKeyEvent", down);
        self.call("Input.dispatchKeyEvent", json!({ "type": "keyUp", "key": key }));
    }

    /// Types a text where the focus is.
    pub fn write(&mut self, text: &str) {
        for letter in text.chars() {
            self.press(&letter.to_string());
        }
    }

    /// Clicks in the middle of the first element that a selector names.
    ///
    /// # Panics
    ///
    /// Where there is none.
    pub fn click(&mut self, selector: &str) {
        let selector = json!(selector);
        let place = self.evaluate(&format!(
            "(() => {{ const element = document.querySelector({selector});
                element.scrollIntoView({{ block: 'nearest', inline: 'nearest' }});
                const box = element.getBoundingClientRect();
                return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
        ));
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({
                "type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1,
            });
            self.call("Input.dispatchMouseEvent", event);
        }
    }

    /// Says whether the system of the reader is dark.
    pub fn prefer(&mut self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.call("Emulation.setEmulatedMedia", json!({ "features": features }));
    }

    /// The page as a small PNG.
    ///
    /// # Panics
    ///
    /// Where it is none.
    pub fn screenshot(&mut self, scale: f64) -> Vec<u8> {
        let clip = json!({
            "x": 0, "y": 0, "width": WINDOW.0, "height": WINDOW.1, "scale": scale,
        });
        let asked = json!({ "format": "png", "clip": clip });
        let answer = self.call("Page.captureScreenshot", asked);
        let text = answer["data"].as_str().expect("a screenshot");
        data_encoding::BASE64.decode(text.as_bytes()).expect("a screenshot in base 64")
    }

    /// What the page complained of since it was opened: exceptions, errors and warnings.
    pub fn complaints(&mut self) -> Vec<String> {
        self.settle();
        self.complaints.clone()
    }

    /// What was requested since the page was opened, the page itself included.
    pub fn requests(&mut self) -> Vec<String> {
        self.settle();
        self.requests.clone()
    }

    fn attach(&mut self) {
        let targets = self.call("Target.getTargets", json!({}));
        let pages = targets["targetInfos"].as_array().expect("a list of targets");
        let page = pages.iter().find(|target| target["type"] == "page").expect("a page");
        let asked = json!({ "targetId": page["targetId"], "flatten": true });
        let answer = self.call("Target.attachToTarget", asked);
        self.session = answer["sessionId"].as_str().expect("a session").to_owned();
        for domain in ["Page", "Runtime", "Log", "Network"] {
            self.call(&format!("{domain}.enable"), json!({}));
        }
        let (width, height) = WINDOW;
        let metrics = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false,
        });
        self.call("Emulation.setDeviceMetricsOverride", metrics);
    }

    /// Waits for what the browser has to say so far: it answers in the order of the calls.
    fn settle(&mut self) {
        self.evaluate("new Promise((done) => setTimeout(() => done(true), 20))");
        while let Some(event) = self.events.pop_front() {
            self.note(&event);
        }
    }

    fn note(&mut self, event: &Value) {
        let told = &event["params"];
        match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => {
                self.complaints.push(told["exceptionDetails"].to_string());
            }
            Some("Runtime.consoleAPICalled") if told["type"] != "log" => {
                self.complaints.push(told["args"].to_string());
            }
            Some("Log.entryAdded") => self.complaints.push(told["entry"]["text"].to_string()),
            Some("Network.requestWillBeSent") => {
                let url = told["request"]["url"].as_str().unwrap_or_default();
                self.requests.push(url.to_owned());
            }
            _ => {}
        }
    }

    fn call(&mut self, method: &str, params: Value) -> Value {
        self.calls += 1;
        let mut asked = json!({ "id": self.calls, "method": method, "params": params });
        if !self.session.is_empty() {
            asked["sessionId"] = json!(self.session);
        }
        let sent = self.socket.send(Message::text(asked.to_string()));
        sent.unwrap_or_else(|error| panic!("{method}: {error}"));
        loop {
            let told = self.socket.read().unwrap_or_else(|error| panic!("{method}: {error}"));
            let Ok(text) = told.to_text() else { continue };
            if text.is_empty() {
                continue;
            }
            let told: Value = serde_json::from_str(text).expect("the browser speaks JSON");
            if told["id"] == json!(self.calls) {
                assert!(told.get("error").is_none(), "{method}: {told}");
                return told["result"].clone();
            }
            self.events.push_back(told);
        }
    }
}

/// Connects to the port that the browser writes into a file once it listens.
fn connect(port_file: &Path, process: &mut Conversation) -> WebSocket<TcpStream> {
    for _ in 0..LOOKS {
        let text = std::fs::read_to_string(port_file).unwrap_or_default();
        if let Some((port, path)) = text.split_once('\n')
            && let Ok(port) = port.parse::<u16>()
        {
            let stream = TcpStream::connect(("127.0.0.1", port)).expect("Chromium listens");
            stream.set_read_timeout(Some(LIMIT)).expect("a time limit");
            let url = format!("ws://127.0.0.1:{port}{}", path.trim());
            return tungstenite::client(url, stream).expect("Chromium speaks").0;
        }
        nap(process);
    }
    panic!("Chromium does not listen: {:?}", process.receive(NAP));
}

/// Waits a moment for the browser, which says nothing on its output.
fn nap(process: &mut Conversation) {
    let _ = process.receive(NAP);
}
