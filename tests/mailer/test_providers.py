"""Mail by a provider's API. The provider itself cannot run here: a real HTTP server on the loopback stands in for it.

It takes what the provider takes, checks the key as the provider does, and answers in the provider's words.
"""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote_plus

import pytest

from dsr import intake, mailer, notify, policy, tasks
from dsr.mailer.providers import PROVIDERS
from dsr.models import Case, Job, JobState, Mail

pytestmark = [pytest.mark.django_db, pytest.mark.enable_socket]

TAKEN = {"To": "ada@example.com", "MessageID": "b7bc2f4a", "ErrorCode": 0, "Message": "OK"}
INACTIVE = {
    "ErrorCode": 406,
    "Message": "You tried to send to recipients that have been marked as inactive.\nFound inactive addresses: "
    "ada@example.com.\nInactive recipients are ones that have generated a hard bounce or a spam complaint.",
}
UNCLEAR = INACTIVE | {"Message": "A sentence nobody knows yet about ada@example.com."}


@dataclass
class StandIn:
    """Postmark's, and roughly the others', side of the wire."""

    status: int = 200
    answer: Any = field(default_factory=lambda: dict(TAKEN))
    asked: list[tuple[str, Message, Any]] = field(default_factory=list)
    port: int = 0


@pytest.fixture
def provider() -> Iterator[StandIn]:
    stand_in = StandIn()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            is_json = "json" in self.headers.get("Content-Type", "")
            stand_in.asked.append((self.path, self.headers, json.loads(body) if is_json else body))
            status, answer = stand_in.status, stand_in.answer
            if self.headers.get("X-Postmark-Server-Token", "token") != "token":
                status, answer = 401, {"ErrorCode": 10, "Message": "Bad or missing Server API token."}
            told = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *args: Any) -> None:
            """The test reads what was asked."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stand_in.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield stand_in
    server.shutdown()
    server.server_close()


@pytest.fixture
def by(settings: Any, provider: StandIn) -> Callable[..., None]:
    """`by("postmark")`: mail leaves by this provider, as DSR_MAIL would have it, to the stand-in."""

    def chosen(name: str, key: str = "token", more: str = "", port: int = 0) -> None:
        given = key if "secret" not in PROVIDERS[name].keys else f"{key}:secret"
        way = mailer.configured(f"{name}://{given}@?api=http://127.0.0.1:{port or provider.port}/{more}")
        settings.EMAIL_BACKEND, settings.ANYMAIL, settings.MAIL_HEADERS = way.backend, way.anymail, way.headers

    return chosen


@pytest.fixture
def case(lumio: policy.Policy) -> Case:
    return intake.open_case(intake.Asked(right="access", nonce="n", email="ada@example.com"))


def sent(case: Case) -> tuple[Job, Mail]:
    row = notify.mail("received", "ada@example.com", case=case, due_on="2026-12-21")
    job = Job.objects.get(kind="mail", key=row.pk)
    tasks.run_job(job.pk)
    job.refresh_from_db()
    row.refresh_from_db()
    return job, row


def test_a_mail_leaves_whole_watched_by_nobody_and_with_our_id(
    by: Callable[..., None], provider: StandIn, case: Case
) -> None:
    by("postmark")
    job, row = sent(case)
    assert (job.state, job.problem) == (JobState.DONE, "")
    assert row.sent_at is not None
    ((path, headers, mail),) = provider.asked
    assert path == "/email"
    assert headers["X-Postmark-Server-Token"] == "token"
    assert mail["To"] == "ada@example.com"
    assert notify.link(case) in mail["TextBody"]
    assert notify.link(case) in mail["HtmlBody"]
    assert mail["TrackOpens"] is False
    assert mail["TrackLinks"] == "None"
    told = {each["Name"]: each["Value"] for each in mail["Headers"]}
    assert told["Message-ID"] == f"<{row.pk}@localhost>"
    assert told["X-PM-KeepID"] == "true"
    assert told["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize(
    ("status", "answer", "state", "words"),
    [
        (500, {}, JobState.WAITING, "The mail provider is busy or ill (500)."),
        (503, {}, JobState.WAITING, "The mail provider is busy or ill (503)."),
        (429, {}, JobState.WAITING, "The mail provider is busy or ill (429)."),
        (200, {"not": "what was agreed"}, JobState.WAITING, "answers what is not understood."),
        (422, {"ErrorCode": 400, "Message": "The 'From' address ada@example.com is no signature"}, JobState.FAILED,
         "The mail provider refused this mail (422)."),
        (422, INACTIVE, JobState.FAILED, "The mail server refused this address for good."),
        (422, UNCLEAR, JobState.FAILED, "The mail provider did not say that it took this mail."),
        (403, {}, JobState.FAILED, "The mail provider refused the key (403)."),
    ],
)  # fmt: skip
def test_what_the_provider_says_is_told_apart(
    by: Callable[..., None], provider: StandIn, case: Case, caplog: pytest.LogCaptureFixture,
    status: int, answer: Any, state: str, words: str,
) -> None:  # fmt: skip
    by("postmark")
    provider.status, provider.answer = status, answer
    job, row = sent(case)
    assert job.state == state
    assert words in job.problem
    assert job.hint
    assert "ada@" not in job.problem + job.hint + caplog.text
    assert row.sent_at is None
    assert len(provider.asked) == 1


def test_a_wrong_key_is_for_a_person(by: Callable[..., None], provider: StandIn, case: Case) -> None:
    by("postmark", key="tokem")
    job, _row = sent(case)
    assert (job.state, job.problem) == (JobState.FAILED, "The mail provider refused the key (401).")
    assert "DSR_MAIL" in job.hint


def test_a_provider_out_of_reach_passes(by: Callable[..., None], case: Case) -> None:
    by("postmark", port=1)
    job, _row = sent(case)
    assert job.state == JobState.WAITING
    assert "cannot be reached" in job.problem


def test_tried_again_it_is_the_same_mail(by: Callable[..., None], provider: StandIn, case: Case) -> None:
    by("postmark")
    provider.status = 503
    job, _row = sent(case)
    provider.status = 200
    Job.objects.filter(pk=job.pk).update(due_at="2020-01-01T00:00Z")
    tasks.run_job(job.pk)
    first, second = (mail for _path, _headers, mail in provider.asked)
    assert first == second
    assert Job.objects.get(pk=job.pk).state == JobState.DONE


# Anymail no longer tries SendGrid itself, and says so; docs/mail.md does too.
@pytest.mark.filterwarnings("ignore::anymail.exceptions.AnymailNotSupportedWarning")
@pytest.mark.parametrize("name", sorted(PROVIDERS))
def test_every_provider_is_reached_with_its_key_and_takes_our_mails(
    by: Callable[..., None], provider: StandIn, case: Case, name: str
) -> None:
    """What they would answer is theirs: here each says that it is busy, once it has been asked with the key."""
    by(name, key="token", more="&project=p-1" if name == "scaleway" else "")
    provider.status = 503
    job, _row = sent(case)
    assert (job.state, job.problem) == (JobState.WAITING, "The mail provider is busy or ill (503).")
    ((_path, headers, body),) = provider.asked
    sent_with = unquote_plus(f"{headers} {body}")
    assert "token" in sent_with or "dG9rZW4" in sent_with or "YXBpOnRva2Vu" in sent_with
    assert "ada@example.com" in sent_with


@pytest.mark.parametrize(
    ("address", "api"),
    [
        ("mailgun://k@?region=eu&domain=mg.lumio.example", "https://api.eu.mailgun.net/v3"),
        ("sendgrid://k@?region=eu", "https://api.eu.sendgrid.com/v3/"),
        ("sparkpost://k@?region=eu", "https://api.eu.sparkpost.com/api/v1/"),
    ],
)
def test_a_region_is_where_mail_goes(address: str, api: str) -> None:
    found = mailer.configured(address).anymail
    assert api in found.values()
    assert found["SEND_DEFAULTS"] == {"track_opens": False, "track_clicks": False}
