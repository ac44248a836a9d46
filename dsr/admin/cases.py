"""Requests in the admin: a queue and one page each, both read-only; what staff do goes through actions.py."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from accounts import second_factor
from dsr import audit, deliver, keys
from dsr.admin import actions, page, queue
from dsr.admin.lists import List
from dsr.models import Case

PAGE_SIZE = 50
FOUND_LIMIT = 50


class CaseAdmin(List):
    """The only doors are the list, the search, the page, its acts and looks; there is no form that edits a case."""

    list_filter = (queue.ViewFilter,)
    list_select_related = ("assignee",)
    list_per_page = PAGE_SIZE
    list_max_show_all = PAGE_SIZE
    show_full_result_count = False
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Requests come from people."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Case | None = None) -> bool:
        """Requests go when their retention ends."""
        return False

    def get_urls(self) -> list[URLPattern]:
        """Instead of the stock addresses: none to add, change by form, delete, or read Django's own history."""
        view = self.admin_site.admin_view
        return [
            path("", view(self.changelist_view), name="dsr_case_changelist"),
            path("find/", view(self.find), name="dsr_case_find"),
            path("<str:object_id>/change/", view(self.change_view), name="dsr_case_change"),
            path("<str:case_id>/person/", view(self.person), name="dsr_case_person"),
            path("<str:case_id>/look/<str:system>/<str:collection>/", view(self.look), name="dsr_case_look"),
            path("<str:case_id>/do/<str:name>/", view(self.do), name="dsr_case_do"),
        ]

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """What is due first; of the closed ones, what was closed last."""
        return ("-closed_at", "reference") if request.GET.get("view") == "closed" else ("due_on", "reference")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The queue."""
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and response.context_data and "cl" in response.context_data:
            found = list(response.context_data["cl"].result_list)
            view = request.GET.get("view") or "now"
            response.context_data |= self._queue(request, found, view)
        return response

    def find(self, request: HttpRequest) -> HttpResponse:
        """Search by reference or by exact address. By POST: an address must not stay in a URL, and it is recorded."""
        if request.method != "POST":
            return redirect("admin:index")
        self._demand(request, "view_case")
        wanted = request.POST.get("wanted", "").strip()
        found = list(self._found(request, wanted))
        if len(found) == 1:
            return redirect("admin:dsr_case_change", found[0].pk)
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": _("Search")}
        return TemplateResponse(
            request, "admin/dsr/case/found.html", context | self._queue(request, found, "") | {"was_found": bool(found)}
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """One request from top to bottom, without the person."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return self._page(request, self._case(request, object_id), shows_person=False)

    def person(self, request: HttpRequest, case_id: str) -> HttpResponse:
        """The same page with who asked and what was written. Recorded before it is shown."""
        if request.method != "POST":
            return redirect("admin:dsr_case_change", case_id)
        case = self._case(request, case_id)
        self._demand(request, "see_person")
        audit.append("looked at person", actor=audit.staff(queue.reader(request)), case=case)
        return self._page(request, case, shows_person=True)

    def look(self, request: HttpRequest, case_id: str, system: str, collection: str) -> HttpResponse:
        """The first rows of one collection, as the person will get them. Recorded before they are shown."""
        if request.method != "POST":
            return redirect("admin:dsr_case_change", case_id)
        case = self._case(request, case_id)
        self._demand(request, "see_person")
        if not case.parts.filter(system=system, collection=collection).exists():
            raise Http404
        with audit.recorded():
            rows = deliver.preview(case, system, collection, limit=page.PREVIEW_ROWS)
            facts = {"system": system, "collection": collection, "rows": len(rows)}
            audit.append("previewed", actor=audit.staff(queue.reader(request)), case=case, **facts)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"{case.spoken_reference}, {system}.{collection}",
            "case": case,
            **page.preview(case, system, collection, rows),
        }
        return TemplateResponse(request, "admin/dsr/case/look.html", context)

    def do(self, request: HttpRequest, case_id: str, name: str) -> HttpResponse:
        """One act of staff on one request, then the page again with what came of it."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        case = self._case(request, case_id)
        act = actions.ACTS.get(name)
        if act is None:
            raise Http404
        self._demand(request, act.permission)
        return actions.perform(request, case, act, queue.reader(request))

    def _page(self, request: HttpRequest, case: Case, *, shows_person: bool) -> HttpResponse:
        user = queue.reader(request)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": case.spoken_reference,
            "may": {name: request.user.has_perm(f"dsr.{name}") for name in actions.PERMISSIONS},
            # Asked for before a long text is written, rather than after.
            "is_fresh": second_factor.used_recently(request, minutes=actions.FRESH_MINUTES - actions.WRITING_MINUTES),
            **page.context(case, user, shows_person=shows_person),
        }
        return TemplateResponse(request, "admin/dsr/case/change_form.html", context)

    def _case(self, request: HttpRequest, case_id: str) -> Case:
        """The case, for whoever may see cases. Anything else is 404: an address tells nothing."""
        if not self.has_view_permission(request):
            raise Http404
        case = Case.objects.select_related("assignee", "user", "joined_to", "channel_cleared_by").filter(pk=case_id)
        found = case.first()
        if found is None:
            raise Http404
        return found

    def _demand(self, request: HttpRequest, permission: str) -> None:
        if not request.user.has_perm(f"dsr.{permission}"):
            raise Http404

    def _queue(self, request: HttpRequest, found: list[Case], view: str) -> dict[str, Any]:
        user = queue.reader(request)
        numbers = queue.counts(Case.objects.all(), user)
        return {
            "title": _("What I should do now") if view == "now" else queue.VIEWS.get(view, _("Search")),
            "lines": queue.lines(found, user),
            "view": view,
            "views": [(name, words, numbers[name]) for name, words in queue.VIEWS.items()],
            "late": numbers["late"],
            "soon": numbers["soon"],
            "may_change": request.user.has_perm("dsr.change_case"),
            "queue_url": reverse("admin:dsr_case_changelist"),
        }

    def _found(self, request: HttpRequest, wanted: str) -> QuerySet[Case]:
        cases = Case.objects.select_related("assignee").order_by("-received_at")
        if "@" not in wanted:
            digits = "".join(char for char in wanted if char.isdecimal() and char.isascii())
            return cases.filter(reference__startswith=digits)[:FOUND_LIMIT] if digits else cases.none()
        self._demand(request, "see_person")
        found = cases.filter(who_index=keys.index("email", wanted.casefold()))[:FOUND_LIMIT]
        audit.append("searched by address", actor=audit.staff(queue.reader(request)), found=len(found))
        return found
