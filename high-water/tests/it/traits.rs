//! What the types are, beyond what they do.

use high_water::{
    DrawError, Drawer, FileMark, FileMedium, Identity, Inspection, IoFault, Mark, MemoryMark, NotRaised,
    OpenError, Options, Origin, Payload, RaiseError, Record, Register, Reserver, SharedReserver,
};
use std::error::Error;

#[test]
fn registers_and_reservers_go_to_other_threads() {
    fn send<T: Send>() {}
    fn shared<T: Send + Sync>() {}
    send::<Register>();
    send::<FileMark>();
    shared::<Reserver<MemoryMark>>();
    shared::<SharedReserver<FileMark>>();
    shared::<Drawer<'_>>();
    shared::<FileMedium>();
}

#[test]
fn errors_are_small_values() {
    fn error<T: Error + Copy + Eq + Send + Sync + 'static>() {}
    error::<RaiseError>();
    error::<NotRaised>();
    error::<OpenError>();
    error::<IoFault>();
    error::<DrawError>();
    assert!(size_of::<RaiseError>() <= 48, "{}", size_of::<RaiseError>());
    assert!(size_of::<OpenError>() <= 48, "{}", size_of::<OpenError>());
}

#[test]
fn values_are_copied() {
    fn value<T: Copy + Eq>() {}
    value::<Identity>();
    value::<Origin>();
    value::<Payload>();
    value::<Record>();
    value::<Inspection>();
    value::<Options>();
}

#[test]
fn a_mark_can_be_lent_and_be_a_trait_object() {
    fn raise(mut mark: impl Mark) -> u64 {
        mark.raise_to(3).unwrap();
        mark.get()
    }
    let mut mark = MemoryMark::new(1);
    assert_eq!(raise(&mut mark), 3);
    let object: &mut dyn Mark = &mut mark;
    assert_eq!(raise(object), 3);
}
