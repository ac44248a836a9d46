"""`python -m bench.piece NAME`: one module of the bench, in the environment that bench.stage made for it."""

import importlib
import signal
import sys

import django

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    django.setup()
    importlib.import_module(f"bench.{sys.argv[1]}").main()
