//! Many threads at random work on one reserver: what no interleaving test is large enough for.

use clock_testing::{Call, UnorderedMark, check_calls, stress};
use high_water::{DrawError, Mark as _, Reserver, SharedReserver};
use std::num::{NonZeroU32, NonZeroU64};

#[test]
fn threads_at_random_on_one_reserver_draw_each_number_once_none_above_the_mark_and_have_each_stall_counted() {
    stress(6, |round| {
        let mark = UnorderedMark::default();
        let block = NonZeroU64::new(1 + round.dice().roll(400)).unwrap();
        let reserver = SharedReserver::from(Reserver::new(mark.clone(), block));
        let notes = round.notes();
        let outcomes = round.run(2_000, |worker| {
            let (mut calls, mut stalls, mut extended, mut number) = (Vec::new(), 0, 0, 0);
            while worker.goes_on() {
                number += 1;
                let noted = notes.write(worker, number);
                let drawn = match worker.roll(8) {
                    0 => {
                        extended += u64::from(reserver.upkeep().unwrap());
                        continue;
                    }
                    1 | 2 => {
                        let count = NonZeroU32::new(1 + worker.roll(20) as u32).unwrap();
                        reserver.draw_many(count).map(|first| (first, first + u64::from(count.get()) - 1))
                    }
                    _ => reserver.draw().map(|one| (one, one)),
                };
                match drawn {
                    Ok(got) => {
                        let durable = mark.get();
                        assert!(got.1 <= durable, "{got:?} is above {durable}");
                        calls.push(Call { noted, got, saw: notes.read(worker) });
                    }
                    Err(DrawError::Spent { .. }) => stalls += 1,
                    Err(other) => panic!("{other}"),
                }
            }
            (calls, stalls, extended)
        });
        let sum = |of: fn(&(Vec<Call<u64>>, u64, u64)) -> u64| outcomes.iter().map(of).sum::<u64>();
        let seen = reserver.snapshot();
        assert_eq!(
            (seen.stalls, seen.extensions),
            (sum(|(_, stalls, _)| *stalls), sum(|(_, _, extended)| *extended))
        );
        let calls: Vec<_> = outcomes.into_iter().map(|(calls, _, _)| calls).collect();
        check_calls(&calls);
        let drawn: u64 = calls.iter().flatten().map(|call| call.got.1 - call.got.0 + 1).sum();
        let last = calls.iter().flatten().map(|call| call.got.1).max();
        assert_eq!(last, Some(drawn), "each number once, and none skipped");
        assert_eq!((seen.mark, seen.left), (mark.get(), seen.mark - drawn));
    });
}
