"""Reading the environment: a wrong value is an error with a sentence, never a silent default."""

import os
from collections.abc import Mapping
from pathlib import Path


class WrongSetting(Exception):
    """An environment variable holds something it must not. The sentence never repeats a secret."""


def secret(name: str, default: str = "", env: Mapping[str, str] | None = None) -> str:
    """The variable as it stands, or what the file named by NAME_FILE holds (secrets as files), or the default.

    The file comes first; the line break at its end is not part of the secret. Raises WrongSetting when the file cannot
    be read or holds nothing: a secret that is lost on the way must not pass for one that was never given.
    """
    env = os.environ if env is None else env
    path = env.get(f"{name}_FILE", "")
    if not path:
        return env.get(name, default)
    try:
        held = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "It is not text"
        raise WrongSetting(
            f"{name}_FILE names {path!r}, which cannot be read: {why}. "
            f"Put the secret there, readable by this process, or unset {name}_FILE."
        ) from None
    if not held.strip():
        raise WrongSetting(f"{name}_FILE names {path!r}, which is empty. Put the secret there, or unset {name}_FILE.")
    return held


def text(name: str, default: str = "", env: Mapping[str, str] | None = None) -> str:
    """The variable or its file, without blanks around it, or the default."""
    return secret(name, default, env).strip()


def path(name: str, default: str = "", env: Mapping[str, str] | None = None) -> str:
    """The path that the variable holds, or the default. A path is no secret: NAME_FILE is a mistake, and said to be."""
    env = os.environ if env is None else env
    if env.get(f"{name}_FILE"):
        raise WrongSetting(f"{name}_FILE is set, but {name} is a path already. Set {name} to where the file is.")
    return text(name, default, env)


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
