//! The paper's rule (Kulkarni et al. 2014, figure 5) in its own terms: physical time `l` and counter `c`, in
//! abstract units. A unit is a millisecond here, and "at p" is the physical reading.

use core::time::Duration;

use hlc::{Clock, ObserveError, SkewPolicy, Timestamp, source::ManualSource};

enum Step {
    Send { at: u64 },
    Receive { remote: (u64, u32), at: u64 },
}

use Step::{Receive, Send};

#[test]
fn a_conversation_gives_the_stamps_that_the_paper_gives() {
    let source = ManualSource::at_millis(0);
    let mut clock = Clock::new(&source).with_skew_policy(SkewPolicy::AtMost(Duration::from_millis(1_000)));
    let conversation = [
        (Send { at: 5 }, (5, 0)),
        (Send { at: 6 }, (6, 0)),
        (Receive { remote: (10, 5), at: 10 }, (10, 6)),
        (Send { at: 7 }, (10, 7)),
        (Receive { remote: (10, 4), at: 8 }, (10, 8)),
        (Receive { remote: (1_100, 888), at: 9 }, (10, 8)),
        (Receive { remote: (10, 99), at: 10 }, (10, 100)),
        (Receive { remote: (10, 31), at: 11 }, (11, 0)),
        (Send { at: 11 }, (11, 1)),
    ];
    for (step, expected) in conversation {
        match step {
            Send { at } => {
                source.set_millis(at);
                clock.tick().unwrap();
            }
            Receive { remote: (l, c), at } => {
                source.set_millis(at);
                let refused = clock.observe(Timestamp::from_parts(l, c).unwrap());
                assert_eq!(refused.is_err(), l == 1_100, "only the stamp of 1100 is too far ahead");
                if let Err(error) = refused {
                    let ObserveError::Skew(skew) = error else { panic!("{error:?}") };
                    assert_eq!(skew.ahead(), Duration::from_millis(1_091));
                    assert_eq!(skew.limit(), Duration::from_millis(1_000));
                }
            }
        }
        let last = clock.last().unwrap();
        assert_eq!((last.physical_units(), last.counter()), expected);
    }
    assert_eq!(clock.snapshot().skew_refusals(), 1);
}
