"""The addresses of the portal. Ids are random and 128 bits long; they open nothing by themselves."""

from django.urls import URLPattern, URLResolver, include, path, register_converter
from django.urls.converters import StringConverter

from dsr.portal import ask, download, follow, outbox, start, status, wellknown


class CaseId(StringConverter):
    """The id of a case: 32 hex digits."""

    regex = "[0-9a-f]{32}"


class Token(StringConverter):
    """A sealed token, longer than any id."""

    regex = "[A-Za-z0-9_-]{60,400}"


register_converter(CaseId, "case")
register_converter(Token, "token")

_of_a_request = [
    path("", status.page, name="status"),
    path("code/", follow.code, name="code"),
    path("download/", download.download, name="download"),
    path("withdraw/", status.withdraw, name="withdraw"),
    path("dispute/", status.dispute, name="dispute"),
    path("close/", status.close, name="close"),
    path("note/", status.note, name="note"),
    path("answer-due.ics", status.answer_due, name="answer-due"),
]

# With the language in front; the namespace is "portal".
person_patterns: list[URLPattern | URLResolver] = [
    path("", start.start, name="start"),
    path("policy/", start.policy_page, name="policy"),
    path("accessibility/", start.accessibility, name="accessibility"),
    path("ask/", ask.ask, name="ask"),
    path("follow/", follow.follow, name="follow"),
    path("claim/", follow.claim, name="claim"),
    path("leave/", follow.leave, name="leave"),
    path("r/<case:case_id>/", include(_of_a_request)),
    path("o/<token:token>/", include(_of_a_request)),
]

# Without a language; the namespace is "machine".
machine_patterns: list[URLPattern | URLResolver] = [
    path("", start.root, name="root"),
    path(".well-known/security.txt", wellknown.security_txt, name="security"),
    path("robots.txt", wellknown.robots, name="robots"),
    path("accent.css", wellknown.accent, name="accent"),
    path("health", wellknown.health, name="health"),
    path("ready", wellknown.ready, name="ready"),
    path("outbox/", outbox.listing, name="outbox"),
    path("outbox/<slug:mail>/", outbox.one, name="outbox-mail"),
    path("outbox/<slug:mail>/html/", outbox.html, name="outbox-html"),
]
