"""The tables of Lunos' own systems."""

from dsr.samples.tables import Table

APP = (
    Table(
        "app",
        "accounts",
        {
            "id": "VARCHAR(40)",
            "email": "VARCHAR(200)",
            "name": "VARCHAR(200)",
            "company_id": "VARCHAR(40)",
            "stripe_customer": "VARCHAR(40)",
            "password_hash": "VARCHAR(200)",  # nosec B105: a type
            "recovery_codes": "JSON",
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
        "companies",
        {
            "id": "VARCHAR(40)",
            "name": "TEXT",
            "tax_number": "VARCHAR(40)",
            "address": "JSON",
            "seats": "SMALLINT",
            "founded_on": "DATE",
        },
        ("id",),
        "company",
    ),
    Table(
        "app",
        "communication_preferences",
        {"account_id": "VARCHAR(40)", "topic": "VARCHAR(40)", "wanted": "BOOLEAN", "changed_at": "DATETIME"},
        ("account_id", "topic"),
        "preferences",
    ),
    Table(
        "app",
        "devices",
        {
            "id": "VARCHAR(40)",
            "account_id": "VARCHAR(40)",
            "ip": "VARCHAR(45)",
            "system": "VARCHAR(40)",
            "browser": "TEXT",
            "last_seen_at": "DATETIME",
        },
        ("id",),
        "devices",
        ("account_id",),
    ),
    Table("app", "legacy_newsletter", {"id": "INTEGER", "email": "VARCHAR(200)", "signed_up_on": "DATE"}, ("id",)),
)

GATEWAY = (
    Table(
        "gateway",
        "usage_logs",
        {
            "id": "INTEGER",
            "account_id": "VARCHAR(40)",
            "provider": "VARCHAR(40)",
            "model": "VARCHAR(40)",
            "input_tokens": "INTEGER",
            "output_tokens": "INTEGER",
            "cost": "DECIMAL(18,6)",
            "latency_ms": "REAL",
            "cached": "BOOLEAN",
            "ip": "VARCHAR(45)",
            "at": "DATETIME",
        },
        ("id",),
        "usage",
        ("account_id",),
    ),
    Table(
        "gateway",
        "token_consumption",
        {
            "account_id": "VARCHAR(40)",
            "day": "DATE",
            "model": "VARCHAR(40)",
            "tokens": "BIGINT",
            "cost": "DECIMAL(18,6)",
        },
        ("account_id", "day", "model"),
        "tokens",
    ),
    Table(
        "gateway",
        "error_logs",
        {
            "id": "INTEGER",
            "account_id": "VARCHAR(40)",
            "code": "VARCHAR(40)",
            "message": "TEXT",
            "details": "JSON",
            "at": "DATETIME",
        },
        ("id",),
        "errors",
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
