//! The gate from `psql`, as a script uses it.

use crate::stage::{play, rival, token};

/// What a script begins with, given the token and the resource by name, as the guide shows.
fn preamble(token: &str) -> String {
    format!(
        "\\set token {token}
        SET lock_timeout = '2s'; SET idle_in_transaction_session_timeout = '10s';"
    )
}

const LEDGER: &str = "epoch_fence.fence_resource('billing', 'ledger')";

const ADVANCE: &str = "
    SELECT epoch_fence.fence_announce(:'token', epoch_fence.fence_resource('billing', 'ledger'));
    SELECT epoch_fence.fence_advance(:'token', epoch_fence.fence_resource('billing', 'ledger'));";

const ADMIT: &str =
    "SELECT epoch_fence.fence_admit(:'token', epoch_fence.fence_resource('billing', 'ledger'));";

/// Runs what stands in the script, after the preamble.
fn script(token: &str, lines: &str) -> String {
    format!("{}\n{lines}", preamble(token))
}

#[test]
fn a_script_is_admitted_writes_and_is_stale_after_the_next_holder_advanced() {
    play("psql_story", async |stage| {
        let (old, new) = (token(33).to_string(), token(34).to_string());
        let act = |note: &str| format!("BEGIN;\n{ADMIT}\nINSERT INTO effect VALUES (1, '{note}');\nCOMMIT;");
        let (_, complaint) = stage.psql(&script(&old, &act("too early")));
        assert!(complaint.contains("FE003"), "{complaint}");
        let (_, complaint) = stage.psql(&script(&old, &format!("{ADVANCE}\n{}", act("old"))));
        assert_eq!(complaint, "");
        let (_, complaint) = stage.psql(&script(&new, &format!("{ADVANCE}\n{}", act("new"))));
        assert_eq!(complaint, "");
        let (_, complaint) = stage.psql(&script(&old, &act("late")));
        assert!(complaint.contains("FE001") && complaint.contains("floor 34"), "{complaint}");
        let (_, complaint) = stage.psql(&script(&old, ADVANCE));
        assert!(complaint.contains("FE001"), "{complaint}");
        let (_, complaint) = stage.psql(&script(&rival(34).to_string(), ADVANCE));
        assert!(complaint.contains("FE002"), "{complaint}");
        let (notes, _) = stage.psql("SELECT note FROM effect ORDER BY note;");
        assert_eq!(notes, "new\nold\n");
    });
}

#[test]
fn at_each_level_a_script_whose_transaction_began_first_is_refused() {
    play("psql_levels", async |stage| {
        for (round, (level, told)) in
            [("READ COMMITTED", "FE001"), ("REPEATABLE READ", "40001"), ("SERIALIZABLE", "40001")]
                .into_iter()
                .enumerate()
        {
            let (old, new) =
                (token(2 * round as u64 + 1).to_string(), token(2 * round as u64 + 2).to_string());
            let (_, complaint) = stage.psql(&script(&old, ADVANCE));
            assert_eq!(complaint, "");
            // The newer holder comes between the old one's snapshot and its question, from within the old one's script.
            let other = format!(
                "BEGIN ISOLATION LEVEL {level};
                SELECT count(*) FROM effect;
                INSERT INTO effect VALUES (0, 'late');
                \\! psql -X -q -c \"SET lock_timeout = '2s'\" -c \"SELECT epoch_fence.fence_advance('{new}', {LEDGER})\"
                {ADMIT}
                COMMIT;"
            );
            let (_, complaint) = stage.psql(&script(&old, &other));
            assert!(complaint.contains(told), "{level}: {complaint}");
            assert_eq!(stage.effects().await, 0, "{level}");
        }
    });
}

#[test]
fn psql_that_puts_every_statement_into_a_savepoint_is_told_so() {
    play("psql_savepoints", async |stage| {
        let lines = format!("{ADVANCE}\n\\set ON_ERROR_ROLLBACK on\nBEGIN;\n{ADMIT}\nROLLBACK;");
        let (_, complaint) = stage.psql(&script(&token(1).to_string(), &lines));
        assert!(complaint.contains("FE007"), "{complaint}");
        let lines = format!("BEGIN;\nSAVEPOINT before;\n{ADMIT}\nROLLBACK TO before;\nCOMMIT;");
        let (_, complaint) = stage.psql(&script(&token(1).to_string(), &lines));
        assert!(complaint.contains("FE007"), "{complaint}");
    });
}
