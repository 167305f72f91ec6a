"""Numbers of which not all digits are told: masked for a role that need not know them, or erased for good.

Both end in an x for each digit that is not told, which calls.numbers reads as it reads any number.
"""

import re

from calls.numbers import HIDDEN_DIGIT, normalise

MASKED = 3
# What class and price hang on stays of an erased number, and no less than a million others are like it.
KEPT, ERASED = 5, 6
# Shorter ones are extensions and services, and nobody's in particular.
SUBSCRIBER = 7
HIDING = re.compile(f"\\+?[0-9]+{HIDDEN_DIGIT}+")


def masked(text: str) -> str:
    """A subscriber's number without its last three digits, `+48501234xxx`; extensions and services unchanged.

    A name that holds as many digits as a number is masked too.
    """
    digits = [place for place, char in enumerate(text) if char.isdigit()]
    if len(digits) < SUBSCRIBER or HIDING.fullmatch(text):
        return text
    end = digits[-MASKED]
    return text[:end] + re.sub("[0-9]", HIDDEN_DIGIT, text[end:])


def erased(text: str) -> str:
    """What stays of a canonical E.164 number that was erased: `+48501xxxxxx`. ValueError for any other text."""
    if not normalise(text).is_e164:
        raise ValueError("only numbers with their country can be erased")
    kept = 1 + min(KEPT, len(text) - 1 - ERASED)
    return text[:kept] + HIDDEN_DIGIT * (len(text) - kept)
