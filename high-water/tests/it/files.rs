//! Registers in real files.

use crate::{OURS, options};
use high_water::{
    Access, Evidence, FileMedium, FileSystemName, IoFault, Medium, NotRaised, OpenError, Operation, Options,
    RaiseError, Register, WhenHeld, inspect,
};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

/// A directory that is removed with everything in it.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("high-water-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn names(&self) -> Vec<String> {
        let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
        fs::read_dir(&self.0).unwrap().map(|entry| name(entry.unwrap())).collect()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The directory of the build may be on any file system; what it is called is tested elsewhere.
pub(crate) fn anywhere() -> Options {
    options().allow_volatile_file_system().allow_unknown_file_system().allow_network_file_system()
}

fn create(path: &Path) -> Register {
    anywhere().create(path, 0, b"").unwrap()
}

#[test]
fn a_value_and_its_payload_are_there_after_closing() {
    let dir = Scratch::new();
    let path = dir.join("register");
    let mut register = create(&path);
    assert_eq!(register.identity(), anywhere().identity());
    assert_eq!(fs::metadata(&path).unwrap().len(), 6 * 16 * 1024);
    assert_eq!(dir.names(), ["register"], "no temporary name is left");
    for value in 1..=20_u64 {
        register.raise(value, &value.to_be_bytes()).unwrap();
    }
    drop(register);
    for _ in 0..3 {
        let register = anywhere().open_or_create(&path).unwrap();
        assert_eq!((register.get(), register.payload()), (20, &20_u64.to_be_bytes()[..]));
        assert_eq!(register.identity(), OURS);
    }
}

#[test]
fn creating_never_touches_what_is_there_and_opening_never_creates() {
    let dir = Scratch::new();
    let path = dir.join("register");
    assert_eq!(anywhere().open(&path).map(|r| r.get()), Err(OpenError::NotFound));
    assert!(dir.names().is_empty());
    let mut register = create(&path);
    register.raise(7, b"").unwrap();
    assert_eq!(anywhere().create(&path, 0, b"").map(|r| r.get()), Err(OpenError::AlreadyExists));
    drop(register);
    assert_eq!(anywhere().open(&path).unwrap().get(), 7);
    assert_eq!(dir.names(), ["register"]);
}

#[test]
fn one_of_many_threads_creates_it_and_all_others_are_told_who_holds_it() {
    let dir = Scratch::new();
    let path = dir.join("register");
    let opened: Vec<_> = std::thread::scope(|scope| {
        let open = || scope.spawn(|| anywhere().open_or_create(&path));
        let threads: Vec<_> = (0..8).map(|_| open()).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(opened.iter().filter(|result| result.is_ok()).count(), 1);
    for error in opened.iter().filter_map(|result| result.as_ref().err()) {
        assert!(matches!(error, OpenError::Held { .. }), "{error:?}");
    }
    assert_eq!(dir.names(), ["register"]);
}

#[test]
fn a_waiter_gets_the_register_when_the_holder_lets_go() {
    let dir = Scratch::new();
    let path = dir.join("register");
    let mut register = create(&path);
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let patient = anywhere().when_held(WhenHeld::WaitUpTo(Duration::from_secs(60)));
            patient.open(&path).map(|register| register.get())
        });
        register.raise(3, b"").unwrap();
        drop(register);
        assert_eq!(waiter.join().unwrap(), Ok(3));
    });
}

