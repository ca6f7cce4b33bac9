//! A record to and from bytes, as RECORD.md says.

use super::{Info, Moment, Record, RecordError, Tenure, Version};
use crate::bytes::copy;
use crate::{Epoch, GrantId, HolderId, RealmId};

/// The version of the form, in its first byte.
const FORM: u8 = 1;

/// The flags whose meaning a reader must know, or else refuse the record.
const CRITICAL: u8 = 0xf0;

const FREE: u8 = 0;
const RESERVED: u8 = 1;
const HELD: u8 = 2;

/// What every record has before its tenure: form, flags, kind, realm, version, epoch.
const HEAD_BYTES: usize = 3 + RealmId::BYTES + size_of::<u64>() + size_of::<u64>();
/// What a reservation or a lease has: era and nanoseconds of its end, the holder and its length.
const TENURE_BYTES: usize = size_of::<u128>() + size_of::<u64>() + size_of::<u8>() + HolderId::MAX_BYTES;
/// What every record has after its tenure: the engine's bytes and their length.
const INFO_BYTES: usize = size_of::<u16>() + Info::MAX_BYTES;

const _: () = assert!(
    Record::MAX_BYTES == HEAD_BYTES + TENURE_BYTES + GrantId::BYTES + INFO_BYTES,
    "the longest record is one that is held"
);

/// The bytes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RecordBytes {
    // Zero beyond the length, so that the derived equality is that of the bytes.
    bytes: [u8; Record::MAX_BYTES],
    length: usize,
}

impl RecordBytes {
    /// Returns the bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// Appends what fits; all parts of a record do, by the assertion above.
    fn push(&mut self, part: &[u8]) {
        let end = self.length.saturating_add(part.len());
        if let Some(place) = self.bytes.get_mut(self.length..end) {
            copy(part, place);
            self.length = end;
        }
    }

    fn push_end(&mut self, end: Moment, holder: &HolderId) {
        self.push(&end.era().to_be_bytes());
        self.push(&end.nanos().to_be_bytes());
        let holder = holder.as_str().as_bytes();
        // A holder has at most 64 bytes.
        self.push(&[u8::try_from(holder.len()).unwrap_or(u8::MAX)]);
        self.push(holder);
    }
}

impl AsRef<[u8]> for RecordBytes {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

/// What is left of the bytes to read.
struct Reader<'b> {
    rest: &'b [u8],
    length: RecordError,
}

impl<'b> Reader<'b> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], RecordError> {
        let (&part, rest) = self.rest.split_first_chunk().ok_or(self.length)?;
        self.rest = rest;
        Ok(part)
    }

    fn byte(&mut self) -> Result<u8, RecordError> {
        self.take().map(|[byte]| byte)
    }

    fn number(&mut self) -> Result<u64, RecordError> {
        self.take().map(u64::from_be_bytes)
    }

    fn slice(&mut self, length: usize) -> Result<&'b [u8], RecordError> {
        let (part, rest) = self.rest.split_at_checked(length).ok_or(self.length)?;
        self.rest = rest;
        Ok(part)
    }

    fn end(&mut self) -> Result<(Moment, HolderId), RecordError> {
        let era = self.take().map(u128::from_be_bytes)?;
        let end = Moment::new(era, self.number()?);
        let length = self.byte()?;
        let text = core::str::from_utf8(self.slice(usize::from(length))?).map_err(|_| RecordError::Holder)?;
        Ok((end, HolderId::try_new(text).map_err(|_| RecordError::Holder)?))
    }
}

impl Record {
    /// The greatest length of the byte form. Where the holder and [`Info`] have 178 bytes together, or less, the
    /// whole has at most 256.
    pub const MAX_BYTES: usize = 398;

    /// Returns the bytes, of which there is exactly one form.
    #[must_use]
    pub fn to_bytes(&self) -> RecordBytes {
        let mut out = RecordBytes { bytes: [0; Self::MAX_BYTES], length: 0 };
        let kind = match self.tenure() {
            Tenure::Free => FREE,
            Tenure::Reserved { .. } => RESERVED,
            Tenure::Held { .. } => HELD,
        };
        out.push(&[FORM, self.ignorable(), kind]);
        out.push(&self.realm().to_bytes());
        out.push(&self.version().get().to_be_bytes());
        out.push(&self.epoch().map_or(0, Epoch::get).to_be_bytes());
        match self.tenure() {
            Tenure::Free => {}
            Tenure::Reserved { to, until } => out.push_end(*until, to),
            Tenure::Held { grant, holder, expiry } => {
                out.push_end(*expiry, holder);
                out.push(&grant.to_bytes());
            }
        }
        out.push(&self.info().length().to_be_bytes());
        out.push(self.info().as_bytes());
        out
    }

    /// Reads a record, which is all of `bytes`.
    ///
    /// # Errors
    ///
    /// - [`RecordError::Form`], [`RecordError::UnknownCritical`]: looked at first, since what follows may mean
    ///   something else.
    /// - [`RecordError::Length`] when the bytes end early or go on; [`RecordError::Kind`],
    ///   [`RecordError::ZeroId`], [`RecordError::Holder`], [`RecordError::InfoLength`] when a part is none.
    /// - Those of [`try_new`](Self::try_new).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        let mut from = Reader { rest: bytes, length: RecordError::Length { found: bytes.len() } };
        let form = from.byte()?;
        if form != FORM {
            return Err(RecordError::Form { found: form });
        }
        let flags = from.byte()?;
        if flags & CRITICAL != 0 {
            return Err(RecordError::UnknownCritical { flags: flags & CRITICAL });
        }
        let kind = from.byte()?;
        let realm = RealmId::from_bytes(from.take()?).map_err(|_| RecordError::ZeroId)?;
        let version = Version::new(from.number()?);
        let epoch = Epoch::new(from.number()?);
        let tenure = match kind {
            FREE => Tenure::Free,
            RESERVED => {
                let (until, to) = from.end()?;
                Tenure::Reserved { to, until }
            }
            HELD => {
                let (expiry, holder) = from.end()?;
                let grant = GrantId::from_bytes(from.take()?).map_err(|_| RecordError::ZeroId)?;
                Tenure::Held { grant, holder, expiry }
            }
            found => return Err(RecordError::Kind { found }),
        };
        let length = from.take().map(u16::from_be_bytes)?;
        let info = Info::try_new(from.slice(usize::from(length))?)?;
        if !from.rest.is_empty() {
            return Err(from.length);
        }
        let record = Self::try_new(realm, version, epoch, tenure, info)?;
        // Refused here, because a record that was never written has no flags either.
        if version == Version::ABSENT && flags != 0 {
            return Err(RecordError::Absent);
        }
        Ok(record.with_ignorable(flags))
    }
}
