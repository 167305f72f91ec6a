"""How calls tells billing, which lies above it, what happened."""

from django.dispatch import Signal

# After the commit that stored calls with something to pay for. Losing it costs seconds: a sweep finds them too.
unpriced_calls_stored = Signal()
