//! Servers and sessions whose settings do not keep what they acknowledge.

use core::error::Error as _;

use clock_testing::postgres::Postgres as Server;
use epoch_fence::engine::postgres::{Postgres, PostgresError, PostgresOptions, UnsafeSetting};
use epoch_fence::engine::{AsyncEngine as _, Failure};
use epoch_fence::protocol::Swap;

use crate::stage::{Stage, acquire, block_on, land, options, realm, resource};

/// What a client says whose sessions have a setting.
fn with(stage: &Stage, setting: &str) -> Result<Postgres, PostgresError> {
    let url = format!("{}?options=-c%20{}", stage.url, setting.replace('=', "%3D"));
    block_on(Postgres::connect(&url, stage.options()))
}

#[test]
fn a_session_whose_settings_are_unsafe_is_refused() {
    let Some(stage) = Stage::shared("settings") else { return };
    let rows = [
        ("synchronous_commit=off", UnsafeSetting::SynchronousCommit),
        ("zero_damaged_pages=on", UnsafeSetting::ZeroDamagedPages),
    ];
    for (setting, wanted) in rows {
        let refused = with(&stage, setting);
        let Err(PostgresError::Setting(found)) = refused else { panic!("{setting}: {refused:?}") };
        assert_eq!(found, wanted);
    }
    with(&stage, "synchronous_commit=local").unwrap();
    // The isolation is set by the session itself.
    with(&stage, "default_transaction_isolation=serializable").unwrap();
}

#[test]
fn a_server_without_fsync_or_full_page_writes_is_refused_unless_it_is_allowed() {
    let server = match Server::start(&[("fsync", "off"), ("full_page_writes", "off")]) {
        Ok(server) => server,
        Err(missing) => return missing.not_run(),
    };
    let connect = |options| block_on(Postgres::connect(&server.url(), options));
    let rows: [(PostgresOptions, Option<UnsafeSetting>); 3] = [
        (options(), Some(UnsafeSetting::Fsync)),
        (options().allow_fsync_off(), Some(UnsafeSetting::FullPageWrites)),
        (options().allow_fsync_off().allow_full_page_writes_off(), None),
    ];
    for (options, wanted) in rows {
        match (connect(options), wanted) {
            (Ok(_), None) => {}
            (Err(PostgresError::Setting(found)), Some(wanted)) => assert_eq!(found, wanted),
            (other, _) => panic!("{wanted:?}: {other:?}"),
        }
    }
    // It is looked at again with each load: it may be switched off while the server runs.
    let allowed = connect(options().allow_fsync_off().allow_full_page_writes_off()).unwrap();
    block_on(allowed.migrate()).unwrap();
    block_on(allowed.init()).unwrap();
    block_on(allowed.load(&resource("r"))).unwrap();
}

#[test]
fn tables_that_a_crash_empties_are_refused() {
    let Some(stage) = Stage::own("unlogged") else { return };
    let store = stage.store();
    stage.execute("ALTER TABLE epoch_fence.lease SET UNLOGGED");
    let refused = block_on(store.check());
    assert!(matches!(refused, Err(PostgresError::Setting(UnsafeSetting::Unlogged))), "{refused:?}");
}

#[test]
fn a_database_without_the_schema_or_the_namespace_says_so() {
    let Some(stage) = Stage::own("missing") else { return };
    let other = block_on(Postgres::connect(&stage.url, options().namespace("other"))).unwrap();
    let missing = |store: &Postgres| block_on(store.load(&resource("r"))).unwrap_err();
    assert!(matches!(missing(&other), PostgresError::NotInitialised));
    assert!(matches!(block_on(other.accept()), Err(PostgresError::NotInitialised)));
    assert!(matches!(block_on(other.recover(realm(5), None)), Err(PostgresError::NotInitialised)));
    // A write that was prepared in a namespace that is gone.
    let view = block_on(stage.store().load(&resource("r"))).unwrap();
    let sent = block_on(other.swap(&resource("r"), &Swap::prepare(&view, &acquire(1)).unwrap()));
    assert!(matches!(sent, Err(Failure::Definite(PostgresError::NotInitialised))), "{sent:?}");

    assert_eq!(block_on(other.init_with(realm(5))).unwrap(), realm(5));
    assert_eq!(block_on(other.init_with(realm(6))).unwrap(), realm(5), "twice is once");
    assert_eq!(block_on(other.init()).unwrap(), realm(5));
    assert_eq!(block_on(other.load(&resource("r"))).unwrap().record().realm(), realm(5));

    stage.execute("DROP SCHEMA epoch_fence CASCADE");
    assert!(matches!(missing(&other), PostgresError::NotInstalled(_)));
    block_on(other.migrate()).unwrap();
    block_on(other.migrate()).unwrap();
    assert!(matches!(missing(&other), PostgresError::NotInitialised));
    block_on(other.init()).unwrap();
    block_on(land(&other, &resource("r"), acquire(1)));
}

