//! A server that asks for a password.

use std::error::Error as _;
use std::time::Duration;

use epoch_fence::engine::etcd::EtcdError;
use epoch_fence::engine::{Engine as _, Failure};
use epoch_fence::{NotAcquired, Wait};

use crate::stage::{acquire, claim, issuer, ledger, options, own, runtime, store};

const PASSWORD: &str = "correct-horse";

#[test]
fn a_user_has_its_own_namespace_outlives_its_tokens_and_its_password_is_never_told() {
    let Some(mut server) = own(1, &[]) else { return };
    for command in [
        &["user", "add", "root:r00t"][..],
        &["user", "grant-role", "root", "root"],
        &["role", "add", "billing"],
        &["role", "grant-permission", "billing", "readwrite", "--prefix=true", "epoch-fence/billing/"],
        &["user", "add", &format!("billing:{PASSWORD}")],
        &["user", "grant-role", "billing", "billing"],
        &["auth", "enable"],
    ] {
        server.execute(command);
    }
    let connect = |namespace: &str, password: &str| {
        let options = options(&server, namespace).user("billing", password).timeout(Duration::from_secs(5));
        assert!(!format!("{options:?}").contains(password));
        runtime().block_on(options.connect())
    };
    let told = |error: EtcdError, secret: &str| {
        let mut text = format!("{error} {error:?}");
        let mut cause = error.source();
        while let Some(error) = cause {
            text += &format!("{error} {error:?}");
            cause = error.source();
        }
        assert!(!text.contains(secret), "{text}");
        assert!(matches!(error, EtcdError::Refused(_)), "{text}");
    };
    told(connect("billing", "wrong-horse").unwrap_err(), "wrong-horse");
    told(connect("payroll", PASSWORD).unwrap_err(), PASSWORD);
    let nobody = runtime().block_on(options(&server, "billing").connect());
    told(nobody.unwrap_err(), PASSWORD);

    let store = store(options(&server, "billing").user("billing", PASSWORD));
    assert!(!format!("{store:?}").contains(PASSWORD));
    let issuer = issuer(&store);
    let mut lease = issuer.acquire(&claim("a", 600_000), Wait::AtOnce).unwrap();
    let view = store.load(&ledger()).unwrap();
    // A server that starts again has forgotten the tokens that it gave, as it has those that are five minutes old.
    server.stop(0);
    server.restart(0);
    lease.renew().unwrap();
    server.kill(0);
    server.restart(0);
    let refused = issuer.acquire(&claim("b", 500), Wait::AtOnce);
    assert!(matches!(refused, Err(NotAcquired::Held { .. })), "{refused:?}");
    server.kill(0);
    server.restart(0);
    // A write too: the server looks at the token before it looks at the write.
    let stale = acquire(&view.with_ended(), 1, 500);
    assert!(!matches!(store.swap(&ledger(), &stale), Err(Failure::Indeterminate(_))));
    lease.release().unwrap();
}
