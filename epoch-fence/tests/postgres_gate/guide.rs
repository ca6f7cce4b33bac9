//! The guide's statements, as they are written.

use std::fs;
use std::path::Path;

use epoch_fence::PostgresGate;

use crate::stage::{play, realm, token};

/// The blocks of the guide that are in this language.
fn blocks(language: &str) -> Vec<String> {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/postgres-as-a-resource.md");
    let text = fs::read_to_string(guide).unwrap();
    let (start, mut blocks) = (format!("```{language}\n"), Vec::new());
    let mut rest = text.as_str();
    while let Some((_, block)) = rest.split_once(&start) {
        let (block, behind) = block.split_once("```").unwrap();
        blocks.push(block.to_owned());
        rest = behind;
    }
    blocks
}

#[test]
fn the_statements_of_the_guide_do_what_it_says_and_nobody_else_may() {
    play("guide", async |stage| {
        let [adopt, grant, advance, pay] = blocks("sql").try_into().expect("four blocks");
        stage
            .writer()
            .await
            .batch_execute(
                "DELETE FROM epoch_fence.gate;
                CREATE TABLE account (id int, balance int); INSERT INTO account VALUES (1, 100)",
            )
            .await
            .unwrap();
        let setup = format!(
            "\\set realm {}\n{adopt}\n{grant}\nGRANT SELECT, UPDATE ON account TO billing_writer;",
            realm(1)
        );
        let (_, complaint) = stage.psql(&setup);
        assert_eq!(complaint, "");
        // As that role, in a session of its own, which has the role's settings.
        let as_writer = |number: u64, script: &str| {
            let script = format!("\\set token {}\n\\connect - billing_writer\n{script}", token(number));
            stage.psql(&script).1
        };
        assert!(as_writer(1, &pay).contains("FE003"));
        assert_eq!(as_writer(1, &format!("{advance}\n{pay}")), "");
        assert_eq!(as_writer(2, &format!("{advance}\n{pay}")), "");
        assert!(as_writer(1, &pay).contains("FE001"));
        let (balance, _) = stage.psql("SELECT balance FROM account;");
        assert_eq!(balance, "40\n");
        let (_, complaint) =
            stage.psql("SET ROLE billing_writer;\nSELECT epoch_fence.fence_adopt('\\x00', 1);");
        assert!(complaint.contains("42501"), "{complaint}");
    });
}

#[test]
fn the_guide_has_every_sql_state_that_the_gate_raises() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/postgres-as-a-resource.md");
    let guide = fs::read_to_string(guide).unwrap();
    let codes = PostgresGate::SQL.split("ERRCODE = '").skip(1).map(|rest| &rest[..5]);
    for code in codes {
        assert!(guide.contains(&format!("| `{code}` |")), "{code}");
        let head = format!("--   {code}  ");
        assert!(PostgresGate::SQL.contains(&head) || code == "40001", "{code}");
    }
}
