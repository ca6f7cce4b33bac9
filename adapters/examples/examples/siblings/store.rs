//! `Store`: the keys of one replica, and what it believes.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};
use vector_clock::{Dot, DvvLimits, DvvSet, Heap, Limits, MaxJump, ObserveError, VersionVector};

/// A replica's name. The actor of a write is the server that takes it, not the client.
pub(crate) type Replica = u32;
pub(crate) type Context = VersionVector<Replica, Heap>;

/// More replicas than this make no sense of a context.
const MAX_REPLICAS: usize = 16;
/// Of a context in its header: what sixteen replicas need, twice over.
const MAX_CONTEXT_DIGITS: usize = 1_024;
const MAX_KEYS: usize = 10_000;
const MAX_KEY_BYTES: usize = 256;

/// A client may claim to have read only what this replica knows: a context that it cannot check would hide writes that
/// others have yet to make. A client that read elsewhere is told to read again.
const LIMITS: DvvLimits =
    DvvLimits::DEFAULT.with_actors(MAX_REPLICAS).with_siblings(16).with_max_context_jump(MaxJump::AtMost(0));

/// Why a request was refused. Nothing has changed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The header is no context.
    Context(String),
    /// The key has too many bytes, or none.
    Key,
    /// There is no room for another key.
    Full,
    /// The context contains what is not known here; or there are too many siblings.
    Write(ObserveError<Replica>),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Context(why) => write!(f, "not a context: {why}"),
            Self::Key => write!(f, "a key has 1 to {MAX_KEY_BYTES} bytes"),
            Self::Full => f.write_str("no room for another key"),
            Self::Write(why) => why.fmt(f),
        }
    }
}

/// What a client gets: the values that stand beside each other, and the context of having read them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) values: Vec<String>,
    pub(crate) context: Context,
}

/// One key as replicas send it to each other.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Copied {
    context: Context,
    siblings: Vec<(Dot<Replica>, String)>,
}

/// The keys of one replica.
#[derive(Debug)]
pub(crate) struct Store {
    replica: Replica,
    keys: Mutex<BTreeMap<String, DvvSet<Replica, String>>>,
}

impl Store {
    pub(crate) const fn new(replica: Replica) -> Self {
        Self { replica, keys: Mutex::new(BTreeMap::new()) }
    }

    fn keys(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, DvvSet<Replica, String>>> {
        // What is under the lock changes in one step, and so is whole also after a panic.
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn get(&self, key: &str) -> Option<Read> {
        let keys = self.keys();
        let set = keys.get(key)?;
        Some(Read { values: set.values().cloned().collect(), context: set.join().clone() })
    }

    pub(crate) fn put(&self, key: &str, context: &Context, value: String) -> Result<(), Refused> {
        check(key)?;
        let mut keys = self.keys();
        if let Some(set) = keys.get_mut(key) {
            set.update(context, self.replica, value).map_err(Refused::Write)?;
        } else {
            check_room(&keys)?;
            // Made apart: a refused write leaves no key behind.
            let mut set = DvvSet::with_limits(LIMITS);
            set.update(context, self.replica, value).map_err(Refused::Write)?;
            keys.insert(key.to_owned(), set);
        }
        Ok(())
    }

    /// Everything, for another replica.
    pub(crate) fn copy(&self) -> BTreeMap<String, Copied> {
        let copied = |set: &DvvSet<_, String>| Copied {
            context: set.join().clone(),
            siblings: set.siblings().map(|(dot, value)| (dot, value.clone())).collect(),
        };
        self.keys().iter().map(|(key, set)| (key.clone(), copied(set))).collect()
    }

    /// Learns what another replica has, and returns how many keys were refused. The others are learnt all the same.
    pub(crate) fn learn(&self, copies: BTreeMap<String, Copied>) -> usize {
        let refused = copies.into_iter().filter(|(key, _)| check(key).is_ok()).map(|(key, copied)| {
            let theirs = DvvSet::from_parts(copied.context, copied.siblings, LIMITS).map_err(drop)?;
            let mut keys = self.keys();
            match keys.get_mut(&key) {
                Some(ours) => ours.sync(&theirs).map_err(drop),
                None => {
                    check_room(&keys).map_err(drop)?;
                    let mut ours = DvvSet::with_limits(LIMITS);
                    ours.sync(&theirs).map_err(drop)?;
                    keys.insert(key, ours);
                    Ok(())
                }
            }
        });
        refused.filter(Result::is_err).count()
    }
}

fn check(key: &str) -> Result<(), Refused> {
    if (1..=MAX_KEY_BYTES).contains(&key.len()) { Ok(()) } else { Err(Refused::Key) }
}

fn check_room<V>(keys: &BTreeMap<String, V>) -> Result<(), Refused> {
    if keys.len() < MAX_KEYS { Ok(()) } else { Err(Refused::Full) }
}

/// A context as a header: the bytes of the vector in lower-case hexadecimal digits.
pub(crate) fn to_header(context: &Context) -> String {
    context.to_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads what [`to_header`] writes. The length is looked at before anything is made of it.
pub(crate) fn from_header(header: &[u8]) -> Result<Context, Refused> {
    let refused = |why: &str| Refused::Context(why.to_owned());
    if header.len() > MAX_CONTEXT_DIGITS {
        return Err(refused("too long"));
    }
    let (pairs, []) = header.as_chunks::<2>() else { return Err(refused("half a byte")) };
    let digit = |digit: u8| match digit {
        b'0'..=b'9' | b'a'..=b'f' => {
            char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
        }
        _ => None,
    };
    let byte = |&[high, low]: &[u8; 2]| Some((digit(high)? << 4) | digit(low)?);
    let bytes: Option<Vec<_>> = pairs.iter().map(byte).collect();
    let bytes = bytes.ok_or_else(|| refused("not lower-case hexadecimal digits"))?;
    let limits = Limits::new().with_max_entries(MAX_REPLICAS);
    Context::decode(&bytes, &limits).map_err(|why| refused(&why.to_string()))
}
