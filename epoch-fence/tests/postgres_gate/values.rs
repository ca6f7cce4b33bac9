//! Tokens of every kind: of the same epoch, forged, of another realm, and what is none.

use epoch_fence::{Epoch, FencingToken, PostgresGate, PostgresGateError, RealmId, ResourceId};
use tokio_postgres::{Client, IsolationLevel};

use crate::stage::{
    PATIENT, begin, code, connect, epoch, gate, grant, ledger, play, realm, rival, token, word,
};

/// What an admission comes to, in a transaction of its own.
async fn admit(client: &mut Client, token: &FencingToken) -> String {
    let transaction = begin(client, IsolationLevel::ReadCommitted).await;
    word(gate().admit(&transaction, token).await)
}

#[test]
fn under_one_epoch_one_grant_is_admitted_and_older_epochs_are_not() {
    play("one_grant", async |stage| {
        let mut client = stage.writer().await;
        gate().advance(&client, &token(7)).await.unwrap();
        gate().advance(&client, &token(7)).await.unwrap();
        assert_eq!(admit(&mut client, &token(7)).await, "admitted");
        assert_eq!(word(gate().advance(&client, &rival(7)).await), "Conflict");
        assert_eq!(admit(&mut client, &rival(7)).await, "Conflict");
        let stale = gate().advance(&client, &token(6)).await;
        assert!(matches!(stale, Err(PostgresGateError::Stale { floor }) if floor == epoch(7)), "{stale:?}");
        assert_eq!(admit(&mut client, &token(6)).await, "Stale");
        assert_eq!(admit(&mut client, &token(8)).await, "AdvanceFirst");
        // Nothing of all this has changed the gate.
        assert_eq!(admit(&mut client, &token(7)).await, "admitted");
    });
}

#[test]
fn of_two_who_raise_the_gate_to_one_epoch_at_once_one_does() {
    play("at_once", async |stage| {
        for number in 1..=20 {
            let tokens = [token(number), rival(number), token(number), rival(number)];
            let racers = tokens.map(|token| {
                let (url, gate) = (stage.url.clone(), gate());
                tokio::spawn(async move {
                    let client = connect(&url, PATIENT).await.unwrap();
                    word(gate.advance(&client, &token).await)
                })
            });
            let mut told = Vec::new();
            for racer in racers {
                told.push(racer.await.unwrap());
            }
            assert_eq!(told[0], told[2], "{told:?}");
            assert_eq!(told[1], told[3], "{told:?}");
            let mut words = [told[0].as_str(), told[1].as_str()];
            words.sort_unstable();
            assert_eq!(words, ["Conflict", "admitted"], "epoch {number}");
        }
    });
}

#[test]
fn an_epoch_far_ahead_is_refused_and_changes_nothing() {
    play("far_ahead", async |stage| {
        let mut client = stage.writer().await;
        let limit = 1 << 32;
        let far = gate().advance(&client, &token(limit + 2)).await;
        assert!(
            matches!(far, Err(PostgresGateError::TooFarAhead { ahead, limit: of }) if ahead == limit + 1 && of == limit),
            "{far:?}"
        );
        gate().advance(&client, &token(3)).await.unwrap();
        for number in [limit + 4, Epoch::MAX_ISSUED.get()] {
            assert_eq!(word(gate().advance(&client, &token(number)).await), "TooFarAhead", "{number}");
            assert_eq!(admit(&mut client, &token(number)).await, "AdvanceFirst", "{number}");
        }
        for number in [Epoch::MAX_ISSUED.get() + 1, Epoch::MAX.get()] {
            assert_eq!(word(gate().advance(&client, &token(number)).await), "NeverIssued", "{number}");
            assert_eq!(admit(&mut client, &token(number)).await, "NeverIssued", "{number}");
            let (_, complaint) = stage.psql(&call("fence_advance", &token(number), ledger()));
            assert!(complaint.contains("FE005"), "{complaint}");
        }
        gate().advance(&client, &token(4)).await.unwrap();
        // The limit itself is allowed, once.
        gate().advance(&client, &token(limit + 4)).await.unwrap();
        assert_eq!(admit(&mut client, &token(4)).await, "Stale");
    });
}

#[test]
fn the_last_epoch_there_is_can_be_reached_and_nothing_wraps_behind_it() {
    play("last_epoch", async |stage| {
        let mut client = stage.writer().await;
        client.batch_execute("UPDATE epoch_fence.gate SET max_advance = 9223372036854775807").await.unwrap();
        let last = token(Epoch::MAX_ISSUED.get());
        gate().advance(&client, &last).await.unwrap();
        assert_eq!(admit(&mut client, &last).await, "admitted");
        assert_eq!(admit(&mut client, &token(1)).await, "Stale");
        let told = PostgresGate::adopt(&client, realm(2), Epoch::MAX_ISSUED).await;
        let least = Epoch::MAX_ISSUED.get() + 1;
        assert!(
            matches!(told, Err(PostgresGateError::FloorTooLow { least: of }) if of.get() == least),
            "{told:?}"
        );
        assert_eq!(word(PostgresGate::adopt(&client, realm(2), epoch(least)).await), "NeverIssued");
    });
}

