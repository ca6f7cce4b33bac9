//! A value behind a gate.

use epoch_fence::{Fenced, Rejected};

use crate::gate::gate;
use crate::values::{epoch, token};

#[test]
fn a_value_changes_under_a_current_token_only() {
    let fenced = Fenced::new(gate(1), vec![1]);
    fenced.write(&token(1)).unwrap().push(2);
    let writing = fenced.write(&token(2)).unwrap();
    assert_eq!((writing.permit().epoch(), writing.len()), (epoch(2), 2));
    let permit = format!("Permit {{ epoch: {:?}, .. }}", epoch(2));
    assert_eq!(format!("{:?}", writing.permit()), permit);
    assert_eq!(format!("{writing:?}"), format!("FencedGuard {{ value: [1, 2], permit: {permit} }}"));
    assert_eq!(fenced.write(&token(3)).map(drop), Err(Rejected::Draining { in_flight: 1 }));
    drop(writing);
    fenced.write(&token(3)).unwrap().push(3);
    assert_eq!(fenced.write(&token(2)).map(drop), Err(Rejected::Stale { floor: epoch(3) }));
    assert_eq!(*fenced.read(), [1, 2, 3]);
    fenced.gate().seal();
    assert_eq!(fenced.write(&token(3)).map(drop), Err(Rejected::Sealed));
    assert_eq!(fenced.into_inner(), [1, 2, 3]);
}

#[test]
fn writers_of_one_epoch_take_turns() {
    let fenced = Fenced::new(gate(1), 0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..1_000 {
                    *fenced.write(&token(1)).unwrap() += 1;
                }
            });
        }
    });
    assert_eq!(*fenced.read(), 4_000);
}
