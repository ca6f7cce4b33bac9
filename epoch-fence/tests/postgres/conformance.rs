//! The suite for stores.

use core::cell::Cell;
use core::time::Duration;

use epoch_fence::engine::conformance::{self, Subject};

use crate::stage::Stage;

#[test]
fn postgres_conforms() {
    let Some(stage) = Stage::own("conformance") else { return };
    let (one, two) = (stage.blocking(), stage.blocking());
    // By a clock that stands still in between, so that no rule depends on the speed of the machine.
    let now = Cell::new(0_i64);
    stage.set_clock(0);
    let advance = |wait: Duration| {
        now.set(now.get() + i64::try_from(wait.as_millis()).unwrap());
        stage.set_clock(now.get());
    };
    assert_eq!(conformance::run(&Subject::new(&one, &two, advance)), Ok(conformance::RULES));
}
