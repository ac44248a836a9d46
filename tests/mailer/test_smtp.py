"""A real SMTP server: signing in over STARTTLS, and every way it can say no: which pass, which need a person."""

import datetime
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.core.mail import EmailMessage

from dsr import mailer
from dsr.mailer import sending
from dsr.mailer.sending import MailRefused, MailWaits
from tests.servers import free_port

pytestmark = [
    pytest.mark.enable_socket,
    # Django leaves a connection whose greeting or sign-in failed to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


class Server:
    """Takes mail from whoever signed in, and answers as it is told."""

    def __init__(self) -> None:
        self.taken: list[Envelope] = []
        self.was_encrypted: list[bool] = []
        self.answers: dict[str, str] = {}

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, address: str, more: Any) -> str:
        envelope.mail_from = address
        return self.answers.get("MAIL", "250 OK")

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, more: Any) -> str:
        envelope.rcpt_tos.append(address)
        return self.answers.get("RCPT", "250 OK")

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if "DATA" not in self.answers:
            self.taken.append(envelope)
            self.was_encrypted.append(session.ssl is not None)
        return self.answers.get("DATA", "250 OK")

    def sign_in(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        return AuthResult(success=data == LoginPassword(b"portal", b"p@ss/word"), handled=False)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of "localhost", signed by itself; key and certificate in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + made.public_bytes(serialization.Encoding.PEM)
    path = tmp_path_factory.mktemp("certificate") / "localhost.pem"
    path.write_bytes(pem)
    return path


@pytest.fixture
def server(certificate: Path) -> Iterator[tuple[Server, int]]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    ours, port = Server(), free_port()
    controller = Controller(
        ours, hostname="127.0.0.1", port=port, tls_context=context, require_starttls=True, auth_required=True,
        authenticator=ours.sign_in,
    )  # fmt: skip
    controller.start()
    yield ours, port
    controller.stop()


@pytest.fixture
def send(settings: Any) -> Callable[[str], None]:
    """Sends a mail on the way that DSR_MAIL names."""

    def over(address: str) -> None:
        way = mailer.configured(address)
        settings.EMAIL_BACKEND, settings.EMAIL_TIMEOUT = way.backend, 5
        settings.EMAIL_HOST, settings.EMAIL_PORT = way.host, way.port
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = way.user, way.password
        settings.EMAIL_USE_SSL, settings.EMAIL_USE_TLS = way.is_tls_from_start, way.is_starttls
        sending.send(EmailMessage("Subject", "Text", "privacy@lumio.example", ["ada@example.com"]))

    return over


@pytest.fixture
def is_trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


def refused(error: pytest.ExceptionInfo[MailRefused | MailWaits]) -> str:
    told = f"{error.value.detail} {error.value.hint}"
    assert "ada@" not in told
    assert "p@ss" not in told
    return told


@pytest.mark.usefixtures("is_trusted")
def test_a_mail_leaves_signed_in_and_encrypted(server: tuple[Server, int], send: Callable[[str], None]) -> None:
    ours, port = server
    send(f"smtp://portal:p%40ss%2Fword@localhost:{port}?tls=1")
    assert [envelope.rcpt_tos for envelope in ours.taken] == [["ada@example.com"]]
    assert ours.was_encrypted == [True]


@pytest.mark.usefixtures("is_trusted")
def test_a_wrong_password_is_for_a_person(server: tuple[Server, int], send: Callable[[str], None]) -> None:
    with pytest.raises(MailRefused) as error:
        send(f"smtp://portal:p%40ssword@localhost:{server[1]}?tls=1")
    assert "refused the user or password (535)" in refused(error)


def test_a_certificate_nobody_vouches_for_is_for_a_person(
    server: tuple[Server, int], send: Callable[[str], None]
) -> None:
    with pytest.raises(MailRefused) as error:
        send(f"smtp://portal:p%40ss%2Fword@localhost:{server[1]}?tls=1")
    assert "cannot prove who it is" in refused(error)
    assert server[0].taken == []


def test_a_server_without_encryption_gets_no_password(send: Callable[[str], None]) -> None:
    ours, port = Server(), free_port()
    controller = Controller(ours, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        with pytest.raises(MailRefused) as error:
            send(f"smtp://portal:p%40ss%2Fword@localhost:{port}?tls=1")
    finally:
        controller.stop()
    assert "does not offer what DSR_MAIL asks for" in refused(error)


@pytest.mark.usefixtures("is_trusted")
@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize(("answer", "kind"), [("451 later", MailWaits), ("552 never", MailRefused)])
def test_four_hundreds_pass_and_five_hundreds_stay(
    server: tuple[Server, int], send: Callable[[str], None], stage: str, answer: str, kind: type[Exception]
) -> None:
    ours, port = server
    ours.answers[stage] = answer
    with pytest.raises(kind) as error:
        send(f"smtp://portal:p%40ss%2Fword@localhost:{port}?tls=1")
    assert type(error.value) is kind
    refused(error)
    assert ours.taken == []


def test_nobody_there_passes(send: Callable[[str], None]) -> None:
    with pytest.raises(MailWaits, match="cannot be reached: ConnectionRefusedError"):
        send(f"smtp://localhost:{free_port()}")
