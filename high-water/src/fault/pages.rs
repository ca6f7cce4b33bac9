//! `Pages`: the bytes of a simulated file, cheap to copy as a whole.

use alloc::sync::Arc;
use alloc::vec::Vec;

const PAGE_LEN: usize = 4096;

/// Bytes in shared pages. A copy shares all of them; a write copies one.
///
/// What lies beyond the length is kept: data can reach a disk whose file has not grown yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Pages {
    len: u64,
    pages: Vec<Arc<[u8; PAGE_LEN]>>,
}

impl Pages {
    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    pub(super) const fn set_len(&mut self, len: u64) {
        self.len = len;
    }

    /// Reads up to the end of the file; how many bytes.
    pub(super) fn read(&self, offset: u64, buffer: &mut [u8]) -> usize {
        let readable = usize::try_from(self.len.saturating_sub(offset)).unwrap_or(usize::MAX);
        let len = buffer.len().min(readable);
        let buffer = buffer.get_mut(..len).unwrap_or_default();
        for (at, byte_len, part) in chunks(offset, len) {
            let Some(part) = buffer.get_mut(part) else { continue };
            match self.pages.get(at.0).and_then(|page| page.get(at.1..)).and_then(|page| page.get(..byte_len))
            {
                Some(bytes) => part.copy_from_slice(bytes),
                None => part.fill(0),
            }
        }
        len
    }

    /// Writes, without growing the file.
    pub(super) fn write(&mut self, offset: u64, bytes: &[u8]) {
        for (at, byte_len, part) in chunks(offset, bytes.len()) {
            while self.pages.len() <= at.0 {
                self.pages.push(Arc::new([0; PAGE_LEN]));
            }
            let page = self.pages.get_mut(at.0).map(Arc::make_mut);
            let to = page.and_then(|page| page.get_mut(at.1..)).and_then(|page| page.get_mut(..byte_len));
            if let Some((to, from)) = to.zip(bytes.get(part)) {
                to.copy_from_slice(from);
            }
        }
    }

    pub(super) fn to_vec(&self) -> Vec<u8> {
        let mut bytes = alloc::vec![0; usize::try_from(self.len).unwrap_or(0)];
        self.read(0, &mut bytes);
        bytes
    }

    pub(super) fn from_slice(bytes: &[u8]) -> Self {
        let mut pages = Self { len: bytes.len() as u64, pages: Vec::new() };
        pages.write(0, bytes);
        pages
    }
}

/// Cuts a range at page borders: (page, offset in it), length, and the part of the caller's bytes.
fn chunks(offset: u64, len: usize) -> impl Iterator<Item = ((usize, usize), usize, core::ops::Range<usize>)> {
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    let mut done = 0_usize;
    core::iter::from_fn(move || {
        let left = len.checked_sub(done).filter(|left| *left > 0)?;
        let position = start.checked_add(done)?;
        let (page, within) = (position / PAGE_LEN, position % PAGE_LEN);
        let part = left.min(PAGE_LEN.saturating_sub(within));
        let range = done..done.saturating_add(part);
        done = range.end;
        Some(((page, within), part, range))
    })
}
