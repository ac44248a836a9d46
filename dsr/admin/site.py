"""The staff side: who gets in, and what is in there."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts import second_factor
from accounts.models import User
from dsr import policy
from dsr.admin.cases import CaseAdmin
from dsr.admin.people import UserAdmin
from dsr.admin.trail import TrailAdmin
from dsr.admin.work import JobAdmin
from dsr.models import AuditEntry, Case, Job


class StaffSite(AdminSite):
    """For active staff who signed in with two factors. Its first page is what they should do now."""

    index_title = gettext_lazy("What I should do now")
    enable_nav_sidebar = False
    site_url = "/"

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.register(Case, CaseAdmin)
        self.register(Job, JobAdmin)
        self.register(AuditEntry, TrailAdmin)
        self.register(User, UserAdmin)

    def has_permission(self, request: HttpRequest) -> bool:
        """A password alone reaches nothing."""
        user = request.user
        return bool(user.is_active and user.is_staff) and second_factor.has_second_factor(request)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Adds the company's name, and what this member of staff can open."""
        short = policy.current().organisation.short
        title = _("%(company)s privacy · staff") % {"company": short}
        return super().each_context(request) | {
            "site_header": title,
            "site_title": title,
            "available_apps": [],
            "places": self._places(request),
        }

    def _places(self, request: HttpRequest) -> list[tuple[str, str]]:
        """What stands in the header: name and address of each list that this member of staff may see."""
        lists = {Case: _("Requests"), Job: _("Failed work"), AuditEntry: _("Trail"), User: _("Staff")}
        return [
            (words, reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_changelist"))
            for model, words in lists.items()
            if self._registry[model].has_view_permission(request)
        ]

    def index(  # type: ignore[override]  # ours may answer without a template
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The queue; without the right to see requests, the first of what else there is."""
        cases = self._registry[Case]
        if cases.has_view_permission(request):
            return cases.changelist_view(request, extra_context)
        places = self._places(request)
        if places:
            return redirect(places[0][1])
        context = {**self.each_context(request), "title": _("Nothing to see yet")}
        return TemplateResponse(request, "admin/nothing.html", context)

    def app_index(  # type: ignore[override]
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """There is one list of what staff can open, and it is in the header."""
        return redirect("admin:index")

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Sends whoever lacks a factor to sign in or to set one up, and everybody else back to where they were."""
        return never_cache(self._login)(request)

    def _login(self, request: HttpRequest) -> HttpResponse:
        if not self.has_permission(request):
            return second_factor.require(request) or redirect("account_login")
        where = request.GET.get("next", "")
        if url_has_allowed_host_and_scheme(where, allowed_hosts=None):
            return redirect(where)
        return redirect("admin:index")

    def logout(  # type: ignore[override]  # ours may answer without a template
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ends the session; by POST alone."""
        return require_POST(_sign_out)(request)

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Passwords change where the second factor is looked after too."""
        return redirect("account_change_password")


def _sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("account_login")
