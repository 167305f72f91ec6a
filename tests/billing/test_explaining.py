"""Why a call costs what it costs, in a sentence and in numbers; and what a call would cost that nobody made."""

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from accounts.models import Account
from billing import explaining
from billing.charging import charge_pending
from billing.models import AccountPriceList, Bundle, BundleUse, Charge, PriceList, VatRate
from billing.quoting import quote
from billing.rating import Unpriced
from tests.billing.calls_to_charge import (
    GERMAN,
    MOBILE,
    POLISH,
    SECOND,
    dial,
    make_list,
    make_rate,
    untouched,
)
from tests.conftest import RECORDED

pytestmark = pytest.mark.django_db
D = Decimal
WARSAW = ZoneInfo("Europe/Warsaw")
WEDNESDAY = datetime(2026, 11, 18, 12, tzinfo=WARSAW)
BY = "według stawki „{}” dla numerów zaczynających się od {} z cennika „Cennik acme”."


def plain(text: str) -> str:
    return re.sub(r"\s", " ", text)


def said(account: Account, number: str, seconds: int, at: datetime = WEDNESDAY) -> str:
    return plain(quote(account, number, seconds, at).sentence)


def test_a_minute_price_with_all_that_may_come_with_it(acme: Account) -> None:
    price_list = make_list(acme, {"48": "0.06"})
    make_rate(
        price_list,
        "4850",
        name="Komórki",
        per_minute=D("0.30"),
        connection_fee=D("0.05"),
        minimum=D("0.10"),
        first_increment=60,
    )

    assert [said(acme, POLISH, 61), said(acme, MOBILE, 3725), said(acme, MOBILE, 1)] == [
        "1 min 1 s, po 0,06 zł za minutę, razem 0,0610 zł netto, " + BY.format("to 48", "48"),
        "1 godz. 2 min 5 s, po 0,30 zł za minutę, do tego 0,05 zł opłaty początkowej,"
        " nie mniej niż 0,10 zł, razem 18,6750 zł netto, " + BY.format("Komórki", "4850"),
        "1 s, naliczone jako 1 min (60/1), po 0,30 zł za minutę, do tego 0,05 zł opłaty początkowej,"
        " nie mniej niż 0,10 zł, razem 0,35 zł netto, " + BY.format("Komórki", "4850"),
    ]


def test_a_price_a_call_and_the_bands(acme: Account) -> None:
    price_list = make_list(acme, {}, day_from=time(8), day_to=time(18))
    make_rate(price_list, "48", per_minute=D("0.30"), evening=D("0.20"), weekend=D("0.10"))
    make_rate(price_list, "48801", per_call=D("0.35"), evening=D("0.28"))
    evening, saturday = WEDNESDAY.replace(hour=19), WEDNESDAY + timedelta(days=3)

    assert [
        said(acme, POLISH, 60),
        said(acme, POLISH, 60, evening),
        said(acme, POLISH, 60, saturday),
        said(acme, "801123456", 300, evening),
    ] == [
        "1 min, po 0,30 zł za minutę w dzień, razem 0,30 zł netto, " + BY.format("to 48", "48"),
        "1 min, po 0,20 zł za minutę wieczorem, razem 0,20 zł netto, " + BY.format("to 48", "48"),
        "1 min, po 0,10 zł za minutę w weekend lub święto, razem 0,10 zł netto, "
        + BY.format("to 48", "48"),
        "5 min, po 0,28 zł za połączenie wieczorem, razem 0,28 zł netto, "
        + BY.format("to 48801", "48801"),
    ]


def test_what_is_free_or_has_no_price_says_so(acme: Account) -> None:
    price_list = make_list(acme, {"48": "1"})
    make_rate(price_list, "354", treatment="free", name="Islandia")
    make_rate(price_list, "53", treatment="blocked")
    quotes = {number: quote(acme, number, 60, WEDNESDAY) for number in ("+5351234567", GERMAN)}

    assert said(acme, "112", 60) == "połączenia na ten numer są bezpłatne."
    assert said(acme, POLISH, 0) == "połączenie trwało mniej niż sekundę, więc nic nie kosztuje."
    assert said(acme, "+3545551234", 60) == "bezpłatnie, " + BY.format("Islandia", "354")
    assert {number: (each.reason, each.sentence) for number, each in quotes.items()} == {
        "+5351234567": (Unpriced.BLOCKED, ""),
        GERMAN: (Unpriced.NO_RATE, ""),
    }


def test_an_account_without_a_list_gets_no_price(acme: Account) -> None:
    found = quote(acme, POLISH, 60, WEDNESDAY)

    assert (found.explanation, found.reason) == (None, Unpriced.NO_LIST)


def test_another_currency_and_gross_prices_are_called_so(acme: Account) -> None:
    make_list(acme, {"48": "1.23"}, currency="EUR", basis="gross", decimals=2)

    assert said(acme, POLISH, 60) == (
        "1 min, po 1,23 EUR za minutę, razem 1,23 EUR brutto, " + BY.format("to 48", "48")
    )


