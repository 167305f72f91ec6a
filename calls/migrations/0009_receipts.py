import datetime

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_audit_entry"), ("calls", "0008_unpriced_reason")]

    operations = [
        migrations.AlterModelOptions(
            name="callgroup",
            options={"verbose_name_plural": "groups of legs"},
        ),
        migrations.AlterModelOptions(
            name="leglink",
            options={"verbose_name_plural": "names of legs"},
        ),
        migrations.AlterModelOptions(
            name="legrecord",
            options={"verbose_name_plural": "legs"},
        ),
        migrations.AlterModelOptions(
            name="movedcall",
            options={"verbose_name_plural": "addresses of moved calls"},
        ),
        migrations.AlterModelOptions(
            name="unpricedcall",
            options={"verbose_name_plural": "calls to be priced"},
        ),
        migrations.CreateModel(
            name="PurgeAlarm",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("differ", "The purge does not run: two clocks disagree"),
                            ("ahead", "The purge does not run: the clock has leapt ahead"),
                            ("behind", "The purge does not run: the clock went back"),
                            ("left", "Something too old is still there"),
                            ("rule", "A table does not say how long it is kept"),
                        ],
                        max_length=10,
                    ),
                ),
                ("details", models.JSONField()),
                ("since", models.DateTimeField()),
                ("mailed_at", models.DateTimeField(null=True)),
                ("settled_at", models.DateTimeField(null=True)),
                ("settled_by", models.EmailField(blank=True, max_length=254)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("settled_at__isnull", True)),
                        fields=("kind",),
                        name="one_alarm_of_a_kind",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Erasure",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(blank=True, max_length=64)),
                ("digest", models.CharField(max_length=64)),
                ("requested_at", models.DateTimeField()),
                ("requested_by", models.EmailField(max_length=254)),
                ("done_at", models.DateTimeField(null=True)),
                ("counts", models.JSONField(default=dict)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "verbose_name": "erasure of a number",
                "verbose_name_plural": "erasures of numbers",
                "indexes": [
                    models.Index(
                        condition=models.Q(("done_at__isnull", True)),
                        fields=["requested_at"],
                        name="erasure_waiting",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("done_at__isnull", True), ("number", ""), _connector="OR"
                        ),
                        name="erased_number_is_forgotten",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Receipt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("night", models.DateField(null=True)),
                ("cutoff", models.DateTimeField(null=True)),
                ("begun_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("took", models.DurationField(default=datetime.timedelta)),
                ("counts", models.JSONField(default=dict)),
                ("deleted", models.BigIntegerField(default=0)),
                ("oldest", models.DateTimeField(null=True)),
                ("newest", models.DateTimeField(null=True)),
                ("late", models.BigIntegerField(default=0)),
                ("held", models.BooleanField(default=False)),
                ("left", models.JSONField(default=dict)),
                ("next_calls", models.BigIntegerField(default=0)),
                (
                    "account",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="receipts",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "verbose_name": "receipt of a purge",
                "verbose_name_plural": "receipts of purges",
                "indexes": [
                    models.Index(
                        models.OrderBy(models.F("night"), descending=True), name="receipt_night"
                    ),
                    models.Index(fields=["finished_at"], name="receipt_finished"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("finished_at__isnull", True)),
                        fields=("account",),
                        name="one_open_receipt",
                        nulls_distinct=False,
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("night__isnull", False)),
                        fields=("account", "night"),
                        name="one_receipt_a_night",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("finished_at__isnull", True),
                            models.Q(("begun_at__isnull", False), ("night__isnull", False)),
                            _connector="OR",
                        ),
                        name="finished_receipt_has_its_night",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Suppression",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("digest", models.CharField(max_length=64)),
                ("until", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "digest"), name="number_is_erased_once"
                    )
                ],
            },
        ),
    ]
