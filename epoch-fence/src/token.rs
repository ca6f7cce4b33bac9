//! `FencingToken`: what a holder sends with each request to the resource; its bytes and its text.

use core::fmt;
use core::str::FromStr;

use crate::{DecodeError, Epoch, Field, GrantId, RealmId, ResourceId, text};

/// The version of the envelope, in its first byte.
const VERSION: u8 = 1;

/// The flags whose meaning a reader must know, or else refuse the token. Bit 7 is kept for signed tokens.
const CRITICAL: u8 = 0xf0;

/// Between the groups of the text.
const SEPARATOR: u8 = b'-';

/// Proof of a tenure: which resource, which epoch, by which grant, in which realm.
///
/// A holder gets it with its lease and sends it with every request; the [`Gate`](crate::Gate) at the resource
/// judges it. It is no secret and no signature: whoever can write tokens can write the next one.
///
/// Tokens are equal or not, and have no order, since an epoch means nothing outside its realm and resource.
///
/// # Examples
///
/// ```
/// use epoch_fence::{DecodeError, Epoch, FencingToken, GrantId, RealmId, ResourceId};
///
/// let (Some(realm), Some(grant)) = (RealmId::from_random_bits(7), GrantId::from_random_bits(9)) else {
///     return Ok(()); // zero was drawn: draw again
/// };
/// let token = FencingToken::new(realm, ResourceId::of("billing", "ledger"), Epoch::FIRST, grant);
/// assert_eq!(FencingToken::from_bytes(&token.to_bytes()), Ok(token));
/// assert_eq!(token.to_string().parse::<FencingToken>()?, token);
/// # Ok::<(), DecodeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FencingToken {
    realm: RealmId,
    resource: ResourceId,
    epoch: Epoch,
    grant: GrantId,
    /// Ignorable flags that this release does not know: kept, and passed on.
    ignorable: u8,
}

impl FencingToken {
    /// The length of the byte form.
    pub const BYTES: usize = 74;

    /// The length of the text in bytes.
    pub const TEXT_BYTES: usize = 152;

    /// Makes a token of its parts, as an issuer does.
    #[must_use]
    pub const fn new(realm: RealmId, resource: ResourceId, epoch: Epoch, grant: GrantId) -> Self {
        Self { realm, resource, epoch, grant, ignorable: 0 }
    }

    /// Returns the realm of the issuer.
    #[must_use]
    pub const fn realm(&self) -> RealmId {
        self.realm
    }

    /// Returns what the token is for.
    #[must_use]
    pub const fn resource(&self) -> ResourceId {
        self.resource
    }

    /// Returns the number of the tenure.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Returns the attempt that won the tenure.
    #[must_use]
    pub const fn grant(&self) -> GrantId {
        self.grant
    }

    /// Returns the bytes, as [`format`](crate::format) lays them out.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let rest = put(&mut bytes, [VERSION, self.ignorable]);
        let rest = put(rest, self.realm.to_bytes());
        let rest = put(rest, self.resource.to_bytes());
        let rest = put(rest, self.epoch.get().to_be_bytes());
        put(rest, self.grant.to_bytes());
        bytes
    }

    /// Reads a token, which is all of `bytes`.
    ///
    /// # Errors
    ///
    /// They are looked for in this order.
    ///
    /// - [`DecodeError::Length`] when there is no byte.
    /// - [`DecodeError::Version`] when the first byte is no known version.
    /// - [`DecodeError::UnknownCritical`] when the second byte has a critical flag.
    /// - [`DecodeError::Length`] when there are too few or too many bytes.
    /// - [`DecodeError::Zero`] when the realm, the epoch or the grant is zero.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let length = DecodeError::Length { found: bytes.len(), expected: Self::BYTES };
        let (&version, rest) = bytes.split_first().ok_or(length)?;
        check_version(version)?;
        let (&flags, rest) = rest.split_first().ok_or(length)?;
        check_flags(flags)?;
        let (&realm, rest) = rest.split_first_chunk().ok_or(length)?;
        let (&resource, rest) = rest.split_first_chunk().ok_or(length)?;
        let (&epoch, rest) = rest.split_first_chunk().ok_or(length)?;
        let &grant = rest.try_into().map_err(|_| length)?;
        Self::from_parts(flags, realm, resource, epoch, grant)
    }

    fn from_parts(
        ignorable: u8,
        realm: [u8; RealmId::BYTES],
        resource: [u8; ResourceId::BYTES],
        epoch: [u8; 8],
        grant: [u8; GrantId::BYTES],
    ) -> Result<Self, DecodeError> {
        Ok(Self {
            realm: RealmId::from_bytes(realm)?,
            resource: ResourceId::from_bytes(resource),
            epoch: Epoch::new(u64::from_be_bytes(epoch)).ok_or(DecodeError::Zero { field: Field::Epoch })?,
            grant: GrantId::from_bytes(grant)?,
            ignorable,
        })
    }
}

