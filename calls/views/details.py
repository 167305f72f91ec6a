from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from calls.ingest.folding import fold
from calls.ingest.records import SECOND, Leg, Step, moment
from calls.models import Call, Extension, MovedCall
from calls.models.call import from_public_id, public_id
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
        moved = MovedCall.objects.filter(
            account=self.account,
            started_at=key["started_at"],
            call_id=key["id"],
            new_account_id=self.account.pk,
        ).first()
        if moved is None or moved.new_started_at is None or moved.new_call_id is None:
            raise Http404
        new = public_id(moved.new_started_at, moved.new_call_id)
        return redirect(reverse("call-detail", args=[self.account.slug, new]))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        names = dict(Extension.objects.filter(account=self.account).values_list("number", "name"))
        return super().get_context_data(steps=steps_of(kwargs["call"]), names=names, **kwargs)


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
