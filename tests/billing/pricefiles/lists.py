"""Stored rates and rows of files to compare, in one line each; and random price lists."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from billing.pricefiles.content import Content, FileRow, Version
from billing.pricefiles.reading import FileContent

YEAR = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TOMORROW = datetime(2026, 11, 23, 23, tzinfo=UTC)
LATER = datetime(2026, 12, 31, 23, tzinfo=UTC)


def stored(
    prefix: str = "48",
    price: str = "0.12",
    *,
    since: datetime = YEAR,
    until: datetime | None = None,
    pk: int = 1,
    **content: Any,
) -> Version:
    values = {"name": "Polska", "per_minute": Decimal(price), **content}
    return Version(pk, "e164", prefix, since, until, Content(**values))


def row(prefix: str = "48", price: str = "0.12", line: int = 2, **fields: Any) -> FileRow:
    given = {"per_minute": Decimal(price), "per_call": None, **fields.pop("given", {})}
    return FileRow(line, "e164", prefix, given, **fields)


def file_of(*rows: FileRow) -> FileContent:
    return FileContent(rows=list(rows), named={each.key for each in rows})


prices = st.decimals(min_value=0, max_value=999_999, places=6)
# Signs that mean something to a CSV file, to a spreadsheet, to XML, and some that do not.
names = st.text(st.sampled_from("aZłÓ€😀 =+-@'\";,&<_x0041_"), min_size=1, max_size=12).map(
    lambda text: " ".join(text.split()) or "x"
)
prefixes = st.sampled_from(["", "1", "48", "4822", "49", "118"]) | st.integers(1, 10**20 - 1).map(
    str
)


@st.composite
def contents(draw: st.DrawFn) -> Content:
    by_call = draw(st.booleans())
    return Content(
        name=draw(names),
        treatment=draw(st.sampled_from(["priced", "free", "blocked"])),
        per_minute=Decimal(0) if by_call else draw(prices),
        per_call=draw(prices) if by_call else None,
        evening=draw(st.none() | prices),
        weekend=draw(st.none() | prices),
        connection_fee=draw(prices),
        minimum=draw(prices),
        first_increment=draw(st.integers(1, 3600)),
        next_increment=draw(st.integers(1, 3600)),
    )


moments = st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))
days = st.integers(0, 1400).map(lambda n: datetime(2024, 1, 1, 23, tzinfo=UTC) + timedelta(days=n))


@st.composite
def versions(draw: st.DrawFn) -> Version:
    since = draw(moments | days)
    until = draw(st.none() | st.timedeltas(timedelta(seconds=1), timedelta(days=500)) | days)
    end = since + until if isinstance(until, timedelta) else until
    return Version(
        1,
        draw(st.sampled_from(["e164", "short"])),
        draw(prefixes),
        since,
        end if end is None or end > since else None,
        draw(contents()),
    )


price_lists = st.lists(
    versions(), max_size=8, unique_by=lambda version: (version.key, version.valid_from)
).map(lambda found: sorted(found, key=lambda each: (*each.key, each.valid_from)))
