"""What came in and could not be taken over."""

from django.views.generic import TemplateView

from accounts.access import OperatorMixin


class QuarantineView(OperatorMixin, TemplateView):
    """Records that were refused or belong to nobody."""

    section = "quarantine"
    template_name = "operator/quarantine.html"
