"""Users, and the codes that were mailed to them."""

import secrets
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


def random_id() -> str:
    """128 random bits as hex: an id that cannot be guessed or counted."""
    return secrets.token_hex(16)


def plain_address(email: str) -> str:
    """The one form in which an address is stored, compared and written to.

    A code is mailed to this form and never to the one that was typed: letters that only look alike
    (a Kelvin sign for a k) cannot lead the code to one person and the session to another.
    """
    return email.strip().lower()


class UserManager(BaseUserManager["User"]):
    """Makes users; the address is their name."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A user; without a password only mailed codes sign in."""
        user = self.model(email=plain_address(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A member of staff who may do everything."""
        return self.create_user(email, password, **{"is_staff": True, "is_superuser": True, **fields})

    def get_by_natural_key(self, username: str | None) -> "User":
        """The user of this address, however it is written."""
        return self.get(email=plain_address(username or ""))


class User(AbstractBaseUser, PermissionsMixin):
    """Somebody who proved an address, or a member of staff."""

    id = models.CharField(primary_key=True, max_length=32, default=random_id, editable=False)
    email = models.EmailField(_("e-mail address"), max_length=254, unique=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    is_staff = models.BooleanField(_("staff"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            # With the unique column: one user an address, in whatever case it is typed.
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="accounts_user_email_lower"),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def clean(self) -> None:
        """Brings the address into its stored form."""
        super().clean()
        self.email = plain_address(self.email)

    def get_full_name(self) -> str:
        """The name, or the address where there is none."""
        return str(self)

    def get_short_name(self) -> str:
        """The same: names do not split into first and last everywhere."""
        return str(self)


class SignInCode(models.Model):
    """A code that was mailed and waits. Holds neither the code nor the address, only a keyed digest of both.

    Wrong guesses are counted here and not in the session, where parallel guesses would overwrite each other's count.
    """

    id = models.CharField(primary_key=True, max_length=32, default=random_id, editable=False)
    digest = models.CharField(max_length=64)
    tries = models.PositiveSmallIntegerField(default=0)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.id
