"""The filters above a list. The address holds them all, so a filtered list is a link."""

from contextlib import suppress
from datetime import date, datetime
from typing import Any, cast

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from calls import periods
from calls.models import Call, Extension
from calls.numbers import search_key
from calls.periods import Period
from calls.querysets import CallQuerySet

DEFAULT_PERIOD = "last_30_days"
PERIODS = [
    ("today", _("today")),
    ("yesterday", _("yesterday")),
    ("this_week", _("this week")),
    ("this_month", _("this month")),
    ("last_month", _("last month")),
    ("last_30_days", _("last 30 days")),
    ("custom", _("own range")),
]


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class PeriodForm(forms.Form):
    """Turns what was chosen into ``span``, a Period in the account's zone; None while there are errors."""

    account: Account
    now: datetime
    span: Period | None = None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        chosen = cleaned.get("period")
        if chosen == "custom":
            self.span = self.own_range(cleaned.get("first"), cleaned.get("last"))
        elif chosen is not None:  # Otherwise the period itself is wrong, and says so.
            self.span = periods.preset(chosen, self.now, self.account.tz)
        return cleaned

    def own_range(self, first: date | None, last: date | None) -> Period:
        if first and last:
            # Swapped days, or days at the ends of the calendar, which have no midnight in UTC.
            with suppress(ValueError, OverflowError):
                return periods.span(first, last, self.account.tz)
        raise ValidationError(
            _("Give the first and the last day of your range, the first one not later.")
        )


def _with_period(data: QueryDict) -> QueryDict:
    """The filters with the period that they mean, so that the form shows what the list shows."""
    if data.get("period"):
        return data
    filled = data.copy()
    filled["period"] = "custom" if data.get("first") or data.get("last") else DEFAULT_PERIOD
    return filled


class CallFilter(django_filters.FilterSet):
    period = django_filters.ChoiceFilter(
        label=_("Period"), choices=PERIODS, method="leave", empty_label=None
    )
    first = django_filters.DateFilter(label=_("From"), method="leave", widget=DateInput())
    last = django_filters.DateFilter(label=_("To"), method="leave", widget=DateInput())
    number = django_filters.CharFilter(
        label=_("Number"),
        method="by_number",
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )
    extension = django_filters.MultipleChoiceFilter(
        label=_("Extension"), method="by_extension", widget=forms.CheckboxSelectMultiple
    )
    direction = django_filters.MultipleChoiceFilter(
        label=_("Direction"),
        choices=Call.Direction.choices,
        widget=forms.CheckboxSelectMultiple,
        distinct=False,
    )
    kind = django_filters.MultipleChoiceFilter(
        label=_("Type"),
        choices=Call.Kind.choices,
        widget=forms.CheckboxSelectMultiple,
        distinct=False,
    )

    class Meta:
        model = Call
        fields: tuple[str, ...] = ()
        form = PeriodForm

    def __init__(self, data: QueryDict, *, account: Account, now: datetime, **kwargs: Any) -> None:
        super().__init__(_with_period(data), **kwargs)
        desks = Extension.objects.filter(account=account)
        self.filters["extension"].extra["choices"] = [(desk.number, str(desk)) for desk in desks]
        form = cast(PeriodForm, self.form)
        form.account, form.now = account, now

    @property
    def span(self) -> Period | None:
        """The period asked for; None while the form has errors."""
        form = cast(PeriodForm, self.form)
        return form.span if form.is_valid() else None

    def filter_queryset(self, queryset: QuerySet[Call]) -> QuerySet[Call]:
        # Every list carries a time bound: without one all partitions would be read.
        calls = cast(CallQuerySet, queryset)
        return super().filter_queryset(calls.between(self.span) if self.span else calls.none())

    @property
    def calls(self) -> CallQuerySet:
        """The filtered calls; none while the filters have errors, which the page shows."""
        return cast(CallQuerySet, self.qs) if self.span else Call.objects.none()

    def leave(self, calls: CallQuerySet, name: str, value: Any) -> CallQuerySet:
        """For fields that together make the period."""
        return calls

    def by_number(self, calls: CallQuerySet, name: str, value: str) -> CallQuerySet:
        return calls.with_number(search_key(value))

    def by_extension(self, calls: CallQuerySet, name: str, value: list[str]) -> CallQuerySet:
        return calls.with_extension(value) if value else calls
