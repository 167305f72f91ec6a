from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.RemoveConstraint(
            model_name="account",
            name="account_keeps_calls_for_1_to_365_days",
        ),
        migrations.AddField(
            model_name="account",
            name="held_because",
            field=models.TextField(blank=True, editable=False),
        ),
        migrations.AddField(
            model_name="account",
            name="held_since",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="account",
            name="held_until",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="account",
            name="keeps_longer",
            field=models.BooleanField(
                default=False,
                help_text="Only with a reason that the law accepts: customers are promised 365 days.",
                verbose_name="may keep calls longer than 365 days",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("retention_days__gte", 1),
                    models.Q(("retention_days__lte", 365), ("keeps_longer", True), _connector="OR"),
                ),
                name="account_keeps_calls_for_1_to_365_days",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("held_since__isnull", True), ("held_until__isnull", True)),
                    ("held_until__gt", models.F("held_since")),
                    _connector="OR",
                ),
                name="account_hold_is_ordered",
            ),
        ),
    ]
