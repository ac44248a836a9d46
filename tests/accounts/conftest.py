"""The cast: ada is a known person, ben is staff with a second factor, and nobody knows eve."""

import re
from dataclasses import dataclass
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from accounts import second_factor, staff
from accounts.models import User

PASSWORD = "violet-harbour-41"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture(autouse=True)
def _settings(settings: Any, db: None) -> None:
    settings.ROOT_URLCONF = "tests.accounts.urls"
    settings.LOGIN_REDIRECT_URL = "protected"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # These tests are about what accounts does by itself, not about how the portal mails.
    settings.ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
    settings.MFA_ADAPTER = "accounts.adapter.SecondFactorAdapter"
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.SECURE_SSL_REDIRECT = False


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada@example.com")


@pytest.fixture
def newcomer() -> User:
    """Staff since today: a password, no second factor."""
    return staff.add("cleo@example.com", name="Cleo (sample)", password=PASSWORD)


@pytest.fixture
def ben() -> User:
    user = staff.add("ben@example.com", name="Ben (sample)", password=PASSWORD)
    second_factor.set_totp(user, SECRET)
    return user


@dataclass
class Browser:
    """A browser that asks for codes and types them."""

    client: Client

    def ask(self, email: str) -> Any:
        return self.client.post("/ask/", {"email": email})

    def confirm(self, code: str) -> str:
        return self.client.post("/confirm/", {"code": code}).content.decode()

    def me(self) -> Any:
        return self.client.get("/me/").json()

    def page(self, path: str) -> Any:
        """A page of the staff's accounts."""
        return self.client.get(f"/staff/account/{path}")

    def send(self, path: str, form: dict[str, str] | None = None, **headers: str) -> Any:
        """A form of the staff's accounts."""
        return self.client.post(f"/staff/account/{path}", form, headers=headers)

    def password(self, user: User, password: str = PASSWORD, next_url: str = "") -> Any:
        return self.send("sign-in/", {"login": user.email, "password": password, "next": next_url})

    def factor(self, code: str) -> Any:
        return self.send("sign-in/second-factor/", {"code": code})

    def sign_in(self, user: User, *, ahead: int = 0) -> None:
        assert self.password(user)["Location"] == "/staff/account/sign-in/second-factor/"
        assert self.factor(second_factor.current_totp(SECRET, ahead=ahead)).status_code == 302

    def reaches_staff_pages(self) -> bool:
        return self.client.get("/protected/").content == b"what staff see"


def new_browser(**options: Any) -> Browser:
    """A browser without cookies; it says, as browsers do, that its forms come from our own pages."""
    return Browser(Client(headers={"Sec-Fetch-Site": "same-origin"}, **options))


def mailed_code() -> str:
    """The code in the newest mail."""
    found = re.search(r"\b\d{6}\b", str(mail.outbox[-1].body))
    assert found
    return found[0]


def wrong(code: str) -> str:
    """Another code."""
    return f"{(int(code) + 1) % 1_000_000:06}"


@pytest.fixture
def browser() -> Browser:
    return new_browser()


@pytest.fixture
def other() -> Browser:
    """A second browser, of somebody else."""
    return new_browser()
