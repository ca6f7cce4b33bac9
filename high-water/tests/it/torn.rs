//! What a power cut leaves of a program and of an erase in the simulated flash, cell by cell: what the crash tests of
//! flash call undefined, unstable or half done has to be just that, or they try less than they say.

use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};
use high_water::{FaultFlash, FlashFault, FlashOperation, Reading, Torn};

const SECTOR: usize = 8;
type Chip = FaultFlash<4, SECTOR>;
type Sector = [u8; SECTOR];

/// The second of three sectors, which is the one that is torn.
const FROM: u32 = 8;
const TO: u32 = 16;

/// The bytes of the seed 0: the first of each of the numbers that `SplitMix64` is known to begin with there.
const SEEDED: Sector = [0xe2, 0x6e, 0x06, 0xf8, 0x1b, 0x53, 0x2c, 0xc5];

/// A word at the end of the first sector and one at the beginning of the third; between them all is erased, and two
/// bytes have lost bits.
fn chip() -> Chip {
    let mut chip = Chip::new(3);
    chip.write(FROM - 4, b"left").unwrap();
    chip.write(TO, b"rest").unwrap();
    chip.rot(9, 0x03);
    chip.rot(13, 0x09);
    chip
}

const ERASED: Sector = [0xff, 0xfc, 0xff, 0xff, 0xff, 0xf6, 0xff, 0xff];
const ASKED_FOR: Sector = [0x12, 0x3f, 0x35, 0x0f, 0x78, 0x9a, 0xbc, 0xde];
/// Programming clears bits and sets none.
const PROGRAMMED: Sector = [0x12, 0x3c, 0x35, 0x0f, 0x78, 0x92, 0xbc, 0xde];

/// The chip with the sector programmed, of which the last three bytes are unstable.
fn unstable_at_the_end() -> Chip {
    let mut chip = chip();
    chip.write(FROM, &ASKED_FOR[..4]).unwrap();
    chip.cut_at(chip.steps() + 1, Torn::Unstable);
    assert_eq!(chip.write(FROM + 4, &ASKED_FOR[4..]), Err(FlashFault::PowerCut));
    chip.restarted()
}

/// All of it, with unstable bits as zeros and as ones.
fn readings(chip: &Chip) -> [Vec<u8>; 2] {
    [Reading::Programmed, Reading::Erased].map(|reading| {
        let (mut chip, mut bytes) = (chip.clone(), vec![0; 3 * SECTOR]);
        chip.set_reading(reading);
        chip.read(0, &mut bytes).unwrap();
        bytes
    })
}

/// All of it, where this is in the second sector, and the others are as they were.
fn among_its_neighbours(sector: Sector) -> Vec<u8> {
    [&[0xff; 4][..], b"left", &sector, b"rest", &[0xff; 4]].concat()
}

fn heals(mut chip: Chip, case: &str) {
    chip.erase(FROM, TO).unwrap();
    assert_eq!(readings(&chip), [[0xff; SECTOR]; 2].map(among_its_neighbours), "{case}, erased");
    chip.write(FROM, &ASKED_FOR).unwrap();
    assert_eq!(readings(&chip), [ASKED_FOR; 2].map(among_its_neighbours), "{case}, and programmed");
}

