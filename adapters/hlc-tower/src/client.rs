//! `ClientLayer`: requests are stamped, answers observed.

use alloc::sync::Arc;
use core::{
    future::{self, Future, Ready},
    pin::Pin,
    task::{Context, Poll, ready},
};

use hlc::NodeId;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    ClientError, ClockPolicy, Refused, SharedClock, Snapshot, StampPolicy, Unstamped, policy::Policies,
    stamper::Stamper,
};

/// Puts [`Client`] around a service that carries requests to a server.
///
/// A request is stamped by a tick, in place of whatever stamp it has: what was copied from another message is not the
/// stamp of this one. The stamp of the answer is observed, and its [`Received`](crate::Received) put into the answer's
/// extensions. Put it inside a layer that tries again, so that each try has a stamp of its own.
///
/// A bad stamp in an answer is ignored and counted, because the work is done; [`StampPolicy::Refuse`] makes it an error.
/// Where the clock gives the request no stamp, nothing is sent, or it goes without, as [`ClockPolicy`] says. Clones share
/// the counts of [`snapshot`](Self::snapshot).
#[derive(Debug)]
pub struct ClientLayer<C> {
    stamper: Arc<Stamper<C>>,
    policies: Policies,
}

impl<C: SharedClock> ClientLayer<C> {
    /// Makes a layer that stamps with `clock` in the name of `node`.
    #[must_use]
    pub fn new(clock: C, node: NodeId) -> Self {
        Self {
            stamper: Arc::new(Stamper::new(clock, node)),
            policies: Policies { stamp: StampPolicy::Ignore, clock: ClockPolicy::Refuse },
        }
    }
}

impl<C> ClientLayer<C> {
    /// Sets what becomes of an answer with a bad stamp. [`StampPolicy::Ignore`] unless set: an error would say that the
    /// call failed, and a caller would try again what has been done.
    #[must_use]
    pub fn with_stamp_policy(mut self, policy: StampPolicy) -> Self {
        self.policies.stamp = policy;
        self
    }

    /// Sets what becomes of a request to which the clock gives no stamp. [`ClockPolicy::Refuse`] unless set.
    #[must_use]
    pub fn with_clock_policy(mut self, policy: ClockPolicy) -> Self {
        self.policies.clock = policy;
        self
    }

    /// Reads the counts of this layer, of its clones, and of the services made from them.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.stamper.snapshot()
    }
}

impl<C> Clone for ClientLayer<C> {
    fn clone(&self) -> Self {
        Self { stamper: Arc::clone(&self.stamper), policies: self.policies }
    }
}

impl<S, C> Layer<S> for ClientLayer<C> {
    type Service = Client<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        Client { inner, layer: self.clone() }
    }
}

/// A service behind a [`ClientLayer`], whose page says what it does.
#[derive(Debug)]
pub struct Client<S, C> {
    inner: S,
    layer: ClientLayer<C>,
}

impl<S: Clone, C> Clone for Client<S, C> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), layer: self.layer.clone() }
    }
}

impl<S, C, ReqBody, ResBody> Service<Request<ReqBody>> for Client<S, C>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    C: SharedClock,
{
    type Response = Response<ResBody>;
    type Error = ClientError<S::Error>;
    type Future = ClientFuture<S::Future, C>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(ClientError::Service)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let stamped = self.layer.stamper.stamp_request(request.headers_mut());
        let progress = match (stamped, self.layer.policies.clock) {
            (Err(error), ClockPolicy::Refuse) => Progress::NotSent { error: future::ready(error) },
            (Ok(()), _) | (Err(_), ClockPolicy::PassUnstamped) => {
                Progress::Sent { answer: self.inner.call(request) }
            }
        };
        ClientFuture { progress, layer: self.layer.clone() }
    }
}

pin_project! {
    /// The answer to a [`Client`], once there is one.
    #[derive(Debug)]
    pub struct ClientFuture<F, C> {
        #[pin]
        progress: Progress<F>,
        layer: ClientLayer<C>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = ProgressProjection]
    enum Progress<F> {
        Sent {
            #[pin]
            answer: F,
        },
        NotSent {
            #[pin]
            error: Ready<Unstamped>,
        },
    }
}

impl<C: SharedClock> ClientLayer<C> {
    /// Observes an answer, and leaves in its extensions what the caller may know.
    fn arrive<B>(&self, answer: &mut Response<B>) -> Result<(), Refused> {
        match self.stamper.observe(answer.headers()) {
            Ok(None) => {}
            Ok(Some(received)) => {
                answer.extensions_mut().insert(received);
            }
            Err(refused) => {
                let is_the_servers = matches!(refused, Refused::Header(_) | Refused::TooFarAhead(_));
                if is_the_servers && self.policies.stamp == StampPolicy::Refuse {
                    return Err(refused);
                }
                answer.extensions_mut().insert(refused);
            }
        }
        Ok(())
    }
}

impl<F, B, C, E> Future for ClientFuture<F, C>
where
    F: Future<Output = Result<Response<B>, E>>,
    C: SharedClock,
{
    type Output = Result<Response<B>, ClientError<E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut answer = match this.progress.project() {
            ProgressProjection::Sent { answer } => ready!(answer.poll(cx)).map_err(ClientError::Service)?,
            ProgressProjection::NotSent { error } => {
                return Poll::Ready(Err(ClientError::NotSent(ready!(error.poll(cx)))));
            }
        };
        this.layer.arrive(&mut answer).map_err(ClientError::Answer)?;
        Poll::Ready(Ok(answer))
    }
}
