import hashlib

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def keep_digests(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Of the bytes before a place in a file only a digest is kept; see calls.ingest.following."""
    for file in apps.get_model("calls", "FollowedFile").objects.exclude(before=b""):
        file.before = hashlib.sha256(bytes(file.before)).digest()
        file.save(update_fields=["before"])


class Migration(migrations.Migration):
    dependencies = [("calls", "0009_receipts")]

    operations = [
        migrations.RunPython(keep_digests, migrations.RunPython.noop),
    ]
