//! What the command line takes, and what it does not.

use super::{run, text};

#[test]
fn wrong_options_are_named_on_standard_error_and_nothing_is_started() {
    for (arguments, named) in [
        (&["--nodes", "2"][..], "--nodes"),
        (&["--nodes", "17"], "--nodes"),
        (&["--messages", "1"], "--messages"),
        (&["--messages", "20001"], "--messages"),
        (&["--messages", "-5"], "-5"),
        (&["--messages", "9", "--duration", "5"], "--messages 10"),
        (&["--duration", "0"], "--duration"),
        (&["--duration", "301"], "--duration"),
        (&["--duration", "1.5"], "--duration"),
        (&["--rounds", "0"], "--rounds"),
        (&["--rounds", "501"], "--rounds"),
        (&["--seed", "18446744073709551616"], "--seed"),
        (&["--scene", "nothing"], "--scene"),
        (&["--sabotage", "nothing"], "--sabotage"),
        (&["--scene", "messages", "--sabotage", "last-writer-wins"], "--sabotage"),
        (&["--scene", "restart", "--sabotage", "no-gate"], "--sabotage"),
        (&["--nonsense"], "--nonsense"),
        (&["nonsense"], "nonsense"),
        (&["child"], "ROLE"),
        (&["--json", "child", "messages/node"], "child"),
    ] {
        let done = run(arguments);
        assert_eq!(done.status.code(), Some(2), "{arguments:?}");
        assert_eq!(text(&done.stdout), "", "{arguments:?}");
        assert!(text(&done.stderr).contains(named), "{arguments:?}: {}", text(&done.stderr));
    }
}

#[test]
fn help_shows_what_people_need_and_hides_what_the_tour_is_made_of() {
    let done = run(&["--help"]);
    let help = text(&done.stdout);
    assert!(done.status.success());
    for shown in [
        "--nodes",
        "--messages",
        "--duration",
        "--rounds",
        "--seed",
        "--scene",
        "--json",
        "--verbose",
        "messages",
        "replicas",
        "fence",
    ] {
        assert!(help.contains(shown), "{shown} is missing: {help}");
    }
    for hidden in ["sabotage", "child"] {
        assert!(!help.contains(hidden), "{hidden} is shown: {help}");
    }
}

#[test]
fn a_child_without_a_role_says_so_and_fails() {
    for role in ["nothing", "messages/nothing", "nothing/node", "replicas/node"] {
        let done = run(&["child", role]);
        assert_eq!(done.status.code(), Some(3), "{role}");
        assert!(text(&done.stdout).contains(role), "{}", text(&done.stdout));
    }
}
