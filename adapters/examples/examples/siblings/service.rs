//! `Service`: a store behind HTTP, for clients on one socket and for the other replicas on another.

use std::{error::Error, io, net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    body::{Body, to_bytes},
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tokio::net::TcpListener;
use vector_clock::ObserveError;

use crate::store::{self, Context, Refused, Replica, Store};

/// The header that carries a context, in an answer and in the write that follows it.
pub(crate) const CONTEXT: &str = "x-context";

const MAX_VALUE_BYTES: usize = 64 * 1_024;
/// Of all that another replica has. A real one would ask for what it lacks.
const MAX_COPY_BYTES: usize = 16 * 1_024 * 1_024;

/// A running service: it ends with its runtime.
pub(crate) struct Service {
    store: Arc<Store>,
    /// Where clients read and write.
    pub(crate) clients: SocketAddr,
    /// Where the other replicas copy from. Clients must not get here: what a replica says is believed.
    pub(crate) replicas: SocketAddr,
}

impl Service {
    /// Begins to serve on two free ports of the loopback interface.
    pub(crate) async fn start(replica: Replica) -> io::Result<Self> {
        let store = Arc::new(Store::new(replica));
        let for_clients = Router::new()
            .route("/keys/{key}", get(read).put(write))
            .layer(DefaultBodyLimit::max(MAX_VALUE_BYTES))
            .with_state(Arc::clone(&store));
        let for_replicas = Router::new().route("/copy", get(copy)).with_state(Arc::clone(&store));
        let (clients, replicas) = (serve(for_clients).await?, serve(for_replicas).await?);
        Ok(Self { store, clients, replicas })
    }

    /// Learns what another replica has: called from time to time. Returns how many keys were refused.
    pub(crate) async fn learn_from(
        &self,
        replica: SocketAddr,
    ) -> Result<usize, Box<dyn Error + Send + Sync>> {
        let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
        let answer = client.get(format!("http://{replica}/copy").parse()?).await?;
        let copies = to_bytes(Body::new(answer.into_body()), MAX_COPY_BYTES).await?;
        Ok(self.store.learn(serde_json::from_slice(&copies)?))
    }
}

async fn serve(router: Router) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

async fn copy(State(store): State<Arc<Store>>) -> impl IntoResponse {
    Json(store.copy())
}

async fn read(State(store): State<Arc<Store>>, Path(key): Path<String>) -> Response {
    match store.get(&key) {
        Some(read) => ([(CONTEXT, store::to_header(&read.context))], Json(read.values)).into_response(),
        None => {
            (StatusCode::NOT_FOUND, "nobody has written this key; write without a context\n").into_response()
        }
    }
}

/// Without a context, the client has read nothing: its value stands beside all others.
async fn write(
    State(store): State<Arc<Store>>,
    Path(key): Path<String>,
    headers: HeaderMap,
    value: String,
) -> Result<StatusCode, Refused> {
    let mut contexts = headers.get_all(CONTEXT).iter();
    let context =
        contexts.next().map_or_else(|| Ok(Context::new()), |one| store::from_header(one.as_bytes()))?;
    if contexts.next().is_some() {
        return Err(Refused::Context("there are two".to_owned()));
    }
    store.put(&key, &context, value)?;
    Ok(StatusCode::NO_CONTENT)
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, what_to_do) = match &self {
            Self::Context(_) | Self::Key => (StatusCode::BAD_REQUEST, "send what the last read gave"),
            // Forged, or read at another replica that is ahead of this one.
            Self::Write(ObserveError::JumpExceeded(_) | ObserveError::Unissued(_)) => {
                (StatusCode::CONFLICT, "read here, and write with what that gives")
            }
            Self::Write(ObserveError::Capacity(_)) => {
                (StatusCode::CONFLICT, "too many siblings: read them, and write one in their place")
            }
            Self::Full | Self::Write(_) => (StatusCode::INSUFFICIENT_STORAGE, "remove something first"),
        };
        (status, format!("{self}; {what_to_do}\n")).into_response()
    }
}
