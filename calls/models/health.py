"""How each PBX is doing: what came when, what its configuration cannot tell, when it fell silent."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.keeping import Lasting
from calls.models.pbx import Pbx


class SourceState(models.Model):
    """What folding has counted of a PBX since the beginning; written under the PBX's lock.

    The counts are of events and never fall: a record that is tried again counts again as what became of it. A record
    that was understood counts as folded, whether its call is somebody's or not.
    """

    pbx = models.OneToOneField(Pbx, models.CASCADE, primary_key=True, related_name="state")
    folded = models.BigIntegerField(default=0)
    quarantined = models.BigIntegerField(default=0)
    expired = models.BigIntegerField(default=0)
    calls = models.BigIntegerField(default=0)
    # Receipts of the hours that are no longer kept one by one.
    forgotten_records = models.BigIntegerField(default=0)
    # Of rows alone: channel events tell of no call that would be complete.
    last_received_at = models.DateTimeField(null=True)
    last_ended_at = models.DateTimeField(null=True)

    keeping = Lasting("counts of a PBX's records; they say nothing of any call")

    def __str__(self) -> str:
        return f"{self.pbx} {self.last_received_at}"


class SourceHour(models.Model):
    """How many new records came from a PBX in an hour (its beginning, UTC), and how many that were there already.

    ``events``: how many of the new ones are channel events, and no rows of calls; ``calls``: how many calls were first
    stored by what came then.
    """

    pk = models.CompositePrimaryKey("pbx_id", "hour")
    pbx = models.ForeignKey(Pbx, models.CASCADE, db_constraint=False)
    hour = models.DateTimeField()
    records = models.IntegerField(default=0)
    repeated = models.IntegerField(default=0)
    events = models.IntegerField(default=0)
    calls = models.IntegerField(default=0)

    # Not ForDays: a counter must not fall, so hours become a sum in the moment in which they go.
    keeping = Lasting("counts of records; calls.ingest.source_counts sums them up after 90 days")

    class Meta:
        indexes = (models.Index(fields=["hour"], name="source_hour"),)

    def __str__(self) -> str:
        return f"{self.pbx_id} {self.hour:%Y-%m-%d %H}: {self.records}"


class Silence(models.Model):
    """A time in which a PBX sent nothing although it always does; told by mail once at its beginning and end."""

    pbx = models.ForeignKey(Pbx, models.CASCADE, related_name="silences", verbose_name=_("PBX"))
    # The last record before it, and the first one after it.
    since = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    expected = models.IntegerField()
    began_told_at = models.DateTimeField(null=True)
    end_told_at = models.DateTimeField(null=True)

    keeping = Lasting("when a PBX was silent; it names no caller")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["pbx"], condition=Q(ended_at__isnull=True), name="one_silence_at_a_time"
            ),
        )

    def __str__(self) -> str:
        return f"{self.pbx} {self.since:%Y-%m-%d %H:%M}"


class SourceFinding(models.Model):
    """Something that the configuration of a PBX keeps from us; ``code`` is one of calls.ingest.findings."""

    pbx = models.ForeignKey(Pbx, models.CASCADE, related_name="findings")
    code = models.CharField(max_length=40)
    # In so many records out of so many.
    count = models.IntegerField()
    out_of = models.IntegerField()
    since = models.DateTimeField()

    keeping = Lasting("what a PBX's configuration lacks, until it lacks it no more")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["pbx", "code"], name="finding_is_told_once"),
        )

    def __str__(self) -> str:
        return f"{self.pbx} {self.code}"
