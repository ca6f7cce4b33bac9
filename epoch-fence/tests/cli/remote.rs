//! `--engine`: leases in a server that spans hosts. A host is a directory of its own here.
//!
//! Where a server's programs are not installed, a test says that it was not run.

use std::process::Command;

use crate::stage::{Stage, Talk, code, json, refused, state, succeeded, text, until};

/// A token of a resource that nobody ever acquired, in a realm to be put in.
const NOBODYS: &str = "0100-realm-1111111111111111111111111111111111111111111111111111111111111111-\
                       0000000000000001-00000000000000000000000000000001";

#[cfg(feature = "postgres")]
mod postgres {
    use std::sync::{Mutex, OnceLock};

    use clock_testing::NotInstalled;
    use clock_testing::postgres::Postgres;

    use super::*;

    /// For all tests that leave it as it is.
    static SERVER: OnceLock<Result<Mutex<Postgres>, NotInstalled>> = OnceLock::new();

    /// The server of all, and a database for each.
    fn url(database: &str) -> Option<String> {
        match SERVER.get_or_init(|| Postgres::start(&[]).map(Mutex::new)) {
            Ok(server) => Some(server.lock().unwrap().create_database(database)),
            Err(missing) => {
                missing.not_run();
                None
            }
        }
    }

    /// Runs statements in a database that [`url`] has made.
    fn execute(database: &str, statements: &str) {
        if let Some(Ok(server)) = SERVER.get() {
            server.lock().unwrap().execute(database, statements);
        }
    }

    fn engine(database: &str) -> Option<Engine> {
        url(database).map(|url| Engine { url })
    }

    #[test]
    fn a_postgres_keeps_the_leases_of_many_hosts() {
        if let Some(engine) = engine("many") {
            keeps_the_leases_of_many_hosts(&engine);
        }
    }

    #[test]
    fn a_holder_in_postgres_is_evicted() {
        if let Some(engine) = engine("evicted") {
            is_evicted(&engine);
        }
    }

    #[test]
    fn leases_in_postgres_are_recovered_and_guards_follow() {
        if let Some(engine) = engine("recovered") {
            is_recovered(&engine);
        }
    }

    #[test]
    fn a_command_is_stopped_before_its_lease_is_lost_with_the_postgres() {
        let mut server = match Postgres::start(&[]) {
            Ok(server) => server,
            Err(missing) => return missing.not_run(),
        };
        let engine = Engine { url: server.url() };
        is_stopped_in_time(&engine, || server.kill());
    }

    #[test]
    fn a_password_is_in_no_message_and_in_no_environment() {
        let Some(url) = url("secret") else { return };
        let engine = Engine { url: url.clone() };
        let stage = Stage::new();
        succeeded(engine.ef(&stage, &["init"]).output().unwrap());
        let secret = "s3cr-t";
        let with_password = url.replacen("postgres@", &format!("postgres:{secret}@"), 1);
        assert_ne!(url, with_password);
        // The guard of this host is ready: it need not reach the server, which it has no password for.
        let script = "env; $EF inspect --resource r; EPOCH_FENCE_ENGINE=etcd://nowhere:1 $EF guard -- true";
        let run = |url: &str| {
            let run = ["run", "--resource", "r", "--engine", url, "--", "sh", "-c", script];
            stage.ef(&run).env("EPOCH_FENCE_ENGINE", "etcd://elsewhere:1").output().unwrap()
        };
        let output = run(&with_password);
        let said = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(code(&output), 0, "{said}");
        assert!(said.contains(&format!("EPOCH_FENCE_ENGINE={url}")), "{said}");
        assert!(!said.contains(secret), "{said}");

        let unreachable = format!("postgres://postgres:{secret}@127.0.0.1:9/secret");
        let rows = [
            (unreachable.as_str(), "no session with the server"),
            (&with_password.replacen("postgres://", "postgres//", 1), "--engine is postgres://"),
            (&with_password.replacen("127.0.0.1:", "127.0.0.1:x", 1), "is none"),
            (&with_password.replacen(secret, "s3cr-t@x", 1), "written %40"),
            (&format!("{with_password}?sslmode=always"), "sslmode is"),
            (&format!("{with_password}?no_such=1"), "not known"),
            (&format!("{with_password}?sslmode=require"), ""),
        ];
        for (url, word) in rows {
            let output = run(url);
            let said = text(&output.stdout) + &text(&output.stderr);
            assert_eq!(code(&output), 125, "{said}");
            assert!(said.contains(word) && !said.contains(secret), "{said}");
        }
    }

