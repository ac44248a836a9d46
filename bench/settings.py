"""The product's settings, with one more page to measure the others against."""

from dsr.settings import *  # noqa: F403

ROOT_URLCONF = "bench.urls"