#[test]
fn of_an_interrupted_program_the_bytes_before_the_cut_are_done_and_the_rest_is_what_its_kind_says() {
    let clean = [0x12, 0x3c, 0x35, 0xff, 0xff, 0xf6, 0xff, 0xff];
    let with = |at: usize, byte| {
        let mut sector = clean;
        sector[at] = byte;
        sector
    };
    let some = [0x12, 0x3c, 0x35, 0xff, 0x7b, 0xd2, 0xbc, 0xdf];
    let undefined = [0x12, 0x3c, 0x35, 0xf8, 0x1b, 0x53, 0x2c, 0xc5];
    let all_but_one_bit = [0x12, 0x3c, 0x35, 0x0f, 0x78, 0x92, 0xbc, 0xdf];
    for (cut, torn, zeros, ones) in [
        (0, Torn::Clean, ERASED, ERASED),
        (3, Torn::Clean, clean, clean),
        (3, Torn::Bits(0x00), clean, clean),
        (3, Torn::Bits(0xc3), with(3, 0x3f), with(3, 0x3f)),
        (3, Torn::Bits(0xff), with(3, 0x0f), with(3, 0x0f)),
        (7, Torn::Bits(0x20), all_but_one_bit, all_but_one_bit),
        (3, Torn::Some(0), some, some),
        (3, Torn::Unstable, PROGRAMMED, clean),
        (0, Torn::Unstable, PROGRAMMED, ERASED),
        (3, Torn::Undefined(0), undefined, undefined),
        (0, Torn::Undefined(0), SEEDED, SEEDED),
        (3, Torn::Done, PROGRAMMED, PROGRAMMED),
    ] {
        let case = format!("{torn:?} at {cut}");
        let mut chip = chip();
        chip.cut_at(chip.steps() + cut, torn);
        assert_eq!(chip.write(FROM, &ASKED_FOR), Err(FlashFault::PowerCut), "{case}");
        let mut after = chip.restarted();
        assert_eq!(readings(&after), [zeros, ones].map(among_its_neighbours), "{case}");
        assert_eq!(after.bytes(), among_its_neighbours(zeros), "{case}");

        // Whatever it left of a word, the word is to be erased before it is programmed again.
        for word in [FROM, FROM + 4] {
            assert_eq!(after.write(word, &[0; 4]), Err(FlashFault::Violation), "{case}, word {word}");
        }
        after.write(TO + 4, &[0xff; 4]).unwrap();
        heals(after, &case);
    }
}

#[test]
fn of_an_interrupted_erase_the_bytes_before_the_cut_are_erased_and_the_rest_is_what_its_kind_says() {
    let ones = [0x12, 0x3c, 0x35, 0x0f, 0x78, 0xf6, 0xff, 0xff];
    let three = |byte| {
        [PROGRAMMED, ones].map(|sector| {
            let mut left = [0xff; SECTOR];
            left[4..].copy_from_slice(&sector[4..]);
            left[3] = byte;
            left
        })
    };
    let both = |sector: Sector| [sector; 2];
    let five = |at_the_cut, zeros: [u8; 2], ones: [u8; 2]| {
        [zeros, ones].map(|[one, two]| [0xff, 0xff, 0xff, 0xff, 0xff, at_the_cut, one, two])
    };
    for (cut, torn, expected) in [
        (0, Torn::Clean, [PROGRAMMED, ones]),
        (3, Torn::Clean, three(0x0f)),
        (3, Torn::Bits(0x00), three(0x0f)),
        (3, Torn::Bits(0xc1), three(0xcf)),
        // What was unstable at the cut reads as ones from then on; behind it, it is unstable still.
        (5, Torn::Bits(0x0a), five(0xfe, [0xbc, 0xde], [0xff, 0xff])),
        (3, Torn::Some(0), both([0xf2, 0x7e, 0x37, 0xff, 0x7b, 0xf7, 0xff, 0xff])),
        (3, Torn::Unstable, [ones, [0xff; SECTOR]]),
        (3, Torn::Undefined(0), both(SEEDED)),
        (3, Torn::Done, both([0xff; SECTOR])),
    ] {
        let case = format!("{torn:?} at {cut}");
        let mut chip = unstable_at_the_end();
        assert_eq!(readings(&chip), [PROGRAMMED, ones].map(among_its_neighbours), "before {case}");
        chip.cut_at(chip.steps() + cut, torn);
        assert_eq!(chip.erase(FROM, TO), Err(FlashFault::PowerCut), "{case}");
        let mut after = chip.restarted();
        assert_eq!(readings(&after), expected.map(among_its_neighbours), "{case}");
        assert_eq!(after.erases().collect::<Vec<_>>(), [0, 1, 0], "begun is worn: {case}");

        // Whatever it reads as, the sector is to be erased to its end.
        for word in [FROM, FROM + 4] {
            assert_eq!(after.write(word, &[0; 4]), Err(FlashFault::Violation), "{case}, word {word}");
        }
        after.write(TO + 4, &[0xff; 4]).unwrap();
        heals(after, &case);
    }
}

