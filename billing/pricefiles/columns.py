"""Which column of a file is which, by its header in Polish or English. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from billing.pricefiles.cells import Cell, plain, text

ALIASES = {
    "prefix": (
        "prefix,prefixes,prefiks,prefiksy,code,codes,dial code,dial codes,dialcode,country code,area code,"
        "destination code,kod,kody,kod kraju,kod kierunkowy,kierunkowy,numer kierunkowy,prefix kod"
    ),
    "space": "space,numbers,number space,numeracja,numery,rodzaj numerow,rodzaj numeru",
    "name": "name,destination,destination name,description,country,zone,nazwa,nazwa kierunku,kierunek,opis,kraj,strefa",
    "treatment": "treatment,sposob,traktowanie,rozliczanie",
    "per_minute": (
        "price a minute,price per minute,price minute,per minute,price,price min,rate,rate min,rate per minute,"
        "cena,cena za minute,cena minuty,cena min,stawka,stawka za minute,stawka min,za minute,oplata za minute,"
        "koszt minuty,cena minuty polaczenia,cena za min"
    ),
    "per_call": (
        "price a call,price per call,per call,rate per call,cena za polaczenie,cena polaczenia,"
        "stawka za polaczenie,za polaczenie"
    ),
    "evening": "price in the evening,evening,evening price,wieczor,wieczorem,cena wieczorem,stawka wieczorna",
    "weekend": (
        "price at the weekend,weekend,weekend price,cena w weekend,weekendy,weekend i swieta,stawka weekendowa"
    ),
    "connection_fee": (
        "connection fee,connect fee,setup fee,connection charge,oplata inicjalna,oplata poczatkowa,oplata startowa,"
        "oplata za zestawienie,oplata za rozpoczecie,oplata za inicjacje,inicjacja"
    ),
    "minimum": "minimum,minimum charge,min charge,oplata minimalna,minimalna oplata,najnizsza oplata",
    "first_increment": (
        "first increment,first increment s,initial increment,interval 1,pierwszy okres,pierwszy okres s,"
        "pierwszy takt,pierwszy impuls,pierwszy okres naliczania"
    ),
    "next_increment": (
        "next increments,next increment,next increments s,subsequent increment,interval n,interval 2,kolejne okresy,"
        "kolejne okresy s,nastepny okres,nastepne okresy,nastepne okresy s,"
        "nastepne takty,nastepny takt,kolejne takty,kolejne impulsy,kolejny impuls"
    ),
    "increments": "increments,increment,billing increment,billing,naliczanie,taktowanie,sposob naliczania,interwal",
    "valid_from": (
        "valid from,effective date,effective from,effective,start date,from,od,od dnia,wazna od,wazny od,wazne od,"
        "obowiazuje od,data wejscia,data obowiazywania"
    ),
    "valid_to": (
        "valid to,valid until,effective to,end date,until,to,do,do dnia,wazna do,wazny do,wazne do,obowiazuje do"
    ),
}
FIELDS = {alias: field for field, aliases in ALIASES.items() for alias in aliases.split(",")}
BASES = {"net": "net", "netto": "net", "gross": "gross", "brutto": "gross"}
UNITS = {"zl": "PLN", "pln": "PLN", "eur": "EUR", "euro": "EUR", "usd": "USD", "gbp": "GBP"}
PRICES = {"per_minute", "per_call"}


@dataclass(frozen=True, slots=True)
class Columns:
    """Place in the row → field. ``unused``: headers that mean nothing here; ``twice``: fields that two columns claim.

    ``wrong_basis``: its prices are gross where the list is net, or the other way round.
    """

    fields: Mapping[int, str]
    unused: tuple[str, ...]
    twice: tuple[str, ...]
    wrong_basis: bool

    @property
    def is_header(self) -> bool:
        fields = set(self.fields.values())
        return "prefix" in fields and bool(
            PRICES & fields or "treatment" in fields or self.wrong_basis
        )


def recognise(row: Sequence[Cell], basis: str, currency: str) -> Columns:
    """``basis`` and ``currency`` are those of the price list; a column that names others is left out."""
    fields: dict[int, str] = {}
    unused: list[str] = []
    twice: list[str] = []
    other_basis = False
    for place, header in enumerate(row):
        field, said = _field(text(header), currency)
        if field in PRICES and said not in ("", basis):
            other_basis = True
            unused.append(text(header))
        elif field is None or (field == "name" and field in fields.values()):
            unused += [text(header)] if text(header) else []
        elif field in fields.values():
            twice.append(text(header))
        else:
            fields[place] = field
    wrong = other_basis and not PRICES & set(fields.values())
    return Columns(fields, tuple(unused), tuple(twice), wrong)


def _field(header: str, currency: str) -> tuple[str | None, str]:
    """The field, and the basis that the header names, ''."""
    words = plain(header).split()
    basis = next((BASES[word] for word in words if word in BASES), "")
    said = [word for word in words if word not in BASES and UNITS.get(word) != currency]
    return FIELDS.get(" ".join(said)), basis
