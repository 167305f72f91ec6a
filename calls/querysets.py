"""Questions about calls, in the words of the field. Lists, totals, exports and reports all ask them here."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Case, Count, F, OuterRef, Q, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce, JSONObject, Left, Length
from django.db.models.query import ModelIterable

from accounts.models import Membership
from calls.masking import MASKED, SUBSCRIBER, masked
from calls.periods import Period

if TYPE_CHECKING:
    from calls.models import Call

# A page cursor: started_at and id of the call at its edge.
Edge = tuple[datetime, int]
LIST_COLUMNS = (
    "account",
    "started_at",
    "id",
    "kind",
    "outcome",
    "missed",
    "provisional",
    "estimated",
    "direction",
    "extension",
    "peer",
    "peer_name",
    "hidden",
    "own_number",
    "people",
    "wait_s",
    "talk_s",
    "charging",
    "cost",
)


class _Masked(ModelIterable):  # type: ignore[type-arg]
    """Calls whose outside numbers have lost their last digits on the way out of the database."""

    def __iter__(self) -> Iterator["Call"]:
        for call in super().__iter__():
            call.__dict__.update(masked_columns(call.__dict__))
            yield call


def masked_columns(columns: dict[str, Any]) -> dict[str, Any]:
    """Those of a call's columns that hold outside numbers, masked."""
    shown: dict[str, Any] = {
        name: masked(columns[name]) for name in ("peer", "peer_name") if name in columns
    }
    if "people" in columns:
        shown["people"] = list(map(masked, columns["people"]))
    return shown


# What a person who sees masked numbers may look for: anything but the digits that they do not see.
SHOWN_PEER = Case(
    When(
        peer__regex=rf"^\+?[0-9]{{{SUBSCRIBER},}}$",
        then=Left("peer", Length("peer") - Value(MASKED)),
    ),
    When(peer__regex=rf"([0-9].*){{{SUBSCRIBER}}}", then=Value("")),
    default=F("peer"),
)


class CallQuerySet(models.QuerySet["Call"]):
    def visible_to(self, membership: Membership | None) -> "CallQuerySet":
        """The only door for pages: no membership → nothing; an agent → calls of extensions while they were theirs.

        Where the role sees no last digits, neither these calls nor a search among them tell any. ``values`` and
        ``values_list`` come past that: who uses them asks ``masks_numbers`` first.
        """
        if membership is None:
            return self.none()
        calls = self.filter(account=membership.account_id)
        if not membership.sees_full_numbers:
            calls = calls.masked()
        return calls if membership.sees_all_calls else calls.filter(_held_by(membership))

    def masked(self) -> "CallQuerySet":
        """The same calls without the last digits of outside numbers."""
        calls = self.all()
        calls._iterable_class = _Masked
        return calls

    @property
    def masks_numbers(self) -> bool:
        return self._iterable_class is _Masked

    def between(self, period: Period) -> "CallQuerySet":
        return self.filter(started_at__gte=period.start, started_at__lt=period.end)

    def outgoing(self) -> "CallQuerySet":
        return self.filter(kind="outgoing")

    def incoming(self) -> "CallQuerySet":
        return self.filter(kind="incoming")

    def is_missed(self) -> "CallQuerySet":
        """Incoming, nobody answered, and no record is still to come that could change it."""
        return self.filter(missed=True, provisional=False)

    def with_extension(self, extensions: list[str]) -> "CallQuerySet":
        """Calls in which one of the extensions took part, be it that it only rang."""
        return self.filter(extensions__overlap=extensions)

    def with_number(self, key: str) -> "CallQuerySet":
        """Calls with an outside number. ``key``, a calls.numbers.search_key: with + its beginning, else any part."""
        if not key:
            return self
        calls = self.alias(shown_peer=SHOWN_PEER) if self.masks_numbers else self
        column = "shown_peer" if self.masks_numbers else "peer"
        lookup = "startswith" if key[0] == "+" else "contains"
        return calls.filter(**{f"{column}__{lookup}": key})

    def with_callback(self) -> "CallQuerySet":
        """Adds ``callback``: when and by whom the same person was reached after the call, None if never.

        It is the first answered call with that person since, whoever of the account began it: ``at`` (text, UTC),
        ``kind`` (outgoing: we rang back; incoming: they tried again) and ``extension``.
        """
        since = self.model._default_manager.filter(
            account=OuterRef("account"),
            peer=OuterRef("peer"),
            outcome="answered",
            kind__in=("incoming", "outgoing"),
            started_at__gt=OuterRef("started_at"),
        )
        first = (
            since.exclude(peer="")
            .order_by("started_at")
            .values(reached=JSONObject(at="started_at", kind="kind", extension="extension"))
        )
        return self.annotate(callback=Subquery(first[:1]))

    def for_list(self) -> "CallQuerySet":
        """Newest first, with the columns that a list shows."""
        return self.order_by("-started_at", "-id").only(*LIST_COLUMNS)

    def older_than(self, account_id: int, edge: Edge) -> "CallQuerySet":
        # The bound on started_at lets the planner leave out partitions; the row comparison alone does not.
        return self.filter(started_at__lte=edge[0], pk__lt=(account_id, *edge))

    def newer_than(self, account_id: int, edge: Edge) -> "CallQuerySet":
        return self.filter(started_at__gte=edge[0], pk__gt=(account_id, *edge))

    def totals(self) -> dict[str, Any]:
        """``calls, answered, missed, talk_s, cost, unpriced`` of the set; cost is the exact sum of charges."""
        return self.order_by().aggregate(
            calls=Count("id"),
            answered=Count("id", filter=Q(outcome="answered")),
            missed=Count("id", filter=Q(missed=True, provisional=False)),
            talk_s=Coalesce(Sum("talk_s"), 0),
            cost=Coalesce(Sum("cost"), Decimal(0), output_field=models.DecimalField()),
            unpriced=Count("id", filter=Q(charging__in=("pending", "no_rate"))),
        )


def _held_by(membership: Membership) -> Q:
    holdings = membership.holdings.select_related("extension") if membership.pk else ()
    held = (
        Q(extensions__contains=[holding.extension.number], started_at__gte=holding.since)
        & (Q(started_at__lt=holding.until) if holding.until else Q())
        for holding in holdings
    )
    nothing = Q(pk__in=[])
    return reduce(or_, held, nothing)