#[test]
fn a_directory_a_device_and_a_link_to_nothing_are_refused() {
    let dir = Scratch::new();
    let directory = dir.join("directory");
    fs::create_dir(&directory).unwrap();
    assert_eq!(anywhere().open(&directory).map(|r| r.get()), Err(OpenError::NotAFile));
    assert_eq!(inspect(&directory), Err(OpenError::NotAFile));
    assert_eq!(anywhere().create(&directory, 0, b"").map(|r| r.get()), Err(OpenError::AlreadyExists));
    assert_eq!(anywhere().open("/dev/null").map(|r| r.get()), Err(OpenError::NotAFile));
    assert_eq!(anywhere().recover("/dev/null", 5, b"").map(|r| r.get()), Err(OpenError::NotAFile));
    let socket = dir.join("socket");
    // A path of a socket may be too long for one; then there is nothing to refuse.
    if let Ok(_listener) = std::os::unix::net::UnixListener::bind(&socket) {
        assert_eq!(anywhere().open(&socket).map(|r| r.get()), Err(OpenError::NotAFile));
    }
    let (nothing, itself) = (dir.join("nothing"), dir.join("itself"));
    for (link, target) in [(dir.join("link"), &nothing), (itself.clone(), &itself)] {
        std::os::unix::fs::symlink(target, &link).unwrap();
        assert_eq!(anywhere().open(&link).map(|r| r.get()), Err(OpenError::DanglingLink));
        assert_eq!(anywhere().open_or_create(&link).map(|r| r.get()), Err(OpenError::DanglingLink));
        assert_eq!(inspect(&link), Err(OpenError::DanglingLink));
        assert_eq!(anywhere().create(&link, 0, b"").map(|r| r.get()), Err(OpenError::AlreadyExists));
        assert!(!nothing.exists(), "what the link names is not created in its stead");
    }
}

#[test]
fn a_path_that_leads_nowhere_is_told_as_such() {
    let dir = Scratch::new();
    fs::write(dir.join("file"), b"").unwrap();
    let refusal = |path: PathBuf| anywhere().open_or_create(path).map(|r| r.get()).unwrap_err();
    assert_eq!(refusal(dir.join("missing").join("register")), OpenError::NoDirectory);
    assert_eq!(refusal(dir.join("file").join("register")), OpenError::NoDirectory);
    for path in [PathBuf::new(), dir.join(&"n".repeat(300)), dir.join("zero\0byte")] {
        assert_eq!(refusal(path.clone()), OpenError::BadPath, "{path:?}");
    }
    // Long enough to be opened, too long for the temporary name beside it.
    let long = dir.join(&"n".repeat(250));
    assert_eq!(anywhere().create(&long, 0, b"").map(|r| r.get()), Err(OpenError::BadPath));
    assert!(dir.names() == ["file"]);
    let slash = dir.join("new/");
    assert_eq!(refusal(slash.clone()), OpenError::BadPath);
    let created = anywhere().create(&slash, 0, b"").unwrap_err();
    assert!(created == OpenError::BadPath && !created.may_have_created());
    assert!(dir.names() == ["file"]);
    for above in ["..", "/"] {
        assert_eq!(refusal(dir.join(above)), OpenError::NotAFile);
    }
}

#[test]
fn a_zero_length_or_truncated_file_is_refused_and_not_filled() {
    let dir = Scratch::new();
    let path = dir.join("register");
    drop(create(&path));
    for len in [40_000, 0] {
        fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(len).unwrap();
        assert_eq!(
            anywhere().open_or_create(&path).map(|r| r.get()),
            Err(OpenError::WrongLength { found: len })
        );
        assert_eq!(fs::metadata(&path).unwrap().len(), len);
    }
    assert_eq!(anywhere().recover(&path, 9, b"").unwrap().get(), 9);
    assert_eq!(anywhere().open(&path).unwrap().get(), 9);
}

#[test]
fn a_file_truncated_while_open_is_found_before_the_next_raise() {
    for len in [0, 512, 16_897, 17_000, 66_048, 98_303] {
        let dir = Scratch::new();
        let path = dir.join("register");
        let mut register = create(&path);
        register.raise(5, b"").unwrap();
        fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(len).unwrap();
        let error = register.raise(6, b"").unwrap_err();
        assert!(
            matches!(error, RaiseError::NotRaised(NotRaised::Regressed(r)) if r.found().is_none()),
            "{len}: {error:?}"
        );
    }
}

#[test]
fn a_symbolic_link_works_and_swapping_it_while_open_is_found() {
    let dir = Scratch::new();
    let (first, second, link) = (dir.join("first"), dir.join("second"), dir.join("link"));
    drop(create(&first));
    drop(create(&second));
    std::os::unix::fs::symlink(&first, &link).unwrap();
    let mut register = anywhere().open(&link).unwrap();
    register.raise(5, b"").unwrap();
    assert!(matches!(anywhere().open(&first), Err(OpenError::Held { .. })), "the same file by its own name");
    fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(&second, &link).unwrap();
    assert_eq!(register.raise(6, b""), Err(NotRaised::Replaced.into()));
    assert_eq!(inspect(&first).unwrap().record().value(), 5);
    assert_eq!(inspect(&second).unwrap().record().value(), 0);
}

