use reqwest::RequestBuilder;
use serde_json::{Value, json};
use simulator::{Limits, Service};

use crate::{Stage, json as body, unlimited};

fn text(stage: &Stage, text: &str) -> Value {
    json!({"chat_id": stage.accounts.telegram_chat_ids[0], "text": text, "parse_mode": "HTML"})
}

#[tokio::test]
async fn a_message_is_sent_parsed_and_kept() {
    let stage = Stage::unlimited().await;
    let answer = body(stage.telegram("SENDmessage").json(&text(&stage, "<b>Отчёт</b> готов &amp; лежит"))).await;
    assert_eq!((&answer["ok"], &answer["result"]["text"]), (&true.into(), &"Отчёт готов & лежит".into()));
    assert_eq!(answer["result"]["entities"], json!([{"type": "bold", "offset": 0, "length": 5}]));
    let sent = stage.simulators.telegram_messages();
    assert_eq!((sent.len(), sent[0].message_id), (1, 1));
    assert_eq!(sent[0].text, "Отчёт готов & лежит");
}

#[tokio::test]
async fn parameters_come_in_every_way() {
    let stage = Stage::unlimited().await;
    let chat = stage.accounts.telegram_chat_ids[0];
    let token = stage.accounts.telegram_token.expose();
    let base = &stage.simulators.endpoints().telegram;
    let query = format!("{base}/bot{token}/sendMessage?chat_id={chat}&text=one");
    assert_eq!(body(stage.client.get(query)).await["result"]["message_id"], 1);
    let form = stage.telegram("sendMessage").header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(body(form.body(format!("chat_id={chat}&text=two"))).await["result"]["text"], "two");
    assert_eq!(body(stage.telegram("getMe")).await["result"]["is_bot"], true);
}

#[tokio::test]
async fn refusals_have_the_envelope() {
    let stage = Stage::unlimited().await;
    let longest = "😀".repeat(2_048);
    assert_eq!(body(stage.telegram("sendMessage").json(&text(&stage, &longest))).await["ok"], true);
    for (request, code, description) in [
        (json!({"text": "x"}), 400, "Bad Request: chat_id is empty"),
        (json!({"chat_id": 5, "text": "x"}), 400, "Bad Request: chat not found"),
        (json!({"chat_id": "@nobody", "text": "x"}), 400, "Bad Request: chat not found"),
        (text(&stage, " "), 400, "Bad Request: message text is empty"),
        (text(&stage, "<b></b>"), 400, "Bad Request: message text is empty"),
        (text(&stage, &format!("{longest}a")), 400, "Bad Request: message is too long"),
        (
            text(&stage, "<b>x"),
            400,
            "Bad Request: can't parse entities: Can't find end tag corresponding to start tag \"b\"",
        ),
    ] {
        let response = stage.telegram("sendMessage").json(&request).send().await.unwrap();
        assert_eq!(response.status(), code);
        let error: Value = response.json().await.unwrap();
        assert_eq!(error, json!({"ok": false, "error_code": code, "description": description}));
    }
    assert_eq!(stage.telegram("dance").send().await.unwrap().status(), 404);
    let stranger = format!("{}/bot1:x/getMe", stage.simulators.endpoints().telegram);
    assert_eq!(stage.client.get(stranger).send().await.unwrap().status(), 401);
}

/// Asking about a chat is not writing to it: it has no pace.
#[tokio::test]
async fn a_chat_that_the_bot_is_in_is_described_and_others_are_not_found() {
    let stage = Stage::with(Limits::default()).await;
    let chat = stage.accounts.telegram_chat_ids[0];
    for _ in 0..3 {
        let answer = body(stage.telegram("getChat").json(&json!({"chat_id": chat}))).await;
        let result = &answer["result"];
        assert_eq!((&answer["ok"], &result["id"], &result["type"]), (&json!(true), &json!(chat), &json!("supergroup")));
    }
    for (request, description) in [
        (json!({}), "Bad Request: chat_id is empty"),
        (json!({"chat_id": -5}), "Bad Request: chat not found"),
        (json!({"chat_id": "@nobody"}), "Bad Request: chat not found"),
    ] {
        let response = stage.telegram("getChat").json(&request).send().await.unwrap();
        assert_eq!(response.status(), 400);
        let error: Value = response.json().await.unwrap();
        assert_eq!(error, json!({"ok": false, "error_code": 400, "description": description}));
    }
    assert!(stage.simulators.telegram_messages().is_empty());
}

/// A PNG file's header, data and end, of a picture of this size.
fn png(width: u32, height: u32) -> Vec<u8> {
    let header = [width.to_be_bytes(), height.to_be_bytes(), [8, 2, 0, 0]].concat();
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in [(b"IHDR", header.as_slice()), (b"IDAT", b"\r\n--"), (b"IEND", b"")] {
        file.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        file.extend([kind.as_slice(), data, &[0; 4]].concat());
    }
    file
}

