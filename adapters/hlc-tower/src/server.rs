//! `ServerLayer`: requests are observed, responses stamped.

use alloc::sync::Arc;
use core::{
    future::{self, Future, Ready},
    pin::Pin,
    task::{Context, Poll, ready},
};

use hlc::{NodeId, Timestamp};
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    ClockPolicy, EmptyBody, Received, Refused, Respond, SharedClock, Snapshot, StampPolicy, policy::Policies,
    stamper::Stamper,
};

/// Puts [`Server`] around the services of a server.
///
/// A request's stamp is observed on the clock, and its [`Received`] put into the request's extensions; where the request
/// has no stamp, that of a tick. The response is stamped by a tick, unless its handler has stamped it with
/// [`header::insert`](crate::header::insert), of the layer's node and between the receipt and now: what was copied from
/// another service's response is not the stamp of this one.
///
/// A bad stamp is refused with 400, and the handler not called; [`StampPolicy::Ignore`] lets the request pass. Where the
/// clock itself fails the answer is 503, or as [`ClockPolicy`] says. Clones share the counts of [`snapshot`](Self::snapshot).
///
/// # Examples
///
/// ```
/// # use core::{future::ready, pin::pin, task::{Context, Poll, Waker}};
/// use core::convert::Infallible;
/// use hlc::{AtomicClock, NodeId, source::ManualSource};
/// use hlc_tower::{Received, ServerLayer, header};
/// use http::{Request, Response};
/// use tower::{Layer, ServiceExt, service_fn};
///
/// # async fn example() -> Result<(), Box<dyn core::error::Error>> {
/// let clock = AtomicClock::new(ManualSource::at_millis(1_700_000_000_000));
/// let layer = ServerLayer::new(&clock, NodeId::new(1)?)
///     .on_refusal(|refused| Response::new(refused.to_string()));
/// let service = layer.layer(service_fn(|request: Request<()>| {
///     let received = request.extensions().get::<Received>().copied();
///     ready(Ok::<_, Infallible>(Response::new(format!("{received:?}"))))
/// }));
///
/// // From a peer in the year 2500: refused in the words of the hook, counted, and the clock stays where it was.
/// let request = Request::builder().header(header::NAME, "0f36c1b8f5000000-0000000000000002").body(())?;
/// let response = service.oneshot(request).await?;
/// assert!(response.body().contains("ahead of the local physical clock, limit 500ms"), "{}", response.body());
/// assert_eq!(layer.snapshot().too_far_ahead(), 1);
/// assert!(clock.tick()?.physical_units() == 1_700_000_000_000);
/// # Ok(())
/// # }
/// # let Poll::Ready(outcome) = pin!(example()).poll(&mut Context::from_waker(Waker::noop())) else { panic!() };
/// # outcome?;
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ServerLayer<C, R = EmptyBody> {
    stamper: Arc<Stamper<C>>,
    policies: Policies,
    respond: R,
}

impl<C: SharedClock> ServerLayer<C> {
    /// Makes a layer that stamps with `clock` in the name of `node`, and refuses what is bad.
    #[must_use]
    pub fn new(clock: C, node: NodeId) -> Self {
        Self {
            stamper: Arc::new(Stamper::new(clock, node)),
            policies: Policies { stamp: StampPolicy::Refuse, clock: ClockPolicy::Refuse },
            respond: EmptyBody,
        }
    }
}

impl<C, R> ServerLayer<C, R> {
    /// Sets what becomes of a request with a bad stamp. [`StampPolicy::Refuse`] unless set: no work is lost by it, and
    /// what goes on keeps the order of causes.
    #[must_use]
    pub fn with_stamp_policy(mut self, policy: StampPolicy) -> Self {
        self.policies.stamp = policy;
        self
    }

    /// Sets what becomes of a request where the clock gives no stamp. [`ClockPolicy::Refuse`] unless set: handlers can
    /// rely on [`Received`].
    #[must_use]
    pub fn with_clock_policy(mut self, policy: ClockPolicy) -> Self {
        self.policies.clock = policy;
        self
    }

