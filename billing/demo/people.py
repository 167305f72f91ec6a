"""The two firms of the demo and the people who call them: all made up. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from random import Random

from billing.demo.shapes import Rhythm


class Way(StrEnum):
    """What happens to calls that arrive at a number."""

    MENU = "menu"
    QUEUE = "queue"
    GROUP = "group"
    FORWARD = "forward"


@dataclass(frozen=True, slots=True)
class Line:
    """A number of the firm: where its calls go, to which desks, and how many there are of them."""

    number: str
    name: str
    way: Way
    desks: tuple[str, ...]
    share: int


@dataclass(frozen=True, slots=True)
class Firm:
    """``calls``: how many at full size; ``mobile``: where desks forward to; ``abroad``: patterns of foreign numbers."""

    name: str
    slug: str
    tenants: tuple[str, ...]
    calls: int
    customers: int
    desks: dict[str, str]
    lines: tuple[Line, ...]
    mobile: str
    area: str
    abroad: tuple[str, ...]
    rhythm: Rhythm


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody outside; ``name`` is empty unless the PBX's phone book has one."""

    number: str
    name: str = ""


CLOSED = range(0)

# How numbers begin, and how many digits follow.
MOBILE = ("45", "50", "51", "53", "57", "60", "66", "69", "72", "73", "78", "79", "88")
AREAS = ("12", "22", "22", "22", "32", "42", "58", "61", "71", "81")
GERMANY, GERMANY_MOBILE, NETHERLANDS = "4930xxxxxxx", "49151xxxxxxxx", "3120xxxxxxx"
CZECHIA, UKRAINE, BRITAIN = "4202xxxxxxxx", "38044xxxxxxx", "4420xxxxxxxx"
ITALY, LITHUANIA, TAIWAN = "3902xxxxxxxx", "37052xxxxxx", "8862xxxxxxxx"
# Where no price list has a rate for: the operator has to see such calls.
UNRATED = ("35121xxxxxxx", "99532xxxxxxx")
SPECIAL = (
    *("+48800100200", "+48800200300", "+48801300400", "+48801300500", "+48804500600"),
    *("+48703400100", "118913"),
)
TRADES = (
    *("Hotel", "Pensjonat", "Restauracja", "Kawiarnia", "Przedszkole", "Hurtownia", "Pracownia"),
    *("Gabinet", "Klub", "Dom Kultury"),
)
SIGNS = (
    *("Pod Dębem", "Nad Stawem", "Zielony Kąt", "Stokrotka", "Jaskółka", "Na Skarpie", "Łąka"),
    *("Jutrzenka", "Żuraw", "Słoneczny Ganek", "Perła", "Cisza", "Pod Lipą", "Źródło", "Wierzba"),
)
FIRST_NAMES = (
    *("Agnieszka", "Basia", "Celina", "Dorota", "Ela", "Grażyna", "Halina", "Joanna", "Łucja"),
    *("Adam", "Bogdan", "Czesław", "Filip", "Grzegorz", "Henryk", "Józef", "Leszek", "Wojtek"),
)

GARDENS = Firm(
    name="Dworek Ogrody sp. z o.o.",
    slug="dworek-ogrody",
    # firma.example stands in the recorded FreeSWITCH calls, so that one of them, sent with curl, lands here.
    tenants=("demo.example", "firma.example"),
    calls=50_000,
    customers=1500,
    desks={
        "101": "Anna, recepcja",
        "102": "Marek, sprzedaż",
        "103": "Ewa, sprzedaż",
        "104": "Tomasz, projekty",
        "105": "Zofia, projekty",
        "106": "Piotr, serwis",
        "107": "Katarzyna, księgowość",
        "108": "Jan, szkółka",
        "109": "Magda, kierownictwo",
    },
    lines=(
        Line("+48221004100", "Numer główny", Way.MENU, ("101", "102", "103"), 40),
        Line("+48221004101", "Sprzedaż", Way.QUEUE, ("102", "103", "101"), 30),
        Line("+48221004102", "Projekty ogrodów", Way.GROUP, ("104", "105"), 12),
        Line("+48221004103", "Serwis", Way.FORWARD, ("106",), 9),
        Line("+48221004104", "Księgowość", Way.GROUP, ("107",), 4),
        Line("+48221004105", "Szkółka", Way.GROUP, ("108", "101"), 5),
    ),
    mobile="+48600100106",
    area="22",
    abroad=(GERMANY, GERMANY_MOBILE, NETHERLANDS, CZECHIA, UKRAINE, BRITAIN, ITALY, LITHUANIA),
    rhythm=Rhythm(
        opening=(*(range(8, 17),) * 5, range(9, 13), CLOSED),
        weekdays=(1.2, 1.05, 1.0, 1.0, 0.85, 0.3, 0.05),
        months=(0.5, 0.7, 1.2, 1.6, 1.6, 1.3, 1.0, 0.9, 1.1, 1.0, 0.7, 0.5),
    ),
)

