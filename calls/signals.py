"""How calls tells billing, which lies above it, what happened."""

from django.dispatch import Signal

# After the commit that stored calls with something to pay for. Losing it costs seconds: a sweep finds them too.
unpriced_calls_stored = Signal()

# Delete what belongs to calls of ``account`` that began before ``cutoff``.
purging = Signal()

# Make the partitions of ``months`` in tables that are partitioned like the calls, or drop those before ``drop_before``.
partitions_due = Signal()
