//! `Supervisor`: what this process does while a command runs.

use core::time::Duration;
use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd as _;

use epoch_fence::BootClock as _;
use epoch_fence::engine::file::SystemHost;
use epoch_fence::protocol::BootTime;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal, kill, killpg};
use nix::sys::signalfd::{SfdFlags, SignalFd, siginfo};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::getpgrp;

use super::plan::{self, Belief, Due, Phase};
use super::renewer::Believed;
use super::spawn::{self, Child, Group};
use super::terminal::Terminal;
use crate::exit::{FAILED, Failure, say};

/// What is passed on to the command.
const PASSED_ON: [Signal; 6] =
    [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM, Signal::SIGUSR1, Signal::SIGUSR2];

/// How often it is looked whether a group is gone, and how long after it was killed.
const LOOK: Duration = Duration::from_millis(10);
const AFTER_KILL: Duration = Duration::from_secs(1);

/// What was blocked when this program was started, and is for its command.
#[derive(Clone, Copy)]
pub(crate) struct Inherited(SigSet);

/// Blocks SIGXFSZ, so that a write above a limit on the size of files fails, as on a full disk, and does not kill the
/// supervisor of a command that runs on. Called before any thread is started.
pub(crate) fn outlive_limits() -> Result<Inherited, Failure> {
    let inherited = SigSet::thread_get_mask().map_err(failed)?;
    SigSet::from(Signal::SIGXFSZ).thread_block().map_err(failed)?;
    Ok(Inherited(inherited))
}

/// Reads the signals of this process, so that none ends it while a command runs.
pub(crate) struct Supervisor {
    signals: SignalFd,
    /// On the clock of the leases: it goes off at once after a suspend in which the time came.
    timer: TimerFd,
    host: SystemHost,
    /// What was blocked before, and is for the command.
    inherited: SigSet,
}

/// How a command ended.
pub(crate) struct Ended {
    status: WaitStatus,
    /// The lease was over before the command was, or the command was stopped because it was about to be.
    pub(crate) lost: bool,
    /// The command was ended by Ctrl-C at a terminal that it had been lent.
    pub(crate) interrupted: bool,
}

impl Ended {
    /// The exit code of the command, or 128 and the number of the signal that ended it.
    pub(crate) fn code(&self) -> u8 {
        let code = match self.status {
            WaitStatus::Exited(_, code) => code,
            WaitStatus::Signaled(_, signal, _) => 128_i32.saturating_add(signal as i32),
            _ => FAILED.into(),
        };
        u8::try_from(code).unwrap_or(FAILED)
    }
}

/// A lease, and what is done about it.
pub(crate) struct Watch<'w> {
    pub(crate) believed: &'w Believed,
    pub(crate) grace: Duration,
    /// For messages.
    pub(crate) name: &'w str,
}

