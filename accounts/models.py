"""Who may see what: people, the firms they belong to, and in which role."""

from datetime import datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.contrib.auth.models import (
    AbstractBaseUser,
    BaseUserManager,
    PermissionsMixin,
)
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.keeping import Lasting


def validate_timezone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValidationError(
            _("%(name)s is no time zone: write one like Europe/Warsaw."), params={"name": name}
        ) from error


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in with an e-mail address, kept in lower case."""

    email = models.EmailField(_("e-mail"), unique=True)
    name = models.CharField(_("name"), max_length=100, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("operator's staff"), default=False)
    date_joined = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    keeping = Lasting("who may sign in; the operator's staff adds and deletes people")
    objects = UserManager()

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")

    def __str__(self) -> str:
        return self.name or self.email

    def clean(self) -> None:
        super().clean()
        self.email = self.email.strip().lower()


class Role(models.TextChoices):
    OWNER = "owner", _("owner")
    MANAGER = "manager", _("manager")
    ACCOUNTANT = "accountant", _("accountant")
    AGENT = "agent", _("agent")


class Account(models.Model):
    """The tenant: a firm. Every call belongs to exactly one."""

    LONGEST_RETENTION_DAYS = 365

    name = models.CharField(_("name"), max_length=200)
    slug = models.SlugField(_("name in addresses"), unique=True)
    time_zone = models.CharField(
        _("time zone"), max_length=50, default="Europe/Warsaw", validators=[validate_timezone]
    )
    retention_days = models.PositiveIntegerField(
        _("days to keep calls"), default=LONGEST_RETENTION_DAYS
    )
    keeps_longer = models.BooleanField(
        _("may keep calls longer than 365 days"),
        default=False,
        help_text=_("Only with a reason that the law accepts: customers are promised 365 days."),
    )
    # A legal hold: nothing is deleted from ``held_since`` until the moment ``held_until``.
    held_since = models.DateTimeField(null=True, blank=True, editable=False)
    held_until = models.DateTimeField(null=True, blank=True, editable=False)
    held_because = models.TextField(blank=True, editable=False)
    masked_roles = ArrayField(
        models.CharField(max_length=20, choices=Role.choices),
        default=list,
        blank=True,
        verbose_name=_("roles that see no last digits"),
    )
    is_active = models.BooleanField(_("active"), default=True)

    keeping = Lasting("the customer itself; its calls go by themselves")

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        constraints = (
            models.CheckConstraint(
                condition=models.Q(retention_days__gte=1)
                & (models.Q(retention_days__lte=365) | models.Q(keeps_longer=True)),
                name="account_keeps_calls_for_1_to_365_days",
            ),
            models.CheckConstraint(
                condition=models.Q(held_since__isnull=True, held_until__isnull=True)
                | models.Q(held_until__gt=models.F("held_since")),
                name="account_hold_is_ordered",
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def is_held(self, now: datetime) -> bool:
        """Whether a legal hold forbids to delete anything of the account."""
        return self.held_until is not None and now < self.held_until


class Membership(models.Model):
    """A person's place in an account. What the role allows is asked here and nowhere else."""

    account = models.ForeignKey(
        Account, models.CASCADE, related_name="memberships", verbose_name=_("account")
    )
    user = models.ForeignKey(
        User, models.CASCADE, related_name="memberships", verbose_name=_("user")
    )
    role = models.CharField(_("role"), max_length=20, choices=Role.choices)

    keeping = Lasting("a person's place in a firm, for as long as the firm wants it")

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = (
            models.UniqueConstraint(fields=["account", "user"], name="one_membership_per_account"),
        )

    def __str__(self) -> str:
        return f"{self.user} · {self.account} ({self.get_role_display()})"

    @property
    def sees_all_calls(self) -> bool:
        return self.role in {Role.OWNER, Role.MANAGER, Role.ACCOUNTANT}

    @property
    def can_see_costs(self) -> bool:
        return self.role in {Role.OWNER, Role.MANAGER, Role.ACCOUNTANT}

    @property
    def sees_full_numbers(self) -> bool:
        """Otherwise the last digits of outside numbers are kept from the person; the owner always sees them."""
        return self.role == Role.OWNER or self.role not in self.account.masked_roles

    @property
    def sees_retention(self) -> bool:
        """What is kept, deleted and on hold."""
        return self.role in {Role.OWNER, Role.MANAGER}

    @property
    def sets_privacy(self) -> bool:
        return self.role == Role.OWNER


class AuditEntry(models.Model):
    """Who decided what about keeping and showing an account's data, and why."""

    at = models.DateTimeField()
    account = models.ForeignKey(Account, models.PROTECT, related_name="+")
    by = models.EmailField()
    action = models.CharField(max_length=40)
    detail = models.TextField(blank=True)

    keeping = Lasting("the record of decisions about keeping data; it names staff and no caller")

    class Meta:
        indexes = (models.Index(fields=["account", "at"], name="audit_of_account"),)

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.by}: {self.action} {self.detail}".rstrip()
