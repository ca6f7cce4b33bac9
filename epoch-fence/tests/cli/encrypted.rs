//! `--engine` over an encrypted connection: whom to trust, and who this is. A certificate is verified, and the name in it.

use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::Path;
use std::process::Command;

use clock_testing::NotInstalled;
use clock_testing::postgres::Postgres;

use crate::stage::{Stage, code, text};

/// Makes an authority, and by it a certificate of a server at 127.0.0.1 and one of a client.
fn certificates(folder: &Path) -> Result<(), NotInstalled> {
    let new = "-nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1";
    let script = format!(
        "set -e; openssl req -x509 {new} -subj /CN=authority -days 2 -keyout ca.key -out ca.pem; \
         echo subjectAltName=IP:127.0.0.1 > names; \
         for who in server client; do openssl req {new} -subj /CN=$who -keyout $who.key -out $who.csr; \
         openssl x509 -req -in $who.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out $who.pem; done"
    );
    if Command::new("openssl").arg("version").output().is_err() {
        return Err(NotInstalled { what: "openssl".to_owned() });
    }
    let made = Command::new("sh").args(["-c", &script]).current_dir(folder).output().unwrap();
    assert!(made.status.success(), "{}", text(&made.stderr));
    Ok(())
}

#[test]
fn a_postgres_is_believed_for_its_certificate_and_a_client_for_its_own() {
    let stage = Stage::new();
    let mut server = match certificates(stage.path()).and_then(|()| Postgres::start(&[])) {
        Ok(server) => server,
        Err(missing) => return missing.not_run(),
    };
    let data = server.data();
    let owner = std::fs::metadata(&data).unwrap().uid();
    for name in ["ca.pem", "server.pem", "server.key"] {
        std::fs::copy(stage.path().join(name), data.join(name)).unwrap();
        chown(data.join(name), Some(owner), None).unwrap();
    }
    let rules = "local all all trust\nhostssl certified all 127.0.0.1/32 trust clientcert=verify-ca\n\
                 hostssl all all 127.0.0.1/32 trust\n";
    std::fs::write(data.join("pg_hba.conf"), rules).unwrap();
    for (name, value) in [
        ("ssl", "on"),
        ("ssl_ca_file", "ca.pem"),
        ("ssl_cert_file", "server.pem"),
        ("ssl_key_file", "server.key"),
    ] {
        server.set(name, value);
    }
    server.restart();

    for (name, content) in
        [("empty", ""), ("bad", "-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n")]
    {
        std::fs::write(stage.path().join(name), content).unwrap();
    }
    let at = |name: &str| stage.path().join(name).display().to_string();
    let (all, certified) = (server.url(), server.url_of("certified"));
    let elsewhere = all.replacen("127.0.0.1", "localhost", 1);
    let roots = format!("sslrootcert={}", at("ca.pem"));
    let own = format!("{roots}&sslcert={}", at("client.pem"));
    let trust = "say whom to trust";
    let rows = [
        (&all, format!("sslmode=require&{roots}"), 0, String::new()),
        (&all, "sslmode=require".to_owned(), 125, trust.to_owned()),
        (&all, "sslmode=require&sslrootcert=system".to_owned(), 125, trust.to_owned()),
        (&all, "sslmode=disable".to_owned(), 125, "no pg_hba.conf entry".to_owned()),
        // Another name than the one in the certificate.
        (&elsewhere, format!("sslmode=verify-ca&{roots}"), 125, trust.to_owned()),
        (&all, "sslrootcert=/no/where".to_owned(), 125, "\"/no/where\": ".to_owned()),
        (
            &all,
            format!("sslrootcert={}", at("empty")),
            125,
            format!("{:?}: no certificate is in it", at("empty")),
        ),
        (&all, format!("sslrootcert={}", at("bad")), 125, format!("{:?}: ", at("bad"))),
        (&certified, roots.clone(), 125, String::new()),
        (&certified, format!("{own}&sslkey={}", at("client.key")), 0, String::new()),
        (&certified, own.clone(), 125, "sslcert and sslkey go together".to_owned()),
        (&certified, format!("{own}&sslkey={}", at("empty")), 125, format!("{:?}: ", at("empty"))),
        // The key of another certificate.
        (&certified, format!("{own}&sslkey={}", at("ca.key")), 125, format!("{:?}: ", at("client.pem"))),
    ];
    server.execute("postgres", "CREATE DATABASE certified");
    let init = |url: &str, variables: &[(&str, String)]| {
        let mut command = stage.ef(&["init"]);
        command.env("EPOCH_FENCE_ENGINE", url).envs(variables.iter().cloned());
        let output = command.output().unwrap();
        (code(&output), text(&output.stdout) + &text(&output.stderr))
    };
    for (url, parameters, expected, word) in rows {
        let (found, said) = init(&format!("{url}?{parameters}"), &[]);
        assert_eq!(found, expected, "{url} {parameters}: {said}");
        assert!(said.contains(&word), "{url} {parameters}: {word:?} is not in {said}");
    }
    let variables = [
        ("PGSSLMODE", "verify-full".to_owned()),
        ("PGSSLROOTCERT", at("ca.pem")),
        ("PGSSLCERT", at("client.pem")),
        ("PGSSLKEY", at("client.key")),
    ];
    assert_eq!(init(&certified, &variables).0, 0);
}