BICYCLES = Firm(
    name="Serwis Rowerowy Kółko",
    slug="kolko",
    tenants=("kolko.example",),
    calls=10_000,
    customers=500,
    desks={
        "101": "Ola, przyjęcia",
        "102": "Kuba, warsztat",
        "103": "Bartek, warsztat",
        "104": "Iga, sklep",
        "105": "Staszek, sklep internetowy",
        "106": "Hania, biuro",
    },
    lines=(
        Line("+48121005710", "Warsztat", Way.GROUP, ("101", "102", "103"), 55),
        Line("+48121005711", "Sklep", Way.QUEUE, ("104", "105"), 35),
        Line("+48121005712", "Rowery zastępcze", Way.FORWARD, ("106",), 10),
    ),
    mobile="+48600100206",
    area="12",
    abroad=(NETHERLANDS, GERMANY, ITALY, TAIWAN, CZECHIA),
    rhythm=Rhythm(
        opening=(*(range(9, 18),) * 5, range(9, 14), CLOSED),
        weekdays=(1.15, 1.0, 1.0, 1.0, 1.1, 0.6, 0.04),
        months=(0.3, 0.5, 1.2, 1.7, 1.8, 1.6, 1.3, 1.2, 1.1, 0.7, 0.4, 0.3),
    ),
)

FIRMS = (GARDENS, BICYCLES)


def contacts(firm: Firm, rng: Random) -> list[Contact]:
    """The people who know the firm's number, the most talkative first."""
    return [_contact(firm, rng) for _ in range(firm.customers)]


def stranger(firm: Firm, rng: Random) -> Contact:
    """Somebody who has never called before and will not again."""
    return Contact(_mobile(rng) if rng.random() < 0.7 else _landline(firm, rng))


def service(rng: Random) -> Contact:
    """A toll-free, shared-cost, premium or short number."""
    return Contact(rng.choice(SPECIAL))


def far_away(rng: Random) -> Contact:
    """A number in a country without a rate."""
    return Contact(_number(rng.choice(UNRATED), rng))


def _contact(firm: Firm, rng: Random) -> Contact:
    """Firms have landlines, people have mobiles; the phone book knows every other one."""
    roll, known = rng.random(), rng.random() < 0.5
    if roll < 0.06:
        return Contact(_number(rng.choice(firm.abroad), rng), _sign(rng) if known else "")
    if roll < 0.4:
        return Contact(_landline(firm, rng), _sign(rng) if known else "")
    return Contact(_mobile(rng), _person(rng) if known else "")


def _sign(rng: Random) -> str:
    return f"{rng.choice(TRADES)} {rng.choice(SIGNS)}"


def _person(rng: Random) -> str:
    return f"{rng.choice(FIRST_NAMES)} {rng.choice('BCDGKLMNPRSTWZ')}."


def _mobile(rng: Random) -> str:
    return _number(f"48{rng.choice(MOBILE)}xxxxxxx", rng)


def _landline(firm: Firm, rng: Random) -> str:
    area = firm.area if rng.random() < 0.6 else rng.choice(AREAS)
    return _number(f"48{area}xxxxxxx", rng)


def _number(pattern: str, rng: Random) -> str:
    """An E.164 number with digits for the x at the end; a subscriber's begins with 2 or more."""
    known = pattern.rstrip("x")
    size = 10 ** (len(pattern) - len(known) - 1)
    return f"+{known}{rng.randrange(2 * size, 10 * size)}"
