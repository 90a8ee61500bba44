//! A browser without JavaScript: keeps cookies, fills in the issuer's forms, and says where it was sent in the end.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use crate::rig::PASSWORD;

pub const EMAIL: &str = "ada@example.com";

pub struct Browser {
    address: SocketAddr,
    issuer: String,
    cookies: BTreeMap<String, String>,
}

/// What came.
pub struct Page {
    pub status: u16,
    head: String,
    pub body: String,
}

impl Page {
    pub fn location(&self) -> Option<&str> {
        self.headers("location").next()
    }

    fn headers(&self, name: &'static str) -> impl Iterator<Item = &str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// A hidden field.
    #[track_caller]
    pub fn hidden(&self, name: &str) -> &str {
        let begin = format!("name=\"{name}\" value=\"");
        let at = self.body.find(&begin).unwrap_or_else(|| panic!("no field {name}: {} {}", self.status, self.body));
        self.body[at + begin.len()..].split('"').next().unwrap()
    }
}

impl Browser {
    pub fn new(address: SocketAddr, issuer: &str) -> Self {
        Self { address, issuer: issuer.to_owned(), cookies: BTreeMap::new() }
    }

    /// Goes there, signs in and agrees if it is asked, and says where a client gets it back.
    pub fn visit(&mut self, url: &str) -> String {
        self.visit_and(url, "allow")
    }

    /// The same with another answer to the question whether the client may have it.
    pub fn visit_and(&mut self, url: &str, decision: &str) -> String {
        let page = self.get(url);
        self.answer(page, decision)
    }

    /// Goes on from a page.
    pub fn answer(&mut self, mut page: Page, decision: &str) -> String {
        for _ in 0..8 {
            if let Some(to) = page.location().map(str::to_owned) {
                if !to.starts_with('/') && !to.starts_with(&self.issuer) {
                    return to;
                }
                page = self.get(&to);
            } else if page.body.contains("action=\"/ui/signin\"") {
                page = self.sign_in(&page, EMAIL, PASSWORD);
            } else if page.body.contains("action=\"/ui/consent\"") {
                let (request, form) = (page.hidden("request").to_owned(), page.hidden("form").to_owned());
                page = self.post("/ui/consent", &[("request", &request), ("form", &form), ("decision", decision)]);
            } else {
                break;
            }
        }
        panic!("no way back to the client: {} {}", page.status, page.body);
    }

    /// Goes where a device sends its person, signs in and lets it in.
    pub fn let_in(&mut self, url: &str) {
        let page = self.get(url);
        let code = url.split_once("user_code=").unwrap().1.to_owned();
        let form = page.hidden("form").to_owned();
        let mut page = self.post("/ui/device", &[("user_code", &code), ("form", &form)]);
        while let Some(to) = page.location().map(str::to_owned) {
            page = self.get(&to);
            if page.body.contains("action=\"/ui/signin\"") {
                page = self.sign_in(&page, EMAIL, PASSWORD);
            }
        }
        let (request, form) = (page.hidden("request").to_owned(), page.hidden("form").to_owned());
        let done = self.post("/ui/device", &[("request", &request), ("form", &form), ("decision", "allow")]);
        assert_eq!(done.status, 200, "{}", done.body);
    }

    /// Fills in the sign-in page.
    pub fn sign_in(&mut self, page: &Page, email: &str, password: &str) -> Page {
        let mut fields = vec![("request", page.hidden("request")), ("form", page.hidden("form"))];
        if page.body.contains("name=\"link\"") {
            fields.push(("link", page.hidden("link")));
        }
        fields.extend([("email", email), ("password", password)]);
        self.post("/ui/signin", &fields)
    }

    pub fn get(&mut self, url: &str) -> Page {
        let path = url.strip_prefix(&self.issuer).unwrap_or(url).to_owned();
        self.send("GET", &path, None)
    }

    fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Page {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.send("POST", path, Some(&body))
    }

    fn send(&mut self, method: &str, path: &str, form: Option<&str>) -> Page {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let host = self.issuer.split_once("://").unwrap().1;
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
        if !self.cookies.is_empty() {
            let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            head += &format!("cookie: {}\r\n", cookies.join("; "));
        }
        if let Some(form) = form {
            let kind = "application/x-www-form-urlencoded";
            head += &format!("origin: {}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n", self.issuer, form.len());
        }
        write!(stream, "{head}\r\n{}", form.unwrap_or_default()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let page = Page { status, head: head.to_owned(), body: body.to_owned() };
        for set in page.headers("set-cookie") {
            let (name, rest) = set.split_once('=').unwrap();
            match rest.split(';').next().unwrap() {
                "" => drop(self.cookies.remove(name)),
                value => drop(self.cookies.insert(name.to_owned(), value.to_owned())),
            }
        }
        page
    }
}
