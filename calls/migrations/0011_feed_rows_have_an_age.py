"""Rows that cannot be taken over wait in the feed: they are deleted once they are too old, so their age is kept."""

from django.db import migrations

STAMP = """
    CREATE OR REPLACE FUNCTION feed.stamp() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
    BEGIN
        IF octet_length(NEW::text) > 65536 THEN
            RAISE EXCEPTION 'no call record is longer than 64 kB';
        END IF;
        NEW.feed_role := current_user;
        NEW.feed_encoding := pg_client_encoding();
        {more}
        RETURN NEW;
    END
    $$;
"""
ADD = """
    ALTER TABLE feed.cdr ADD COLUMN feed_at timestamptz NOT NULL DEFAULT now();
    ALTER TABLE feed.cel ADD COLUMN feed_at timestamptz NOT NULL DEFAULT now();
"""
DROP = """
    ALTER TABLE feed.cdr DROP COLUMN feed_at;
    ALTER TABLE feed.cel DROP COLUMN feed_at;
"""


class Migration(migrations.Migration):
    dependencies = [("calls", "0010_file_digests")]

    operations = [
        migrations.RunSQL(
            ADD + STAMP.format(more="NEW.feed_at := now();"), STAMP.format(more="") + DROP
        ),
    ]