#[test]
fn a_file_moved_away_or_deleted_while_open_is_found() {
    let dir = Scratch::new();
    let path = dir.join("register");
    let mut register = create(&path);
    fs::rename(&path, dir.join("elsewhere")).unwrap();
    assert_eq!(register.raise(1, b""), Err(NotRaised::Replaced.into()));
    drop(register);
    let mut register = anywhere().open(dir.join("elsewhere")).unwrap();
    fs::remove_file(dir.join("elsewhere")).unwrap();
    assert_eq!(register.raise(1, b""), Err(NotRaised::Replaced.into()));
}

#[test]
fn an_older_copy_put_back_over_the_open_file_is_found() {
    let dir = Scratch::new();
    let (path, backup) = (dir.join("register"), dir.join("backup"));
    let mut register = create(&path);
    register.raise(1, b"").unwrap();
    fs::copy(&path, &backup).unwrap();
    register.raise(2, b"").unwrap();
    // In place: the inode stays.
    fs::write(&path, fs::read(&backup).unwrap()).unwrap();
    let error = register.raise(3, b"").unwrap_err();
    assert!(matches!(error, RaiseError::NotRaised(NotRaised::Regressed(r))
        if r.evidence() == Evidence::Overwritten && r.known() == Some(2)));
    // Nothing in the file tells the next one, but the value that the last one knows.
    let known = register.get();
    drop(register);
    let again = anywhere().at_least(known).open(&path).unwrap_err();
    assert!(matches!(again, OpenError::Regressed(r) if r.evidence() == Evidence::Floor), "{again:?}");
    assert_eq!(anywhere().open(&path).unwrap().get(), 1);
}

#[test]
fn a_file_that_comes_back_after_another_one_was_used_is_found_by_a_remembered_value_only() {
    let dir = Scratch::new();
    let (path, aside) = (dir.join("register"), dir.join("aside"));
    drop(create(&path));
    fs::rename(&path, &aside).unwrap();
    fs::copy(&aside, &path).unwrap();
    drop(anywhere().recover(&path, 500, b"").unwrap());
    fs::rename(&aside, &path).unwrap();
    assert!(matches!(anywhere().at_least(500).open(&path), Err(OpenError::Regressed(_))));
    assert_eq!(anywhere().open(&path).unwrap().get(), 0);
}

#[test]
fn a_copy_put_in_place_while_closed_is_found_and_a_file_moved_within_the_file_system_is_no_copy() {
    let dir = Scratch::new();
    let (path, backup) = (dir.join("register"), dir.join("backup"));
    let mut register = create(&path);
    register.raise(1, b"").unwrap();
    fs::copy(&path, &backup).unwrap();
    register.raise(2, b"").unwrap();
    drop(register);
    fs::rename(&path, dir.join("moved")).unwrap();
    assert_eq!(anywhere().open(dir.join("moved")).unwrap().get(), 2);
    fs::rename(&backup, &path).unwrap();
    let error = anywhere().open(&path).unwrap_err();
    assert!(matches!(error, OpenError::Regressed(r) if r.evidence() == Evidence::Origin), "{error:?}");
    assert!(!inspect(&path).unwrap().is_original());
    drop(anywhere().recover(&path, 2, b"").unwrap());
    assert_eq!(anywhere().open(&path).unwrap().get(), 2);
}

#[cfg(target_os = "linux")]
#[test]
fn memory_and_pseudo_file_systems_are_refused() {
    let path = Path::new("/dev/shm").join(format!("high-water-{}", std::process::id()));
    // Where there is no such file system there is nothing to refuse; where there is one, it is.
    if fs::write(&path, b"").is_ok() {
        fs::remove_file(&path).unwrap();
        let refused = OpenError::VolatileFileSystem { name: FileSystemName::new("tmpfs") };
        assert_eq!(options().create(&path, 0, b"").map(|r| r.get()), Err(refused));
        assert!(!path.exists());
    }
}

