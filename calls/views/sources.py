"""The operator's view of the PBXes."""

from typing import Any

from django.views.generic import TemplateView

from accounts.access import OperatorMixin
from calls.models import Pbx


class SourceListView(OperatorMixin, TemplateView):
    """All PBXes."""

    section = "sources"
    template_name = "operator/sources.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(pbxes=Pbx.objects.order_by("name"), **kwargs)
