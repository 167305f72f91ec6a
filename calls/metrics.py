"""What Prometheus may ask: all of it out of the database, so that any process can answer for all of them.

Nothing here counts the inbox as a whole: waiting and refused records have partial indexes, the others were counted as
they came (calls.ingest.source_counts).
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from django.db.models import Count, Sum
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from calls.health import sources
from calls.inbox_querysets import SET_ASIDE
from calls.models import InboxRecord, Pbx, SourceHour, SourceState, UnpricedCall

Sample = tuple[list[str], float]


def exposition(now: datetime) -> bytes:
    """All metrics in Prometheus's text format."""
    registry = CollectorRegistry()
    registry.register(Sources(now))
    return generate_latest(registry)


class Sources(Collector):
    """Each scrape asks anew, with the same few queries however many PBXes there are."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.known = sources(Pbx.objects.all())
        self.names = {source.pbx.pk: source.pbx.name for source in self.known}

    def collect(self) -> Iterable[Metric]:
        yield from self._counted()
        yield from self._waiting()
        yield from self._lateness()
        yield self._unpriced()

    def _counted(self) -> Iterator[Metric]:
        states = {state.pbx_id: state for state in SourceState.objects.all()}
        hours = SourceHour.objects.order_by().values_list("pbx_id").annotate(sum=Sum("records"))
        received = dict(hours)
        for pk, state in states.items():
            received[pk] = received.get(pk, 0) + state.forgotten_records
        yield _counter(
            "callpanel_records_received",
            "New records that came in, counted once a minute.",
            self._by_pbx(received),
        )
        events = {
            "folded": "Records that were understood.",
            "quarantined": "Records that were not understood.",
            "expired": "Records older than anybody keeps calls.",
        }
        for column, text in events.items():
            values = {pk: getattr(state, column) for pk, state in states.items()}
            yield _counter(f"callpanel_records_{column}", text, self._by_pbx(values))
        calls = {pk: state.calls for pk, state in states.items()}
        yield _counter("callpanel_calls_stored", "Calls stored.", self._by_pbx(calls))

    def _waiting(self) -> Iterator[Metric]:
        pending = InboxRecord.objects.filter(state=InboxRecord.State.PENDING).order_by()
        counts = dict(pending.values_list("pbx_id").annotate(count=Count("pk")))
        yield _gauge(
            "callpanel_inbox_pending", "Records that wait to be folded.", self._by_pbx(counts)
        )
        aside = InboxRecord.objects.set_aside().order_by().values_list("pbx_id", "state")
        found = {(pk, state): count for pk, state, count in aside.annotate(count=Count("pk"))}
        yield _gauge(
            "callpanel_records_set_aside",
            "Records in the quarantine.",
            (
                ([name, state], found.get((pk, state), 0))
                for pk, name in self.names.items()
                for state in SET_ASIDE
            ),
            labels=("pbx", "state"),
        )

    def _lateness(self) -> Iterator[Metric]:
        ages = {
            each.pbx.pk: (self.now - each.oldest_waiting).total_seconds()
            for each in self.known
            if each.oldest_waiting
        }
        yield _gauge(
            "callpanel_inbox_oldest_pending_seconds",
            "Age of the oldest record that waits; 0 if none does.",
            self._by_pbx(ages),
        )
        latest = [(each.pbx.name, each.last_received) for each in self.known]
        yield _gauge(
            "callpanel_last_record_timestamp_seconds",
            "When the latest record came that was folded.",
            (([name], moment.timestamp()) for name, moment in latest if moment),
        )
        silent = {each.pbx.pk: int(each.silent_since is not None) for each in self.known}
        yield _gauge(
            "callpanel_source_silent",
            "1 while the PBX sends nothing although it usually does.",
            self._by_pbx(silent),
        )

    def _unpriced(self) -> Metric:
        counts = UnpricedCall.objects.order_by().values_list("no_rate")
        found = dict(counts.annotate(count=Count("pk")))
        reasons = {"waiting": False, "no_rate": True}
        return _gauge(
            "callpanel_calls_unpriced",
            "Calls with something to pay for and no price yet.",
            (([name], found.get(no_rate, 0)) for name, no_rate in reasons.items()),
            labels=("reason",),
        )

    def _by_pbx(self, values: Mapping[int, float]) -> list[Sample]:
        return [([name], values.get(pk, 0)) for pk, name in self.names.items()]


def _counter(name: str, text: str, samples: Iterable[Sample]) -> Metric:
    family = CounterMetricFamily(name, text, labels=("pbx",))
    for labels, value in samples:
        family.add_metric(labels, value)
    return family


def _gauge(
    name: str, text: str, samples: Iterable[Sample], labels: tuple[str, ...] = ("pbx",)
) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family
