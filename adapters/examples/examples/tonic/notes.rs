//! The service `clocks.example.Notes`, written by hand: what tonic's generator would make, without `protoc`.
//!
//! ```text
//! message Note { string text = 1; }
//! message Kept { string stamp = 1; string sent = 2; }
//! service Notes { rpc Put(Note) returns (Kept); }
//! ```

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll};

use hlc_tower::{Received, header};
use tonic::{
    Request, Response, Status,
    body::Body,
    client::{Grpc, GrpcService},
    codegen::{Service, StdError, http},
    server::NamedService,
};
use tonic_prost::ProstCodec;

const PUT: &str = "/clocks.example.Notes/Put";

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Note {
    #[prost(string, tag = "1")]
    pub(crate) text: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Kept {
    /// When the server received the note.
    #[prost(string, tag = "1")]
    pub(crate) stamp: String,
    /// The header as the handler finds it in the metadata.
    #[prost(string, tag = "2")]
    pub(crate) sent: String,
}

/// The handler.
#[derive(Clone, Debug)]
struct Put;

impl Service<Request<Note>> for Put {
    type Response = Response<Kept>;
    type Error = Status;
    type Future = Ready<Result<Response<Kept>, Status>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Note>) -> Self::Future {
        if request.get_ref().text.is_empty() {
            return ready(Err(Status::failed_precondition("a note has words")));
        }
        let Some(received) = request.extensions().get::<Received>() else {
            return ready(Err(Status::internal("there is no layer around this service")));
        };
        let sent = request.metadata().get(header::NAME.as_str()).and_then(|value| value.to_str().ok());
        let kept = Kept { stamp: received.at().to_string(), sent: sent.unwrap_or_default().to_owned() };
        ready(Ok(Response::new(kept)))
    }
}

/// The service, as tonic's router takes it.
#[derive(Clone, Debug)]
pub(crate) struct Notes;

impl NamedService for Notes {
    const NAME: &'static str = "clocks.example.Notes";
}

impl Service<http::Request<Body>> for Notes {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        if request.uri().path() != PUT {
            return Box::pin(ready(Ok(Status::unimplemented("no such method").into_http())));
        }
        Box::pin(async move {
            let mut grpc = tonic::server::Grpc::new(ProstCodec::<Kept, Note>::default());
            Ok(grpc.unary(Put, request).await)
        })
    }
}

/// A client over whatever carries requests: a channel, or one behind a layer.
#[derive(Debug)]
pub(crate) struct Client<T> {
    inner: Grpc<T>,
}

impl<T> Client<T>
where
    T: GrpcService<Body>,
    T::ResponseBody: tonic::codegen::Body<Data = tonic::codegen::Bytes> + Send + 'static,
    <T::ResponseBody as tonic::codegen::Body>::Error: Into<StdError> + Send,
{
    pub(crate) fn new(inner: T) -> Self {
        Self { inner: Grpc::new(inner) }
    }

    pub(crate) async fn put(&mut self, request: Request<Note>) -> Result<Response<Kept>, Status> {
        self.inner.ready().await.map_err(|error| Status::from_error(error.into()))?;
        let path = http::uri::PathAndQuery::from_static(PUT);
        self.inner.unary(request, path, ProstCodec::<Note, Kept>::default()).await
    }
}
