"""`manage.py staff`: who may sign in to the staff side."""

from getpass import getpass
from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import connection

from accounts import staff
from accounts.models import User, plain_address


class Command(BaseCommand):
    """Adds, lists and removes staff."""

    help = "Adds, lists and removes the people who work on requests."

    def add_arguments(self, parser: CommandParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        add = acts.add_parser("add", help="add somebody, and print a link to set a password")
        add.add_argument("email")
        add.add_argument("--name", required=True)
        add.add_argument("--superuser", action="store_true", help="may do everything")
        add.add_argument("--ask-password", action="store_true", help="ask for the password here; print no link")
        for act, meaning in (
            ("link", "print a new link to set a password"),
            ("forget-factors", "remove lost second factors; new ones are set up at the next sign-in"),
            ("remove", "take all staff rights and end all sessions"),
        ):
            acts.add_parser(act, help=meaning).add_argument("email")
        acts.add_parser("list", help="list the staff, and who has no second factor yet")

    def handle(self, *args: Any, **options: Any) -> None:
        if User._meta.db_table not in connection.introspection.table_names():
            raise CommandError("The database is empty. Run “python manage.py serve” once first: it sets it up.")
        getattr(self, f"_{options['act'].replace('-', '_')}")(options)

    def _add(self, options: dict[str, Any]) -> None:
        try:
            validate_email(plain_address(options["email"]))
        except ValidationError as error:
            raise CommandError(f"{options['email']!r} is not an e-mail address.") from error
        password = _ask_password() if options["ask_password"] else None
        user = staff.add(options["email"], name=options["name"], is_superuser=options["superuser"], password=password)
        if password is None:
            self._print_link(user)
        else:
            self.stdout.write(f"{user.email} can sign in now.")

    def _link(self, options: dict[str, Any]) -> None:
        self._print_link(_member(options["email"]))

    def _forget_factors(self, options: dict[str, Any]) -> None:
        user = _member(options["email"])
        staff.forget_factors(user)
        self.stdout.write(f"{user.email} has no second factor now.")

    def _remove(self, options: dict[str, Any]) -> None:
        user = _member(options["email"])
        staff.remove(user)
        self.stdout.write(f"{user.email} is no longer staff.")

    def _list(self, options: dict[str, Any]) -> None:
        with_factor = set(Authenticator.objects.values_list("user_id", flat=True))
        for user in User.objects.filter(is_staff=True).order_by("email"):
            note = "" if user.pk in with_factor else "  (no second factor yet)"
            self.stdout.write(f"{user.email}  {user.name}{note}")

    def _print_link(self, user: User) -> None:
        days = settings.PASSWORD_RESET_TIMEOUT // 86_400
        self.stdout.write(f"{user.email} sets a password here, once, within {days} days:")
        self.stdout.write(staff.link_to_set_password(user))


def _member(email: str) -> User:
    user = User.objects.filter(email=plain_address(email), is_staff=True).first()
    if user is None:
        raise CommandError(f"{email!r} is not staff.")
    return user


def _ask_password() -> str:
    password = getpass("Password: ")
    if password != getpass("The same again: "):
        raise CommandError("The two passwords differ.")
    try:
        validate_password(password)
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from error
    return password
