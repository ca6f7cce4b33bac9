//! The shop, which asks the stock, and the stock.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::{
    Extension, Router,
    body::{Body, to_bytes},
    extract::State,
    http::{Request, Response, StatusCode},
    routing::get,
};
use hlc::SkewPolicy;
use hlc_tower::{ClientLayer, EmptyBody, Received, Refused, ServerLayer};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::net::TcpListener;
use tower::{Layer as _, ServiceExt as _};

use crate::host::{Clock, Host};

/// What strangers may be ahead. Together with the 300 ms by which the stock's wall clock is behind it stays below the
/// 500 ms that services accept from each other: else a stranger could bring the shop where the stock refuses it.
pub(crate) const EDGE_LIMIT: Duration = Duration::from_millis(100);

/// More than any answer here.
const MAX_BODY_BYTES: usize = 4096;

/// Both, on free ports of this host, until the runtime ends.
pub(crate) struct Services {
    pub(crate) shop: Arc<Host>,
    pub(crate) stock: Arc<Host>,
    pub(crate) shop_at: SocketAddr,
    pub(crate) shop_layer: ServerLayer<Clock, fn(&Refused) -> Response<Body>>,
    pub(crate) stock_layer: ServerLayer<Clock, EmptyBody>,
}

impl Services {
    pub(crate) async fn start() -> Result<Self, Box<dyn Error>> {
        let stock = Arc::new(Host::new("stock", 2, 300, SkewPolicy::DEFAULT)?);
        let stock_layer = ServerLayer::new(stock.clock(), stock.node());
        let app = Router::new().route("/take", get(take)).with_state(Arc::clone(&stock));
        let stock_at = serve(app.layer(stock_layer.clone())).await?;

        let shop = Arc::new(Host::new("shop", 1, 0, SkewPolicy::AtMost(EDGE_LIMIT))?);
        // Strangers are told what was wrong with their stamp.
        let in_words: fn(&Refused) -> Response<Body> = |refused| {
            let mut response = Response::new(Body::from(refused.to_string()));
            *response.status_mut() = refused.status();
            response
        };
        let shop_layer = ServerLayer::new(shop.clock(), shop.node()).on_refusal(in_words);
        // One clock below both layers: what the shop hears from customers is in what it tells the stock.
        let plain = Client::builder(TokioExecutor::new()).build_http();
        let to_stock = ClientLayer::new(shop.clock(), shop.node()).layer(plain);
        let state = Arc::new(Shop { host: Arc::clone(&shop), to_stock, stock_at });
        let app = Router::new().route("/order", get(order)).with_state(state);
        let shop_at = serve(app.layer(shop_layer.clone())).await?;
        Ok(Self { shop, stock, shop_at, shop_layer, stock_layer })
    }
}

struct Shop {
    host: Arc<Host>,
    to_stock: hlc_tower::Client<Client<HttpConnector, Body>, Clock>,
    stock_at: SocketAddr,
}

/// The handler's stamp is that of the receipt: above everything that the customer knew of.
async fn order(
    State(shop): State<Arc<Shop>>,
    Extension(received): Extension<Received>,
) -> Result<String, StatusCode> {
    shop.host.note(received.at(), "is asked for an item");
    let request = Request::get(format!("http://{}/take", shop.stock_at)).body(Body::empty());
    let request = request.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let answer = shop.to_stock.clone().oneshot(request).await.map_err(|_| StatusCode::BAD_GATEWAY)?;
    if !answer.status().is_success() {
        return Err(StatusCode::BAD_GATEWAY);
    }
    let taken = answer.extensions().get::<Received>().copied().ok_or(StatusCode::BAD_GATEWAY)?;
    shop.host.note(taken.at(), "knows that it is taken");
    Ok(format!("ordered at {}\n", received.at()))
}

async fn take(State(stock): State<Arc<Host>>, Extension(received): Extension<Received>) {
    stock.note(received.at(), "takes it off the shelf");
}

/// Serves until the runtime ends, and says where.
async fn serve(app: Router) -> Result<SocketAddr, std::io::Error> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(address)
}

/// The body of an answer.
pub(crate) async fn text<B>(answer: Response<B>) -> Result<String, Box<dyn Error>>
where
    B: axum::body::HttpBody<Data = axum::body::Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    let bytes = to_bytes(Body::new(answer.into_body()), MAX_BODY_BYTES).await?;
    Ok(String::from_utf8(bytes.to_vec())?)
}