#[test]
fn tokens_of_another_realm_or_resource_are_refused_whatever_their_epoch() {
    play("elsewhere", async |stage| {
        let mut client = stage.writer().await;
        let foreign = |number| FencingToken::new(realm(2), ledger(), epoch(number), grant(1));
        // Both before anything was raised and after it.
        for number in [1, 5] {
            assert_eq!(word(gate().advance(&client, &foreign(number)).await), "WrongRealm");
            assert_eq!(admit(&mut client, &foreign(number)).await, "WrongRealm");
            gate().advance(&client, &token(number)).await.unwrap();
            assert_eq!(admit(&mut client, &foreign(number)).await, "WrongRealm");
            assert_eq!(admit(&mut client, &foreign(number + 1)).await, "WrongRealm");
        }
        let other = PostgresGate::new(ResourceId::of("billing", "invoices"));
        assert_eq!(word(other.advance(&client, &token(6)).await), "WrongResource");
        let transaction = begin(&mut client, IsolationLevel::ReadCommitted).await;
        assert_eq!(word(other.admit(&transaction, &token(5)).await), "WrongResource");
        drop(transaction);
        let (_, complaint) = stage.psql(&call("fence_admit", &token(5), other.resource()));
        assert!(complaint.contains("FE006"), "{complaint}");
        // Its epochs are its own.
        let theirs = FencingToken::new(realm(1), other.resource(), epoch(2), grant(2));
        other.advance(&client, &theirs).await.unwrap();
        assert_eq!(admit(&mut client, &token(5)).await, "admitted");
    });
}

#[test]
fn what_is_no_token_is_refused_and_null_is_none() {
    play("no_token", async |stage| {
        let client = stage.writer().await;
        gate().advance(&client, &token(1)).await.unwrap();
        let [resource, zeros] =
            [format!("'\\x{}'::bytea", ledger()), format!("'\\x{}'::bytea", "00".repeat(16))];
        let [realm, grant] =
            [realm(1), RealmId::from_random_bits(1).unwrap()].map(|id| format!("'\\x{id}'::bytea"));
        let good = [resource.as_str(), realm.as_str(), "1", grant.as_str()];
        let bad = [
            vec!["NULL::bytea", "'\\x'::bytea", "'\\x11'::bytea", "sha512('')"],
            vec!["NULL::bytea", "'\\x'::bytea", &zeros, &resource],
            vec!["NULL::bigint", "0", "-1", "(-9223372036854775808)::bigint"],
            vec!["NULL::bytea", "'\\x'::bytea", &zeros, &resource],
        ];
        for verb in ["fence_announce", "fence_advance", "fence_admit"] {
            for (place, values) in bad.iter().enumerate() {
                for value in values {
                    let mut parts = good;
                    parts[place] = value;
                    let call = format!("SELECT epoch_fence.{verb}({})", parts.join(", "));
                    assert_eq!(code(&client.batch_execute(&call).await.unwrap_err()), "FE009", "{call}");
                }
            }
        }
        client.batch_execute(&format!("SELECT epoch_fence.fence_admit({})", good.join(", "))).await.unwrap();
        for (realm, floor) in
            [("NULL", "1"), (zeros.as_str(), "1"), (&realm, "NULL"), (&realm, "0"), (&realm, "-1")]
        {
            let call = format!("SELECT epoch_fence.fence_adopt({realm}, {floor})");
            assert_eq!(code(&client.batch_execute(&call).await.unwrap_err()), "FE009", "{call}");
        }
        let call = "SELECT epoch_fence.fence_prune(NULL)";
        assert_eq!(code(&client.batch_execute(call).await.unwrap_err()), "FE009");
    });
}

#[test]
fn the_text_of_a_token_is_read_as_everywhere_else() {
    play("text", async |stage| {
        let client = stage.writer().await;
        gate().advance(&client, &token(1)).await.unwrap();
        let good = token(1).to_string();
        let told = async |text: Option<&str>| {
            let call = "SELECT epoch_fence.fence_admit($1, $2)";
            let told = client.query(call, &[&text, &&ledger().to_bytes()[..]]).await;
            told.map_or_else(|error| code(&error).to_owned(), |_| "admitted".to_owned())
        };
        assert_eq!(told(Some(&good)).await, "admitted");
        assert_eq!(told(None).await, "FE009");
        // At each place a digit in upper case, another character, none, and one more.
        for (at, _) in good.char_indices() {
            for other in ["A", "g", "", "00", " ", "\n"] {
                let text = format!("{}{other}{}", &good[..at], &good[at + 1..]);
                assert!(text.parse::<FencingToken>().is_err());
                assert_eq!(told(Some(&text)).await, "FE009", "{text:?}");
            }
        }
        let with = |head: &str| format!("{head}{}", &good[4..]);
        for (head, expected) in
            [("0000", "FE009"), ("0200", "FE009"), ("0110", "FE009"), ("0180", "FE009"), ("010f", "admitted")]
        {
            assert_eq!(with(head).parse::<FencingToken>().is_ok(), expected == "admitted");
            assert_eq!(told(Some(&with(head))).await, expected, "{head}");
        }
        for tail in ["", "\n", " ", "-"] {
            let expected = if tail.is_empty() { "admitted" } else { "FE009" };
            assert_eq!(told(Some(&format!("{good}{tail}"))).await, expected, "{tail:?}");
        }
        let zero_epoch = good.replace("-0000000000000001-", "-0000000000000000-");
        assert_eq!(told(Some(&zero_epoch)).await, "FE009");
    });
}

#[test]
fn a_resource_has_the_same_id_in_sql() {
    play("resource_id", async |stage| {
        let client = stage.writer().await;
        for (namespace, name) in
            [("billing", "ledger"), ("", ""), ("a", "bc"), ("ab", "c"), ("gr\u{fc}n", "\u{1f512}")]
        {
            let query = "SELECT epoch_fence.fence_resource($1, $2)";
            let id: Vec<u8> = client.query_one(query, &[&namespace, &name]).await.unwrap().get(0);
            assert_eq!(id, ResourceId::of(namespace, name).to_bytes());
        }
    });
}

/// A statement of `psql` that shows a token.
fn call(verb: &str, token: &FencingToken, resource: ResourceId) -> String {
    format!("{PATIENT};\nSELECT epoch_fence.{verb}('{token}', '\\x{resource}');")
}