    /// Sets the function that makes the response to a refused request. Unless set, it is [`Refused::status`] with an
    /// empty body.
    #[must_use]
    pub fn on_refusal<F, B>(self, respond: F) -> ServerLayer<C, F>
    where
        F: Fn(&Refused) -> Response<B>,
    {
        ServerLayer { stamper: self.stamper, policies: self.policies, respond }
    }

    /// Reads the counts of this layer, of its clones, and of the services made from them.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.stamper.snapshot()
    }
}

impl<C, R: Clone> Clone for ServerLayer<C, R> {
    fn clone(&self) -> Self {
        Self { stamper: Arc::clone(&self.stamper), policies: self.policies, respond: self.respond.clone() }
    }
}

impl<S, C, R: Clone> Layer<S> for ServerLayer<C, R> {
    type Service = Server<S, C, R>;

    fn layer(&self, inner: S) -> Self::Service {
        Server { inner, layer: self.clone() }
    }
}

/// A service behind a [`ServerLayer`], whose page says what it does.
#[derive(Debug)]
pub struct Server<S, C, R = EmptyBody> {
    inner: S,
    layer: ServerLayer<C, R>,
}

impl<S: Clone, C, R: Clone> Clone for Server<S, C, R> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), layer: self.layer.clone() }
    }
}

impl<C: SharedClock, R> ServerLayer<C, R> {
    /// Observes a request, and leaves in its extensions what a handler may know; or says why it goes no further. Returns the
    /// time of the receipt, where there is one.
    fn arrive<B>(&self, request: &mut Request<B>) -> Result<Option<Timestamp>, Refused> {
        let received = match self.stamper.observe(request.headers()) {
            Ok(Some(received)) => Ok(received),
            Ok(None) => self.stamper.tick(),
            Err(refused @ (Refused::Header(_) | Refused::TooFarAhead(_))) => match self.policies.stamp {
                StampPolicy::Refuse => return Err(refused),
                StampPolicy::Ignore => {
                    request.extensions_mut().insert(refused);
                    self.stamper.tick()
                }
            },
            Err(refused @ Refused::Clock(_)) => Err(refused),
        };
        match (received, self.policies.clock) {
            (Ok(received), _) => {
                request.extensions_mut().insert::<Received>(received);
                Ok(Some(received.at().timestamp()))
            }
            (Err(refused), ClockPolicy::Refuse) => Err(refused),
            (Err(refused), ClockPolicy::PassUnstamped) => {
                request.extensions_mut().insert(refused);
                Ok(None)
            }
        }
    }
}

impl<S, C, R, ReqBody, ResBody> Service<Request<ReqBody>> for Server<S, C, R>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    C: SharedClock,
    R: Respond<ResBody>,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = ServerFuture<S::Future, ResBody, C>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let (progress, receipt) = match self.layer.arrive(&mut request) {
            Ok(receipt) => (Progress::Handled { handler: self.inner.call(request) }, receipt),
            Err(refused) => {
                let mut response = self.layer.respond.respond(&refused);
                response.extensions_mut().insert(refused);
                (Progress::Refused { response: future::ready(response) }, None)
            }
        };
        ServerFuture { progress, receipt, stamper: Arc::clone(&self.layer.stamper) }
    }
}

pin_project! {
    /// The response of a [`Server`], once there is one.
    #[derive(Debug)]
    pub struct ServerFuture<F, B, C> {
        #[pin]
        progress: Progress<F, B>,
        receipt: Option<Timestamp>,
        stamper: Arc<Stamper<C>>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = ProgressProjection]
    enum Progress<F, B> {
        Handled {
            #[pin]
            handler: F,
        },
        Refused {
            #[pin]
            response: Ready<Response<B>>,
        },
    }
}

impl<F, B, C, E> Future for ServerFuture<F, B, C>
where
    F: Future<Output = Result<Response<B>, E>>,
    C: SharedClock,
{
    type Output = Result<Response<B>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = match this.progress.project() {
            ProgressProjection::Handled { handler } => ready!(handler.poll(cx))?,
            ProgressProjection::Refused { response } => ready!(response.poll(cx)),
        };
        this.stamper.stamp_response(response.headers_mut(), *this.receipt);
        Poll::Ready(Ok(response))
    }
}
