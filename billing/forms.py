"""What people type about prices and costs."""

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from billing.models import PriceListImport
from billing.pricefiles.imports import operator_zone
from calls.filters import DateInput

LARGEST_FILE = 20_000_000


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
