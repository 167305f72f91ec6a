"""The demo's rows: firms, people, prices, and a year of calls, all in one transaction or not at all."""

import secrets
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice

from django.db import transaction

from accounts.models import Account, Membership, Role, User
from billing.charging import charge_pending
from billing.demo import budgets, prices
from billing.demo.legs import SWITCH
from billing.demo.logins import Login, Logins
from billing.demo.people import BICYCLES, FIRMS, GARDENS, Firm
from billing.demo.shapes import DAYS
from billing.demo.stories import ZONE, just_now, year
from billing.models import AccountPriceList, PriceList, Rate, VatRate
from calls.ingest import groups, pipeline, store
from calls.ingest.folding import fold
from calls.ingest.store import StoredCall
from calls.models import Extension, ExtensionHolding, Number, Pbx, TenantCode

SEED = 2026
BATCH = 5000
PBX = "demo"
AGENT_DESK = "102"
FULL_SIZE = sum(firm.calls for firm in FIRMS)

Say = Callable[[str], None]


@transaction.atomic
def load(now: datetime, say: Say, *, calls: int = FULL_SIZE, seed: int = SEED) -> Logins:
    """Load the demo of about ``calls`` calls, which end at ``now``, into an empty database.

    ``say`` hears of the progress. Returns the sign-ins and keeps them in their file.
    """
    pbx, secret = _pbx()
    accounts = {firm.slug: _account(firm, pbx, now) for firm in FIRMS}
    _prices(accounts, now)
    for firm in FIRMS:
        count = calls * firm.calls // FULL_SIZE
        for done in _calls(firm, accounts[firm.slug], pbx, now, count, seed):
            say(f"{firm.name}: {done} calls stored")
    say("charging the calls that cost something")
    say(f"{charge_pending(now)} calls charged")
    budgets.add(accounts[GARDENS.slug], now)
    _take_over_just_now(pbx, now, seed)
    logins = Logins(_people(accounts[GARDENS.slug], now), pbx.name, secret)
    logins.keep()
    return logins


def _pbx() -> tuple[Pbx, str]:
    pbx = Pbx(name=PBX, source=SWITCH.source, trunks=",".join(SWITCH.trunks))
    secret = pbx.renew_secret()
    pbx.save()
    return pbx, secret


def _account(firm: Firm, pbx: Pbx, now: datetime) -> Account:
    account = Account.objects.create(name=firm.name, slug=firm.slug)
    TenantCode.objects.bulk_create(
        TenantCode(pbx=pbx, code=code, account=account) for code in firm.tenants
    )
    Extension.objects.bulk_create(
        Extension(account=account, number=number, name=name) for number, name in firm.desks.items()
    )
    Number.objects.bulk_create(
        Number(number=line.number, name=line.name, account=account, since=_beginning(now))
        for line in firm.lines
    )
    return account


def _beginning(now: datetime) -> datetime:
    """Since when everything has been as it is: before the first of the calls."""
    return now - timedelta(days=DAYS + 30)


def _prices(accounts: dict[str, Account], now: datetime) -> None:
    basic = PriceList.objects.create(name=f"Cennik podstawowy {now.year}")
    agreed = PriceList.objects.create(name=f"Cennik {BICYCLES.name}", base=basic)
    for price_list, items in ((basic, prices.BASIC), (agreed, prices.AGREED)):
        Rate.objects.bulk_create(rate for item in items for rate in _rates(price_list, item, now))
    VatRate.objects.create(percent=prices.VAT, since=_beginning(now).date())
    for slug, price_list in ((GARDENS.slug, basic), (BICYCLES.slug, agreed)):
        AccountPriceList.objects.create(
            account=accounts[slug], price_list=price_list, since=_beginning(now)
        )


def _rates(price_list: PriceList, item: prices.Item, now: datetime) -> Iterator[Rate]:
    """One rate, or two where the price changed on the first of a month half a year ago."""
    changed = (now.astimezone(ZONE) - timedelta(days=182)).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )
    versions: list[tuple[str, datetime, datetime | None]]
    versions = [(item.per_minute, _beginning(now), None)]
    if item.before is not None:
        versions = [(item.before, _beginning(now), changed), (item.per_minute, changed, None)]
    for per_minute, valid_from, valid_to in versions:
        yield Rate(
            price_list=price_list,
            space=item.space,
            prefix=item.prefix,
            name=item.name,
            per_minute=Decimal(per_minute),
            connection_fee=item.fee,
            first_increment=item.increments[0],
            next_increment=item.increments[1],
            valid_from=valid_from,
            valid_to=valid_to,
        )


def _calls(
    firm: Firm, account: Account, pbx: Pbx, now: datetime, count: int, seed: int
) -> Iterator[int]:
    """Store the firm's year; yields how many calls are stored, after each batch."""
    stored = (
        StoredCall(account.pk, pbx.pk, fold(story.legs, SWITCH), story.legs, provisional=False)
        for story in year(firm, now, count, seed)
    )
    done = 0
    while batch := list(islice(stored, BATCH)):
        store.save(batch)
        done += len(batch)
        yield done


def _take_over_just_now(pbx: Pbx, now: datetime, seed: int) -> None:
    """The calls that are provisional go the whole way, so that they are settled as any other."""
    found = [leg for story in just_now(GARDENS, now, seed) for leg in story.legs]
    pipeline.refold(pbx, groups.add(pbx, found, now), now)


def _people(account: Account, now: datetime) -> tuple[Login, ...]:
    operator, owner, agent = (
        Login(role, f"{role}@demo.example", secrets.token_urlsafe(9))
        for role in ("operator", "owner", "agent")
    )
    User.objects.create_superuser(operator.email, operator.password, name="Operator")
    magda = User.objects.create_user(owner.email, owner.password, name="Magda")
    Membership.objects.create(account=account, user=magda, role=Role.OWNER)
    marek = User.objects.create_user(agent.email, agent.password, name="Marek")
    membership = Membership.objects.create(account=account, user=marek, role=Role.AGENT)
    ExtensionHolding.objects.create(
        extension=Extension.objects.get(account=account, number=AGENT_DESK),
        membership=membership,
        since=_beginning(now),
    )
    return owner, agent, operator
