//! Two services on axum and a client, whose wall clocks are apart, with the stamps of `hlc` in the header `hlc-stamp`.
//!
//! ```text
//! cargo run -p clock-examples --example axum            a conversation, and what each service noted
//! cargo run -p clock-examples --example axum -- serve   the services stay, for curl
//! ```
#![expect(
    clippy::print_stdout,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "it is a program, and written as its readers write theirs"
)]

mod host;
mod services;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::fmt::Write as _;

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use hlc::SkewPolicy;
use hlc_tower::{ClientLayer, Received, header};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tower::{Layer as _, ServiceExt as _};

use crate::{
    host::Host,
    services::{Services, text},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let services = Services::start().await?;
    if std::env::args().nth(1).as_deref() == Some("serve") {
        println!("curl -i http://{}/order", services.shop_at);
        return std::future::pending().await;
    }
    print!("{}", conversation(&services).await?);
    Ok(())
}

/// What a customer does, and what came of it, for people.
async fn conversation(services: &Services) -> Result<String, Box<dyn Error>> {
    let customer = Host::new("customer", 3, 150, SkewPolicy::DEFAULT)?;
    // Any client of `http` will do: the layer stamps what goes out and observes what comes back.
    let plain = Client::builder(TokioExecutor::new()).build_http::<Body>();
    let stamping = ClientLayer::new(customer.clock(), customer.node()).layer(plain.clone());
    let order = || Request::get(format!("http://{}/order", services.shop_at));
    let mut story = String::new();

    let answer = stamping.oneshot(order().body(Body::empty())?).await?;
    let received = answer.extensions().get::<Received>().copied().ok_or("the answer was stamped")?;
    customer.note(received.at(), "has the answer");
    write!(story, "a customer with a clock:     {}", text(answer).await?)?;

    let answer = plain.request(order().body(Body::empty())?).await?;
    write!(story, "a customer without one:      {}", text(answer).await?)?;

    let year_2500 = "0f36c1b8f5000000-0000000000000009";
    let answer = plain.request(order().header(header::NAME, year_2500).body(Body::empty())?).await?;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "the handler is not called");
    writeln!(story, "one from the year 2500:      {}", text(answer).await?)?;

    writeln!(story, "\nwhat the three noted, in the order of the stamps, with their wall clocks:")?;
    let mut notes = [&*services.shop, &*services.stock, &customer].map(Host::notes).concat();
    notes.sort_by_key(|note| note.stamp);
    for note in &notes {
        writeln!(story, "  {}  {:>13} ms  {:8}  {}", note.stamp, note.wall_millis, note.host, note.event)?;
    }
    writeln!(story, "\nthe shop's layer has counted {:?}", services.shop_layer.snapshot())?;
    writeln!(story, "the stock's layer has counted {:?}", services.stock_layer.snapshot())?;
    Ok(story)
}
