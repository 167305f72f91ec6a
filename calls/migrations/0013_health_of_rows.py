from typing import Any

from django.db import migrations, models


def tell_files_of_events(apps: Any, schema_editor: Any) -> None:
    """By their header line; one without a header is told by the next lines that are read."""
    files = apps.get_model("calls", "FollowedFile").objects
    files.filter(layout__contains="eventtype").update(holds_rows=False)


class Migration(migrations.Migration):
    dependencies = [
        ("calls", "0012_needless_indexes"),
    ]

    operations = [
        migrations.AddField(
            model_name="followedfile",
            name="holds_rows",
            field=models.BooleanField(default=True),
        ),
        migrations.RunPython(tell_files_of_events, migrations.RunPython.noop, elidable=True),
        migrations.AddField(
            model_name="sourcehour",
            name="events",
            field=models.IntegerField(default=0),
        ),
        migrations.AddField(
            model_name="sourcehour",
            name="calls",
            field=models.IntegerField(default=0),
        ),
    ]
