#!/usr/bin/env python3
"""Django's command line."""

import os
import sys

from django.core.management import execute_from_command_line

from dsr.environment import WrongSetting
from dsr.keys import KeysMissing

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dsr.settings")
    try:
        execute_from_command_line(sys.argv)
    except (WrongSetting, KeysMissing) as error:
        sys.exit(f"Error: {error}")
