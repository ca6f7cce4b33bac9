//! `Host`: the log of one host, on its way from its input to the output.

use alloc::{boxed::Box, vec};
use std::io::{self, ErrorKind, Read as _, Write};

use super::finding::{Finding, GoesBack, Unstamped};
use super::key::Key;
use super::site::{Finder, Site};
use super::{LogSummary, Watch};
use crate::{Input, Place, ReadError};

//   buffer:   0        from       at       line_end       end        len
//             +---------+----------+-----------+-----------+----------+
//             | written | passed   | this line | read      | free     |
//             +---------+----------+-----------+-----------+----------+
//
// What is passed is written when another host goes on, or when the buffer has to be filled: the lines of a host that follow
// each other in the output are one write. Of a line that is longer than the buffer the beginning is seen, and the rest
// flows through.

/// A log, and where it has been read to.
pub(super) struct Host {
    input: Input,
    buffer: Box<[u8]>,
    from: usize,
    at: usize,
    end: usize,
    /// No line ends before here.
    searched: usize,
    /// Just after the end of this line, where that is in the buffer.
    line_end: Option<usize>,
    is_over: bool,
    finder: Finder,
    /// The last stamp, and the number of its line.
    last: Option<(Key, u64)>,
    /// Lines without a stamp that have not been told of: the first, and how many.
    block: Option<(u64, u64)>,
    /// What was read of the input, as it was told last.
    told: u64,
    summary: LogSummary,
}

impl Host {
    /// A buffer of `room` bytes, but never one that would not hold the part of a line in which its stamp stands.
    pub(super) fn new(input: Input, site: &Site, room: usize) -> Self {
        let room = room.max(Site::HEAD.saturating_mul(2));
        Self {
            summary: LogSummary::new(input.name()),
            input,
            buffer: vec![0; room].into_boxed_slice(),
            from: 0,
            at: 0,
            end: 0,
            searched: 0,
            line_end: None,
            is_over: false,
            finder: site.finder(),
            last: None,
            block: None,
            told: 0,
        }
    }

    pub(super) fn into_summary(self) -> LogSummary {
        self.summary
    }

    /// Goes to the first line with a stamp, and says which it has. Lines before it pass.
    pub(super) fn begin(&mut self, out: &mut impl Write, watch: &mut impl Watch) -> io::Result<Option<Key>> {
        loop {
            if !self.look(out, watch)? {
                self.tell_block(watch);
                self.flush(out)?;
                return Ok(None);
            }
            if let Some(key) = self.find() {
                self.tell_block(watch);
                self.stamped(key, watch);
                return Ok(Some(key));
            }
            let number = self.number();
            let (_, lines) = self.block.get_or_insert((number, 0));
            *lines = lines.saturating_add(1);
            self.summary.unstamped = self.summary.unstamped.saturating_add(1);
            self.pass(out, watch)?;
        }
    }

    /// Passes this line and those without a stamp that follow it, and says which stamp the next one has.
    #[inline]
    pub(super) fn advance(
        &mut self,
        out: &mut impl Write,
        watch: &mut impl Watch,
    ) -> io::Result<Option<Key>> {
        self.pass(out, watch)?;
        self.begin(out, watch)
    }

    /// Writes what is passed.
    #[inline]
    pub(super) fn flush(&mut self, out: &mut impl Write) -> io::Result<()> {
        if let Some(passed) = self.buffer.get(self.from..self.at)
            && !passed.is_empty()
        {
            out.write_all(passed)?;
        }
        self.from = self.at;
        Ok(())
    }

    /// The number of this line.
    const fn number(&self) -> u64 {
        self.summary.lines.saturating_add(1)
    }

    /// Sees to it that the buffer holds this line, or as much of it as its stamp may stand in. False where there is none.
    #[inline]
    fn look(&mut self, out: &mut impl Write, watch: &mut impl Watch) -> io::Result<bool> {
        loop {
            if self.search() {
                return Ok(true);
            }
            let seen = self.end.saturating_sub(self.at);
            if seen >= Site::HEAD || self.is_over {
                return Ok(seen > 0);
            }
            self.fill(out, watch)?;
        }
    }

