//! The same layers over gRPC: a message of tonic's is one of `http`, and the header is an entry of its metadata.
//!
//! ```text
//! cargo run -p clock-examples --example tonic
//! ```
#![expect(
    clippy::print_stdout,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "it is a program, and written as its readers write theirs"
)]

mod notes;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use hlc::{AtomicClock, NodeId, source::SystemSource};
use hlc_tower::{ClientLayer, Received, Refused, ServerLayer};
use tonic::{
    Status,
    body::Body,
    codegen::http::Response,
    transport::{Channel, Endpoint, Server, server::TcpIncoming},
};
use tower::Layer as _;

use crate::notes::{Client, Note, Notes};

type Clock = Arc<AtomicClock<SystemSource>>;
type Layer = ServerLayer<Clock, fn(&Refused) -> Response<Body>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (address, layer) = serve(Arc::new(AtomicClock::new(SystemSource::new()))).await?;

    let clock: Clock = Arc::new(AtomicClock::new(SystemSource::new()));
    let channel = connect(address).await?;
    let mut client =
        Client::new(ClientLayer::new(Arc::clone(&clock), NodeId::new(2)?).layer(channel.clone()));
    let answer = client.put(tonic::Request::new(Note { text: "first".to_owned() })).await?;
    println!("kept at {}, as the server says", answer.get_ref().stamp);
    println!("in the answer's metadata: {:?}", answer.metadata().get("hlc-stamp"));
    println!("received at {:?}", answer.extensions().get::<Received>().map(Received::at));

    let mut hostile = tonic::Request::new(Note { text: "from the year 2500".to_owned() });
    hostile.metadata_mut().insert("hlc-stamp", "0f36c1b8f5000000-0000000000000009".parse()?);
    let refused = Client::new(channel).put(hostile).await;
    println!("refused: {}", refused.err().ok_or("it is refused")?);
    println!("the server has counted: {:?}", layer.snapshot());
    Ok(())
}

/// A gRPC server on a free port, until the runtime ends. A refusal is a status of gRPC's, not of HTTP's.
#[expect(clippy::unused_async, reason = "it starts a task, and so is for callers in a runtime")]
async fn serve(clock: Clock) -> Result<(SocketAddr, Layer), Box<dyn Error>> {
    let as_status: fn(&Refused) -> Response<Body> = |refused| {
        let status = if matches!(refused, Refused::Clock(_)) {
            Status::unavailable(refused.to_string())
        } else {
            Status::invalid_argument(refused.to_string())
        };
        status.into_http()
    };
    let layer = ServerLayer::new(clock, NodeId::new(1)?).on_refusal(as_status);
    let incoming = TcpIncoming::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let address = incoming.local_addr()?;
    let server = Server::builder().layer(layer.clone()).add_service(Notes);
    tokio::spawn(server.serve_with_incoming(incoming));
    Ok((address, layer))
}

async fn connect(address: SocketAddr) -> Result<Channel, tonic::transport::Error> {
    Endpoint::from_shared(format!("http://{address}"))?.connect().await
}
