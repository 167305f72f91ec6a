import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_longer_retention_and_holds")]

    operations = [
        migrations.AddField(
            model_name="account",
            name="masked_roles",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("owner", "owner"),
                        ("manager", "manager"),
                        ("accountant", "accountant"),
                        ("agent", "agent"),
                    ],
                    max_length=20,
                ),
                blank=True,
                default=list,
                size=None,
                verbose_name="roles that see no last digits",
            ),
        ),
        migrations.AlterField(
            model_name="membership",
            name="role",
            field=models.CharField(
                choices=[
                    ("owner", "owner"),
                    ("manager", "manager"),
                    ("accountant", "accountant"),
                    ("agent", "agent"),
                ],
                max_length=20,
                verbose_name="role",
            ),
        ),
    ]
