"""What people type about prices and costs."""

from datetime import UTC, datetime, time, timedelta
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from billing.models import Budget, CostWatch, PriceList, PriceListImport, Rate
from billing.pricefiles.imports import operator_zone
from calls import periods
from calls.filters import DateInput
from calls.models import Extension
from calls.periods import Period

LARGEST_FILE = 20_000_000


class AmountField(forms.DecimalField):
    """An amount as a Pole writes it: `1 234,50`."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput(attrs={"inputmode": "decimal"})
        super().__init__(**{**kwargs, "localize": True, "widget": widget})

    def to_python(self, value: Any) -> Any:
        return super().to_python("".join(value.split()) if isinstance(value, str) else value)


class ImportForm(forms.ModelForm[PriceListImport]):
    """A file with prices, and from which day they hold: the next one, unless somebody says otherwise."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV or XLSX, with a header in Polish or English."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.xlsx"}),
    )
    day = forms.DateField(
        label=_("Prices hold from"),
        widget=DateInput(),
        help_text=_("Its midnight; rows with a date of their own keep it."),
    )

    class Meta:
        model = PriceListImport
        fields = ("mode",)
        widgets = {"mode": forms.RadioSelect}  # noqa: RUF012 - that is how Django reads it

    def __init__(self, *args: Any, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tomorrow = now.astimezone(operator_zone()).date() + timedelta(days=1)
        self.fields["day"].initial = tomorrow
        self.order_fields(["file", "mode", "day"])

    def clean_file(self) -> "UploadedFile[bytes]":
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if (file.size or 0) > LARGEST_FILE:
            raise ValidationError(_("The file is larger than 20 MB."))
        return file

    def save(self, commit: bool = True) -> PriceListImport:
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        self.instance.file_name = (file.name or "")[:200]
        self.instance.content = file.read()
        self.instance.effective = datetime.combine(
            self.cleaned_data["day"], time.min, operator_zone()
        )
        return super().save(commit)


MONEY = ("per_minute", "per_call", "evening", "weekend", "connection_fee", "minimum")


class RateForm(forms.ModelForm[Rate]):
    """One rate of a price list."""

    class Meta:
        model = Rate
        fields = (
            *("space", "prefix", "name", "treatment", *MONEY),
            *("first_increment", "next_increment", "valid_from", "valid_to"),
        )
        field_classes = dict.fromkeys(MONEY, AmountField)
        widgets = {  # noqa: RUF012
            name: forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
            for name in ("valid_from", "valid_to")
        }

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        key = {name: cleaned.get(name) for name in ("space", "prefix", "valid_from")}
        if Rate.objects.filter(price_list=self.instance.price_list, **key).exists():
            raise ValidationError(
                _("The list has a rate for this prefix from this moment already.")
            )
        return cleaned


class ReratingForm(forms.Form):
    """Whose calls of which days are to be rated again, and why. ``period`` is set where all is well."""

    period: Period

    first = forms.DateField(label=_("Calls from"), widget=DateInput())
    last = forms.DateField(label=_("Calls until"), widget=DateInput())
    account = forms.ModelChoiceField(
        label=_("Account"),
        queryset=Account.objects.order_by("name"),
        required=False,
        empty_label=_("all accounts"),
    )
    price_list = forms.ModelChoiceField(
        label=_("Price list"),
        queryset=PriceList.objects.order_by("name"),
        required=False,
        empty_label=_("all price lists"),
        help_text=_("Only charges that this list made or would make."),
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        help_text=_("Stands on the page of each call that changes, also for the customer."),
    )

    def __init__(self, *args: Any, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        today = now.astimezone(operator_zone()).date()
        self.fields["first"].initial = today.replace(day=1)
        self.fields["last"].initial = today

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last:
            account = cleaned.get("account")
            try:
                self.period = periods.span(first, last, account.tz if account else operator_zone())
            except (ValueError, OverflowError) as error:
                raise ValidationError(_("The last day is before the first one.")) from error
        return cleaned


RECIPIENTS = ("to_owners", "to_managers", "addresses")


class BudgetForm(forms.ModelForm[Budget]):
    """A budget of the account, or of one of its extensions."""

    class Meta:
        model = Budget
        fields = ("extension", "amount", *RECIPIENTS)
        field_classes = {"amount": AmountField}  # noqa: RUF012 - that is how Django reads it

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        desks = Extension.objects.filter(account=self.instance.account)
        field = cast("forms.ModelChoiceField[Extension]", self.fields["extension"])
        field.queryset = desks
        field.empty_label = _("the whole firm")
        field.help_text = ""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        mine = Budget.objects.filter(account=self.instance.account).exclude(pk=self.instance.pk)
        if "extension" in cleaned and mine.filter(extension=cleaned["extension"]).exists():
            raise ValidationError(_("There is a budget for this already: change that one."))
        return cleaned


class WatchForm(forms.ModelForm[CostWatch]):
    class Meta:
        model = CostWatch
        fields = ("first_calls", "unusual", *RECIPIENTS)


class QuoteForm(forms.Form):
    """A call that nobody has made yet."""

    number = forms.CharField(
        label=_("Number"),
        max_length=64,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )
    minutes = forms.IntegerField(label=_("Minutes"), min_value=0, max_value=1440, required=False)
    seconds = forms.IntegerField(label=_("Seconds"), min_value=0, max_value=59, required=False)
    day = forms.DateField(label=_("Day"), widget=DateInput(), required=False)
    clock = forms.TimeField(
        label=_("Time"),
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        required=False,
    )

    def __init__(self, *args: Any, account: Account, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.local = now.astimezone(account.tz)
        self.fields["minutes"].initial = 1
        self.fields["seconds"].initial = 0
        self.fields["day"].initial = self.local.date()
        self.fields["clock"].initial = self.local.time().replace(second=0, microsecond=0)

    @property
    def duration(self) -> int:
        """In seconds."""
        return 60 * (self.cleaned_data["minutes"] or 0) + (self.cleaned_data["seconds"] or 0)

    @property
    def at(self) -> datetime:
        day = self.cleaned_data["day"] or self.local.date()
        clock = self.cleaned_data["clock"] or self.local.time()
        return datetime.combine(day, clock, self.local.tzinfo).astimezone(UTC)