    #[test]
    fn an_operator_makes_a_namespace_in_a_schema_that_is_somebody_elses_and_hears_of_any_other_refusal() {
        let Some(url) = url("operated") else { return };
        let owner = Engine { url: url.clone() };
        let stage = Stage::new();
        succeeded(owner.ef(&stage, &["init"]).output().unwrap());
        execute(
            "operated",
            "CREATE ROLE of_program LOGIN; GRANT USAGE ON SCHEMA epoch_fence TO of_program; \
             GRANT SELECT ON epoch_fence.realm TO of_program; \
             GRANT EXECUTE ON FUNCTION epoch_fence.init(text, bytea) TO of_program",
        );
        let operator = Engine { url: url.replacen("postgres@", "of_program@", 1) + "?namespace=another" };
        let said = succeeded(operator.ef(&stage, &["init"]).output().unwrap());
        let shown = url.replacen("postgres@", "", 1);
        assert!(said.starts_with(&format!("{shown}: ready; realm ")), "{said}");
        execute(
            "operated",
            "CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not today'; END $$; \
             CREATE EVENT TRIGGER refuse ON ddl_command_start EXECUTE FUNCTION refuse()",
        );
        refused(&mut owner.ef(&stage, &["init"]), 125, "the server refused: not today");
    }

    #[test]
    fn a_server_that_was_promoted_is_refused_until_it_is_accepted_and_epochs_go_on_far_above() {
        let Some(url) = url("promoted") else { return };
        let engine = Engine { url };
        let stage = Stage::new();
        succeeded(engine.ef(&stage, &["init"]).output().unwrap());
        let old = engine.token(&stage);
        execute("promoted", "UPDATE epoch_fence.realm SET timeline = 'FFFFFFFF'");
        refused(&mut engine.run(&stage, &[], "echo BAD"), 125, "then accept it: `epoch-fence accept`\n");
        let document = json(&engine.ef(&stage, &["accept", "--json"]).output().unwrap().stdout);
        let floor = document["floor"].as_u64().unwrap();
        assert!(floor > epoch(&old) + 1_000_000, "{document}");
        let said = succeeded(engine.ef(&stage, &["accept"]).output().unwrap());
        assert!(said.ends_with(&format!(": accepted; epochs go on above {floor}\n")), "{said}");
        assert!(epoch(&engine.token(&stage)) > floor);
    }

    #[test]
    fn leases_that_were_copied_from_another_cluster_are_refused_until_they_are_recovered() {
        let mut server = match Postgres::start(&[]) {
            Ok(server) => server,
            Err(missing) => return missing.not_run(),
        };
        let engine = Engine { url: server.url() };
        let stage = Stage::new();
        succeeded(engine.ef(&stage, &["init"]).output().unwrap());
        let old = engine.token(&stage);
        server.execute("postgres", "UPDATE epoch_fence.realm SET system = system + 1");
        refused(&mut engine.run(&stage, &[], "echo BAD"), 125, "`epoch-fence recover`");
        succeeded(engine.ef(&stage, &["recover", "--resource", "r", "--floor", "0"]).output().unwrap());
        assert!(epoch(&engine.token(&stage)) > epoch(&old) + 1_000_000);
        server.stop_fast();
    }

    #[test]
    fn a_server_without_the_tables_is_told_apart_from_one_without_the_namespace() {
        let Some(url) = url("bare") else { return };
        let engine = Engine { url: url.clone() };
        let stage = Stage::new();
        refused(&mut engine.run(&stage, &[], "echo BAD"), 125, "`epoch-fence init`");
        succeeded(engine.ef(&stage, &["init"]).output().unwrap());
        succeeded(engine.run(&stage, &[], "true").output().unwrap());
        let other = Engine { url: format!("{url}?namespace=other") };
        let never = "if it was, leases are lost: recover (`epoch-fence init`; if it was there before, `epoch-fence recover` then)";
        refused(&mut other.run(&stage, &[], "echo BAD"), 125, never);
        succeeded(other.ef(&stage, &["init"]).output().unwrap());
        let epoch = succeeded(other.run(&stage, &[], "echo $EPOCH_FENCE_EPOCH").output().unwrap());
        assert_eq!(epoch, "1\n", "namespaces do not know of each other");
    }
}

