//! The rest of `vector_clock` in fixed storage: causal delivery, deltas, vectors of known members.
#![no_std]
#![no_main]

use clock_firmware::{alone, given};
use cortex_m as _;
use vector_clock::{
    CausalBuffer, ClockRef, Delta, DenseVector, Dot, Fixed, Limits, Stamp, VectorClock, VersionVector,
};

type Four = Fixed<4>;
const LIMITS: Limits = Limits::new().with_max_entries(4);

fn delivery() -> impl Sized {
    let mut buffer = CausalBuffer::<(Stamp<u16, Four>, u8), Four>::new();
    let buffer = given(&mut buffer);
    let admitted = (buffer.admit(given(1)), buffer.admit(given(2)));
    let heard = Stamp::<u16, Four>::decode(given(&[1; 40]), &LIMITS);
    let received = heard.map(|stamp| buffer.receive((stamp, 7)).is_ok());
    let known = given(VersionVector::<u16, Four>::new());
    let missing = buffer.missing().next();
    (admitted, received, buffer.pop_ready().is_some(), missing, buffer.catch_up(&known), buffer.snapshot())
}

fn vectors() -> impl Sized {
    let mut one = given(VersionVector::<u128, Four>::new());
    let other = VersionVector::<u128, Four>::decode(given(&[1; 40]), &LIMITS).unwrap_or_default();
    let merged =
        (one.merge(&other), given(Dot::try_new(1, 1)).map(|dot| one.record(dot).is_ok()), one.tick(given(3)));
    let seen = ClockRef::parse(given(&[1; 40]), &LIMITS).map(|it| it.causality_with(&one));
    (merged, seen, one.glb(&other).len(), one == other, one < other, one.forget_lossy(given(3)))
}

fn delta() -> impl Sized {
    let mut clock = VectorClock::<u16, Four>::new(1);
    let clock = given(&mut clock);
    let base = given(clock.vector().clone());
    let ticked = clock.tick_dot();
    let delta = Delta::<u16, Four>::between(&base, clock.vector()).map(|delta| delta.apply(&base).is_ok());
    let mut lanes = given(DenseVector::<4>::new());
    (ticked, delta.is_ok(), lanes.tick(given(9)))
}

alone!(|| (delivery(), vectors(), delta()));
