//! A replicated key-value store of two HTTP services, which keeps what was written concurrently as siblings.
//!
//! ```sh
//! cargo run -p clock-examples --example siblings             # a story of two clients and a forger
//! cargo run -p clock-examples --example siblings -- serve    # and then curl, as it says
//! ```
//!
//! | request | answer |
//! |---|---|
//! | `GET /keys/K` | the values as a JSON list, and the header `x-context`: what you have read |
//! | `PUT /keys/K`, with the header of your last read | replaces exactly what you have read |
//! | `PUT /keys/K` without it | stands beside whatever there is |
#![expect(
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "a program, written as its readers write theirs"
)]

mod service;
mod store;

use std::{env, error::Error, io::Write as _, time::Duration};

use axum::body::{Body, to_bytes};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use service::{CONTEXT, Service};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// What a service answered: status, context and body.
#[derive(Debug)]
struct Answer {
    status: u16,
    context: Option<String>,
    body: String,
}

/// Sends one request over a real socket.
async fn request(method: &str, to: &Service, key: &str, contexts: &[&str], body: &str) -> Outcome<Answer> {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let mut request =
        axum::http::Request::builder().method(method).uri(format!("http://{}/keys/{key}", to.clients));
    for context in contexts {
        request = request.header(CONTEXT, *context);
    }
    let answer = client.request(request.body(Body::from(body.to_owned()))?).await?;
    let status = answer.status().as_u16();
    let context =
        answer.headers().get(CONTEXT).map(|context| context.to_str().map(str::to_owned)).transpose()?;
    let body = String::from_utf8(to_bytes(Body::new(answer.into_body()), 1 << 20).await?.to_vec())?;
    Ok(Answer { status, context, body })
}

async fn read(from: &Service, key: &str) -> Outcome<Answer> {
    request("GET", from, key, &[], "").await
}

async fn write(to: &Service, key: &str, context: Option<&str>, value: &str) -> Outcome<u16> {
    Ok(request("PUT", to, key, context.as_slice(), value).await?.status)
}

/// Each learns from the other: what a timer does in `serve`.
async fn sync(one: &Service, other: &Service) -> Outcome<usize> {
    let refused = one.learn_from(other.replicas).await?;
    Ok(refused.saturating_add(other.learn_from(one.replicas).await?))
}

async fn story() -> Outcome<Vec<String>> {
    let (paris, tokyo) = (Service::start(1).await?, Service::start(2).await?);
    let mut told = Vec::new();

    write(&paris, "cart", None, "milk").await?;
    sync(&paris, &tokyo).await?;
    let seen = read(&paris, "cart").await?;
    told.push(format!("both have {}", read(&tokyo, "cart").await?.body));

    // Both clients have read the same, and write at different services.
    write(&paris, "cart", seen.context.as_deref(), "milk, bread").await?;
    write(&tokyo, "cart", seen.context.as_deref(), "milk, eggs").await?;
    sync(&paris, &tokyo).await?;
    let siblings = read(&tokyo, "cart").await?;
    told.push(format!("after concurrent writes, both have {}", siblings.body));

    // Who has read both may replace both.
    write(&tokyo, "cart", siblings.context.as_deref(), "milk, bread, eggs").await?;
    sync(&paris, &tokyo).await?;
    told.push(format!(
        "after a write with the context of both, both have {}",
        read(&paris, "cart").await?.body
    ));

    // A context that says: I have read a thousand writes of Paris that Paris has not made.
    let forged = store::Context::from_sorted([vector_clock::Dot::try_new(1, 1_000)?])?;
    let refused = request("PUT", &paris, "cart", &[&store::to_header(&forged)], "nothing").await?;
    told.push(format!("a forged context is answered {}: {}", refused.status, refused.body.trim_end()));
    Ok(told)
}

async fn serve() -> Outcome<()> {
    let (paris, tokyo) = (Service::start(1).await?, Service::start(2).await?);
    let mut out = std::io::stdout();
    writeln!(out, "curl -i http://{}/keys/cart", paris.clients)?;
    writeln!(out, "curl -i -X PUT -d bread http://{}/keys/cart", tokyo.clients)?;
    writeln!(out, "curl -i -X PUT -d both -H 'x-context: ...' http://{}/keys/cart", paris.clients)?;
    writeln!(out, "they learn from each other every 10 seconds; end with ctrl-c")?;
    loop {
        tokio::time::sleep(Duration::from_secs(10)).await;
        sync(&paris, &tokyo).await?;
    }
}