#[cfg(feature = "etcd")]
mod etcd {
    use clock_testing::etcd::Etcd;

    use super::*;

    fn started() -> Option<(Etcd, Engine)> {
        match Etcd::start(1, &[]) {
            Ok(server) => {
                let url = format!("etcd://{}", server.address(0));
                Some((server, Engine { url }))
            }
            Err(missing) => {
                missing.not_run();
                None
            }
        }
    }

    #[test]
    fn an_etcd_keeps_the_leases_of_many_hosts_whose_holders_are_evicted_and_recovered() {
        let Some((server, engine)) = started() else { return };
        let of = |namespace: &str| Engine { url: format!("{}/{namespace}", engine.url) };
        let stage = Stage::new();
        refused(&mut engine.run(&stage, &[], "echo BAD"), 125, "`epoch-fence init`");
        keeps_the_leases_of_many_hosts(&engine);
        is_evicted(&of("evicted"));
        is_recovered(&of("recovered"));
        let lost = of("lost");
        succeeded(lost.ef(&stage, &["init"]).output().unwrap());
        let old = lost.token(&stage);
        server.execute(&["del", "--prefix", ""]);
        refused(&mut lost.run(&stage, &[], "echo BAD"), 125, "`epoch-fence init`");
        succeeded(lost.ef(&stage, &["recover", "--resource", "r", "--floor", "7000"]).output().unwrap());
        assert!(epoch(&lost.token(&stage)) > 7_000.max(epoch(&old)));
    }

    #[test]
    fn a_command_is_stopped_before_its_lease_is_lost_with_the_etcd() {
        let Some((mut server, engine)) = started() else { return };
        is_stopped_in_time(&engine, || server.kill(0));
    }
}

struct Engine {
    url: String,
}

impl Engine {
    /// The program on one host.
    fn ef(&self, stage: &Stage, arguments: &[&str]) -> Command {
        let mut command = stage.ef(arguments);
        command.env("EPOCH_FENCE_ENGINE", &self.url);
        command
    }

    fn run(&self, stage: &Stage, options: &[&str], script: &str) -> Command {
        let mut command = stage.run(options, script);
        command.env("EPOCH_FENCE_ENGINE", &self.url);
        command
    }

    fn token(&self, stage: &Stage) -> String {
        let output = self.run(stage, &[], "echo $EPOCH_FENCE_TOKEN").output().unwrap();
        succeeded(output).trim().to_owned()
    }

    fn guard(&self, stage: &Stage, token: &str) -> Command {
        self.ef(stage, &["guard", "--token", token, "--no-wait", "--", "true"])
    }
}

fn epoch(token: &str) -> u64 {
    u64::from_str_radix(token.split('-').nth(3).unwrap(), 16).unwrap()
}

