//! One node, told what to do by the test, among peers that the test plays.

use core::time::Duration;
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Child, ChildStdin, ChildStdout, Stdio},
};

use serde_json::{Value, json};

use super::tour;

/// How long anything here may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A node process, and its two ends.
struct Node {
    process: Child,
    told: ChildStdin,
    said: BufReader<ChildStdout>,
}

impl Node {
    fn start() -> Self {
        let mut process = tour(&["child", "messages/node"]).stdin(Stdio::piped()).spawn().unwrap();
        let (told, said) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        Self { process, told, said }
    }

    fn tell(&mut self, what: &Value) {
        writeln!(self.told, "{what}").unwrap();
    }

    /// What it says next, but for its progress.
    fn hear(&mut self) -> Value {
        loop {
            let mut line = String::new();
            assert_ne!(self.said.read_line(&mut line).unwrap(), 0, "the node ended");
            let said: Value = serde_json::from_str(&line).unwrap();
            if said["Said"]["Progress"].is_null() {
                return said;
            }
        }
    }
}

#[test]
fn a_node_refuses_connections_beyond_its_limit_counts_them_and_goes_on() {
    let duration = |secs: u64| json!({ "secs": secs, "nanos": 0 });
    let mut node = Node::start();
    node.tell(&json!({ "Node": {
        "node": 0, "nodes": 3, "messages": 5, "duration": duration(0), "seed": 1, "fault": "none",
        "skew_limit": duration(1), "time_limit": duration(60), "sabotage": null,
    }}));
    let port = u16::try_from(node.hear()["Said"]["Listening"]["port"].as_u64().unwrap()).unwrap();
    let connect = || {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    };
    let within_limit: Vec<TcpStream> = (0..64).map(|_| connect()).collect();
    for beyond in 0..6 {
        let mut stream = connect();
        assert_eq!(stream.read(&mut [0]).unwrap(), 0, "connection {beyond} beyond the limit was not closed");
    }

    let peers = [0, 0].map(|_: u8| TcpListener::bind("127.0.0.1:0").unwrap());
    let [one, two] = peers.each_ref().map(|peer| peer.local_addr().unwrap().port());
    node.tell(&json!({ "Ports": [port, one, two] }));
    assert_eq!(node.hear()["Said"], "Connected");
    node.tell(&json!("Go"));
    assert_eq!(node.hear()["Said"], "AllSent");
    drop(within_limit);
    node.tell(&json!("Finish"));
    let events = node.hear();
    assert_eq!(events["Said"]["Events"].as_array().unwrap().len(), 5, "{events}");
    let report = node.hear();
    assert_eq!(report["Said"]["Report"]["refusals"], json!({ "crowded": 6 }), "{report}");
    assert!(node.process.wait().unwrap().success());
}