/// One thread raises as fast as it can; the reader must only see whole states that were asked for, in order.
#[test]
fn a_reader_sees_rising_whole_values_while_the_holder_raises() {
    let dir = Scratch::new();
    let path = dir.join("register");
    let mut register = create(&path);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut value = 0_u64;
            while !stop.load(Ordering::Relaxed) {
                value += 1;
                register.raise(value, &value.to_be_bytes()).unwrap();
            }
            value
        });
        let mut last = 0;
        for _ in 0..2_000 {
            let inspection = inspect(&path).unwrap();
            let record = inspection.record();
            assert!(record.value() >= last, "{} after {last}", record.value());
            last = record.value();
            if last > 0 {
                assert_eq!(record.payload(), last.to_be_bytes(), "another value's payload");
            }
        }
        stop.store(true, Ordering::Relaxed);
        assert!(writer.join().unwrap() >= last);
    });
}

#[test]
fn a_relative_path_stays_with_the_directory_it_was_given_in() {
    let medium = FileMedium::at(Path::new("register")).unwrap();
    assert_eq!(medium.path(), std::env::current_dir().unwrap().join("register"));
}

#[test]
fn an_opening_by_one_who_knows_the_value_in_a_file_writes_nothing_to_it() {
    let dir = Scratch::new();
    let path = dir.join("register");
    let mut register = create(&path);
    register.raise(7, b"seven").unwrap();
    drop(register);
    let before = fs::read(&path).unwrap();
    let register =
        anywhere().open_acknowledged(&path, |value, payload| (value, payload) == (7, b"seven")).unwrap();
    assert_eq!((register.get(), register.snapshot().syncs), (7, 0));
    drop(register);
    assert!(fs::read(&path).unwrap() == before);
    let register = anywhere().open_acknowledged(&path, |_, _| false).unwrap();
    assert_eq!(
        (register.get(), register.snapshot().syncs),
        (7, 1),
        "one who does not know opens as any other"
    );
    assert_eq!(
        anywhere().open_acknowledged(dir.join("another"), |_, _| true).map(|r| r.get()),
        Err(OpenError::NotFound)
    );
}

#[test]
fn leftovers_of_crashed_processes_with_our_number_are_passed_over_until_there_are_a_thousand() {
    let dir = Scratch::new();
    let path = dir.join("register");
    let leave = |attempt: u32| {
        let name = format!(".register.{}-{attempt}.new", std::process::id());
        fs::write(dir.join(&name), b"").unwrap();
    };
    (0..999).for_each(leave);
    drop(create(&path));
    fs::remove_file(&path).unwrap();
    leave(999);
    let full = OpenError::Io(IoFault::new(Operation::Create, None));
    assert_eq!(anywhere().create(&path, 0, b"").map(|r| r.get()), Err(full));
    assert_eq!(dir.names().len(), 1_000, "none of them was touched, and no register was made");
}

#[test]
fn a_file_that_was_opened_has_no_temporary_name_to_be_linked_or_removed() {
    let dir = Scratch::new();
    let path = dir.join("register");
    drop(create(&path));
    let medium = FileMedium::at(&path).unwrap();
    let opened = medium.open(Access::Read).unwrap();
    for refused in [medium.publish(&opened), medium.retract(&opened)] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    assert_eq!(dir.names(), ["register"]);
    medium.unpublish().unwrap();
    assert!(dir.names().is_empty());
    assert_eq!(medium.unpublish().unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn a_relative_path_in_a_directory_that_is_gone_leads_nowhere() {
    const GONE: &str = "HIGH_WATER_TEST_GONE";
    // The current directory is the process's: only a child may leave it.
    if let Some(gone) = std::env::var_os(GONE) {
        std::env::set_current_dir(&gone).unwrap();
        fs::remove_dir(&gone).unwrap();
        assert_eq!(FileMedium::at(Path::new("register")), Err(OpenError::NoDirectory));
        return;
    }
    let dir = Scratch::new();
    let gone = dir.join("gone");
    fs::create_dir(&gone).unwrap();
    let test = "files::a_relative_path_in_a_directory_that_is_gone_leads_nowhere";
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact"])
        .env(GONE, &gone)
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
    assert!(!gone.exists(), "the child has run");
}
