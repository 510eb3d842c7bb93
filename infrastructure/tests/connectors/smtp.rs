//! Mail over SMTP, against a server of a few lines (RFC 5321).

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use application::error::chain;
use application::ports::mail::{Letter, MailError, Mailer};
use infrastructure::mail::SmtpMailer;
use secrecy::SecretString;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

/// What the server answers to AUTH and to RCPT; what it was told is kept.
#[derive(Clone)]
struct Server {
    auth: &'static str,
    recipient: &'static str,
    lines: Arc<Mutex<Vec<String>>>,
}

const GOOD: &str = "250 fine";

impl Server {
    async fn start(auth: &'static str, recipient: &'static str) -> (Self, SocketAddr) {
        let server = Self { auth, recipient, lines: Arc::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, serving) = (listener.local_addr().unwrap(), server.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                // A client that goes away has what it wanted.
                let _ = serving.talk(client).await;
            }
        });
        (server, address)
    }

    async fn talk(&self, client: TcpStream) -> std::io::Result<()> {
        let mut client = BufReader::new(client);
        client.write_all(b"220 here\r\n").await?;
        let mut in_data = false;
        loop {
            let mut line = String::new();
            if client.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let line = line.trim_end_matches("\r\n").to_owned();
            self.lines.lock().unwrap().push(line.clone());
            let answer = match line.split(' ').next().unwrap_or_default() {
                "." if in_data => {
                    in_data = false;
                    GOOD
                }
                _ if in_data => continue,
                "EHLO" => "250-here\r\n250-8BITMIME\r\n250 AUTH PLAIN",
                "AUTH" => self.auth,
                "RCPT" => self.recipient,
                "DATA" => {
                    in_data = true;
                    "354 go on"
                }
                "QUIT" => "221 bye",
                _ => GOOD,
            };
            client.write_all(format!("{answer}\r\n").as_bytes()).await?;
        }
    }

    fn heard(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }
}

async fn send(address: SocketAddr) -> Result<(), MailError> {
    send_as("user:s3cret-pass", address).await
}

/// User and password stand in the address as they are written there.
async fn send_as(user: &str, address: SocketAddr) -> Result<(), MailError> {
    let url = SecretString::from(format!("smtp://{user}@{address}"));
    let mailer = SmtpMailer::new(&url, "Synkro <no-reply@synkro.example>".parse().unwrap()).unwrap();
    let letter = Letter { subject: "A new password".into(), text: "Hello,\n\n.hidden\nhttps://x/#token=AB\n".into() };
    mailer.send(Uuid::from_u128(7), &"ann@acme.example".parse().unwrap(), &letter).await
}

#[tokio::test]
async fn a_mail_arrives_whole_for_its_recipient() {
    let (server, address) = Server::start("235 welcome", GOOD).await;
    send(address).await.unwrap();
    let heard = server.heard();
    for line in [
        "EHLO synkro.example",
        "MAIL FROM:<no-reply@synkro.example>",
        "RCPT TO:<ann@acme.example>",
        "Message-ID: <00000000-0000-0000-0000-000000000007@synkro.example>",
        "..hidden",
        "https://x/#token=AB",
    ] {
        assert!(heard.iter().any(|known| known == line), "{line} in {heard:#?}");
    }
}

/// The sheet's vector: user `u@example.test`, password `p@ss`.
#[tokio::test]
async fn user_and_password_are_sent_as_auth_plain_has_them() {
    let (server, address) = Server::start("235 welcome", GOOD).await;
    send_as("u%40example.test:p%40ss", address).await.unwrap();
    let heard = server.heard();
    let sent: Vec<_> = heard.iter().filter(|line| line.starts_with("AUTH")).collect();
    assert_eq!(sent, ["AUTH PLAIN AHVAZXhhbXBsZS50ZXN0AHBAc3M="]);
}

#[tokio::test]
async fn a_refusal_says_what_it_means_and_nobody_s_address() {
    let refused = async |auth, recipient| {
        let (_, address) = Server::start(auth, recipient).await;
        let error = send(address).await.unwrap_err();
        let text = format!("{} {error:?}", chain(&error));
        for hidden in ["ann@acme.example", "s3cret-pass"] {
            assert!(!text.contains(hidden), "{text}");
        }
        error
    };
    let never = refused("235 welcome", "550 5.1.1 ann@acme.example is unknown here").await;
    assert!(matches!(never, MailError::Never(_)) && chain(&never).contains("550"), "{never:?}");
    let later = refused("235 welcome", "451 4.3.0 ann@acme.example: try later").await;
    assert!(matches!(later, MailError::Later(_)), "{later:?}");
    let ours = refused("535 5.7.8 wrong for ann@acme.example", GOOD).await;
    assert!(matches!(ours, MailError::Misconfigured(_)), "{ours:?}");
    let nobody = send("127.0.0.1:1".parse().unwrap()).await.unwrap_err();
    assert!(matches!(nobody, MailError::Later(_)), "{nobody:?}");
}
