CREATE TABLE users (
    id bigserial PRIMARY KEY,
    email text NOT NULL UNIQUE,
    name text NOT NULL,
    company text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE TABLE billing_invoices (
    id bigserial PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES users,
    amount_cents integer NOT NULL,
    currency text NOT NULL,
    card_last4 text NOT NULL,
    stripe_id text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE TABLE api_requests (
    id bigserial PRIMARY KEY,
    user_id bigint NOT NULL,
    ts timestamptz NOT NULL,
    model text NOT NULL,
    input_tokens integer NOT NULL,
    output_tokens integer NOT NULL,
    latency_ms integer NOT NULL,
    ip inet NOT NULL,
    user_agent text NOT NULL,
    country text NOT NULL,
    status integer NOT NULL
);
CREATE TABLE chat_messages (
    id bigserial PRIMARY KEY,
    user_id bigint NOT NULL,
    ts timestamptz NOT NULL,
    role text NOT NULL,
    content text NOT NULL
);
