"""Reading the environment: a wrong value is an error with a sentence, never a silent default."""

import os
from collections.abc import Mapping


class WrongSetting(Exception):
    """An environment variable holds something it must not."""


def text(name: str, default: str = "", env: Mapping[str, str] | None = None) -> str:
    """The variable, or what the file named by NAME_FILE holds (secrets as files), or the default."""
    env = os.environ if env is None else env
    path = env.get(f"{name}_FILE")
    if path:
        with open(path) as file:
            return file.read().strip()
    return env.get(name, default).strip()


def flag(name: str, default: bool = False, env: Mapping[str, str] | None = None) -> bool:
    """True for 1/true/yes/on, False for 0/false/no/off; anything else is an error."""
    value = text(name, "", env).lower()
    if value in ("",):
        return default
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("0", "false", "no", "off"):
        return False
    raise WrongSetting(f"{name} is {value!r}. Allowed are 1 and 0 (or true and false).")


def number(name: str, default: int, env: Mapping[str, str] | None = None) -> int:
    """A whole number of zero or more."""
    value = text(name, "", env)
    if value == "":
        return default
    if not value.isdecimal():
        raise WrongSetting(f"{name} is {value!r}. Allowed is a whole number, such as {default}.")
    return int(value)


def choice(name: str, allowed: tuple[str, ...], default: str, env: Mapping[str, str] | None = None) -> str:
    """One of the allowed words."""
    value = text(name, default, env)
    if value not in allowed:
        raise WrongSetting(f"{name} is {value!r}. Allowed are: {', '.join(allowed)}.")
    return value
