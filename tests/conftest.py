"""Fixtures for everybody: three people in two firms, and the two recorded PBXes."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from pytest_django import Settings

from accounts.models import Account, Membership, Role, User
from calls.models import Extension, ExtensionHolding, Pbx, TenantCode

# A little after the recorded calls, whose dates would otherwise grow too old.
RECORDED = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def plain_static_files(settings: Settings) -> None:
    """No collectstatic before the tests: files have their plain names, and no folder of their own."""
    backend = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": backend}}
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "whitenoise" not in name]


@pytest.fixture
def recorded_time() -> Iterator[datetime]:
    with time_machine.travel(RECORDED, tick=False):
        yield RECORDED


@pytest.fixture
def acme(db: None) -> Account:
    return Account.objects.create(name="Acme sp. z o.o.", slug="acme")


@pytest.fixture
def beta(db: None) -> Account:
    return Account.objects.create(name="Beta s.c.", slug="beta")


@pytest.fixture
def asterisk(acme: Account, beta: Account) -> Pbx:
    pbx = Pbx.objects.create(name="asterisk", source="asterisk-csv", trunks="carrier*")
    TenantCode.objects.create(pbx=pbx, code="acme", account=acme)
    TenantCode.objects.create(pbx=pbx, code="beta", account=beta)
    return pbx


@pytest.fixture
def freeswitch(acme: Account) -> Pbx:
    pbx = Pbx.objects.create(name="freeswitch", source="freeswitch-json")
    TenantCode.objects.create(pbx=pbx, code="firma.example", account=acme)
    return pbx


@pytest.fixture
def owner(acme: Account) -> Membership:
    """Alicja owns Acme."""
    user = User.objects.create_user("alicja@acme.example", "pass", name="Alicja")
    return Membership.objects.create(account=acme, user=user, role=Role.OWNER)


@pytest.fixture
def agent(acme: Account) -> Membership:
    """Bogdan works at Acme; extension 101 is his."""
    user = User.objects.create_user("bogdan@acme.example", "pass", name="Bogdan")
    membership = Membership.objects.create(account=acme, user=user, role=Role.AGENT)
    desk = Extension.objects.create(account=acme, number="101", name="Bogdan")
    ExtensionHolding.objects.create(extension=desk, membership=membership, since=LONG_AGO)
    return membership


@pytest.fixture
def stranger(beta: Account) -> Membership:
    """Celina owns Beta, another firm with calls of its own."""
    user = User.objects.create_user("celina@beta.example", "pass", name="Celina")
    return Membership.objects.create(account=beta, user=user, role=Role.OWNER)
