"""Who is staff: added, given a link to set a password, freed of a lost factor, removed."""

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from django.db import transaction

from accounts.adapter import password_link
from accounts.models import User, plain_address


@transaction.atomic
def add(email: str, *, name: str, is_superuser: bool = False, password: str | None = None) -> User:
    """Makes this address staff; somebody who signed in by code before stays the same user."""
    user = User.objects.filter(email=plain_address(email)).first() or User.objects.create_user(email)
    user.name, user.is_staff, user.is_superuser, user.is_active = name, True, is_superuser, True
    if password is not None:
        user.set_password(password)
    user.save()
    # The operator answers for the address; without a verified one allauth sets up no second factor.
    EmailAddress.objects.update_or_create(
        user=user, email=user.email, defaults={"verified": True}, create_defaults={"verified": True, "primary": True}
    )
    return user


def link_to_set_password(user: User) -> str:
    """An address that sets the password once, for as long as PASSWORD_RESET_TIMEOUT says."""
    token = default_token_generator.make_token(user)
    return password_link(f"{user_pk_to_url_str(user)}-{token}")


def forget_factors(user: User) -> None:
    """Removes every second factor and recovery code; running sessions reach nothing until a new one is set up."""
    Authenticator.objects.filter(user=user).delete()


@transaction.atomic
def remove(user: User) -> None:
    """Takes all staff rights and ends all sessions. As a person they can still ask for their data by code."""
    user.is_staff = user.is_superuser = False
    user.set_unusable_password()
    user.save()
    forget_factors(user)
