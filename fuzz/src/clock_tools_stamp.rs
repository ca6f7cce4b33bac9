//! The notations and the conversions of `clock-tools`: any text is refused or stands for one stamp, and what a conversion
//! does not lose can be had back.

use clock_tools::{AnyLayout, AnyStamp, Moved, Notation};

use crate::bounds::{Bound, bounded};

/// Each notation is tried, and an error repeats the text.
const READ: Bound = Bound::total(2 << 10, 16);

pub fn run(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else { return };
    for layout in AnyLayout::ALL {
        if let Ok((stamp, notation)) = bounded(READ, text.len(), || AnyStamp::guess(text, *layout)) {
            assert_eq!(AnyStamp::read(text, notation, *layout), Ok(stamp));
        }
        for notation in Notation::ALL {
            let read = bounded(READ, text.len(), || AnyStamp::read(text, *notation, *layout));
            let Ok(stamp) = read else { continue };
            let written = stamp.write(*notation).expect("it was read in this notation");
            assert_eq!(AnyStamp::read(&written, *notation, *layout), Ok(stamp), "{written}");
            converted(stamp);
        }
    }
}

fn converted(stamp: AnyStamp) {
    for layout in AnyLayout::ALL {
        let Ok(conversion) = stamp.convert(*layout) else {
            assert_ne!(*layout, stamp.layout(), "to its own layout it is itself");
            continue;
        };
        assert_eq!(
            (conversion.stamp().counter(), conversion.stamp().node()),
            (stamp.counter(), stamp.node())
        );
        if conversion.moved() == Moved::Not {
            let back = conversion.stamp().convert(stamp.layout()).expect("nothing was lost");
            assert_eq!((back.stamp(), back.moved()), (stamp, Moved::Not));
        }
    }
}
