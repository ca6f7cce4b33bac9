//! What the figures are of: processor, system, compiler, date.

use std::{fs, process::Command, time::SystemTime};

use hlc::{Packed, PhysicalTime, layout::Secs32};

/// Names and values, as the system tells them.
pub(crate) fn facts() -> Vec<(&'static str, String)> {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = cpu.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let flags = field("flags").unwrap_or_default();
    let vectors =
        ["sse2", "avx2", "avx512f"].into_iter().filter(|name| flags.split(' ').any(|flag| flag == *name));
    let virtual_machine = if flags.split(' ').any(|flag| flag == "hypervisor") { ", virtual" } else { "" };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let clock = fs::read_to_string("/sys/devices/system/clocksource/clocksource0/current_clocksource");
    vec![
        (
            "processor",
            format!(
                "{}, {cores} cores{virtual_machine}; {}",
                field("model name").unwrap_or_else(|| "unknown".to_owned()),
                vectors.collect::<Vec<_>>().join(", ")
            ),
        ),
        ("system", format!("{} {}", std::env::consts::OS, kernel.trim())),
        ("clock of the system", clock.map_or_else(|_| "unknown".to_owned(), |name| name.trim().to_owned())),
        ("compiler", first_line("rustc", &["--version"])),
        ("commit", first_line("git", &["-C", env!("CARGO_MANIFEST_DIR"), "log", "-1", "--format=%h"])),
    ]
}

fn first_line(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().next().unwrap_or("unknown").to_owned()
}

/// Processes that wanted to run, over one, five and fifteen minutes.
pub(crate) fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(", ")
}

/// A moment as people write it.
pub(crate) fn moment(time: SystemTime) -> String {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let stamp = PhysicalTime::new(since.as_secs(), 0).and_then(Packed::<Secs32>::first_at);
    // The counter of the stamp is of no interest.
    stamp.map(|stamp| stamp.human().to_string().trim_end_matches("+0").to_owned()).unwrap_or_default()
}
