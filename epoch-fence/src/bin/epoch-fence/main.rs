//! `epoch-fence`: leases and the gate for shell scripts. Its documentation is its `--help`.
#![forbid(unsafe_code)]
#![cfg_attr(
    target_os = "linux",
    expect(
        clippy::wildcard_enum_match_arm,
        reason = "the library's errors may grow, and whatever is not named here is told in its own words"
    )
)]

extern crate alloc;

#[cfg(target_os = "linux")]
mod engine;
#[cfg(target_os = "linux")]
mod exit;
#[cfg(target_os = "linux")]
mod guard;
#[cfg(target_os = "linux")]
mod look;
#[cfg(target_os = "linux")]
mod name;
#[cfg(target_os = "linux")]
mod options;
#[cfg(target_os = "linux")]
mod output;
#[cfg(target_os = "linux")]
mod pages;
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod repair;
#[cfg(target_os = "linux")]
mod run;
#[cfg(target_os = "linux")]
mod store;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    use clap::Parser as _;
    use options::Verb;

    let options = match options::Options::try_parse() {
        Ok(options) => options,
        Err(error) => return exit::usage(&error),
    };
    let inherited = match process::outlive_limits() {
        Ok(inherited) => inherited,
        Err(why) => return exit::with(Err(why)),
    };
    exit::with(match options.verb {
        Verb::Run(run) => run::run(&run, inherited),
        Verb::Guard(guard) => guard::guard(&guard, inherited),
        Verb::Check(check) => guard::check(&check),
        Verb::Inspect(inspect) => look::inspect(&inspect),
        Verb::History(history) => look::history(&history),
        Verb::Verify(verify) => look::verify(&verify),
        Verb::Recover(recover) => repair::recover(&recover),
        Verb::Evict(evict) => repair::evict(&evict),
        Verb::Init(init) => repair::init(&init),
        Verb::Accept(accept) => repair::accept(&accept),
        Verb::Completions { shell } => pages::completions(shell),
        Verb::Man { verb } => pages::man(verb.as_deref()),
    })
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::process::ExitCode {
    use std::io::Write as _;
    let _told = writeln!(std::io::stderr(), "epoch-fence: leases in files need Linux");
    std::process::ExitCode::from(125)
}
