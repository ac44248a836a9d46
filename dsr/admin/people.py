"""Who works here, and what each may do. Staff are added and removed by `manage.py staff`; no password is shown here."""

from typing import Any

from allauth.mfa.models import Authenticator
from django import forms
from django.contrib.admin import display
from django.contrib.auth.models import Permission
from django.db.models import Case, Exists, OuterRef, QuerySet, When
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from dsr import audit
from dsr.admin import queue
from dsr.admin.lists import List

# What may be given, in the order of trust. (A superuser may do everything.)
MAY = {
    "view_case": gettext_lazy("See requests, without who asked"),
    "change_case": gettext_lazy("Work on requests: assign, write, try again, send back"),
    "see_person": gettext_lazy("See who asked, messages and rows (each look is recorded)"),
    "approve_case": gettext_lazy("Agree to releases, refuse, answer by hand"),
    "view_job": gettext_lazy("See work that needs a person"),
    "view_auditentry": gettext_lazy("Read and check the trail"),
}


class PermissionField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # not subscriptable when it runs
    """The permissions of MAY as boxes, each in a sentence."""

    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, obj: Any) -> str:
        """The sentence."""
        return str(MAY[obj.codename])


class StaffForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable when it runs
    """What can be changed about a member of staff."""

    user_permissions = PermissionField(
        Permission.objects.filter(content_type__app_label="dsr", codename__in=MAY).order_by(
            Case(*[When(codename=name, then=place) for place, name in enumerate(MAY)])
        ),
        required=False,
        label=gettext_lazy("May"),
    )

    class Meta:
        model = User
        fields = ("name", "is_active", "user_permissions")


class UserAdmin(List):
    """Staff only: people who asked are users too, and are not listed anywhere."""

    form = StaffForm
    list_display = ("name_or_address", "email", "is_active", "has_factor", "may_do_everything")
    readonly_fields = ("email", "has_factor", "may_do_everything")
    fields = ("name", "email", "has_factor", "is_active", "may_do_everything", "user_permissions")
    ordering = ("name", "email")
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        """By `manage.py staff add`, which also makes the link to set a password."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Only who may do everything decides what others may do."""
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Never: approvals and the trail name them."""
        return False

    def get_urls(self) -> list[URLPattern]:
        """The list and the form; Django's own history is not kept apart from the trail."""
        view = self.admin_site.admin_view
        return [
            path("", view(self.changelist_view), name="accounts_user_changelist"),
            path("<path:object_id>/change/", view(self.change_view), name="accounts_user_change"),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Staff, with whether each has a second factor."""
        factors = Authenticator.objects.filter(
            user=OuterRef("pk"), type__in=(Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
        )
        found: QuerySet[User] = super().get_queryset(request).filter(is_staff=True)
        return found.annotate(owns_factor=Exists(factors))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list."""
        return super().changelist_view(request, {"title": _("Staff"), **(extra_context or {})})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The form."""
        return super().change_view(request, object_id, form_url, {"list_title": _("Staff"), **(extra_context or {})})

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Into the trail instead of Django's own log, which would keep names."""
        fields = [name for change in message for name in change.get("changed", {}).get("fields", [])]
        audit.append("changed staff", actor=audit.staff(queue.reader(request)), user=obj.pk, fields=fields)

    @display(description=gettext_lazy("Name"))
    def name_or_address(self, user: User) -> str:
        """What colleagues see."""
        return str(user)

    @display(description=gettext_lazy("Second factor"), boolean=True)
    def has_factor(self, user: User) -> bool:
        """Without one they reach nothing."""
        return bool(getattr(user, "owns_factor", False))

    @display(description=gettext_lazy("May do everything"), boolean=True, ordering="is_superuser")
    def may_do_everything(self, user: User) -> bool:
        """Given and taken by `manage.py staff` alone."""
        return user.is_superuser
