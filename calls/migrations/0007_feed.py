"""The tables that Asterisk's database drivers write into; calls/ingest/feed.py empties them.

Everything is text but the seconds, so that no driver's way of writing a value can make the database refuse a record. An
eventtime that is a float makes cel_pgsql write the epoch, with its microseconds and without the doubts of a time zone.

The roles that may insert are made by the command feed_role, not here: whoever migrates may not be allowed to.
"""

from django.db import migrations, models

CREATE = """
    CREATE SCHEMA feed;
    REVOKE ALL ON SCHEMA feed FROM PUBLIC;

    CREATE TABLE feed.cdr (
        feed_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        feed_role text,
        feed_encoding text,
        calldate text,
        start text,
        answer text,
        "end" text,
        clid text,
        src text,
        dst text,
        dcontext text,
        channel text,
        dstchannel text,
        lastapp text,
        lastdata text,
        duration integer,
        billsec integer,
        disposition text,
        amaflags text,
        accountcode text,
        uniqueid text,
        userfield text,
        peeraccount text,
        linkedid text,
        sequence text,
        tenantid text,
        peertenantid text,
        did text,
        tenant text
    );

    CREATE TABLE feed.cel (
        feed_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        feed_role text,
        feed_encoding text,
        eventtype text,
        eventtime double precision,
        userdeftype text,
        cid_name text,
        cid_num text,
        cid_ani text,
        cid_rdnis text,
        cid_dnid text,
        exten text,
        context text,
        channame text,
        appname text,
        appdata text,
        amaflags text,
        accountcode text,
        peeraccount text,
        uniqueid text,
        linkedid text,
        userfield text,
        peer text,
        extra text,
        tenantid text
    );

    -- cel_pgsql names every column it finds, so the role needs to be allowed all of them: whose a row is, is set here.
    CREATE INDEX cdr_of_role ON feed.cdr (feed_role, feed_id);
    CREATE INDEX cel_of_role ON feed.cel (feed_role, feed_id);

    CREATE FUNCTION feed.stamp() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
    BEGIN
        IF octet_length(NEW::text) > 65536 THEN
            RAISE EXCEPTION 'no call record is longer than 64 kB';
        END IF;
        NEW.feed_role := current_user;
        NEW.feed_encoding := pg_client_encoding();
        RETURN NEW;
    END
    $$;
    REVOKE ALL ON FUNCTION feed.stamp() FROM PUBLIC;
    CREATE TRIGGER stamp BEFORE INSERT ON feed.cdr FOR EACH ROW EXECUTE FUNCTION feed.stamp();
    CREATE TRIGGER stamp BEFORE INSERT ON feed.cel FOR EACH ROW EXECUTE FUNCTION feed.stamp();
"""
DROP = "DROP SCHEMA feed CASCADE"


class Migration(migrations.Migration):
    dependencies = [
        ("calls", "0006_pbx_columns"),
    ]

    operations = [
        migrations.RunSQL(CREATE, DROP),
        migrations.AddField(
            model_name="pbx",
            name="feed_role",
            field=models.CharField(blank=True, editable=False, max_length=63),
        ),
    ]
