"""The figures of the README: `make bench`. Each beside its baseline, measured in the same run on the same machine.

Small figures are about a sample company on one machine's SQLite; large ones about bench.company, on PostgreSQL and
Redis. Everything runs on the loopback and in temporary folders, stops by itself and leaves nothing. Never part of a
test.
"""
