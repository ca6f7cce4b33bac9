//! `Stamp`: a timestamp and who made it.

use core::{cmp, fmt, str::FromStr};

use crate::{
    BadDigit, DecodeError, NodeId, Packed, TextError, UnknownVersion,
    layout::{Layout, Unix48},
    text,
};

/// A timestamp and the node that made it: unique in the system, and totally ordered.
///
/// The order is by timestamp, then by node: a total order of all events that extends causal order. Text,
/// bytes and the other forms exist for `Stamp<NodeId>`; another `N` gets the order alone. Where very many of them are
/// sorted or hashed, [`to_u128`](Self::to_u128) is the same order in one number, and faster.
///
/// ```
/// use hlc::{NodeId, Stamp, Timestamp};
///
/// let stamp = Timestamp::from_parts(1_700_000_000_000, 7)?.at_node(NodeId::new(42)?);
/// let text = stamp.to_string();
/// assert_eq!(text, "018bcfe568000007-000000000000002a");
/// assert_eq!(text.parse::<Stamp>()?, stamp);
/// assert_eq!(Stamp::from_bytes(stamp.to_bytes())?, stamp);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct Stamp<N = NodeId, L: Layout = Unix48> {
    timestamp: Packed<L>,
    node: N,
}

impl<N, L: Layout> Stamp<N, L> {
    /// Joins a timestamp and a node.
    #[must_use]
    #[inline]
    pub const fn new(timestamp: Packed<L>, node: N) -> Self {
        Self { timestamp, node }
    }

    /// Returns the timestamp.
    #[must_use]
    #[inline]
    pub const fn timestamp(&self) -> Packed<L> {
        self.timestamp
    }

    /// Returns the node.
    #[must_use]
    #[inline]
    pub const fn node(&self) -> &N {
        &self.node
    }
}

/// Text and wire.
impl<L: Layout> Stamp<NodeId, L> {
    /// Bytes of the text form: two groups of 16 digits and the `-` between them.
    pub const TEXT_LEN: usize = 33;

    /// The version byte of the envelope that this code writes and reads.
    pub const ENVELOPE_VERSION: u8 = 1;

    /// Bytes of the envelope: the version byte and the stamp.
    pub const ENVELOPE_LEN: usize = 17;

    /// Returns the text form as ASCII bytes: timestamp, `-`, node id, in lower-case hex digits.
    ///
    /// Sorted as text is sorted as values. For a `&str`, see [`encode_text`](Self::encode_text).
    #[must_use]
    #[inline]
    pub fn to_text(&self) -> [u8; 33] {
        let mut text = [b'-'; 33];
        let (timestamp, rest) = text.split_at_mut(16);
        timestamp.copy_from_slice(&text::hex16(self.timestamp.to_bits()));
        if let Some((_, node)) = rest.split_first_mut() {
            node.copy_from_slice(&text::hex16(self.node.as_u64()));
        }
        text
    }