impl Supervisor {
    /// Blocks the signals. Called before any other thread is started, so that they are blocked in all.
    pub(crate) fn new(Inherited(inherited): Inherited) -> Result<Self, Failure> {
        let host = SystemHost::new()?;
        let make = || {
            let mut read: SigSet = PASSED_ON.into_iter().collect();
            read.add(Signal::SIGCHLD);
            let mut blocked = read;
            blocked.add(Signal::SIGTTOU);
            blocked.thread_block()?;
            let signals = SignalFd::with_flags(&read, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
            let timer = TimerFd::new(ClockId::CLOCK_BOOTTIME, TimerFlags::TFD_CLOEXEC)?;
            Ok(Self { signals, timer, host, inherited })
        };
        make().map_err(|why: Errno| failed(why).during("signals"))
    }

    pub(crate) fn spawn(
        &self,
        command: &[OsString],
        variables: &[(&str, OsString)],
        group: Group,
    ) -> Result<Child, Failure> {
        spawn::spawn(command, variables, group, &self.inherited)
    }

    /// Passes signals on until a command has ended that shares the group, and so the terminal, of this process.
    pub(crate) fn wait(&self, child: Child) -> Result<Ended, Failure> {
        self.until_end(child, None, None)
    }

    /// Passes signals on until a command has ended that has a group of its own, lends it the terminal, and stops it when
    /// its lease is about to be lost.
    pub(crate) fn hold(&self, child: Child, watch: &Watch<'_>) -> Result<Ended, Failure> {
        let terminal = Terminal::of_this_process();
        if let Some(terminal) = &terminal {
            lend(terminal, child);
        }
        let mut ended = self.until_end(child, Some(watch), terminal.as_ref());
        if let Some(terminal) = &terminal {
            let had_it = terminal.take_back(child.process);
            if let Ok(ended) = &mut ended {
                ended.interrupted =
                    had_it && matches!(ended.status, WaitStatus::Signaled(_, Signal::SIGINT, _));
            }
        }
        ended
    }

    /// Ends this process as Ctrl-C does, with its group: it went to the command alone, which had the terminal. Else a loop
    /// in a script would go on with its next round.
    pub(crate) fn interrupt(&self) -> Result<(), Failure> {
        self.inherited.thread_set_mask().and_then(|()| killpg(getpgrp(), Signal::SIGINT)).map_err(failed)
    }

    fn until_end(
        &self,
        child: Child,
        watch: Option<&Watch<'_>>,
        terminal: Option<&Terminal>,
    ) -> Result<Ended, Failure> {
        let mut phase = Phase::Running;
        // Ends with the command. Each round but the last waits for a signal, a time or news.
        loop {
            let now = self.host.now();
            let belief = watch.map(|watch| watch.believed.get());
            let grace = watch.map_or(Duration::ZERO, |watch| watch.grace);
            let until = match plan::due(phase, belief, now, grace) {
                Due::Nothing(until) => until,
                Due::Terminate => {
                    let name = watch.map_or("", |watch| watch.name);
                    say(format!("{name}: {}; stopping the command", why(belief, now)));
                    tell(child, Signal::SIGTERM);
                    // One that is stopped hears it only when it goes on.
                    tell(child, Signal::SIGCONT);
                    phase = Phase::Told { at: now };
                    continue;
                }
                Due::Kill => {
                    tell(child, Signal::SIGKILL);
                    phase = Phase::Killed;
                    continue;
                }
            };
            let untraced = terminal.map_or(WaitPidFlag::empty(), |_| WaitPidFlag::WUNTRACED);
            match waitpid(child.process, Some(WaitPidFlag::WNOHANG | untraced)) {
                Ok(WaitStatus::StillAlive) | Err(Errno::EINTR) => {}
                Ok(WaitStatus::Stopped(_, signal)) => {
                    if let Some(terminal) = terminal {
                        pause(terminal, child, signal)?;
                        // It may have taken any time. First of all, is it lost?
                        continue;
                    }
                }
                Ok(status) => {
                    let over = match belief {
                        Some(Belief::Lost) => true,
                        Some(Belief::Until(deadline)) => deadline <= self.host.now(),
                        None => false,
                    };
                    return Ok(Ended { status, lost: over || phase != Phase::Running, interrupted: false });
                }
                Err(why) => return Err(failed(why)),
            }
            self.sleep(until, watch.map(|watch| watch.believed)).map_err(failed)?;
            while let Some(signal) = self.signals.read_signal().map_err(failed)? {
                pass_on(child, &signal);
            }
        }
    }

    /// Sleeps until a signal, a time, or news of the lease.
    fn sleep(&self, until: Option<BootTime>, news: Option<&Believed>) -> Result<(), Errno> {
        match until {
            Some(until) => {
                let until = Expiration::OneShot(TimeSpec::from_duration(until.since_start()));
                self.timer.set(until, TimerSetTimeFlags::TFD_TIMER_ABSTIME)?;
            }
            None => self.timer.unset()?,
        }
        let mut awaited = vec![
            PollFd::new(self.signals.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.timer.as_fd(), PollFlags::POLLIN),
        ];
        awaited.extend(news.map(|news| PollFd::new(news.as_fd(), PollFlags::POLLIN)));
        match poll(&mut awaited, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(why) => return Err(why),
        }
        let heard = awaited.get(2).and_then(PollFd::revents).unwrap_or(PollFlags::empty());
        if let Some(news) = news
            && heard.contains(PollFlags::POLLIN)
        {
            news.heard();
        }
        Ok(())
    }

    /// Stops what is left in the group of a command: told first, and killed a grace later.
    pub(crate) fn sweep(&self, child: Child, grace: Duration) {
        for (signal, patience) in [(Signal::SIGTERM, grace), (Signal::SIGKILL, AFTER_KILL)] {
            if !is_there(child) {
                return;
            }
            tell(child, signal);
            tell(child, Signal::SIGCONT);
            let until = self.host.now().saturating_add(patience);
            while is_there(child) && self.host.now() < until {
                self.host.pause(LOOK);
            }
        }
    }
}

fn failed(why: Errno) -> Failure {
    io::Error::from(why).into()
}

fn why(belief: Option<Belief>, now: BootTime) -> &'static str {
    match belief {
        Some(Belief::Until(deadline)) if now < deadline => {
            "the lease cannot be renewed and is about to be lost"
        }
        _ => "the lease was lost",
    }
}

