"""After a restore from a backup: what was deleted and erased since the backup is deleted and erased again."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime

from accounts.models import Account
from calls.erasure import blanking, erasing
from calls.erasure.suppression import digest_of
from calls.ingest.records import Leg
from calls.models import Call, Suppression
from calls.retention import alarms, purge

BY = "purge_after_restore@localhost"


def known_erasures() -> Iterator[str]:
    """A line for each number erased so far, to be kept beside the backups: account, digest and when, no number."""
    for each in Suppression.objects.select_related("account").order_by("until"):
        line = {
            "account": each.account.slug,
            "digest": each.digest,
            "until": each.until.isoformat(),
        }
        yield json.dumps(line)


def purge_again(now: datetime, *, database: datetime, erasures: Iterable[str]) -> Iterator[str]:
    """Do every night that is due and every erasure of these lines; yields lines that say what was done.

    Raises RuntimeError if the clocks disagree or something could not be done.
    """
    # A restored backup may be older than any leap that a clock is allowed.
    alarms.confirm_clock(now, by=BY)
    purge.run(now, database=database)
    if waiting := purge.due(now):
        raise RuntimeError(f"{len(waiting)} nights are not done; see /operator/receipts/.")
    yield "Everything that is too old is deleted; the receipts are at /operator/receipts/."
    asked = sum(_erase_again(account, digests, now) for account, digests in _read(erasures))
    done = erasing.work_off(now)
    yield f"{asked} erased numbers were found again; {done} erasures are done."


def _read(lines: Iterable[str]) -> Iterator[tuple[Account, dict[str, datetime]]]:
    """The digests of each account's erased numbers, and until when they count."""
    by_account: dict[str, dict[str, datetime]] = defaultdict(dict)
    for line in lines:
        entry = json.loads(line)
        by_account[entry["account"]][entry["digest"]] = datetime.fromisoformat(entry["until"])
    for account in Account.objects.filter(slug__in=by_account):
        yield account, by_account[account.slug]


def _erase_again(account: Account, digests: dict[str, datetime], now: datetime) -> int:
    """Suppress these numbers again, and ask for the erasure of those that are found; returns how many were."""
    for digest, until in digests.items():
        Suppression.objects.update_or_create(
            account=account, digest=digest, defaults={"until": until}
        )
    found = {number for number in _numbers(account) if digest_of(number) in digests}
    for number in sorted(found):
        erasing.request(account, number, by=BY, now=now)
    return len(found)


def _numbers(account: Account) -> set[str]:
    """Every outside number that stands in a call of the account."""
    found: set[str] = set()
    calls = Call.objects.filter(account=account).order_by().only("peer", "people", "legs")
    for call in calls.iterator():
        legs = [Leg.from_json(data) for data in call.legs]
        found |= {call.peer, *call.people, *blanking.numbers_in(legs)}
    return found
