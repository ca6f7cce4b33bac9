//! The suite that every store passes.

use std::time::Duration;

use epoch_fence::engine::conformance::{self, Subject};

use crate::stage::{namespace, options, own, store, until};

#[test]
fn a_namespace_in_an_etcd_conforms_for_two_clients() {
    // Its least lease is three seconds: the suite waits for one within a lease of two.
    let Some(server) = own(1, &[("election-timeout", "2000")]) else { return };
    let namespace = namespace();
    let (one, two) = (store(options(&server, &namespace)), store(options(&server, &namespace)));
    let marks = format!("epoch-fence/{namespace}/lease/");
    // Etcd ends a lease when its time is over, and a moment later: what is waited for is that every lease ended.
    let advance = |wait: Duration| {
        std::thread::sleep(wait);
        let all = wait >= Duration::from_secs(2);
        let marks = || server.execute(&["get", "--prefix", &marks, "--keys-only"]);
        until("every lease ended", || !all || marks().is_empty());
    };
    assert_eq!(conformance::run(&Subject::new(&one, &two, advance)), Ok(conformance::RULES));
}
