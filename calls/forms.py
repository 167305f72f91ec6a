"""Forms that change what is kept and shown."""

from datetime import date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Role
from calls.filters import DateInput
from calls.numbers import normalise

MASKABLE = [Role.MANAGER, Role.ACCOUNTANT, Role.AGENT]


class AccountChoice(forms.Form):
    account = forms.ModelChoiceField(
        label=_("Account"), queryset=Account.objects.order_by("name"), empty_label=None
    )


class HoldForm(AccountChoice):
    """A legal hold; the person says why and for how long."""

    last_day = forms.DateField(label=_("Through the day"), widget=DateInput())
    reason = forms.CharField(
        label=_("Reason"), widget=forms.Textarea(attrs={"rows": 3}), max_length=1000
    )

    def __init__(self, data: Any = None, *, now: datetime) -> None:
        super().__init__(data)
        self.now = now

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        account, last = cleaned.get("account"), cleaned.get("last_day")
        if account and isinstance(last, date) and last < self.now.astimezone(account.tz).date():
            raise ValidationError({"last_day": _("The day is over already.")})
        return cleaned


class ErasureForm(AccountChoice):
    """One number of one account; ``confirmed`` once the person has seen what it concerns."""

    number = forms.CharField(
        label=_("Number"),
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )
    confirmed = forms.BooleanField(required=False, widget=forms.HiddenInput())

    def clean_number(self) -> str:
        number = normalise(self.cleaned_data["number"])
        if not number.is_e164:
            raise ValidationError(_("Write the number with its country: +48221234567."))
        return number.text


class MaskingForm(forms.Form):
    """Which roles see no last digits."""

    masked_roles = forms.MultipleChoiceField(
        label=_("These roles do not see the last three digits of outside numbers:"),
        choices=[(role.value, role.label) for role in MASKABLE],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
