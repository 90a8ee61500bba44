//! A deny list in Redis: the id of a revoked token, kept until the token would have expired. Redis keeps it in memory only,
//! which is how such lists are run: a revocation is not durable.

use std::{env, net::SocketAddr, time::Duration};

use anyhow::{Context, Result, ensure};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    process::Command,
};

use crate::{
    issuer::Lab,
    process::{Process, free_address},
};

/// Names the server's program; `cargo xtask bench revocation` finds or installs it.
const PROGRAM: &str = "COUNTERSIGN_TEST_REDIS";
/// Other ids on the list.
const DENIED: usize = 10_000;

pub struct Redis {
    stream: BufReader<TcpStream>,
    pub process: Process,
    jti: String,
    next: usize,
}

impl Redis {
    pub async fn start(lab: &Lab) -> Result<Self> {
        let missing =
            "the variable COUNTERSIGN_TEST_REDIS must name redis-server; `cargo xtask bench revocation` sets it";
        let program = env::var_os(PROGRAM).context(missing)?;
        let address = free_address()?;
        let mut command = Command::new(program);
        // Debian's redis-tools brings the server under another name; it looks at what it is called.
        command.arg0("redis-server");
        command.args([
            "--bind",
            "127.0.0.1",
            "--port",
            &address.port().to_string(),
            "--appendonly",
            "no",
            "--save",
            "",
        ]);
        command.current_dir(&lab.folder);
        let process = Process::server(&mut command, &lab.folder.join("redis.log"))?;
        let stream = BufReader::new(connect(address).await?);
        let mut redis = Self { stream, process, jti: String::new(), next: 0 };
        for n in 0..DENIED {
            redis.deny(&format!("other-{n}")).await?;
        }
        Ok(redis)
    }

    pub fn fresh(&mut self) -> Result<()> {
        self.next += 1;
        self.jti = format!("jti-{:020}", self.next);
        Ok(())
    }

    pub async fn check(&mut self) -> Result<bool> {
        let key = format!("deny:{}", self.jti);
        match &*self.ask(&["EXISTS", &key]).await? {
            ":0" => Ok(true),
            ":1" => Ok(false),
            other => anyhow::bail!("Redis answered {other}"),
        }
    }

    pub async fn revoke(&mut self) -> Result<()> {
        let jti = self.jti.clone();
        self.deny(&jti).await
    }

    async fn deny(&mut self, jti: &str) -> Result<()> {
        let answer = self.ask(&["SET", &format!("deny:{jti}"), "1", "EX", "660"]).await?;
        ensure!(answer == "+OK", "Redis answered {answer}");
        Ok(())
    }

    /// One command, and the one line that answers it (RESP).
    async fn ask(&mut self, words: &[&str]) -> Result<String> {
        let mut text = format!("*{}\r\n", words.len());
        for word in words {
            text.push_str(&format!("${}\r\n{word}\r\n", word.len()));
        }
        self.stream.get_mut().write_all(text.as_bytes()).await?;
        let mut line = String::new();
        ensure!(self.stream.read_line(&mut line).await? > 0, "Redis hung up");
        Ok(line.trim_end().to_owned())
    }
}

async fn connect(address: SocketAddr) -> Result<TcpStream> {
    for _ in 0..1_000 {
        if let Ok(stream) = TcpStream::connect(address).await {
            stream.set_nodelay(true)?;
            return Ok(stream);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    anyhow::bail!("Redis does not listen on {address}")
}
