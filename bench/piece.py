"""`python -m bench.piece NAME`: one module of the bench, in the environment that bench.stage made for it."""

import importlib
import sys

import django

if __name__ == "__main__":
    django.setup()
    importlib.import_module(f"bench.{sys.argv[1]}").main()
