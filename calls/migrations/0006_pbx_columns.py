from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("calls", "0005_source_health"),
    ]

    operations = [
        migrations.AddField(
            model_name="pbx",
            name="columns",
            field=models.JSONField(
                blank=True,
                default=dict,
                help_text="Only for another PBX's CSV: by our name the header of its column. docs/other-pbx.md lists the names.",
                verbose_name="columns",
            ),
        ),
        migrations.AlterField(
            model_name="pbx",
            name="source",
            field=models.CharField(
                choices=[
                    ("freeswitch-json", "FreeSWITCH mod_json_cdr"),
                    ("asterisk-csv", "Asterisk CSV"),
                    ("csv", "another PBX's CSV"),
                ],
                max_length=30,
                verbose_name="source",
            ),
        ),
    ]
