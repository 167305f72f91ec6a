"""The rows of a CSV or XLSX file with their line numbers, before anybody asks what they mean. Pure."""

import csv
import io
import zipfile
from collections.abc import Iterator

from python_calamine import CalamineError, CalamineWorkbook

from billing.pricefiles.cells import Cell

Rows = list[tuple[int, list[Cell]]]
DELIMITERS = ";\t,|"
# What a file of a few MB may unfold to.
LARGEST_WORKBOOK = 400_000_000
ZIP = b"PK\x03\x04"


class UnreadableError(Exception):
    """This is neither a CSV file nor a workbook."""


def tables(content: bytes) -> Iterator[Rows]:
    """Each way to read the file as a table: the sheets of a workbook, or a CSV file by each of the delimiters.

    Raises UnreadableError.
    """
    if content.startswith(ZIP):
        yield from _sheets(content)
        return
    text = _decoded(content)
    for delimiter in DELIMITERS:
        yield _lines(text, delimiter)


def _sheets(content: bytes) -> Iterator[Rows]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(each.file_size for each in archive.infolist())
        if size > LARGEST_WORKBOOK:
            raise UnreadableError
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        for name in book.sheet_names:
            rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
            yield list(enumerate(rows, start=1))
    except (CalamineError, zipfile.BadZipFile, OSError, ValueError) as error:
        raise UnreadableError from error


def _decoded(content: bytes) -> str:
    """UTF-8, UTF-16 with its mark, or what old Polish spreadsheets write."""
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    for each in (encoding, "cp1250"):
        try:
            text = content.decode(each)
        except UnicodeError:
            continue
        if "\0" not in text:
            return text
    raise UnreadableError


def _lines(text: str, delimiter: str) -> Rows:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: Rows = []
    try:
        line = 1
        for row in reader:
            rows.append((line, list(row)))
            line = reader.line_num + 1
    except csv.Error as error:
        raise UnreadableError from error
    return rows
