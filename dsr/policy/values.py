"""The kinds of value that stand in a policy or systems file, each with what is allowed in words."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints
from pydantic_core import PydanticCustomError

from dsr.policy import colour
from dsr.policy.countries import COUNTRIES, OFTEN_MEANT
from dsr.policy.problem import did_you_mean
from dsr.policy.text import LANGUAGE, Text

EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63}")
WEB = re.compile(r"https://[^\s<>\"'\\]+")


class Table(BaseModel):
    """A table of the file: unknown keys are refused, types are taken as written, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def wrong(message: str, allowed: str, hint: str = "") -> PydanticCustomError:
    """The error for a value that is not allowed, with what is."""
    return PydanticCustomError("policy", "{message}", {"message": message, "allowed": allowed, "hint": hint})


def _line(found: str) -> str:
    if not found.strip():
        raise wrong("", "a text in quotes that is not empty")
    return _no_controls(found)


def _no_controls(found: str) -> str:
    if any(ord(character) < 32 or ord(character) == 127 for character in found):
        raise wrong("a line break or control character", "one line of text")
    return found


def _country(found: str) -> str:
    if found and found not in COUNTRIES:
        meant = OFTEN_MEANT.get(found.upper()) or (found.upper() if found.upper() in COUNTRIES else "")
        hint = f"did you mean {meant!r}?" if meant else ""
        raise wrong("not a country code", 'an ISO 3166 code of two capitals such as "DE", or "" for none', hint)
    return found


def _timezone(found: str) -> str:
    known = available_timezones()
    if found not in known:
        spelled = {name.lower(): name for name in known}
        hint = did_you_mean(found, list(spelled))
        meant = spelled.get(hint.removeprefix("did you mean '").removesuffix("'?"))
        raise wrong(
            "not a time zone",
            'a name of the IANA time zone database such as "Europe/Istanbul"',
            f"did you mean {meant!r}?" if meant else "",
        )
    return found


def _email(found: str) -> str:
    if found and not EMAIL.fullmatch(found):
        hint = "write it in plain ASCII letters" if not found.isascii() else ""
        raise wrong("not an e-mail address", 'an address such as "privacy@company.example"', hint)
    return found


def _web(found: str) -> str:
    if found and not WEB.fullmatch(found):
        raise wrong("not a web address", 'an address that begins with "https://"')
    return found


def _language(found: str) -> str:
    if not LANGUAGE.fullmatch(found):
        raise wrong("not a language", 'a language code such as "en", "tr" or "pt-br"')
    return found


def _said(found: Text) -> Text:
    if not found:
        raise wrong("", "words that are not empty")
    return found


def _light_accent(found: str) -> str:
    return _accent(found, {"the light page": colour.LIGHT_GROUND, "white writing": colour.WHITE}, "darker")


def _dark_accent(found: str) -> str:
    return _accent(found, {"the dark page": colour.DARK_GROUND}, "lighter") if found else found


def _accent(found: str, grounds: dict[str, str], advice: str) -> str:
    if not colour.HEX.fullmatch(found):
        raise wrong("not a colour", 'a colour such as "#0b5f58"')
    bad = colour.unreadable(found, grounds)
    if bad:
        # Cut, not rounded: 4.497 must not be refused as 4.50.
        message = f"a contrast of {math.floor(bad[1] * 100) / 100:.2f} against {bad[0]}"
        raise wrong(message, f"a contrast of at least {colour.READABLE}", f"take a {advice} colour")
    return found.lower()


def _wording(found: Any) -> str:
    if isinstance(found, bool) or (not isinstance(found, str | int) and not hasattr(found, "isoformat")):
        raise wrong("not a version", 'a number, a date or a text such as "2"')
    return str(found)


Line = Annotated[str, AfterValidator(_line)]
OptionalLine = Annotated[str, AfterValidator(_no_controls)]
Country = Annotated[str, AfterValidator(_country)]
TimeZone = Annotated[str, AfterValidator(_timezone)]
Email = Annotated[str, AfterValidator(_line), AfterValidator(_email)]
OptionalEmail = Annotated[str, AfterValidator(_email)]
Web = Annotated[str, AfterValidator(_line), AfterValidator(_web)]
OptionalWeb = Annotated[str, AfterValidator(_web)]
Language = Annotated[str, AfterValidator(_language)]
Words = Annotated[Text, AfterValidator(_said)]
LightAccent = Annotated[str, AfterValidator(_light_accent)]
DarkAccent = Annotated[str, AfterValidator(_dark_accent)]
Wording = Annotated[str, BeforeValidator(_wording)]

ID = r"^[a-z][a-z0-9]*([-_][a-z0-9]+)*$"
PROMISE_ID = r"^[a-z][a-z0-9-]*\.[a-z0-9][a-z0-9-]*$"
SYSTEM_NAME = r"^[a-z][a-z0-9-]{0,39}$"
COLLECTION_NAME = r"^[a-z][a-z0-9_-]{0,59}$"
ENV_NAME = r"^[A-Z][A-Z0-9_]*$"
OPTIONAL_ENV_NAME = r"^([A-Z][A-Z0-9_]*)?$"
JSON_PATH = r"^(\$(\[\*\]|\.[A-Za-z_][A-Za-z0-9_-]*)+)?$"
STEP = re.compile(r"\[\*\]|\.[A-Za-z_][A-Za-z0-9_-]*")
PATTERNS = {
    JSON_PATH: 'the way into an array or JSON: "$[*]", "$[*].user_id" or "$.author.id"',
    ID: 'small letters, digits and hyphens, such as "usage-logs"',
    PROMISE_ID: 'the company and a name, such as "lumio.respond-30"',
    SYSTEM_NAME: 'small letters, digits and hyphens, such as "billing"',
    COLLECTION_NAME: 'small letters, digits, hyphens and underscores, such as "api-requests"',
    ENV_NAME: 'the name of an environment variable, such as "APP_DATABASE_URL"; never the value itself',
    OPTIONAL_ENV_NAME: 'the name of an environment variable, such as "APP_DATABASE_URL"; never the value itself',
}
Id = Annotated[str, StringConstraints(pattern=ID)]
PromiseId = Annotated[str, StringConstraints(pattern=PROMISE_ID)]
SystemName = Annotated[str, StringConstraints(pattern=SYSTEM_NAME)]
CollectionName = Annotated[str, StringConstraints(pattern=COLLECTION_NAME)]
JsonPath = Annotated[str, StringConstraints(pattern=JSON_PATH)]
EnvName = Annotated[str, StringConstraints(pattern=ENV_NAME)]
OptionalEnvName = Annotated[str, StringConstraints(pattern=OPTIONAL_ENV_NAME)]