    /// Looks for the end of this line in what is read and was not searched before.
    #[inline]
    fn search(&mut self) -> bool {
        let unsearched = self.buffer.get(self.searched..self.end).unwrap_or_default();
        if let Some(length) = memchr::memchr(b'\n', unsearched) {
            // Within the buffer.
            self.line_end = Some(self.searched.saturating_add(length).saturating_add(1));
            true
        } else {
            self.searched = self.end;
            self.line_end = None;
            false
        }
    }

    /// The stamp of this line.
    #[inline]
    fn find(&mut self) -> Option<Key> {
        // The line feed is one byte.
        let end = self.line_end.map_or(self.end, |end| end.saturating_sub(1));
        let end = end.min(self.at.saturating_add(Site::HEAD));
        self.finder.find(self.buffer.get(self.at..end)?)
    }

    /// Takes note of the stamp of this line.
    #[inline]
    fn stamped(&mut self, key: Key, watch: &mut impl Watch) {
        let number = self.number();
        self.summary.stamped = self.summary.stamped.saturating_add(1);
        if let Some(last) = self.last.replace((key, number))
            && key < last.0
        {
            self.goes_back(last, key, watch);
        }
    }

    #[cold]
    fn goes_back(&mut self, (before, line_before): (Key, u64), key: Key, watch: &mut impl Watch) {
        self.summary.goes_back = self.summary.goes_back.saturating_add(1);
        let decided = self.finder.decided();
        watch.found(Finding::GoesBack(GoesBack::new(
            self.place(self.number()),
            decided.shown(key),
            line_before,
            decided.shown(before),
        )));
    }

    /// Tells of the lines without a stamp up to here.
    #[inline]
    fn tell_block(&mut self, watch: &mut impl Watch) {
        if let Some((line, lines)) = self.block.take() {
            let after = self.last.map(|(_, line)| line);
            watch.found(Finding::Unstamped(Unstamped::new(self.place(line), lines, after)));
        }
    }

    fn place(&self, line: u64) -> Place {
        Place::new(self.input.name().clone(), line)
    }

    /// Goes past this line, however long it is.
    #[inline]
    fn pass(&mut self, out: &mut impl Write, watch: &mut impl Watch) -> io::Result<()> {
        match self.line_end {
            Some(end) => self.at = end,
            None => self.pass_rest(out, watch)?,
        }
        self.searched = self.at;
        self.summary.lines = self.summary.lines.saturating_add(1);
        Ok(())
    }

    /// Goes past a line whose end is not in the buffer.
    #[cold]
    fn pass_rest(&mut self, out: &mut impl Write, watch: &mut impl Watch) -> io::Result<()> {
        loop {
            self.at = self.end;
            if self.is_over {
                // The last line of an input may end without its end; it is not the last of the output.
                self.flush(out)?;
                return out.write_all(b"\n");
            }
            self.fill(out, watch)?;
            if self.search() {
                self.at = self.line_end.unwrap_or(self.end);
                return Ok(());
            }
        }
    }

    /// Reads on, once. What has passed is written, to make room; there is room, because no caller asks for more than half of
    /// a buffer that has not passed.
    fn fill(&mut self, out: &mut impl Write, watch: &mut impl Watch) -> io::Result<()> {
        self.flush(out)?;
        self.buffer.copy_within(self.at..self.end, 0);
        self.end = self.end.saturating_sub(self.at);
        self.searched = self.searched.saturating_sub(self.at);
        (self.from, self.at) = (0, 0);
        let free = self.buffer.get_mut(self.end..).unwrap_or_default();
        let read = loop {
            match self.input.read(free) {
                Err(why) if why.kind() == ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        match read {
            Ok(count) => {
                self.end = self.end.saturating_add(count);
                self.is_over = count == 0;
            }
            Err(why) => {
                self.is_over = true;
                self.summary.is_cut = true;
                let place = self.place(self.number());
                watch.found(Finding::Cut(ReadError::at(place, why)));
            }
        }
        let position = self.input.position();
        watch.read(position.saturating_sub(self.told));
        self.told = position;
        Ok(())
    }
}
