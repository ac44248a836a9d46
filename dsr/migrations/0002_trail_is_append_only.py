"""The database refuses to change or remove entries of the trail, whoever asks through it."""

from django.db import migrations

SQLITE = """
CREATE TRIGGER trail_no_update BEFORE UPDATE ON dsr_auditentry
BEGIN SELECT RAISE(ABORT, 'entries of the trail are never changed'); END;
CREATE TRIGGER trail_no_delete BEFORE DELETE ON dsr_auditentry
BEGIN SELECT RAISE(ABORT, 'entries of the trail are never removed'); END;
"""
POSTGRESQL = """
CREATE FUNCTION trail_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'entries of the trail are never changed or removed'; END $$;
CREATE TRIGGER trail_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON dsr_auditentry
FOR EACH STATEMENT EXECUTE FUNCTION trail_refuse();
"""


def guard(apps, schema_editor):
    """Install the triggers of this database."""
    connection = schema_editor.connection
    if connection.vendor == "sqlite":
        for statement in SQLITE.strip().split("END;\n"):
            schema_editor.execute(statement.removesuffix("END;") + "END;")
    elif connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL)
    else:
        raise NotImplementedError(f"The portal runs on SQLite and PostgreSQL, not on {connection.vendor}.")


def unguard(apps, schema_editor):
    """Take the triggers away again."""
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TRIGGER trail_no_update")
        schema_editor.execute("DROP TRIGGER trail_no_delete")
    else:
        schema_editor.execute("DROP FUNCTION trail_refuse CASCADE")


class Migration(migrations.Migration):
    dependencies = [("dsr", "0001_cases")]
    operations = [migrations.RunPython(guard, unguard)]
