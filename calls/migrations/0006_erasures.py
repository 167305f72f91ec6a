from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("calls", "0005_when_records_happened")]

    operations = []
