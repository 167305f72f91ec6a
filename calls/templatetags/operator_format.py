"""How the operator's pages name things."""

from django import template

from calls.refusals import Text, reason_of

register = template.Library()


@register.filter
def reason_title(code: str) -> Text:
    """``bad_date`` → «unbelievable date»."""
    return reason_of(code).title