/// A form of fields and a file, written by hand.
fn photo(stage: &Stage, caption: &str, file: Option<&[u8]>) -> RequestBuilder {
    let mut form = Vec::new();
    let chat = stage.accounts.telegram_chat_ids[0].to_string();
    for (name, value) in [("chat_id", chat.as_str()), ("caption", caption), ("parse_mode", "HTML")] {
        let field = format!("--x0x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        form.extend(field.into_bytes());
    }
    if let Some(file) = file {
        let head = "--x0x\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"a.png\"\r\n\r\n";
        form.extend([head.as_bytes(), file, b"\r\n"].concat());
    }
    form.extend(b"--x0x--\r\n");
    stage.telegram("sendPhoto").header("content-type", "multipart/form-data; boundary=x0x").body(form)
}

#[tokio::test]
async fn a_photo_is_measured_captioned_and_kept() {
    let stage = Stage::unlimited().await;
    let file = png(1_080, 700);
    let answer = body(photo(&stage, "<b>Отчёт</b> &amp; график", Some(&file))).await;
    let result = &answer["result"];
    assert_eq!((&result["caption"], &result["text"]), (&json!("Отчёт & график"), &Value::Null));
    assert_eq!(result["caption_entities"], json!([{"type": "bold", "offset": 0, "length": 5}]));
    assert_eq!((&result["photo"][0]["width"], &result["photo"][0]["file_size"]), (&json!(1_080), &json!(file.len())));
    body(stage.telegram("sendMessage").json(&text(&stage, "x"))).await;

    let messages = stage.simulators.telegram_messages();
    let stage = stage.restarted().await;
    assert_eq!(stage.simulators.telegram_messages(), messages);
    assert_eq!(messages.iter().map(|message| message.photo.is_some()).collect::<Vec<_>>(), [true, false]);
    assert_eq!((stage.simulators.telegram_photo(1), stage.simulators.telegram_photo(2)), (Some(file), None));
}

#[tokio::test]
async fn photos_that_telegram_does_not_take_are_refused() {
    let stage = Stage::unlimited().await;
    let (fits, longer) = ("😀".repeat(512), format!("<b>{}</b>", "a".repeat(1_025)));
    assert_eq!(body(photo(&stage, &format!("<b>{fits}</b>"), Some(&png(10, 10)))).await["ok"], true);
    for (request, description) in [
        (photo(&stage, "x", None), "there is no photo in the request"),
        (photo(&stage, "x", Some(b"GIF89a")), "IMAGE_PROCESS_FAILED"),
        (photo(&stage, "x", Some(&png(10, 500))), "PHOTO_INVALID_DIMENSIONS"),
        (photo(&stage, &longer, Some(&png(10, 10))), "message caption is too long"),
        (photo(&stage, "x", Some(&png(10, 10))).body("no form"), "the body is not a form"),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 400);
        let error: Value = response.json().await.unwrap();
        assert_eq!(error["description"], format!("Bad Request: {description}"));
    }
    assert_eq!(stage.simulators.telegram_messages().len(), 1);
}

#[tokio::test]
async fn a_photo_counts_as_a_message() {
    let stage = Stage::with(Limits::default()).await;
    assert_eq!(photo(&stage, "", Some(&png(10, 10))).send().await.unwrap().status(), 200);
    let refused = stage.telegram("sendMessage").json(&text(&stage, "x")).send().await.unwrap();
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (429, "1"));
}

#[tokio::test]
async fn a_chat_takes_one_message_a_second() {
    let stage = Stage::with(Limits::default()).await;
    let send = || stage.telegram("sendMessage").json(&text(&stage, "x")).send();
    assert_eq!(send().await.unwrap().status(), 200);
    let refused = send().await.unwrap();
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (429, "1"));
    assert_eq!(refused.json::<Value>().await.unwrap()["parameters"]["retry_after"], 1);
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_group_takes_twenty_messages_a_minute() {
    let stage = Stage::with(Limits { telegram_per_minute_per_group: 20, ..unlimited() }).await;
    let send = || stage.telegram("sendMessage").json(&text(&stage, "x")).send();
    for _ in 0..20 {
        assert_eq!(send().await.unwrap().status(), 200);
    }
    let refused: Value = send().await.unwrap().json().await.unwrap();
    assert!((50..=60).contains(&refused["parameters"]["retry_after"].as_u64().unwrap()), "{refused}");
}

#[tokio::test]
async fn the_journal_knows_no_secret() {
    let stage = Stage::unlimited().await;
    body(stage.telegram("getMe")).await;
    let call = stage.simulators.calls().pop().unwrap();
    assert_eq!((call.service, call.path.as_str(), call.status), (Service::Telegram, "/bot***/getMe", Some(200)));

    let endpoints = stage.simulators.endpoints();
    let gemini = format!("{}/models?pageSize=1&key=a%2Bb", endpoints.gemini);
    let supabase = format!("{}/auth/v1/health?apikey=secret", endpoints.supabase);
    let telegram = format!("{}//bot1:secret/getMe", endpoints.telegram);
    for (url, shown) in [
        (gemini, "/v1beta/models?pageSize=1&key=***"),
        (supabase, "/auth/v1/health?apikey=***"),
        (telegram, "//bot***/getMe"),
    ] {
        stage.client.get(url).send().await.unwrap();
        assert_eq!(stage.simulators.calls().pop().unwrap().path, shown);
    }
}
