"""The tables of Lumees' own systems."""

from dsr.samples.tables import Table

ACCOUNT = (
    Table(
        "account",
        "users",
        {
            "id": "INTEGER",
            "email": "VARCHAR(200)",
            "name": "VARCHAR(200)",
            "password_hash": "VARCHAR(200)",  # nosec B105: a type
            "payment_customer": "VARCHAR(40)",
            "is_active": "BOOLEAN",
            "joined_on": "DATE",
            "created_at": "DATETIME",
            "deleted_at": "DATETIME",
        },
        ("id",),
        "account",
        ("email",),
    ),
    Table(
        "account",
        "api_keys",
        {
            "id": "VARCHAR(40)",
            "user_id": "INTEGER",
            "label": "TEXT",
            "prefix": "VARCHAR(20)",
            "key_hash": "VARCHAR(64)",
            "created_at": "DATETIME",
            "last_used_at": "DATETIME",
        },
        ("id",),
        "api-keys",
        ("user_id",),
    ),
    Table(
        "account",
        "consents",
        {
            "user_id": "INTEGER",
            "purpose": "VARCHAR(40)",
            "granted": "BOOLEAN",
            "wording": "VARCHAR(20)",
            "granted_at": "DATETIME",
            "withdrawn_at": "DATETIME",
        },
        ("user_id", "purpose"),
        "consents",
    ),
    Table("account", "legacy_newsletter", {"email": "VARCHAR(200)", "signed_up_on": "DATE"}, ("email",)),
)

GATEWAY = (
    Table(
        "gateway",
        "api_requests",
        {
            "id": "INTEGER",
            "key_id": "VARCHAR(40)",
            "model": "VARCHAR(40)",
            "input_size": "INTEGER",
            "output_size": "INTEGER",
            "latency_ms": "REAL",
            "status": "SMALLINT",
            "at": "DATETIME",
        },
        ("id",),
        "requests",
        ("key_id",),
    ),
    Table(
        "gateway",
        "error_logs",
        {
            "id": "INTEGER",
            "key_id": "VARCHAR(40)",
            "level": "VARCHAR(20)",
            "message": "TEXT",
            "details": "JSON",
            "at": "DATETIME",
        },
        ("id",),
        "errors",
        ("key_id",),
    ),
    Table(
        "gateway",
        "prompts",
        {
            "id": "INTEGER",
            "user_id": "INTEGER",
            "model": "VARCHAR(40)",
            "input": "TEXT",
            "output": "TEXT",
            "at": "DATETIME",
        },
        ("id",),
        "prompts",
        ("user_id",),
    ),
    Table(
        "gateway",
        "prompt_files",
        {
            "prompt_id": "INTEGER",
            "position": "SMALLINT",
            "file_name": "TEXT",
            "media_type": "VARCHAR(100)",
            "content": "BLOB",
        },
        ("prompt_id", "position"),
        "prompt-files",
    ),
)

CHAT = (
    Table(
        "chat",
        "conversations",
        {
            "id": "VARCHAR(40)",
            "user_id": "INTEGER",
            "title": "TEXT",
            "model": "VARCHAR(40)",
            "started_at": "DATETIME",
        },
        ("id",),
        "conversations",
        ("user_id",),
    ),
    Table(
        "chat",
        "messages",
        {
            "conversation_id": "VARCHAR(40)",
            "position": "SMALLINT",
            "role": "VARCHAR(20)",
            "content": "TEXT",
            "rating": "SMALLINT",
            "at": "DATETIME",
        },
        ("conversation_id", "position"),
        "messages",
    ),
)

WEB = (
    Table(
        "web",
        "access_log",
        {
            "id": "INTEGER",
            "user_id": "INTEGER",
            "ip": "VARCHAR(45)",
            "browser": "TEXT",
            "path": "TEXT",
            "status": "SMALLINT",
            "at": "DATETIME",
        },
        ("id",),
        "visits",
        ("user_id",),
    ),
)