#[test]
fn what_a_cut_made_unreadable_is_so_until_it_is_erased() {
    let readable = |chip: &Chip| {
        (0..3 * SECTOR as u32).filter(|at| chip.clone().read(*at, &mut [0]).is_ok()).collect::<Vec<_>>()
    };
    let mut chip = chip();
    chip.cut_at(chip.steps() + 3, Torn::Unreadable);
    assert_eq!(chip.write(FROM, &ASKED_FOR), Err(FlashFault::PowerCut));
    let mut programmed = chip.restarted();
    assert_eq!(readable(&programmed), (0..11).chain(16..24).collect::<Vec<_>>(), "the rest of the program");
    let mut bytes = [0; 3];
    programmed.read(FROM, &mut bytes).unwrap();
    assert_eq!(bytes, PROGRAMMED[..3]);
    assert_eq!(programmed.read(FROM, &mut [0; 4]), Err(FlashFault::Unreadable));
    heals(programmed, "a program");

    let mut chip = unstable_at_the_end();
    chip.cut_at(chip.steps() + 3, Torn::Unreadable);
    assert_eq!(chip.erase(FROM, TO), Err(FlashFault::PowerCut));
    let erased = chip.restarted();
    assert_eq!(readable(&erased), (0..8).chain(16..24).collect::<Vec<_>>(), "all of the sector");
    heals(erased, "an erase");
}

#[test]
fn the_power_goes_before_the_step_that_was_named_and_no_step_sooner_or_later() {
    const ENDS: [u64; 3] = [4, 12, 16];
    let done = [
        FlashOperation::Program { step: 0, offset: 8, len: 4 },
        FlashOperation::Erase { step: 4, offset: 0 },
        FlashOperation::Program { step: 12, offset: 0, len: 4 },
    ];
    for cut in 0..=16 {
        let mut chip = FaultFlash::<4, 8>::with_bytes(2, &[0; 8]);
        chip.cut_at(cut, Torn::Clean);
        let results = [chip.write(8, &[0; 4]), chip.erase(0, 8), chip.write(0, &[0; 4])];
        let power_cut = |end| if cut < end { Err(FlashFault::PowerCut) } else { Ok(()) };
        assert_eq!(results, ENDS.map(power_cut), "{cut}");

        // One byte a step: programmed, erased, programmed.
        let mut expected = [[0; 8], [0xff; 8]].concat();
        for step in 0..cut as usize {
            let (at, byte) = match step {
                0..4 => (8 + step, 0),
                4..12 => (step - 4, 0xff),
                _ => (step - 12, 0),
            };
            expected[at] = byte;
        }
        assert_eq!(chip.bytes(), expected, "{cut}");
        let begun = ENDS.iter().position(|end| cut < *end).unwrap_or(2);
        assert_eq!((chip.steps(), chip.operations()), (ENDS[begun], &done[..=begun]), "{cut}");
        assert_eq!(chip.is_off(), cut < 16, "{cut}");

        // The one after, or one that the power is too late for, is neither counted nor done.
        let next = chip.write(4, &[0; 4]);
        assert_eq!((next, chip.is_off()), (Err(FlashFault::PowerCut), true), "{cut}");
        let counted = if cut < 16 { ENDS[begun] } else { 20 };
        assert_eq!((chip.steps(), chip.bytes()), (counted, expected), "{cut}");
    }
}

#[test]
fn a_cut_that_is_named_too_late_strikes_at_once() {
    let mut chip = chip();
    chip.cut_at(chip.steps() - 3, Torn::Clean);
    assert_eq!(chip.write(FROM, &ASKED_FOR), Err(FlashFault::PowerCut));
    assert_eq!(chip.bytes(), among_its_neighbours(ERASED));
}

#[test]
fn an_erase_of_many_sectors_is_cut_within_one_of_them() {
    let mut chip = Chip::with_bytes(3, &[0; 24]);
    chip.cut_at(8 + 2, Torn::Clean);
    assert_eq!(chip.erase(0, 24), Err(FlashFault::PowerCut));
    assert_eq!(chip.bytes(), [&[0xff; 10][..], &[0; 14]].concat());
    assert_eq!(chip.erases().collect::<Vec<_>>(), [1, 1, 0], "the last was not begun");
    let erase = |step, offset| FlashOperation::Erase { step, offset };
    assert_eq!((chip.operations(), chip.steps()), (&[erase(0, 0), erase(8, 8)][..], 16));
    let mut after = chip.restarted();
    assert_eq!(after.write(8, &[0; 4]), Err(FlashFault::Violation));
    after.write(0, &[0; 4]).unwrap();
}

