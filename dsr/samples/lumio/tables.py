"""The tables of Lumio's own systems."""

from dsr.samples.tables import Table

APP = (
    Table(
        "app",
        "users",
        {
            "id": "VARCHAR(40)",
            "email": "VARCHAR(200)",
            "name": "VARCHAR(200)",
            "password_hash": "VARCHAR(200)",  # nosec B105: a type
            "stripe_customer": "VARCHAR(40)",
            "plan": "VARCHAR(20)",
            "is_active": "BOOLEAN",
            "fraud_score": "REAL",
            "created_at": "DATETIME",
            "last_seen_at": "DATETIME",
            "deleted_at": "DATETIME",
        },
        ("id",),
        "account",
        ("email",),
    ),
    Table(
        "app",
        "profiles",
        {
            "user_id": "VARCHAR(40)",
            "bio": "TEXT",
            "company": "TEXT",
            "website": "TEXT",
            "born_on": "DATE",
            "settings": "JSON",
            "avatar": "BLOB",
            "avatar_type": "VARCHAR(100)",
        },
        ("user_id",),
        "profile",
    ),
    Table(
        "app",
        "devices",
        {
            "id": "VARCHAR(40)",
            "user_id": "VARCHAR(40)",
            "visitor_id": "VARCHAR(40)",
            "type": "VARCHAR(20)",
            "system": "VARCHAR(40)",
            "browser": "VARCHAR(40)",
            "first_seen_at": "DATETIME",
        },
        ("id",),
        "devices",
        ("user_id",),
    ),
    Table(
        "app",
        "cookie_choices",
        {"user_id": "VARCHAR(40)", "category": "VARCHAR(20)", "allowed": "BOOLEAN", "changed_at": "DATETIME"},
        ("user_id", "category"),
        "cookie-choices",
    ),
    Table(
        "app",
        "mail_choices",
        {"user_id": "VARCHAR(40)", "topic": "VARCHAR(40)", "opted_in": "BOOLEAN", "changed_at": "DATETIME"},
        ("user_id", "topic"),
        "mail-choices",
    ),
    Table(
        "app",
        "feature_events",
        {
            "id": "INTEGER",
            "user_id": "VARCHAR(40)",
            "feature": "VARCHAR(40)",
            "seconds": "REAL",
            "details": "JSON",
            "at": "DATETIME",
        },
        ("id",),
        "usage",
        ("user_id",),
    ),
    Table(
        "app",
        "products",
        {
            "id": "VARCHAR(40)",
            "owner_id": "VARCHAR(40)",
            "title": "TEXT",
            "session_days": "SMALLINT",
            "is_live": "BOOLEAN",
            "created_at": "DATETIME",
        },
        ("id",),
        "products",
        ("owner_id",),
    ),
    Table(
        "app",
        "product_sessions",
        {
            "id": "VARCHAR(40)",
            "product_id": "VARCHAR(40)",
            "end_user": "VARCHAR(200)",
            "model": "VARCHAR(40)",
            "cost": "DECIMAL(12,6)",
            "started_at": "DATETIME",
        },
        ("id",),
        "product-sessions",
        ("product_id",),
    ),
    Table(
        "app",
        "session_messages",
        {
            "session_id": "VARCHAR(40)",
            "position": "SMALLINT",
            "role": "VARCHAR(20)",
            "content": "TEXT",
            "at": "DATETIME",
        },
        ("session_id", "position"),
        "session-messages",
    ),
    Table("app", "legacy_newsletter", {"id": "INTEGER", "email": "VARCHAR(200)", "signed_up_on": "DATE"}, ("id",)),
    Table("app", "schema_migrations", {"version": "VARCHAR(20)"}, ("version",)),
)

MAIL = (
    Table(
        "mail",
        "mails",
        {
            "message_id": "VARCHAR(100)",
            "recipient": "VARCHAR(200)",
            "subject": "TEXT",
            "stream": "VARCHAR(20)",
            "status": "VARCHAR(20)",
            "reset_token": "VARCHAR(80)",  # nosec B105: a type
            "sent_at": "DATETIME",
        },
        ("message_id",),
        "mails",
        ("recipient",),
    ),
)

LOGS = (
    Table(
        "logs",
        "page_views",
        {
            "id": "INTEGER",
            "visitor_id": "VARCHAR(40)",
            "ip": "VARCHAR(45)",
            "browser": "TEXT",
            "path": "TEXT",
            "seconds": "INTEGER",
            "referrer": "TEXT",
            "at": "DATETIME",
        },
        ("id",),
        "pages",
        ("visitor_id",),
    ),
)
