"""The sources of CDRs and what tells whose a call is. Small, ordinary tables."""

import hashlib
import re
import secrets
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.keeping import Lasting
from accounts.models import Account, Membership, validate_timezone
from calls.ingest.columns import Columns
from calls.ingest.records import Switch
from calls.models.columns import validate_columns
from calls.numbers import normalise


def validate_pattern(pattern: str) -> None:
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise ValidationError(_("This is no regular expression.")) from error
    if groups != 1:
        raise ValidationError(_("The expression needs exactly one group: the extension."))


class Pbx(models.Model):
    """A source of CDRs: one feed of one PBX."""

    class Source(models.TextChoices):
        FREESWITCH_JSON = "freeswitch-json", "FreeSWITCH mod_json_cdr"
        ASTERISK_CSV = "asterisk-csv", "Asterisk CSV"
        OTHER_CSV = "csv", _("another PBX's CSV")

    name = models.SlugField(
        _("name"), unique=True, help_text=_("Stands in the address to which the PBX sends.")
    )
    source = models.CharField(_("source"), max_length=30, choices=Source.choices)
    time_zone = models.CharField(
        _("time zone of its records"),
        max_length=50,
        default="UTC",
        validators=[validate_timezone],
        help_text=_("Asterisk: UTC with usegmtime=yes, otherwise the zone of the server."),
    )
    trunks = models.CharField(
        _("trunks"),
        max_length=500,
        default="external",
        help_text=_(
            "FreeSWITCH: names of the external SIP profiles. Asterisk: names of the operators' endpoints, such as"
            " carrier*. Separate several by commas."
        ),
    )
    extension_pattern = models.CharField(
        _("extension in an endpoint's name"),
        max_length=200,
        default=Switch.__dataclass_fields__["extension_pattern"].default,
        validators=[validate_pattern],
        help_text=_("Asterisk: a regular expression with one group, the extension."),
    )
    columns = models.JSONField(
        _("columns"),
        default=dict,
        blank=True,
        help_text=_(
            "Only for another PBX's CSV: by our name the header of its column. docs/other-pbx.md lists the names."
        ),
    )
    account = models.ForeignKey(
        Account,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("only account"),
        help_text=_("If set, every call of this PBX belongs to this account."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    secret_digest = models.CharField(max_length=64, blank=True, editable=False)
    record_ids = models.CharField(_("record ids"), max_length=30, blank=True, editable=False)
    # The database role by which it writes into the tables of the schema feed; '' without one.
    feed_role = models.CharField(max_length=63, blank=True, editable=False)

    keeping = Lasting("a source of records, set up by the operator")

    class Meta:
        verbose_name = _("PBX")
        verbose_name_plural = _("PBXes")

    def __str__(self) -> str:
        return self.name

    @classmethod
    def authenticated(cls, name: str, secret: str) -> "Pbx | None":
        """The active PBX with this name, if the secret is its own."""
        pbx = cls.objects.filter(name=name, is_active=True).first()
        return pbx if pbx is not None and pbx.has_secret(secret) else None

    @property
    def switch(self) -> Switch:
        trunks = tuple(trunk.strip() for trunk in self.trunks.split(",") if trunk.strip())
        return Switch(
            self.source,
            trunks,
            self.extension_pattern,
            self.time_zone,
            Columns.from_json(self.columns),
            self.record_ids,
        )

    def clean(self) -> None:
        if self.source == self.Source.OTHER_CSV:
            try:
                validate_columns(self.columns)
            except ValidationError as error:
                raise ValidationError({"columns": error.error_list}) from error
        elif self.columns:
            raise ValidationError({"columns": _("Only another PBX's CSV needs columns.")})

    def renew_secret(self) -> str:
        """A new secret, which is returned once and kept only as its digest. The object has to be saved."""
        secret = secrets.token_urlsafe(16)
        self.secret_digest = hashlib.sha256(secret.encode()).hexdigest()
        return secret

    def has_secret(self, secret: str) -> bool:
        digest = hashlib.sha256(secret.encode()).hexdigest()
        return bool(self.secret_digest) and secrets.compare_digest(digest, self.secret_digest)


class TenantCode(models.Model):
    """By which name a PBX calls an account: accountcode, tenantid, domain or the prefix of an endpoint."""

    pbx = models.ForeignKey(Pbx, models.CASCADE, related_name="tenant_codes", verbose_name=_("PBX"))
    code = models.CharField(_("code"), max_length=100)
    account = models.ForeignKey(Account, models.CASCADE, verbose_name=_("account"))

    keeping = Lasting("how a PBX calls a firm")

    class Meta:
        verbose_name = _("tenant code")
        verbose_name_plural = _("tenant codes")
        constraints = (
            models.UniqueConstraint(fields=["pbx", "code"], name="one_account_per_tenant_code"),
        )

    def __str__(self) -> str:
        return f"{self.code} → {self.account}"


def _period_is_ordered(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(until__isnull=True) | Q(until__gt=F("since")), name=name
    )


class Number(models.Model):
    """Which account held a number (DID), and when: a number that moves on takes no calls along."""

    number = models.CharField(_("number"), max_length=20, help_text="+48221234567")
    account = models.ForeignKey(
        Account, models.CASCADE, related_name="numbers", verbose_name=_("account")
    )
    name = models.CharField(_("description"), max_length=100, blank=True)
    since = models.DateTimeField(_("since"), default=timezone.now)
    until = models.DateTimeField(_("until"), null=True, blank=True)

    keeping = Lasting("a firm's own number, and when it was its own")

    class Meta:
        verbose_name = _("number")
        verbose_name_plural = _("numbers")
        constraints = (
            models.UniqueConstraint(
                fields=["number"], condition=Q(until__isnull=True), name="number_held_by_one"
            ),
            _period_is_ordered("number_period_is_ordered"),
        )

    def __str__(self) -> str:
        return self.number

    def clean(self) -> None:
        number = normalise(self.number)
        if not number.is_e164:
            raise ValidationError({"number": _("Write the number with its country: +48221234567.")})
        self.number = number.text
        others = Number.objects.filter(number=self.number).exclude(pk=self.pk)
        others = others.filter(Q(until__isnull=True) | Q(until__gt=self.since))
        if self.until:
            others = others.filter(since__lt=self.until)
        if others.exists():
            raise ValidationError(_("Another entry holds this number at that time."))


class Extension(models.Model):
    """A desk of an account, such as 101: unique within its account only."""

    account = models.ForeignKey(
        Account, models.CASCADE, related_name="extensions", verbose_name=_("account")
    )
    number = models.CharField(_("number"), max_length=20)
    name = models.CharField(_("name"), max_length=100, blank=True)

    keeping = Lasting("a desk of a firm and the name on it, kept by the firm")

    class Meta:
        verbose_name = _("extension")
        verbose_name_plural = _("extensions")
        ordering: ClassVar[list[str]] = ["number"]
        constraints = (
            models.UniqueConstraint(
                fields=["account", "number"], name="extension_is_unique_in_its_account"
            ),
        )

    def __str__(self) -> str:
        return f"{self.number} {self.name}".strip()

    @classmethod
    def names_in(cls, account: Account) -> dict[str, str]:
        """The names of the account's extensions, by number."""
        return dict(cls.objects.filter(account=account).values_list("number", "name"))


class ExtensionHolding(models.Model):
    """Whose an extension was, and when: a phone that moves to another person takes no calls along."""

    extension = models.ForeignKey(
        Extension, models.CASCADE, related_name="holdings", verbose_name=_("extension")
    )
    membership = models.ForeignKey(
        Membership, models.CASCADE, related_name="holdings", verbose_name=_("membership")
    )
    since = models.DateTimeField(_("since"), default=timezone.now)
    until = models.DateTimeField(_("until"), null=True, blank=True)

    keeping = Lasting("whose a desk was, kept by the firm")

    class Meta:
        verbose_name = _("holder of an extension")
        verbose_name_plural = _("holders of extensions")
        constraints = (_period_is_ordered("holding_period_is_ordered"),)

    def __str__(self) -> str:
        return f"{self.extension} · {self.membership.user}"

    def clean(self) -> None:
        if self.membership_id is None:
            return  # Its own field says that it is missing.
        if self.extension.account_id != self.membership.account_id:
            raise ValidationError(_("The person and the extension belong to different accounts."))
