"""Staff, and what each may do."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts import staff
from accounts.models import User
from dsr.admin.people import MAY
from dsr.models import AuditEntry
from tests import cast

LIST = "admin:accounts_user_changelist"


@pytest.fixture
def at_root() -> Client:
    return cast.signed_in_staff_client(cast.staff("root", is_superuser=True))


def change(user: User) -> str:
    return reverse("admin:accounts_user_change", args=[user.pk])


def test_people_who_asked_are_not_listed(at_root: Client, ben: User) -> None:
    ada = cast.person("ada@people.example")
    html = at_root.get(reverse(LIST)).content.decode()
    assert ben.email in html
    assert "people.example" not in html
    assert at_root.get(change(ada)).status_code == 302
    assert "people.example" not in at_root.get(change(ada), follow=True).content.decode()


def test_who_lacks_a_factor_is_shown(at_root: Client, ben: User) -> None:
    staff.forget_factors(ben)
    html = at_root.get(reverse(LIST)).content.decode()
    assert "icon-no" in html[html.index(ben.email) :]


def test_no_password_and_no_secret_is_shown(at_root: Client, ben: User) -> None:
    html = at_root.get(change(ben)).content.decode()
    assert ben.password not in html
    assert cast.TOTP_SECRET not in html
    assert "md5$" not in html


def test_permissions_are_given_and_recorded(at_root: Client, eve: User) -> None:
    see = Permission.objects.get(codename="view_case")
    form = {"name": "eve", "is_active": "on", "user_permissions": [see.pk]}
    assert at_root.post(change(eve), form).status_code == 302
    assert User.objects.get(pk=eve.pk).has_perm("dsr.view_case")
    entry = AuditEntry.objects.latest("seq")
    assert (entry.act, entry.facts["user"]) == ("changed staff", eve.pk)
    assert "eve" not in str(entry.facts["fields"])
    assert not LogEntry.objects.exists()


def test_nothing_beyond_the_list_is_given(at_root: Client, eve: User) -> None:
    other = Permission.objects.exclude(codename__in=MAY).first()
    assert other is not None
    form = {"name": "eve", "is_active": "on", "user_permissions": [other.pk], "is_superuser": "on", "is_staff": "on"}
    at_root.post(change(eve), form)
    eve.refresh_from_db()
    assert not eve.is_superuser
    assert not eve.user_permissions.exists()


def test_only_who_may_do_everything_decides(ben: User, at_ben: Client) -> None:
    ben.user_permissions.add(*Permission.objects.filter(content_type__app_label="accounts"))
    everything = [permission.pk for permission in Permission.objects.filter(codename__in=MAY)]
    at_ben.post(change(ben), {"name": "ben", "is_active": "on", "user_permissions": everything})
    assert not User.objects.get(pk=ben.pk).has_perm("dsr.approve_case")


def test_who_may_not_see_staff_does_not(at_ben: Client) -> None:
    assert at_ben.get(reverse(LIST)).status_code == 403
