-- The shop of the README's example. Its people are invented.
CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT, name TEXT, password_hash TEXT, created_at TEXT);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER, item TEXT, cents INTEGER, ordered_at TEXT);
CREATE TABLE newsletter (email TEXT);
INSERT INTO customers VALUES (1, 'ada@example.com', 'Ada Marsh (sample)', 'x', '2024-03-01 09:00:00');
INSERT INTO customers VALUES (2, 'eve@example.com', 'Eve Stone (sample)', 'y', '2024-04-01 09:00:00');
INSERT INTO orders VALUES (10, 1, 'A kettle', 3900, '2025-01-10 10:00:00'), (11, 1, 'Tea', 750, '2025-02-11 11:00:00'), (12, 2, 'A lamp', 2500, '2025-02-12 12:00:00');
INSERT INTO newsletter VALUES ('ada@example.com');