fn keeps_the_leases_of_many_hosts(engine: &Engine) {
    let (here, there, guarded) = (Stage::new(), Stage::new(), Stage::new());
    let first = succeeded(engine.ef(&here, &["init"]).output().unwrap());
    assert_eq!(first, succeeded(engine.ef(&there, &["init"]).output().unwrap()));
    // How to call it: by the address.
    let address = engine.url.rsplit(['@', '/']).find(|part| part.contains(':')).unwrap();
    let (shown, realm) = first.split_once(": ready; realm ").unwrap();
    assert!(shown.contains(address), "{first}");
    let document = json(&engine.ef(&there, &["init", "--json"]).output().unwrap().stdout);
    assert_eq!(document["realm"].as_str(), Some(realm.trim_end()));
    let nobody = format!("{shown}: nobody ever acquired this resource there");
    let unheard = ["guard", "--token", &NOBODYS.replace("realm", realm.trim_end()), "--", "echo", "BAD"];
    refused(&mut engine.ef(&there, &unheard), 125, &nobody);

    let mut holder = Talk::start(engine.run(&here, &[], "echo $EPOCH_FENCE_TOKEN; read -r _"));
    let old = holder.line();
    refused(&mut engine.run(&there, &["--no-wait"], "echo BAD"), 121, "held by");
    let inspected = succeeded(engine.ef(&there, &["inspect", "--resource", "r"]).output().unwrap());
    assert!(inspected.contains("held by") && inspected.contains("never asked"), "{inspected}");
    assert!(inspected.starts_with(&format!("{shown}\n\"r\"\n")), "{inspected}");
    let document =
        json(&engine.ef(&there, &["inspect", "--resource", "r", "--json"]).output().unwrap().stdout);
    assert_eq!((&document[0]["state"], &document[0]["realm"]), (&"held".into(), &realm.trim_end().into()));
    // The first of all that the guard hears of.
    succeeded(engine.guard(&guarded, &old).output().unwrap());
    let waiting = Talk::start(engine.run(&there, &["--wait", "50s"], "echo $EPOCH_FENCE_TOKEN"));
    holder.say("");
    assert_eq!(holder.end().0, Some(0));
    let new = waiting.line();
    assert_eq!(waiting.end().0, Some(0));
    assert!(epoch(&old) < epoch(&new), "{old} {new}");

    succeeded(engine.guard(&guarded, &new).output().unwrap());
    refused(&mut engine.guard(&guarded, &old), 122, "a newer holder was here");
    // A guard that is asked for the first time knows no less.
    let elsewhere = Stage::new();
    refused(&mut engine.ef(&elsewhere, &["check", "--token", &old]), 122, "a newer holder was here");
    refused(&mut engine.guard(&elsewhere, &old), 122, "a newer holder was here");
    succeeded(engine.guard(&elsewhere, &new).output().unwrap());
    refused(&mut engine.ef(&there, &["inspect", "--resource", "nobody's"]), 125, "nobody ever acquired");
    refused(&mut engine.ef(&there, &["history", "--resource", "r"]), 125, "keeps no history");
}

fn is_evicted(engine: &Engine) {
    let (here, there) = (Stage::new(), Stage::new());
    succeeded(engine.ef(&here, &["init"]).output().unwrap());
    let holder = Talk::start(engine.run(&here, &["--ttl", "4s"], "echo $$; exec sleep 1000"));
    let command = holder.line();
    let evicted = succeeded(engine.ef(&there, &["evict", "--resource", "r"]).output().unwrap());
    assert!(evicted.contains("evicted"), "{evicted}");
    let (code, said) = holder.end();
    assert_eq!(code, Some(122), "{said}");
    assert!(said.contains("was lost"), "{said}");
    assert_eq!(state(&command), None);
    succeeded(engine.run(&there, &["--no-wait"], "true").output().unwrap());
}

fn is_recovered(engine: &Engine) {
    let stage = Stage::new();
    succeeded(engine.ef(&stage, &["init"]).output().unwrap());
    let old = engine.token(&stage);
    succeeded(engine.guard(&stage, &old).output().unwrap());
    let recover = ["recover", "--resource", "r", "--floor", "7000000"];
    let said = succeeded(engine.ef(&stage, &recover).output().unwrap());
    assert!(said.contains("the guard follows"), "{said}");
    refused(&mut engine.guard(&stage, &old), 122, "recovered or begun anew");
    let new = engine.token(&stage);
    assert!(epoch(&new) > 7_000_000, "{new}");
    succeeded(engine.guard(&stage, &new).output().unwrap());
    assert!(succeeded(engine.ef(&stage, &["accept"]).output().unwrap()).contains("accepted"));
}

fn is_stopped_in_time(engine: &Engine, kill: impl FnOnce()) {
    let stage = Stage::new();
    succeeded(engine.ef(&stage, &["init"]).output().unwrap());
    let holder = Talk::start(engine.run(&stage, &["--ttl", "4s"], "echo $$; exec sleep 1000"));
    let command = holder.line();
    kill();
    until("the command is stopped", || state(&command).is_none());
    let (code, said) = holder.end();
    assert_eq!(code, Some(122), "{said}");
    assert!(said.contains("not renewed") && said.contains("was lost"), "{said}");
    // Without the server nobody gets in.
    refused(&mut engine.run(&stage, &["--no-wait"], "echo BAD"), 125, "");
}