def test_vat_is_that_of_the_day_and_of_the_account_before_that_of_all(
    acme: Account, beta: Account
) -> None:
    make_list(acme, {"48": "1.00"})
    make_list(beta, {"48": "1.23"}, basis="gross")
    VatRate.objects.create(percent=22, since=date(2020, 1, 1))
    VatRate.objects.create(percent=23, since=date(2026, 11, 18))
    VatRate.objects.create(account=beta, percent=D("7.5"), since=date(2026, 11, 19))
    midnight = datetime(2026, 11, 18, tzinfo=WARSAW)
    moments = [(acme, midnight - SECOND), (acme, midnight), (beta, midnight)]
    moments.append((beta, midnight + timedelta(days=1)))

    found = [quote(account, POLISH, 60, at).explanation or {} for account, at in moments]

    assert [(each["vat"], each["net"], each["gross"]) for each in found] == [
        ("22", "1.0000", "1.2200"),
        ("23", "1.0000", "1.2300"),
        ("23", "1.0000", "1.2300"),
        ("7.5", "1.1442", "1.2300"),  # 1.23 / 1.075 = 1.144186…
    ]
    assert "razem 1,00 zł netto (1,23 zł z VAT 23%)" in said(acme, POLISH, 60)
    assert "razem 1,23 zł brutto z VAT 23%" in said(beta, POLISH, 60)


def test_without_vat_only_the_amount_itself_is_said(acme: Account) -> None:
    make_list(acme, {"48": "1"})

    found = quote(acme, POLISH, 60, WEDNESDAY).explanation or {}

    assert (found["vat"], found["net"], found["gross"]) == (None, "1.0000", None)


@pytest.fixture
def bundle(acme: Account) -> Bundle:
    make_list(acme, {"48": "0.60"})
    return Bundle.objects.create(
        account=acme, name="Firma 1", seconds=100, classes=["domestic"], since=date(2026, 11, 1)
    )


def test_a_quote_takes_what_the_bundle_has_left_then_and_uses_nothing_of_it(
    acme: Account, bundle: Bundle
) -> None:
    dial(acme, POLISH, WEDNESDAY, 70)
    charge_pending(RECORDED)
    before = untouched("billing_bundleuse")

    earlier = said(acme, POLISH, 90, WEDNESDAY - SECOND)
    later = said(acme, POLISH, 90, WEDNESDAY + SECOND)
    next_month = said(acme, POLISH, 90, WEDNESDAY + timedelta(days=30))

    assert (
        earlier
        == next_month
        == (
            "1 min 30 s, z tego 1 min 30 s z pakietu „Firma 1”, razem 0,00 zł netto, "
            + BY.format("to 48", "48")
        )
    )
    assert later == (
        "1 min 30 s, z tego 30 s z pakietu „Firma 1”, naliczone jako 1 min (1/1), po 0,60 zł za minutę,"
        " razem 0,60 zł netto, " + BY.format("to 48", "48")
    )
    assert untouched("billing_bundleuse") == before


def test_a_charge_is_explained_as_the_quote_of_the_same_call_was(
    acme: Account, bundle: Bundle
) -> None:
    VatRate.objects.create(percent=23, since=date(2020, 1, 1))
    for seconds, number in ((70, POLISH), (90, POLISH), (5, MOBILE), (5, "112")):
        at = WEDNESDAY + seconds * SECOND
        promised = quote(acme, number, seconds, at)
        dial(acme, number, at, seconds)
        charge_pending(RECORDED)
        charge = Charge.objects.get(number=number, seconds=seconds)
        assert explaining.of_charge(charge, acme) == {
            **(promised.explanation or {}),
            "answered_at": charge.answered_at.isoformat(),
        }
    assert BundleUse.objects.count() == 2


def test_a_quote_reads_the_number_as_it_is_dialled(acme: Account) -> None:
    make_list(acme, {"48": "0.60"})
    texts = ("22 123 45 67", "0048 22 1234567", "+48221234567")

    found = {quote(acme, text, 60, WEDNESDAY).number.text for text in texts}

    assert found == {POLISH}


def test_negative_seconds_are_refused(acme: Account) -> None:
    with pytest.raises(ValueError, match="-1 seconds"):
        quote(acme, POLISH, -1, WEDNESDAY)


def test_english_is_spoken_too(acme: Account) -> None:
    make_list(acme, {"": "0.60"}, name="World")
    VatRate.objects.create(percent=23, since=date(2020, 1, 1))

    with translation.override("en"):
        assert said(acme, GERMAN, 61) == (
            "1 min 1 s, at 0.60 zł a minute, together 0.61 zł net (0.7503 zł with 23% VAT),"
            " by the rate “to ” of the price list “World”."
        )


@pytest.mark.parametrize(
    ("seconds", "spoken"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3600, "1 godz."), (93661, "26 godz. 1 min 1 s")],
)
def test_time_is_said_in_hours_minutes_and_seconds(seconds: int, spoken: str) -> None:
    assert plain(explaining.spoken(seconds)) == spoken


def test_a_price_list_says_what_all_sums_are_in(acme: Account, beta: Account) -> None:
    make_list(acme, {}, currency="EUR", basis="gross")

    found = [AccountPriceList.money_of(each).money for each in (acme, beta)]
    assert found == [("EUR", "gross"), ("PLN", "net")]
    assert PriceList().money == ("PLN", "net")
