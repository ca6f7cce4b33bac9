//! `Respond`: how a server says no, in a body of its own kind.

use http::Response;

use crate::Refused;

/// Makes the response to a request that is refused.
///
/// [`EmptyBody`] is the default; [`ServerLayer::on_refusal`](crate::ServerLayer::on_refusal) takes a function, of which
/// this is implemented. The layer adds the [`Refused`] to the extensions, and a stamp.
#[diagnostic::on_unimplemented(
    message = "`{Self}` makes no response with a body of type `{B}`",
    note = "where the body has no `Default`, give the layer a function: `ServerLayer::on_refusal`"
)]
pub trait Respond<B> {
    /// Returns the response to a request that was refused for `refused`.
    fn respond(&self, refused: &Refused) -> Response<B>;
}

impl<B, F: Fn(&Refused) -> Response<B>> Respond<B> for F {
    fn respond(&self, refused: &Refused) -> Response<B> {
        self(refused)
    }
}

/// Answers with [`Refused::status`] and the body type's default, which is an empty body in every framework.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct EmptyBody;

impl<B: Default> Respond<B> for EmptyBody {
    fn respond(&self, refused: &Refused) -> Response<B> {
        let mut response = Response::new(B::default());
        *response.status_mut() = refused.status();
        response
    }
}