    /// Writes the text form into `buffer`, and returns it.
    #[inline]
    pub fn encode_text<'b>(&self, buffer: &'b mut [u8; 33]) -> &'b str {
        *buffer = self.to_text();
        text::as_str(buffer)
    }

    /// Reads exactly the form that [`to_text`](Self::to_text) writes.
    ///
    /// # Errors
    ///
    /// [`TextError`] where `text` has another length, other characters or another separator, where the
    /// timestamp is zero, or the node id is 2^58 or more.
    #[inline]
    pub fn from_text(text: &[u8]) -> Result<Self, TextError> {
        const NODE_AT: usize = 17;
        let text = text::exactly::<33>(text)?;
        let (Some(timestamp), Some(b'-'), Some(node)) =
            (text.first_chunk(), text.get(NODE_AT - 1), text.last_chunk())
        else {
            return Err(TextError::Separator);
        };
        let timestamp = Packed::from_bits(text::parse_hex16(timestamp)?).ok_or(TextError::ZeroTimestamp)?;
        let node = text::parse_hex16(node).map_err(|bad| BadDigit::new(bad.at().saturating_add(NODE_AT)))?;
        Ok(Self { timestamp, node: NodeId::new(node)? })
    }

    /// Returns the 16 bytes, big-endian: timestamp, then node id. The frozen sort key, without version.
    #[must_use]
    #[inline]
    pub const fn to_bytes(&self) -> [u8; 16] {
        self.to_u128().to_be_bytes()
    }

    /// Reads the 16 bytes that [`to_bytes`](Self::to_bytes) makes.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] where the timestamp is zero or the node id is 2^58 or more.
    #[inline]
    pub const fn from_bytes(bytes: [u8; 16]) -> Result<Self, DecodeError> {
        Self::from_u128(u128::from_be_bytes(bytes))
    }

    /// Returns the stamp as one number of 128 bits: timestamp above node id.
    #[must_use]
    #[inline]
    pub const fn to_u128(&self) -> u128 {
        ((self.timestamp.to_bits() as u128) << 64) | self.node.as_u64() as u128
    }

    /// Reads the number that [`to_u128`](Self::to_u128) makes.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] where the timestamp is zero or the node id is 2^58 or more.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the two halves are taken apart")]
    pub const fn from_u128(bits: u128) -> Result<Self, DecodeError> {
        let Some(timestamp) = Packed::from_bits((bits >> 64) as u64) else {
            return Err(DecodeError::ZeroTimestamp);
        };
        match NodeId::new(bits as u64) {
            Ok(node) => Ok(Self { timestamp, node }),
            Err(error) => Err(DecodeError::NodeId(error)),
        }
    }

    /// Returns the envelope for message headers: a version byte, then the 16 bytes of
    /// [`to_bytes`](Self::to_bytes).
    #[must_use]
    #[inline]
    pub fn to_envelope(&self) -> [u8; 17] {
        let mut envelope = [Self::ENVELOPE_VERSION; 17];
        if let Some((_, body)) = envelope.split_first_mut() {
            body.copy_from_slice(&self.to_bytes());
        }
        envelope
    }

    /// Reads an envelope: exactly 17 bytes.
    ///
    /// # Errors
    ///
    /// [`DecodeError`]: another length, another version, a zero timestamp, a node id of 2^58 or more. The
    /// version is looked at first, so that a later one is told from a damaged one.
    pub fn from_envelope(bytes: &[u8]) -> Result<Self, DecodeError> {
        if let Some(&version) = bytes.first()
            && version != Self::ENVELOPE_VERSION
        {
            return Err(UnknownVersion::new(version).into());
        }
        let [_, body @ ..] = text::exactly::<17>(bytes)?;
        Self::from_bytes(*body)
    }
}

impl<N: Clone, L: Layout> Clone for Stamp<N, L> {
    #[inline]
    fn clone(&self) -> Self {
        Self { timestamp: self.timestamp, node: self.node.clone() }
    }
}

impl<N: Copy, L: Layout> Copy for Stamp<N, L> {}

impl<N: PartialEq, L: Layout> PartialEq for Stamp<N, L> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.timestamp == other.timestamp && self.node == other.node
    }
}

impl<N: Eq, L: Layout> Eq for Stamp<N, L> {}

impl<N: Ord, L: Layout> PartialOrd for Stamp<N, L> {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<cmp::Ordering> {
        Some(self.cmp(other))
    }

    // Each operator by itself, as a choice between two comparisons: by way of `cmp`, three outcomes are told apart first.
    #[inline]
    fn lt(&self, other: &Self) -> bool {
        if self.timestamp == other.timestamp {
            self.node < other.node
        } else {
            self.timestamp < other.timestamp
        }
    }

    #[inline]
    fn le(&self, other: &Self) -> bool {
        if self.timestamp == other.timestamp {
            self.node <= other.node
        } else {
            self.timestamp < other.timestamp
        }
    }

    #[inline]
    fn gt(&self, other: &Self) -> bool {
        other < self
    }

    #[inline]
    fn ge(&self, other: &Self) -> bool {
        other <= self
    }
}

impl<N: Ord, L: Layout> Ord for Stamp<N, L> {
    #[inline]
    fn cmp(&self, other: &Self) -> cmp::Ordering {
        self.timestamp.cmp(&other.timestamp).then_with(|| self.node.cmp(&other.node))
    }
}

impl<N: core::hash::Hash, L: Layout> core::hash::Hash for Stamp<N, L> {
    #[inline]
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.timestamp.hash(state);
        self.node.hash(state);
    }
}

impl<N: fmt::Debug, L: Layout> fmt::Debug for Stamp<N, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}@{:?}", self.timestamp, self.node)
    }
}

impl<L: Layout> fmt::Display for Stamp<NodeId, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(text::as_str(&self.to_text()))
    }
}

impl<L: Layout> FromStr for Stamp<NodeId, L> {
    type Err = TextError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::from_text(s.as_bytes())
    }
}
