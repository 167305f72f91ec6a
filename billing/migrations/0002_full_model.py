import json
from decimal import Decimal

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import billing.models.pricelists
from billing.terms import Terms
from calls.partitions import CreatePartitionedModel

OF_THE_LEG = ["amount", "exact", "seconds", "billed_seconds", "answered_at", "free_by_rule"]


class PartitionedByAnswer(CreatePartitionedModel):
    partition_column = "answered_at"


class PartitionedByMonth(CreatePartitionedModel):
    partition_column = "month"


def keep_terms(apps, schema_editor):
    """What each charge was worked out from goes where equal terms are kept once."""
    seen = """
        SELECT DISTINCT explanation - %s::text[], explanation -> 'free_by_rule' = 'true'
        FROM billing_charge
    """
    move = """
        UPDATE billing_charge SET terms_id = %s
        WHERE explanation - %s::text[] = %s::jsonb AND (explanation -> 'free_by_rule' = 'true') = %s
    """
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(seen, [OF_THE_LEG])
        for factors, free in cursor.fetchall():
            plain = {"decimals": 4, "rounding": "ROUND_HALF_UP", **json.loads(factors)}
            terms = Terms.from_json({**plain, "free": "rule" if free else ""})
            apps.get_model("billing", "ChargeTerms").objects.update_or_create(
                id=terms.id, defaults={"factors": terms.to_json()}
            )
            cursor.execute(move, [terms.id, OF_THE_LEG, factors, free])


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("billing", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Bundle",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                (
                    "seconds",
                    models.PositiveIntegerField(
                        help_text="100 minutes are 6000.",
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="seconds a month",
                    ),
                ),
                (
                    "classes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("domestic", "domestic"),
                                ("mobile", "mobile"),
                                ("international", "international"),
                                ("special", "special"),
                                ("emergency", "emergency"),
                                ("internal", "internal numbers"),
                                ("unknown", "unknown"),
                            ],
                            max_length=15,
                        ),
                        blank=True,
                        default=list,
                        help_text="Codes, separated by commas, such as domestic,mobile.",
                        size=None,
                        verbose_name="directions",
                    ),
                ),
                (
                    "prefixes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            max_length=20,
                            validators=[
                                django.core.validators.RegexValidator(
                                    "^[1-9][0-9]*$", "Write digits only, without + or 00."
                                )
                            ],
                        ),
                        blank=True,
                        default=list,
                        help_text="With country code, digits only: 4822,49.",
                        size=None,
                        verbose_name="prefixes",
                    ),
                ),
                (
                    "position",
                    models.PositiveSmallIntegerField(
                        default=0,
                        help_text="Of two bundles for a number, the lower is used first.",
                        verbose_name="order",
                    ),
                ),
                (
                    "since",
                    models.DateField(
                        help_text="The first day of a month.", verbose_name="first month"
                    ),
                ),
                (
                    "until",
                    models.DateField(
                        blank=True,
                        help_text="The first day of a month.",
                        null=True,
                        verbose_name="not any more from",
                    ),
                ),
            ],
            options={
                "verbose_name": "bundle",
                "verbose_name_plural": "bundles",
            },
        ),
        PartitionedByMonth(
            name="BundleUse",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id",
                        "month",
                        "answered_at",
                        "charge_id",
                        "bundle_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("month", models.DateField()),
                ("answered_at", models.DateTimeField()),
                ("charge_id", models.BigIntegerField()),
                ("seconds", models.IntegerField()),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
                (
                    "bundle",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="billing.bundle",
                    ),
                ),
            ],
        ),
        PartitionedByAnswer(
            name="ChargeChange",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id",
                        "answered_at",
                        "charge_id",
                        "id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("answered_at", models.DateTimeField()),
                ("charge_id", models.BigIntegerField()),
                ("id", models.BigIntegerField()),
                ("changed_at", models.DateTimeField()),
                (
                    "cause",
                    models.CharField(
                        choices=[
                            ("rerating", "re-rated"),
                            ("record", "the call's records changed"),
                            ("bundle", "an earlier call of the month used the bundle"),
                        ],
                        max_length=10,
                    ),
                ),
                ("rerating_id", models.BigIntegerField(null=True)),
                ("old_amount", models.DecimalField(decimal_places=6, max_digits=14)),
                ("old_terms_id", models.BigIntegerField()),
                ("old_seconds", models.IntegerField()),
                ("old_bundle_seconds", models.IntegerField()),
                ("new_amount", models.DecimalField(decimal_places=6, max_digits=14, null=True)),
                ("new_terms_id", models.BigIntegerField(null=True)),
                ("new_seconds", models.IntegerField(null=True)),
                ("new_bundle_seconds", models.IntegerField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "verbose_name": "change of a charge",
                "verbose_name_plural": "changes of charges",
            },
        ),
        migrations.CreateModel(
            name="ChargeTerms",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("factors", models.JSONField()),
            ],
        ),
        migrations.CreateModel(
            name="Rerating",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("start", models.DateTimeField(verbose_name="calls from")),
                ("end", models.DateTimeField(verbose_name="calls until")),
                ("reason", models.CharField(max_length=200, verbose_name="reason")),
                ("requested_at", models.DateTimeField(verbose_name="requested")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("counting", "being counted"),
                            ("ready", "ready to start"),
                            ("running", "running"),
                            ("stopped", "stopped"),
                            ("done", "done"),
                        ],
                        default="counting",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("preview", models.JSONField(null=True)),
            ],
            options={
                "verbose_name": "re-rating",
                "verbose_name_plural": "re-ratings",
            },
        ),
        migrations.CreateModel(
            name="ReratingPart",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("finished", models.BooleanField(default=False)),
                ("by_month", models.BooleanField(default=False)),
                ("reached", models.DateTimeField(null=True)),
                ("reached_id", models.BigIntegerField(null=True)),
                ("charges", models.IntegerField(default=0)),
                ("calls", models.IntegerField(default=0)),
                ("unrated", models.IntegerField(default=0)),
                ("sums", models.JSONField(default=dict)),
            ],
        ),
        migrations.CreateModel(
            name="VatRate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "percent",
                    models.DecimalField(
                        decimal_places=2,
                        max_digits=5,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(100),
                        ],
                        verbose_name="VAT, %",
                    ),
                ),
                ("since", models.DateField(verbose_name="since")),
            ],
            options={
                "verbose_name": "VAT rate",
                "verbose_name_plural": "VAT rates",
            },
        ),
        migrations.RemoveConstraint(
            model_name="rate",
            name="rate_is_not_negative",
        ),
        migrations.AddField(
            model_name="charge",
            name="bundle_seconds",
            field=models.IntegerField(default=0),
        ),
        migrations.AddField(
            model_name="pricelist",
            name="day_from",
            field=models.TimeField(
                blank=True,
                help_text="Empty: this list knows no evening and weekend prices.",
                null=True,
                verbose_name="workday prices from",
            ),
        ),
        migrations.AddField(
            model_name="pricelist",
            name="day_to",
            field=models.TimeField(
                blank=True,
                help_text="Before and after: evening. Saturdays, Sundays and public holidays: weekend.",
                null=True,
                verbose_name="workday prices until",
            ),
        ),
        migrations.AddField(
            model_name="pricelist",
            name="revision",
            field=models.BigIntegerField(
                default=billing.models.pricelists.new_revision, editable=False
            ),
        ),
        migrations.AddField(
            model_name="rate",
            name="evening",
            field=models.DecimalField(
                blank=True,
                decimal_places=6,
                help_text="A minute or a call, as the price by day. Empty: as by day.",
                max_digits=12,
                null=True,
                validators=[django.core.validators.MinValueValidator(0)],
                verbose_name="price in the evening",
            ),
        ),
        migrations.AddField(
            model_name="rate",
            name="minimum",
            field=models.DecimalField(
                decimal_places=6,
                default=Decimal("0"),
                help_text="The least that an answered call costs, connection fee included.",
                max_digits=12,
                validators=[django.core.validators.MinValueValidator(0)],
                verbose_name="minimum charge",
            ),
        ),
        migrations.AddField(
            model_name="rate",
            name="per_call",
            field=models.DecimalField(
                blank=True,
                decimal_places=6,
                help_text="Instead of a price a minute, however long the call is.",
                max_digits=12,
                null=True,
                validators=[django.core.validators.MinValueValidator(0)],
                verbose_name="price a call",
            ),
        ),
        migrations.AddField(
            model_name="rate",
            name="treatment",
            field=models.CharField(
                choices=[("priced", "priced"), ("free", "free"), ("blocked", "blocked")],
                default="priced",
                help_text="Calls to a blocked destination are never priced: the operator is shown them.",
                max_length=10,
                verbose_name="treatment",
            ),
        ),
        migrations.AddField(
            model_name="rate",
            name="weekend",
            field=models.DecimalField(
                blank=True,
                decimal_places=6,
                help_text="Public holidays too. Empty: as by day.",
                max_digits=12,
                null=True,
                validators=[django.core.validators.MinValueValidator(0)],
                verbose_name="price at the weekend",
            ),
        ),
        migrations.AlterField(
            model_name="charge",
            name="account",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                to="accounts.account",
            ),
        ),
        migrations.AlterField(
            model_name="rate",
            name="per_minute",
            field=models.DecimalField(
                decimal_places=6,
                default=Decimal("0"),
                max_digits=12,
                validators=[django.core.validators.MinValueValidator(0)],
                verbose_name="price a minute",
            ),
        ),
        migrations.AddConstraint(
            model_name="pricelist",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("day_from__isnull", True), ("day_to__isnull", True)),
                    ("day_from__lt", models.F("day_to")),
                    _connector="OR",
                ),
                name="price_list_day_is_ordered",
            ),
        ),
        migrations.AddConstraint(
            model_name="rate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("connection_fee__gte", 0),
                    ("minimum__gte", 0),
                    ("per_minute__gte", 0),
                    models.Q(("per_call__isnull", True), ("per_call__gte", 0), _connector="OR"),
                    models.Q(("evening__isnull", True), ("evening__gte", 0), _connector="OR"),
                    models.Q(("weekend__isnull", True), ("weekend__gte", 0), _connector="OR"),
                ),
                name="rate_is_not_negative",
            ),
        ),
        migrations.AddConstraint(
            model_name="rate",
            constraint=models.CheckConstraint(
                condition=models.Q(("per_call__isnull", True), ("per_minute", 0), _connector="OR"),
                name="rate_is_by_minute_or_by_call",
                violation_error_message="A rate has a price a minute or a price a call, not both.",
            ),
        ),
        migrations.AddField(
            model_name="bundle",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="bundles",
                to="accounts.account",
                verbose_name="account",
            ),
        ),
        migrations.AddField(
            model_name="charge",
            name="terms",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                default=0,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="billing.chargeterms",
            ),
            preserve_default=False,
        ),
        migrations.RunPython(keep_terms),
        migrations.RemoveField(
            model_name="charge",
            name="explanation",
        ),
        migrations.AddField(
            model_name="rerating",
            name="account",
            field=models.ForeignKey(
                blank=True,
                help_text="Empty: all accounts.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="accounts.account",
                verbose_name="account",
            ),
        ),
        migrations.AddField(
            model_name="rerating",
            name="price_list",
            field=models.ForeignKey(
                blank=True,
                help_text="Only charges that this list made or would make. Empty: all.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="billing.pricelist",
                verbose_name="price list",
            ),
        ),
        migrations.AddField(
            model_name="rerating",
            name="requested_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="requested by",
            ),
        ),
        migrations.AddField(
            model_name="reratingpart",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.account"
            ),
        ),
        migrations.AddField(
            model_name="reratingpart",
            name="rerating",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="parts",
                to="billing.rerating",
            ),
        ),
        migrations.AddField(
            model_name="vatrate",
            name="account",
            field=models.ForeignKey(
                blank=True,
                help_text="Empty: all accounts that have none of their own.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="vat_rates",
                to="accounts.account",
                verbose_name="account",
            ),
        ),
        migrations.AddConstraint(
            model_name="bundle",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("until__isnull", True), ("until__gt", models.F("since")), _connector="OR"
                ),
                name="bundle_period_is_ordered",
            ),
        ),
        migrations.AddConstraint(
            model_name="bundle",
            constraint=models.CheckConstraint(
                condition=models.Q(("seconds__gte", 1)), name="bundle_is_not_empty"
            ),
        ),
        migrations.AddConstraint(
            model_name="rerating",
            constraint=models.CheckConstraint(
                condition=models.Q(("end__gt", models.F("start"))),
                name="rerating_period_is_ordered",
            ),
        ),
        migrations.AddConstraint(
            model_name="reratingpart",
            constraint=models.UniqueConstraint(
                fields=("rerating", "account"), name="one_part_of_a_rerating_per_account"
            ),
        ),
        migrations.AddConstraint(
            model_name="vatrate",
            constraint=models.UniqueConstraint(
                fields=("account", "since"), name="one_vat_from_a_day", nulls_distinct=False
            ),
        ),
    ]