/// Writes a part of the layout, and returns the places behind it.
///
/// All lengths are constants, so that this is a few stores: one byte after another would be some 1,500 instructions.
#[inline(always)]
fn put<const N: usize>(places: &mut [u8], part: [u8; N]) -> &mut [u8] {
    match places.split_first_chunk_mut() {
        Some((place, rest)) => {
            *place = part;
            rest
        }
        None => &mut [],
    }
}

const fn check_version(found: u8) -> Result<(), DecodeError> {
    if found == VERSION { Ok(()) } else { Err(DecodeError::Version { found }) }
}

const fn check_flags(flags: u8) -> Result<(), DecodeError> {
    match flags & CRITICAL {
        0 => Ok(()),
        flags => Err(DecodeError::UnknownCritical { flags }),
    }
}

/// The bytes as five groups of lower-case digits: version and flags, realm, resource, epoch, grant.
impl fmt::Display for FencingToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dash = char::from(SEPARATOR);
        write!(f, "{VERSION:02x}{:02x}{dash}", self.ignorable)?;
        write!(f, "{}{dash}{}{dash}{:016x}{dash}{}", self.realm, self.resource, self.epoch.get(), self.grant)
    }
}

impl FromStr for FencingToken {
    type Err = DecodeError;

    /// Parses exactly what `Display` writes, and then refuses what [`from_bytes`](Self::from_bytes) refuses.
    fn from_str(text: &str) -> Result<Self, DecodeError> {
        let length = DecodeError::Length { found: text.len(), expected: Self::TEXT_BYTES };
        // The version comes first: another version may have another length.
        let (head, rest) = text.as_bytes().split_first_chunk::<4>().ok_or(length)?;
        let [version, flags] = text::from_hex(head, 0)?;
        check_version(version)?;
        check_flags(flags)?;
        if text.len() != Self::TEXT_BYTES {
            return Err(length);
        }
        let mut groups = Groups { rest, at: head.len() };
        Self::from_parts(flags, groups.next()?, groups.next()?, groups.next()?, groups.next()?)
    }
}

/// The rest of a text of groups, and how far into the text it begins.
struct Groups<'t> {
    rest: &'t [u8],
    at: usize,
}

impl Groups<'_> {
    /// The bytes of the next group, behind its separator.
    fn next<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let digits = N.saturating_mul(2);
        let cut = DecodeError::Length { found: self.at, expected: FencingToken::TEXT_BYTES };
        let (&separator, rest) = self.rest.split_first().ok_or(cut)?;
        if separator != SEPARATOR {
            return Err(DecodeError::Separator { at: self.at });
        }
        let start = self.at.saturating_add(1);
        let (group, rest) = rest.split_at_checked(digits).ok_or(cut)?;
        self.rest = rest;
        self.at = start.saturating_add(digits);
        text::from_hex(group, start)
    }
}
