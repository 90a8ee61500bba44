//! A browser, by the `WebDriver` protocol (W3C): headless Chromium, driven by chromedriver.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::Duration,
};

use countersign_verify::jose::b64;
use serde_json::{Value, json};
use stage::client::{Call, Http};
use tempfile::TempDir;

/// Names the program to the tests; without it, `chromedriver` is looked for.
const VARIABLE: &str = "COUNTERSIGN_TEST_CHROMEDRIVER";
/// Names a folder for pictures of the pages.
const PICTURES: &str = "COUNTERSIGN_TEST_PICTURES";
/// The member that an element's name is in.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// How long a page may take; only a broken test waits for so long.
const PATIENCE: u32 = 600;

/// A browser with a profile of its own. It ends when this is dropped.
pub struct Browser {
    driver: Child,
    http: Http,
    /// `127.0.0.1:port`
    address: String,
    session: String,
    _profile: TempDir,
}

impl Browser {
    pub async fn start() -> Self {
        let program = std::env::var(VARIABLE).unwrap_or_else(|_| "chromedriver".to_owned());
        let mut driver =
            Command::new(&program).arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap_or_else(
                |error| panic!("{program}: {error}. cargo xtask test installs it, or {VARIABLE} names it"),
            );
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = lines.find_map(|line| {
            let (_, port) = line.split_once("successfully on port ")?;
            Some(port.trim_end_matches('.').to_owned())
        });
        let address = format!("127.0.0.1:{}", port.expect("chromedriver said no port"));
        // Whatever else it says is read, so that it never waits for a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let profile = tempfile::tempdir().unwrap();
        let mut browser = Self { driver, http: Http::new(), address, session: String::new(), _profile: profile };
        browser.session = browser.open().await;
        browser
    }

    async fn open(&self) -> String {
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=800,900",
            &format!("--user-data-dir={}", self._profile.path().display()),
        ];
        let options = json!({ "args": arguments });
        let wanted =
            json!({ "capabilities": { "alwaysMatch": { "browserName": "chrome", "goog:chromeOptions": options } } });
        let started = self.ask(Call::post(format!("http://{}/session", self.address)).json(&wanted)).await.unwrap();
        started["sessionId"].as_str().unwrap_or_else(|| panic!("{started}")).to_owned()
    }

    pub async fn go(&self, url: &str) {
        self.command("url", &json!({ "url": url })).await;
    }

    pub async fn url(&self) -> String {
        self.look("url").await.as_str().unwrap().to_owned()
    }

    /// The text of an element, once the page has it.
    pub async fn text(&self, css: &str) -> String {
        let element = self.wait_for(css).await;
        self.look(&format!("element/{element}/text")).await.as_str().unwrap().to_owned()
    }

    pub async fn click(&self, css: &str) {
        let element = self.wait_for(css).await;
        self.command(&format!("element/{element}/click"), &json!({})).await;
    }

    pub async fn write(&self, css: &str, text: &str) {
        let element = self.wait_for(css).await;
        self.command(&format!("element/{element}/value"), &json!({ "text": text })).await;
    }

    /// The screen of a telephone, `width` wide, in light or dark.
    pub async fn hold(&self, width: u32, scheme: &str) {
        let screen = json!({ "width": width, "height": 740, "deviceScaleFactor": 1, "mobile": true });
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        for (command, params) in [("Emulation.setDeviceMetricsOverride", screen), ("Emulation.setEmulatedMedia", media)]
        {
            self.command("goog/cdp/execute", &json!({ "cmd": command, "params": params })).await;
        }
    }

    /// A style of an element as the browser computed it.
    pub async fn style(&self, css: &str, property: &str) -> String {
        let element = self.wait_for(css).await;
        self.look(&format!("element/{element}/css/{property}")).await.as_str().unwrap().to_owned()
    }

    /// How wide the page's content is, in pixels.
    pub async fn width(&self) -> u64 {
        let script = json!({ "script": "return document.documentElement.scrollWidth", "args": [] });
        self.ask(Call::post(self.at("execute/sync")).json(&script)).await.unwrap().as_u64().unwrap()
    }

    /// Keeps a picture of the page for somebody to look at, if a folder for pictures is named.
    pub async fn picture(&self, name: &str) {
        let Some(folder) = std::env::var_os(PICTURES) else { return };
        let png = self.look("screenshot").await.as_str().unwrap().replace('+', "-").replace('/', "_");
        let bytes = b64::decode(png.trim_end_matches('=')).unwrap();
        std::fs::write(std::path::Path::new(&folder).join(format!("{name}.png")), bytes).unwrap();
    }

    /// Goes to a page again and again until it has this element.
    pub async fn until(&self, url: &str, css: &str) {
        for _ in 0..PATIENCE {
            self.go(url).await;
            if self.find(css).await.is_some() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{url} never had {css}: {}", self.source().await);
    }

    /// Waits until an element has this text.
    pub async fn until_text(&self, css: &str, text: &str) {
        for _ in 0..PATIENCE {
            let element = self.wait_for(css).await;
            let now = self.ask(Call::get(self.at(&format!("element/{element}/text")))).await;
            if now.is_ok_and(|now| now == text) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{} never said {text:?}: {}", self.url().await, self.source().await);
    }

    async fn wait_for(&self, css: &str) -> String {
        for _ in 0..PATIENCE {
            if let Some(element) = self.find(css).await {
                return element;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{} has no {css}: {}", self.url().await, self.source().await);
    }

    async fn find(&self, css: &str) -> Option<String> {
        let call = Call::post(self.at("element")).json(&json!({ "using": "css selector", "value": css }));
        self.ask(call).await.ok()?[ELEMENT].as_str().map(str::to_owned)
    }

    async fn source(&self) -> String {
        self.look("source").await.to_string()
    }

    async fn command(&self, path: &str, body: &Value) {
        self.ask(Call::post(self.at(path)).json(body)).await.unwrap();
    }

    async fn look(&self, path: &str) -> Value {
        self.ask(Call::get(self.at(path))).await.unwrap()
    }

    fn at(&self, path: &str) -> String {
        format!("http://{}/session/{}/{path}", self.address, self.session)
    }

    async fn ask(&self, call: Call) -> Result<Value, String> {
        let answer = self.http.send(call).await.map_err(|error| error.to_string())?;
        let value = answer.body["value"].clone();
        if answer.status == 200 { Ok(value) } else { Err(value.to_string()) }
    }
}

impl Drop for Browser {
    /// The browser ends with its session; without the answer it would outlive its driver.
    fn drop(&mut self) {
        if let Ok(mut stream) = TcpStream::connect(&self.address) {
            let request = format!(
                "DELETE /session/{} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
                self.session, self.address
            );
            let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
            let _ = stream.write_all(request.as_bytes());
            let _ = stream.read(&mut [0; 256]);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
