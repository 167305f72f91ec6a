from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from calls.ingest.folding import fold
from calls.ingest.records import SECOND, Leg, Step, moment
from calls.masking import masked
from calls.models import Call, Extension, MovedCall
from calls.models.call import from_public_id
from calls.retention.cutoffs import gone_on
from calls.views.account import AccountMixin


class CallDetailView(AccountMixin):
    """One call: what happened, leg by leg."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        key = from_public_id(self.kwargs["public_id"])
        if key is None:
            raise Http404
        call = Call.objects.visible_to(self.membership).filter(**key).select_related("pbx").first()
        if call is None:
            return self.follow(key)
        return render(request, "calls/call_detail.html", self.get_context_data(call=call))

    def follow(self, key: dict[str, Any]) -> HttpResponse:
        """To where the call went, if its beginning changed since the address was given out."""
        new = MovedCall.new_public_id(self.account, key["started_at"], key["id"])
        if new is None:
            raise Http404
        return redirect("call-detail", self.account.slug, new)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            steps=[self.as_seen(step) for step in steps_of(kwargs["call"])],
            names=Extension.names_in(self.account),
            gone_on=gone_on(self.account, kwargs["call"].started_at),
            held=self.account.is_held(self.now),
            **kwargs,
        )

    def as_seen(self, step: "ShownStep") -> "ShownStep":
        full = self.membership.sees_full_numbers
        return step if full else replace(step, who=masked(step.who))


@dataclass(frozen=True, slots=True)
class ShownStep:
    """A step in seconds: ``rang`` until it was answered or given up, ``talked`` None if it was not answered."""

    who: str
    began: datetime
    outcome: str
    rang: int
    talked: int | None


def steps_of(call: Call) -> list[ShownStep]:
    """The call's story, out of the legs that it keeps."""
    legs = [Leg.from_json(data) for data in call.legs]
    return [_shown(step) for step in fold(legs, call.pbx.switch).steps] if legs else []


def _shown(step: Step) -> ShownStep:
    return ShownStep(
        who=step.who,
        began=moment(step.began),
        outcome=step.outcome,
        rang=((step.answered or step.ended) - step.began) // SECOND,
        talked=(step.ended - step.answered) // SECOND if step.answered else None,
    )
