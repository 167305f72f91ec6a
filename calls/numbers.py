"""What a PBX writes as a number, read as a Pole would: one canonical text and one class.

Pure functions over an own table of two to four digits: a general library takes 25 µs a number,
too slow for a batch, and does not know short numbers, extensions or the old trunk 0.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

MAX_TEXT = 64
# Stands for a digit that is not told: of a masked number, or of one that was erased.
HIDDEN_DIGIT = "x"


class NumberKind(StrEnum):
    """The fine class of a number; a number has exactly one."""

    INTERNAL = "internal"
    FEATURE_CODE = "feature_code"
    EMERGENCY = "emergency"
    LANDLINE_PL = "landline_pl"
    VOIP_PL = "voip_pl"
    MOBILE_PL = "mobile_pl"
    INTERNATIONAL = "international"
    PREMIUM_PL = "premium_pl"
    SHARED_COST_PL = "shared_cost_pl"
    TOLL_FREE_PL = "toll_free_pl"
    UNIVERSAL_PL = "universal_pl"
    HARMONISED_116 = "harmonised_116"
    DIRECTORY_118 = "directory_118"
    AUS_19 = "aus_19"
    SHORT_OTHER = "short_other"
    OTHER_PL = "other_pl"
    UNKNOWN = "unknown"


class Direction(StrEnum):
    """The coarse class that people filter by; the seven together are all numbers."""

    DOMESTIC = "domestic"
    MOBILE = "mobile"
    INTERNATIONAL = "international"
    SPECIAL = "special"
    EMERGENCY = "emergency"
    INTERNAL = "internal"
    UNKNOWN = "unknown"


# Every kind not named here is one of the special services.
_DIRECTIONS = {
    NumberKind.INTERNAL: Direction.INTERNAL,
    NumberKind.FEATURE_CODE: Direction.INTERNAL,
    NumberKind.EMERGENCY: Direction.EMERGENCY,
    NumberKind.LANDLINE_PL: Direction.DOMESTIC,
    NumberKind.VOIP_PL: Direction.DOMESTIC,
    NumberKind.MOBILE_PL: Direction.MOBILE,
    NumberKind.INTERNATIONAL: Direction.INTERNATIONAL,
    NumberKind.UNKNOWN: Direction.UNKNOWN,
}

_SHORT_KINDS = frozenset(
    {
        NumberKind.EMERGENCY,
        NumberKind.HARMONISED_116,
        NumberKind.DIRECTORY_118,
        NumberKind.AUS_19,
        NumberKind.SHORT_OTHER,
    }
)

# The first digits of a Polish national number; the longer prefix wins. All of 70x is premium,
# also what is not in use yet: taking 702 for a cheap number would be the dear mistake.
_RANGES = {
    prefix: kind
    for kind, prefixes in {
        NumberKind.LANDLINE_PL: (
            "12 13 14 15 16 17 18 22 23 24 25 26 29 32 33 34 41 42 43 44 46 47 48 52 54 55 56 58 59"
            " 61 62 63 65 67 68 71 74 75 76 77 81 82 83 84 85 86 87 89 91 94 95"
        ),
        NumberKind.MOBILE_PL: "45 50 51 53 57 60 66 69 72 73 78 79 88",
        NumberKind.VOIP_PL: "39",
        NumberKind.PREMIUM_PL: "70",
        NumberKind.TOLL_FREE_PL: "800",
        NumberKind.SHARED_COST_PL: "801 804",
        NumberKind.UNIVERSAL_PL: "806 808",
        NumberKind.OTHER_PL: "20 21 30 64 80",
    }.items()
    for prefix in prefixes.split()
}

# UKE's list of emergency routing (NKA).
_EMERGENCY = re.compile(r"112|98[4-79]|99[1-9]")
_SIX_DIGITS = {"116": NumberKind.HARMONISED_116, "118": NumberKind.DIRECTORY_118}

_ANONYMOUS = re.compile(
    r"<?(anonymous|anonim|private|restricted|unavailable|unknown|withheld)>?", re.IGNORECASE
)
_E164 = re.compile(r"\+(?:48(?:[1-9][0-9]{8}|800[0-9]{7})|(?!48)[1-9][0-9]{6,14})")
_DIALLABLE = re.compile(r"\+?[0-9]+|[0-9*#]+")
_URI = re.compile(r"(?:sips?|tel):([^@;?:>]*)", re.IGNORECASE)
_OFFICE_EXTENSION = re.compile(r"(?<=[0-9 ).])(?:wew|ext).*", re.IGNORECASE)
_SEPARATORS = str.maketrans("", "", " -‐‑‒–()./")
# *31 and #31# tell the exchange to show or hide the caller; the number follows.
_CALLER_ID_CODE = re.compile(r"^[*#]31#?(?=\+?[0-9]{9,}$)")
# A number whose last digits are not told.
_HIDING = re.compile(r"(\+?[0-9]+)(x+)")
# Country codes after ITU-T E.164: zones 1 and 7, these of two digits, and all others three.
_COUNTRY = re.compile(r"\+(?:[17]|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|[0-9]{3})")


@dataclass(frozen=True, slots=True)
class Number:
    """A number in canonical form: `text` is E.164 (`+48501234567`), or the digits as dialled
    (`112`, `101`, `*43`), or '' when there is none, or what was read (at most 64 characters)."""

    text: str
    kind: NumberKind

    @property
    def direction(self) -> Direction:
        return _DIRECTIONS.get(self.kind, Direction.SPECIAL)

    @property
    def is_e164(self) -> bool:
        return _E164.fullmatch(_as_whole(self.text)) is not None

    @property
    def space(self) -> str:
        """'e164', 'short', or '' for what no price list knows; prefixes never cross spaces."""
        if self.kind in _SHORT_KINDS:
            return "short"
        return "e164" if self.is_e164 else ""

    @property
    def digits(self) -> str:
        """What a price list's prefixes are compared with, '' without a space.

        A 19xxx number costs the same with and without its area code, so the code is left out.
        """
        if self.kind is NumberKind.AUS_19:
            return self.text[-5:]
        return self.text.removeprefix("+") if self.space else ""


@lru_cache(maxsize=50_000)
def normalise(raw: str) -> Number:
    """Read what a PBX or a person wrote; never raises.

    `normalise(number.text)` gives the same number again. A Polish number of nine digits becomes
    E.164 even in a range that nobody holds; its kind is then unknown.
    """
    text = _tidy(raw)
    if hiding := _HIDING.fullmatch(text):
        return _normalise_hiding(text, hidden=len(hiding[2]))
    dialled = _dialled(text)
    if not dialled:
        return Number(text, NumberKind.UNKNOWN)
    if "*" in dialled or "#" in dialled:
        return Number(dialled, NumberKind.FEATURE_CODE)
    # An operator may send a short number as +48112; no subscriber's number looks like that.
    local = dialled[3:] if dialled.startswith("+48") else dialled.removeprefix("0048")
    if short := _short_kind(local):
        return Number(local, short)
    if e164 := _e164(dialled):
        return Number(e164, _e164_kind(e164))
    if 3 <= len(dialled) <= 5 and dialled[0] != "+":
        return Number(dialled, NumberKind.INTERNAL)
    return Number(text, NumberKind.UNKNOWN)


def search_key(typed: str) -> str:
    """What to look for inside canonical texts (a substring) when a person types `typed`.

    A whole number, in whatever notation, gives its canonical text: `501 234 567`, `0501234567`
    and `0048501234567` give `+48501234567`. The beginning of an international one keeps its plus
    (`+48 50` and `0048 50` give `+4850`), and any other piece gives its bare digits, *, #
    (`234-567` gives `234567`). Nine digits that begin with 48 stay a piece, for they may be the
    beginning of +48…, and 00 means + only before four or more digits, for a number may end in 00.
    Anything else (a SIP name) comes back trimmed, and '' means that nothing was typed.
    """
    text = _printable(typed)
    dialled = _dialled(text)
    if not dialled:
        return text
    number = normalise(dialled)
    if number.space and not (len(dialled) == 9 and dialled.startswith("48")):
        return number.text
    return re.sub(r"^00(?=[1-9][0-9]{3})", "+", dialled)


def pretty(text: str) -> str:
    """Canonical `text` as a Pole writes it: `501 234 567`, `22 123 45 67`, `+49 3023125500`.

    Short numbers, extensions and names come back unchanged.
    """
    if not _E164.fullmatch(_as_whole(text)):
        return text
    if not text.startswith("+48"):
        return _COUNTRY.sub(r"\g<0> ", text, count=1)
    national = text[3:]
    if _range_kind(national) in (NumberKind.LANDLINE_PL, NumberKind.VOIP_PL):
        return f"{national[:2]} {national[2:5]} {national[5:7]} {national[7:]}"
    return f"{national[:3]} {national[3:6]} {national[6:]}"


def _as_whole(text: str) -> str:
    return text.replace(HIDDEN_DIGIT, "0")


def _normalise_hiding(text: str, *, hidden: int) -> Number:
    """A number whose last ``hidden`` digits are not told has the class that the first ones tell."""
    number = normalise(_as_whole(text))
    return Number(number.text[:-hidden] + HIDDEN_DIGIT * hidden, number.kind)


def _tidy(raw: str) -> str:
    """Printable, trimmed, bounded; the user part of a URI; '' for a caller without a number."""
    if raw.isdigit() and len(raw) <= MAX_TEXT:
        return raw
    text = _printable(raw)
    if uri := _URI.match(text):
        text = uri[1].strip()
    return "" if _ANONYMOUS.fullmatch(text) else text


def _printable(raw: str) -> str:
    # A NUL or a lone surrogate could not be stored, and pasted numbers carry invisible marks.
    text = raw if raw.isprintable() else "".join(filter(str.isprintable, raw))
    return text.strip()[:MAX_TEXT].rstrip()


def _dialled(text: str) -> str:
    """The digits in `text`, perhaps with a leading +, or a feature code; '' if it is a name."""
    if text.isascii() and text.removeprefix("+").isdigit():
        return text
    compact = _OFFICE_EXTENSION.sub("", text).replace("(0)", "").translate(_SEPARATORS)
    compact = _CALLER_ID_CODE.sub("", compact)
    return compact if _DIALLABLE.fullmatch(compact) else ""


def _short_kind(digits: str) -> NumberKind | None:
    """The class of a short number; `digits` may also carry a 19xxx number's area code."""
    if _EMERGENCY.fullmatch(digits):
        return NumberKind.EMERGENCY
    if len(digits) == 6 and digits.startswith("11"):
        return _SIX_DIGITS.get(digits[:3], NumberKind.SHORT_OTHER)
    with_area = len(digits) == 7 and _RANGES.get(digits[:2]) is NumberKind.LANDLINE_PL
    if (len(digits) == 5 or with_area) and digits[-5:-3] == "19":
        return NumberKind.AUS_19
    return None


def _e164(dialled: str) -> str:
    """Digits (perhaps with a leading +) as E.164, or '' if they make no such number."""
    if dialled[0] == "+":
        digits = dialled[1:]
    elif dialled.startswith("00"):
        digits = dialled[2:]
    elif len(dialled) == 11 and dialled.startswith("48"):
        digits = dialled
    else:
        digits = "48" + dialled
    if digits.startswith("480"):
        digits = "48" + digits[3:]
    candidate = "+" + digits
    return candidate if _E164.fullmatch(candidate) else ""


def _e164_kind(e164: str) -> NumberKind:
    return _range_kind(e164[3:]) if e164.startswith("+48") else NumberKind.INTERNATIONAL


def _range_kind(national: str) -> NumberKind:
    return _RANGES.get(national[:3]) or _RANGES.get(national[:2]) or NumberKind.UNKNOWN