fn main() -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if env::args().nth(1).as_deref() == Some("serve") {
        return runtime.block_on(serve());
    }
    for line in runtime.block_on(story())? {
        writeln!(std::io::stdout(), "{line}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn concurrent_writes_at_two_services_are_two_siblings_and_who_has_read_both_replaces_both() {
        let told = story().await.unwrap();
        assert_eq!(
            told[..3],
            [
                r#"both have ["milk"]"#,
                r#"after concurrent writes, both have ["milk, bread","milk, eggs"]"#,
                r#"after a write with the context of both, both have ["milk, bread, eggs"]"#,
            ]
        );
        assert!(told[3].starts_with("a forged context is answered 409: "), "{}", told[3]);
    }

    #[tokio::test]
    async fn a_write_without_a_context_stands_beside_the_others() {
        let paris = Service::start(1).await.unwrap();
        assert_eq!(read(&paris, "cart").await.unwrap().status, 404);
        assert_eq!(write(&paris, "cart", None, "milk").await.unwrap(), 204);
        let of_milk = read(&paris, "cart").await.unwrap().context;
        assert_eq!(write(&paris, "cart", None, "bread").await.unwrap(), 204);
        assert_eq!(read(&paris, "cart").await.unwrap().body, r#"["milk","bread"]"#);
        // Who had read the milk alone replaces that alone.
        assert_eq!(write(&paris, "cart", of_milk.as_deref(), "cheese").await.unwrap(), 204);
        assert_eq!(read(&paris, "cart").await.unwrap().body, r#"["bread","cheese"]"#);
    }

    #[tokio::test]
    async fn a_client_that_has_read_at_a_service_that_is_ahead_is_told_to_read_again() {
        let (paris, tokyo) = (Service::start(1).await.unwrap(), Service::start(2).await.unwrap());
        write(&paris, "cart", None, "milk").await.unwrap();
        let of_paris = read(&paris, "cart").await.unwrap().context;
        assert_eq!(write(&tokyo, "cart", of_paris.as_deref(), "bread").await.unwrap(), 409);
        assert_eq!(read(&tokyo, "cart").await.unwrap().status, 404, "and nothing was left behind");
        assert_eq!(sync(&paris, &tokyo).await.unwrap(), 0);
        assert_eq!(write(&tokyo, "cart", of_paris.as_deref(), "bread").await.unwrap(), 204);
        assert_eq!(read(&tokyo, "cart").await.unwrap().body, r#"["bread"]"#);
    }

    #[tokio::test]
    async fn hostile_requests_are_refused_and_change_nothing() {
        let paris = Service::start(1).await.unwrap();
        write(&paris, "cart", None, "milk").await.unwrap();
        let before = read(&paris, "cart").await.unwrap();
        let good = before.context.clone().unwrap();
        let vector = |entries: &[(u32, u64)]| {
            let dots =
                entries.iter().map(|&(actor, counter)| vector_clock::Dot::try_new(actor, counter).unwrap());
            store::to_header(&store::Context::from_sorted(dots).unwrap())
        };
        let crowd: Vec<_> = (0..17).map(|actor| (actor, 1)).collect();
        let digits = "0".repeat(1_026);
        let value = "x".repeat(64 * 1_024 + 1);
        let rows: [(u16, &[&str], &str); 11] = [
            (409, &[&vector(&[(1, 2)])], "a write of this server that it has not made"),
            (409, &[&vector(&[(1, 1), (2, 1)])], "a write of another that is not known here"),
            (409, &[&vector(&[(2, (1 << 63) - 1)])], "the last write of another"),
            (400, &[&vector(&crowd)], "more replicas than there are"),
            (400, &[&digits], "too long"),
            (400, &[&good[1..]], "half a byte"),
            (400, &[&good.to_uppercase().replace('0', "G")], "no digits"),
            (400, &[&format!("{good}00")], "something behind it"),
            (400, &["ff"], "another version"),
            (400, &[&good, &good], "twice"),
            (413, &[&good], &value),
        ];
        for (status, contexts, value) in rows {
            let answer = request("PUT", &paris, "cart", contexts, value).await.unwrap();
            assert_eq!(answer.status, status, "{}: {}", &value[..value.len().min(50)], answer.body);
        }
        let answer = request("PUT", &paris, "cart", &[&digits], "too long").await.unwrap();
        assert!(answer.body.contains("too long"), "before anything is made of it: {}", answer.body);
        let long_key = "k".repeat(257);
        assert_eq!(write(&paris, &long_key, None, "milk").await.unwrap(), 400);
        let after = read(&paris, "cart").await.unwrap();
        assert_eq!((after.body, after.context), (before.body, before.context));
        assert_eq!(write(&paris, "cart", Some(&good), "and it goes on").await.unwrap(), 204);
    }

    #[tokio::test]
    async fn siblings_are_bounded_and_room_is_made_by_reading_them() {
        let paris = Service::start(1).await.unwrap();
        for number in 0..16 {
            assert_eq!(write(&paris, "cart", None, &format!("{number}")).await.unwrap(), 204);
        }
        assert_eq!(write(&paris, "cart", None, "one more").await.unwrap(), 409);
        let all = read(&paris, "cart").await.unwrap().context;
        assert_eq!(write(&paris, "cart", all.as_deref(), "one").await.unwrap(), 204);
        assert_eq!(read(&paris, "cart").await.unwrap().body, r#"["one"]"#);
    }

    #[test]
    fn a_copy_that_makes_no_sense_is_refused_and_the_rest_of_it_is_learnt() {
        let store = store::Store::new(1);
        let copies = r#"{
            "bad": {"context": [["2", "1"]], "siblings": [[["2", "2"], "not in the context"]]},
            "good": {"context": [["2", "1"]], "siblings": [[["2", "1"], "milk"]]}
        }"#;
        assert_eq!(store.learn(serde_json::from_str(copies).unwrap()), 1);
        assert_eq!(store.get("bad"), None);
        assert_eq!(store.get("good").unwrap().values, ["milk"]);
    }

    #[test]
    fn the_program_tells_its_story() {
        main().unwrap();
    }
}
