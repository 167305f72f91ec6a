"""The operator's price list, and the one that the small firm agreed upon. Net prices in złoty. Pure."""

from dataclasses import dataclass
from decimal import Decimal

from billing.demo.people import MOBILE

VAT = Decimal(23)
SECONDS = (1, 1)
MINUTES = (60, 60)
HALF_MINUTES = (30, 6)


@dataclass(frozen=True, slots=True)
class Item:
    """``before``: the price a minute until it changed half a year ago; None where it never did."""

    prefix: str
    name: str
    per_minute: str
    increments: tuple[int, int] = SECONDS
    fee: Decimal = Decimal(0)
    before: str | None = None
    space: str = "e164"


BASIC = (
    Item("48", "Polska, stacjonarne", "0.06", before="0.07"),
    *(Item(f"48{prefix}", "Polska, komórkowe", "0.12", before="0.14") for prefix in MOBILE),
    Item("48801", "Infolinie 801 (za połączenie)", "0", fee=Decimal("0.2850")),
    Item("48804", "Infolinie 804", "0.16", MINUTES),
    Item("4870", "Numery o podwyższonej opłacie", "2.52", MINUTES),
    Item("118", "Biura numerów 118", "2.40", MINUTES, space="short"),
    Item("49", "Niemcy, stacjonarne", "0.20"),
    Item("4915", "Niemcy, komórkowe", "0.45"),
    Item("4916", "Niemcy, komórkowe", "0.45"),
    Item("4917", "Niemcy, komórkowe", "0.45"),
    Item("31", "Holandia", "0.22"),
    Item("33", "Francja", "0.22"),
    Item("370", "Litwa", "0.38", MINUTES),
    Item("375", "Białoruś", "2.00", MINUTES),
    Item("380", "Ukraina", "0.75", MINUTES, before="0.90"),
    Item("39", "Włochy", "0.25"),
    Item("420", "Czechy", "0.24"),
    Item("421", "Słowacja", "0.24"),
    Item("43", "Austria", "0.28"),
    Item("44", "Wielka Brytania, stacjonarne", "0.20"),
    Item("447", "Wielka Brytania, komórkowe", "0.55", MINUTES),
    Item("46", "Szwecja", "0.26"),
    Item("1", "USA i Kanada", "0.20"),
    Item("886", "Tajwan", "0.95", MINUTES),
)
AGREED = (
    Item("48", "Polska, stacjonarne", "0.05"),
    Item("4812", "Kraków i okolice", "0.03"),
    Item("31", "Holandia", "0.15", HALF_MINUTES),
    Item("886", "Tajwan", "0.60", HALF_MINUTES, fee=Decimal("0.10")),
)
