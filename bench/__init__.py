"""The figures of the README: `make bench`. Each beside its baseline, measured in the same run on the same machine.

Everything runs on the loopback and in a temporary folder, stops by itself and leaves nothing. Never part of a test.
"""
