"""Outgoing calls with their charges, in one line each."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from accounts.models import Account
from billing.models import Charge, ChargeTerms
from billing.terms import Terms
from calls import partitions
from calls.models import Call
from calls.numbers import normalise
from tests.builders import make_outgoing
from tests.conftest import LONG_AGO, RECORDED


def paid_call(
    account: Account,
    cost: str = "1",
    *,
    at: datetime = RECORDED,
    number: str = "+48501234567",
    charged_at: datetime | None = None,
    name: str = "Taryfa",
    prefix: str = "",
    **fields: Any,
) -> Call:
    """A call of a minute to ``number``, charged at once unless told otherwise."""
    call = make_outgoing(
        account,
        at=at,
        peer=number,
        direction=normalise(number).direction.value,
        charging="charged",
        cost=Decimal(cost),
        **fields,
    )
    charge(call, cost, number, charged_at or at, name, prefix)
    return call


def charge(
    call: Call, cost: str, number: str, charged_at: datetime, name: str, prefix: str = ""
) -> None:
    terms = Terms(
        price_list="Cennik",
        rate_id=1,
        rate_name=name,
        prefix=prefix or number[1:4],
        valid_from=LONG_AGO.isoformat(),
    )
    ChargeTerms.objects.get_or_create(id=terms.id, defaults={"factors": terms.to_json()})
    partitions.ensure(Charge._meta.db_table, [partitions.month_of(call.started_at)])
    Charge.objects.create(
        account=call.account,
        answered_at=call.started_at,
        id=call.id,
        call_started_at=call.started_at,
        call_id=call.id,
        number=number,
        seconds=60,
        estimated=False,
        amount=Decimal(cost),
        currency="PLN",
        terms_id=terms.id,
        charged_at=charged_at,
    )