#[test]
fn a_chip_under_power_again_has_lost_the_faults_that_were_planned_and_nothing_else() {
    let mut before = unstable_at_the_end();
    assert_eq!(before.write(FROM, &[0; 4]), Err(FlashFault::Violation));
    before.wear_out(0);
    before.set_reading(Reading::Erased);
    before.cut_at(before.steps() + 1, Torn::Clean);
    before.fail_operation(before.operations().len());
    before.fail_operation(before.operations().len() + 1);
    before.fail_reads(0..1);

    let mut after = before.restarted();
    assert_eq!(
        (after.steps(), after.operations(), after.violations(), after.bytes()),
        (before.steps(), before.operations(), 1, before.bytes())
    );
    let mut bytes = vec![0; 3 * SECTOR];
    after.read(0, &mut bytes).unwrap();
    let ones = [0x12, 0x3c, 0x35, 0x0f, 0x78, 0xf6, 0xff, 0xff];
    assert_eq!(bytes, among_its_neighbours(ones), "it reads as it was told to");
    after.write(0, &[0x55; 4]).unwrap();
    after.write(TO + 4, &[0x55; 4]).unwrap();
    assert_eq!(after.bytes()[..4], [0xff, 0x55, 0x55, 0x55], "a byte that is worn out stays so");
}

#[test]
fn a_program_or_erase_that_was_made_to_fail_has_no_effect() {
    let mut chip = chip();
    let next = chip.operations().len();
    chip.fail_operation(next);
    chip.fail_operation(next + 1);
    assert_eq!(chip.write(FROM, &ASKED_FOR), Err(FlashFault::Failed));
    assert_eq!(chip.erase(0, FROM), Err(FlashFault::Failed));
    assert_eq!(chip.bytes(), among_its_neighbours(ERASED));
    assert_eq!(chip.erases().collect::<Vec<_>>(), [0, 0, 0]);
    assert_eq!(chip.write(FROM, &ASKED_FOR), Err(FlashFault::Violation), "it counts as programmed");
    heals(chip, "a failure");
}

#[test]
fn unstable_bits_read_one_way_and_the_other_or_at_random_and_the_others_as_they_are() {
    // Two bytes of which each bit is unstable, between two of which none is.
    let mut unstable = Chip::new(1);
    unstable.write(0, &[0x0f; 4]).unwrap();
    unstable.cut_at(unstable.steps(), Torn::Unstable);
    assert_eq!(unstable.write(4, &[0, 0, 0xff, 0xff]), Err(FlashFault::PowerCut));
    // How four reads in a row find those two. At random, the numbers of the seed's generator are themselves the seeds of
    // one read after the other; the third and the fourth byte of each are here, as another program computes them.
    for (reading, expected) in [
        (Reading::Programmed, [[0, 0]; 4]),
        (Reading::Erased, [[0xff, 0xff]; 4]),
        (Reading::Alternating, [[0, 0], [0xff, 0xff], [0, 0], [0xff, 0xff]]),
        (Reading::Random(0), [[0x63, 0xa8], [0xe1, 0x26], [0x8c, 0x76], [0x8e, 0xe6]]),
        (Reading::Random(1_234_567), [[0xff, 0xee], [0x1d, 0x72], [0x91, 0x10], [0x2a, 0xb3]]),
    ] {
        let mut chip = unstable.restarted();
        chip.set_reading(reading);
        for [third, fourth] in expected {
            let mut bytes = [0; 6];
            chip.read(2, &mut bytes).unwrap();
            assert_eq!(bytes, [0x0f, 0x0f, third, fourth, 0xff, 0xff], "{reading:?}");
            // A read that fails is none, and a restart begins no new row of them.
            chip.fail_reads(0..1);
            assert_eq!(chip.read(0, &mut bytes), Err(FlashFault::Unreadable));
            chip = chip.restarted();
        }
    }
}

#[test]
fn the_bytes_of_a_seed_are_those_of_the_generator_that_is_known_by_these_numbers() {
    for (seed, published) in [
        (0, [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f, 0xf88b_b8a8_724c_81ec]),
        (
            1_234_567,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423,
                4_593_380_528_125_082_431_u64,
            ],
        ),
    ] {
        let mut chip = Chip::new(1);
        chip.cut_at(0, Torn::Undefined(seed));
        assert_eq!(chip.write(0, &[0; 4]), Err(FlashFault::PowerCut));
        assert_eq!(chip.bytes()[..4], published.map(|number| number.to_be_bytes()[0]), "seed {seed}");
    }
}
