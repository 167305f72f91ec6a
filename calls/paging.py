"""Keyset paging: a page is found by the call at its edge, so it is as quick deep as shallow and never shifts."""

from collections.abc import Sequence
from dataclasses import dataclass

from calls.models import Call
from calls.models.call import from_public_id
from calls.querysets import CallQuerySet

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Page:
    """Calls, newest first, and the cursors of the pages beside them ('' where there is none)."""

    calls: Sequence[Call]
    newer: str
    older: str


def page_of(calls: CallQuerySet, account_id: int, *, older: str = "", newer: str = "") -> Page:
    """The page after the call ``older``, before the call ``newer``, or the first one. Bad cursors give the first."""
    if newer and (edge := from_public_id(newer)):
        return _newer_page(calls.newer_than(account_id, (edge["started_at"], edge["id"])))
    bounded, is_first = calls, True
    if older and (edge := from_public_id(older)):
        bounded, is_first = calls.older_than(account_id, (edge["started_at"], edge["id"])), False
    found = list(bounded.for_list()[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    return Page(
        shown,
        newer="" if is_first or not shown else shown[0].public_id,
        older=shown[-1].public_id if len(found) > PAGE_SIZE else "",
    )


def _newer_page(calls: CallQuerySet) -> Page:
    found = list(calls.for_list().reverse()[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE][::-1]
    return Page(
        shown,
        newer=shown[0].public_id if len(found) > PAGE_SIZE else "",
        older=shown[-1].public_id if shown else "",
    )
