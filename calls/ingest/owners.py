"""Whose a call is: the account that the PBX names, else the one that held the called number at that time."""

from collections.abc import Iterable, Sequence

from accounts.models import Account
from calls.ingest.records import CdrError, FoldedCall, moment
from calls.models import Number, Pbx, TenantCode


class Owners:
    """The owners of a batch of calls, read with two queries."""

    def __init__(self, pbx: Pbx, calls: Sequence[FoldedCall]) -> None:
        self.only = pbx.account
        codes = TenantCode.objects.filter(pbx=pbx).select_related("account")
        self.by_code: dict[str, Account] = {code.code: code.account for code in codes}
        self.numbers = _numbers(call.own_number for call in calls)

    def account_of(self, call: FoldedCall) -> Account:
        """Raises CdrError ``unassigned`` for a call that belongs to nobody."""
        if self.only is not None:
            return self.only
        named = (self.by_code[tenant] for tenant in call.tenants if tenant in self.by_code)
        account = next(named, None) or self._holder(call)
        if account is None:
            raise CdrError(
                "unassigned",
                f"The number {call.own_number or '(none)'} and the tenant codes {', '.join(call.tenants) or '(none)'}"
                " belong to no account. Add the number or the code: the call then comes in by itself.",
                called=call.own_number,
                tenants=call.tenants,
            )
        return account

    def _holder(self, call: FoldedCall) -> Account | None:
        started = moment(call.started)
        for number in self.numbers.get(call.own_number, ()):
            if number.since <= started and (number.until is None or started < number.until):
                return number.account
        return None


def _numbers(texts: Iterable[str]) -> dict[str, list[Number]]:
    found: dict[str, list[Number]] = {}
    wanted = {text for text in texts if text}
    for number in Number.objects.filter(number__in=wanted).select_related("account"):
        found.setdefault(number.number, []).append(number)
    return found