/// Sends a signal to a command, and to its group if it has its own. That nobody is left to get it is no failure.
fn tell(child: Child, signal: Signal) {
    let _sent = match child.group {
        Group::Own => killpg(child.process, signal),
        Group::Shared => kill(child.process, signal),
    };
}

fn is_there(child: Child) -> bool {
    // It stays a member of its group until it is waited for.
    let _status = waitpid(child.process, Some(WaitPidFlag::WNOHANG));
    killpg(child.process, None) != Err(Errno::ESRCH)
}

fn pass_on(child: Child, received: &siginfo) {
    let number = i32::try_from(received.ssi_signo).unwrap_or_default();
    let Some(signal) = PASSED_ON.into_iter().find(|signal| *signal as i32 == number) else { return };
    if is_news(child.group, received.ssi_code) {
        tell(child, signal);
    }
}

/// Whether a command has not had a signal of this origin already: what the terminal sends, it sends to the whole group, and
/// what a process sends has a code of zero or less.
const fn is_news(group: Group, code: i32) -> bool {
    matches!(group, Group::Own) || code <= 0
}

/// Lends the terminal to a command, if it is ours to lend, and lets the command go on; whether it was.
fn lend(terminal: &Terminal, child: Child) -> bool {
    let lent = terminal.give(child.process);
    if lent {
        // It may have asked for the terminal before it had it, and been stopped for that.
        tell(child, Signal::SIGCONT);
    }
    lent
}

/// A command was stopped: lets the shell have the terminal, and stops this process with it, as one job.
fn pause(terminal: &Terminal, child: Child, signal: Signal) -> Result<(), Failure> {
    let reached_for_it = matches!(signal, Signal::SIGTTIN | Signal::SIGTTOU);
    if reached_for_it && lend(terminal, child) {
        return Ok(());
    }
    if !reached_for_it && signal != Signal::SIGTSTP {
        // Somebody stopped the command by name. The lease is renewed meanwhile.
        return Ok(());
    }
    terminal.take_back(child.process);
    // Here this process stops until the shell lets it go on: not if there is no shell to do that.
    killpg(getpgrp(), Signal::SIGTSTP).map_err(failed)?;
    if !lend(terminal, child) {
        tell(child, Signal::SIGCONT);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_about_to_be_lost_until_its_deadline_and_then_it_was() {
        let at = |seconds| BootTime::new(Duration::from_secs(seconds));
        let rows = [
            (Some(Belief::Until(at(2))), "the lease cannot be renewed and is about to be lost"),
            (Some(Belief::Until(at(1))), "the lease was lost"),
            (Some(Belief::Until(at(0))), "the lease was lost"),
            (Some(Belief::Lost), "the lease was lost"),
        ];
        for (belief, expected) in rows {
            assert_eq!(why(belief, at(1)), expected, "{belief:?}");
        }
    }

    #[test]
    fn a_command_in_the_group_of_this_process_has_what_the_terminal_sends_already() {
        let (from_the_kernel, from_kill, queued) = (128, 0, -1);
        for (code, shared) in [(from_the_kernel, false), (1, false), (from_kill, true), (queued, true)] {
            assert!(is_news(Group::Own, code), "{code}");
            assert_eq!(is_news(Group::Shared, code), shared, "{code}");
        }
    }

    #[test]
    fn a_supervisor_sleeps_until_there_is_something_to_do() {
        let supervisor = Supervisor::new(Inherited(SigSet::empty())).unwrap();
        let until = supervisor.host.now().saturating_add(Duration::from_millis(50));
        let mut rounds = 0;
        while supervisor.host.now() < until {
            supervisor.sleep(Some(until), None).unwrap();
            rounds += 1;
        }
        // One, and a few for signals that others get.
        assert!(rounds < 50, "it looked {rounds} times");
    }

    #[test]
    fn a_group_is_there_until_its_last_process_was_waited_for() {
        let command = ["sleep", "1000"].map(OsString::from);
        let child = spawn::spawn(&command, &[], Group::Own, &SigSet::empty()).unwrap();
        assert!(is_there(child));
        tell(child, Signal::SIGKILL);
        // It is waited for by the question; until then it may take any time to die.
        let gone = (0..60_000).any(|_| {
            std::thread::sleep(Duration::from_millis(1));
            !is_there(child)
        });
        assert!(gone);
        assert_eq!(killpg(child.process, None), Err(Errno::ESRCH));
    }
}
