"""Where a number leads that can become dear: a country, or a range of premium numbers. Pure."""

import re

from calls.numbers import Number, NumberKind

# Islands and territories that share +1 with the United States and Canada, and are dialled by fraudsters.
ISLANDS = re.compile(
    r"\+1(24[26]|26[48]|284|34[05]|441|473|649|658|664|67[01]|684|721|758|767|78[47]|8[024]9|86[89]|876|939)"
)
COUNTRY = re.compile(
    r"\+(?:1|7[67]?|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|[0-9]{3})"
)


def destination(number: Number) -> str | None:
    """``+371``, ``+1 809``, ``+48 703`` or ``118``; None for ordinary Polish numbers.

    That is all that is remembered of a number, so that nobody learns from it who was called.
    """
    if number.kind is NumberKind.PREMIUM_PL:
        return f"+48 {number.text[3:6]}"
    if number.kind is NumberKind.DIRECTORY_118:
        return number.text[:3]
    if number.kind is not NumberKind.INTERNATIONAL:
        return None
    if ISLANDS.match(number.text):
        return f"+1 {number.text[2:5]}"
    found = COUNTRY.match(number.text)
    return found[0] if found else number.text[:4]
