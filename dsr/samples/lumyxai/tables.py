"""The tables of LumyxAI's own systems."""

from dsr.samples.tables import Table

NABZCLAN = (
    Table(
        "nabzclan",
        "members",
        {
            "id": "VARCHAR(40)",
            "username": "VARCHAR(200)",
            "email": "VARCHAR(200)",
            "is_vip": "BOOLEAN",
            "vip_until": "DATE",
            "avatar": "BLOB",
            "avatar_name": "TEXT",
            "avatar_type": "VARCHAR(100)",
            "refresh_token": "VARCHAR(80)",  # nosec B105: a type
            "linked_at": "DATETIME",
        },
        ("id",),
        "profile",
        ("email",),
    ),
)

APP = (
    Table(
        "app",
        "accounts",
        {
            "id": "VARCHAR(40)",
            "nabzclan_id": "VARCHAR(40)",
            "username": "VARCHAR(200)",
            "email": "VARCHAR(200)",
            "stripe_customer": "VARCHAR(40)",
            "credits": "DECIMAL(18,6)",
            "is_active": "BOOLEAN",
            "created_at": "DATETIME",
            "deleted_at": "DATETIME",
        },
        ("id",),
        "account",
        ("email",),
    ),
    Table(
        "app",
        "api_keys",
        {
            "id": "VARCHAR(40)",
            "account_id": "VARCHAR(40)",
            "label": "TEXT",
            "prefix": "VARCHAR(20)",
            "key_hash": "VARCHAR(64)",
            "created_at": "DATETIME",
            "last_used_at": "DATETIME",
        },
        ("id",),
        "api-keys",
        ("account_id",),
    ),
    Table(
        "app",
        "devices",
        {
            "account_id": "VARCHAR(40)",
            "position": "SMALLINT",
            "type": "VARCHAR(20)",
            "system": "VARCHAR(40)",
            "browser": "TEXT",
            "ip": "VARCHAR(45)",
            "place": "VARCHAR(80)",
            "last_seen_at": "DATETIME",
        },
        ("account_id", "position"),
        "devices",
    ),
    Table(
        "app",
        "credit_ledger",
        {
            "account_id": "VARCHAR(40)",
            "entry": "INTEGER",
            "change": "DECIMAL(18,6)",
            "reason": "TEXT",
            "on_day": "DATE",
            "at": "DATETIME",
        },
        ("account_id", "entry"),
        "credits",
    ),
    Table("app", "legacy_newsletter", {"id": "INTEGER", "email": "VARCHAR(200)", "signed_up_on": "DATE"}, ("id",)),
)

GATEWAY = (
    Table(
        "gateway",
        "request_log",
        {
            "id": "INTEGER",
            "account_id": "VARCHAR(40)",
            "key_id": "VARCHAR(40)",
            "model": "VARCHAR(40)",
            "input_tokens": "INTEGER",
            "output_tokens": "INTEGER",
            "cost": "DECIMAL(18,6)",
            "status": "SMALLINT",
            "ip": "VARCHAR(45)",
            "place": "VARCHAR(80)",
            "user_agent": "TEXT",
            "extra": "JSON",
            "at": "DATETIME",
        },
        ("id",),
        "requests",
        ("account_id",),
    ),
    # Content passes through and is not kept. The table is there so that its emptiness can be shown.
    Table(
        "gateway",
        "request_content",
        {"request_id": "INTEGER", "account_id": "VARCHAR(40)", "input": "TEXT", "output": "TEXT", "at": "DATETIME"},
        ("request_id",),
        "content",
        ("account_id",),
    ),
)
