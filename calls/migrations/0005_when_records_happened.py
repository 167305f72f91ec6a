from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("calls", "0004_receipts")]

    operations = [
        migrations.AddField(
            model_name="inboxrecord",
            name="happened_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
