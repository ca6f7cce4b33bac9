//! The server is put back to an older base backup: its system identifier and its timeline stay, and so does its realm.

use std::io::Write;
use std::path::Path;

use epoch_fence::protocol::{RECOVERY_STRIDE, Refusal};
use epoch_fence::{NotAcquired, RealmId, Rejected};

use super::{Set, Told, acquire, admit, claim, hold};
use crate::{Failure, cast};

pub(super) fn play(folder: &Path, told: &mut Told<'_, impl Write>) -> Result<(), Failure> {
    let (mut set, first) = Set::build(folder)?;
    let backup = set.servers.postgres()?.backup();
    told.say(&format!("a base backup is taken at epoch {}", first.epoch()))?;
    let (one, last) = (set.act()?, set.act()?);
    told.say(&format!(
        "epochs up to {} are granted and admitted; then the backup is put back",
        last.epoch()
    ))?;
    set.servers.postgres_mut()?.put_back(&backup);

    let again = hold(&set.issuer)?;
    let token = again.token();
    told.fact(
        "not found from inside: an epoch is granted again, in the same realm",
        token.epoch() == one.epoch() && token.realm() == set.realm && token.grant() != one.grant(),
    )?;
    told.fact(
        "found by the gate: what is granted again is refused",
        matches!(admit(&set.gate, &token), Err(Rejected::Stale { .. } | Rejected::Conflict)),
    )?;
    again.release().map_err(|why| why.to_string())?;
    let known = claim()?.with_known_epoch(set.realm, last.epoch());
    let refused = acquire(&set.issuer, &known);
    told.fact(
        "found by a holder that remembers: its claim is refused as of a store that went back",
        matches!(&refused, Err(NotAcquired::Refused(Refusal::Regressed { known, .. })) if *known == last.epoch()),
    )?;
    drop(refused);

    let realm = RealmId::random()?;
    let recovered = set.issuer.recover(&cast::resource(), realm, Some(last.epoch()));
    let floor = recovered.map_err(|why| why.to_string())?.epoch().ok_or("a recovery without an epoch")?;
    told.say(&format!("the operator recovers with the gate's floor; epochs go on above {floor}"))?;
    told.fact("the epochs go on far above those that were lost", {
        floor.get() >= last.epoch().get().saturating_add(RECOVERY_STRIDE)
    })?;
    let after = hold(&set.issuer)?;
    let token = after.token();
    told.fact(
        "the gate refuses the new realm until it adopts it",
        admit(&set.gate, &token) == Err(Rejected::WrongRealm),
    )?;
    set.gate.adopt(realm, floor)?;
    told.fact("the gate admits the new realm when it has adopted it", admit(&set.gate, &token).is_ok())?;
    told.fact(
        "the gate refuses every token of the old realm",
        [one, last].iter().all(|old| admit(&set.gate, old) == Err(Rejected::WrongRealm)),
    )?;
    after.release().map_err(|why| why.to_string())?;
    told.fact("who remembers the old realm is not refused", acquire(&set.issuer, &known).is_ok())
}