#[test]
fn a_server_that_takes_no_writes_says_so_and_nothing_lands() {
    let Some(stage) = Stage::shared("read_only") else { return };
    let store = with(&stage, "default_transaction_read_only=on").unwrap();
    block_on(stage.store().load(&resource("r"))).unwrap();
    let view = block_on(store.load(&resource("r"))).unwrap();
    let sent = block_on(store.swap(&resource("r"), &Swap::prepare(&view, &acquire(1)).unwrap()));
    assert!(matches!(sent, Err(Failure::Definite(PostgresError::ReadOnly(_)))), "{sent:?}");
}

#[test]
fn namespaces_of_one_database_do_not_know_of_each_other() {
    let (Some(one), Some(two)) = (Stage::shared("apart one"), Stage::shared("apart two")) else { return };
    let (one, two) = (one.store(), two.store());
    block_on(land(&one, &resource("r"), acquire(1)));
    block_on(land(&two, &resource("r"), acquire(2)));
    for namespace in ["", "a\nb", &"x".repeat(201)] {
        let refused = block_on(Postgres::connect("postgres://127.0.0.1", options().namespace(namespace)));
        assert!(matches!(refused, Err(PostgresError::Namespace)), "{namespace}: {refused:?}");
    }
}

#[test]
fn no_error_tells_a_password() {
    let secret = "s3cr3t-hunter2";
    // Whoever hands errors on needs this of them.
    const fn any_thread<E: core::error::Error + Send + Sync + 'static>() {}
    any_thread::<PostgresError>();
    let urls = [
        // Nobody listens at port 1.
        format!("postgres://user:{secret}@127.0.0.1:1/db"),
        format!("postgres://user:{secret}@127.0.0.1:1/db?sslmode={secret}"),
        format!("postgres://user:{secret}@127.0.0.1:1/db?{secret}={secret}"),
        format!("postgres://user:{secret}@127.0.0.1:{secret}/db"),
        format!("user=user password=a {secret} host=127.0.0.1"),
        format!("postgres://user:{secret}@no-such-host.invalid/db"),
        format!("{secret}://user:{secret}@127.0.0.1:1/db"),
    ];
    for url in urls {
        let why = block_on(Postgres::connect(&url, options())).unwrap_err();
        assert!(matches!(why, PostgresError::Url | PostgresError::Connect(_)), "{why:?}");
        let mut texts = vec![why.to_string(), format!("{why:?}")];
        let mut source = why.source();
        while let Some(why) = source {
            texts.extend([why.to_string(), format!("{why:?}")]);
            source = why.source();
        }
        for text in texts {
            assert!(!text.contains(secret), "{text}");
        }
    }
    // Nor does what a pool of the caller's says.
    let why = PostgresError::not_lent(format!("postgres://user:{secret}@host"));
    assert!(!why.to_string().contains(secret));
    assert!(why.source().is_some());

    let Some(stage) = Stage::shared("secrets") else { return };
    let url = stage.url.replace("postgres@", &format!("nobody_{}:{secret}@", "here"));
    let why = block_on(Postgres::connect(&url, options())).unwrap_err();
    assert!(!format!("{why} {why:?}").contains(secret));
    let tls = block_on(Postgres::connect(&format!("{}?sslmode=require", stage.url), options()));
    assert!(matches!(tls, Err(PostgresError::Connect(_))), "{tls:?}");
}
