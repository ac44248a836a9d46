"""The trail as staff and auditors read it: sentences, filters, and whether the chain holds."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.admin import ShowFacets, SimpleListFilter, display
from django.core.cache import cache
from django.db.models import CharField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Concat
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from dsr import audit
from dsr.admin import left
from dsr.admin.lists import List
from dsr.models import AuditEntry, Case, State

CHECK_KEY = "dsr.chain-checked"
SHOWN_ON_PAGE = 200
ACTS = {
    "received": gettext_lazy("request received"),
    "approved": gettext_lazy("agreed to the release"),
    "tried again": gettext_lazy("tried again"),
    "left out": gettext_lazy("left a system out"),
    "cleared a young address": gettext_lazy("checked the new address another way"),
    "disputed": gettext_lazy("said: this was not me"),
    "closed": gettext_lazy("closed the archive"),
    "withdrawn": gettext_lazy("took the answered request back"),
    "rotated keys": gettext_lazy("made new keys"),
    "downloaded": gettext_lazy("downloaded the archive"),
    "removed": gettext_lazy("the archive was removed"),
    "wrote": gettext_lazy("wrote a message"),
    "looked at person": gettext_lazy("looked at who asked"),
    "previewed": gettext_lazy("looked at rows"),
    "searched by address": gettext_lazy("searched by address"),
    "assigned": gettext_lazy("assigned"),
    "wrote a note": gettext_lazy("wrote a note for staff"),
    "wrote to the person": gettext_lazy("wrote to the person"),
    "changed staff": gettext_lazy("changed a member of staff"),
}


@dataclass(frozen=True)
class Sentence:
    """One entry, as it is read."""

    seq: int
    when: str
    who: str
    what: str
    facts: str


@dataclass(frozen=True)
class Check:
    """When the chain was last walked from staff pages, and how many problems that found."""

    at: datetime
    problems: int


def of_case(case: Case) -> QuerySet[AuditEntry]:
    """The latest entries about one case, the newest first."""
    return AuditEntry.objects.filter(case_id=case.pk).order_by("-seq")[:SHOWN_ON_PAGE]


def sentences(entries: Iterable[AuditEntry]) -> list[Sentence]:
    """Entries as sentences; the names of staff are read at once."""
    found = list(entries)
    ids = {entry.actor.removeprefix("staff:") for entry in found if entry.actor.startswith("staff:")}
    ids |= {str(entry.facts["to"]) for entry in found if entry.act == "assigned" and "to" in entry.facts}
    names = {user.pk: str(user) for user in User.objects.filter(pk__in=ids)}
    return [Sentence(e.seq, left.moment(e.at), actor(e.actor, names), what(e), details(e, names)) for e in found]


def actor(text: str, names: dict[str, str]) -> str:
    """Who did it: a name, the person, or the portal by itself."""
    if text == audit.SUBJECT:
        return _("the person")
    if text == audit.SYSTEM:
        return _("the portal")
    pk = text.removeprefix("staff:")
    return names.get(pk, pk)


def what(entry: AuditEntry) -> str:
    """What was done. An act without a sentence of its own is named as it stands."""
    if entry.act == "advanced":
        return f"{_state(entry.facts.get('came_from'))} → {_state(entry.facts.get('to'))}"
    return str(ACTS.get(entry.act, entry.act))


def details(entry: AuditEntry, names: dict[str, str]) -> str:
    """The facts of an entry in a line: counts, ids, and names of systems."""
    hidden = {"came_from", "to"} if entry.act == "advanced" else set()
    shown = {key: value for key, value in entry.facts.items() if key not in hidden and value not in ("", [], {}, None)}
    if entry.act == "assigned":
        shown["to"] = names.get(str(shown.get("to")), str(shown.get("to", "")))
    return " · ".join(f"{key} {_short(value)}" for key, value in shown.items())


def last_check() -> Check | None:
    """The last check, if there was one."""
    found = cache.get(CHECK_KEY)
    return found if isinstance(found, Check) else None


class ActFilter(SimpleListFilter):
    """By what was done."""

    title = gettext_lazy("act")
    parameter_name = "did"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        """Every act with a name, and the moves."""
        return [("advanced", _("moved to another state")), *ACTS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """The entries of that act."""
        return queryset.filter(act=self.value()) if self.value() else queryset


class ActorFilter(SimpleListFilter):
    """By who did it."""

    title = gettext_lazy("who")
    parameter_name = "who"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        """People, the portal, and each member of staff."""
        staff = User.objects.filter(is_staff=True).order_by("name", "email")
        named = [(audit.staff(user), str(user)) for user in staff]
        return [(audit.SUBJECT, _("the person")), (audit.SYSTEM, _("the portal")), *named]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """The entries of that actor."""
        return queryset.filter(actor=self.value()) if self.value() else queryset


class TrailAdmin(List):
    """The trail, to read. Nobody writes, changes or deletes an entry by hand."""

    list_display = ("number", "when", "who", "did", "about", "request")
    list_display_links = None
    list_filter = (ActFilter, ActorFilter)
    list_per_page = 100
    ordering = ("-seq",)
    actions = None
    show_full_result_count = False
    show_facets = ShowFacets.NEVER

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Acts write entries."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        """Nobody's."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        """Nobody's."""
        return False

    def get_urls(self) -> list[URLPattern]:
        """The list and the check, nothing else."""
        view = self.admin_site.admin_view
        return [
            path("", view(self.changelist_view), name="dsr_auditentry_changelist"),
            path("verify/", view(self.verify), name="dsr_auditentry_verify"),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEntry]:
        """With the name of staff and the reference of the case, read in the same query."""
        name = User.objects.annotate(actor=Concat(Value("staff:"), "pk", output_field=CharField())).filter(
            actor=OuterRef("actor")
        )
        case = Case.objects.filter(pk=OuterRef("case_id"))
        found: QuerySet[AuditEntry] = super().get_queryset(request)
        return found.annotate(
            staff_name=Subquery(name.values("name")[:1]), reference=Subquery(case.values("reference")[:1])
        )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with the result of the last check on top."""
        return super().changelist_view(request, {"title": _("Trail"), "chain": last_check(), **(extra_context or {})})

    def verify(self, request: HttpRequest) -> HttpResponse:
        """Walk the whole chain now."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_view_permission(request):
            raise Http404
        problems = audit.verify()
        cache.set(CHECK_KEY, Check(timezone.now(), len(problems)), None)
        for problem in problems[:20]:
            messages.error(request, problem)
        if not problems:
            messages.success(request, _("The chain is whole: no entry was changed, removed or moved."))
        return redirect("admin:dsr_auditentry_changelist")

    @display(description=gettext_lazy("No."), ordering="seq")
    def number(self, entry: AuditEntry) -> int:
        """Its place in the chain."""
        return entry.seq

    @display(description=gettext_lazy("When"))
    def when(self, entry: AuditEntry) -> str:
        """In the controller's zone."""
        return left.moment(entry.at)

    @display(description=gettext_lazy("Who"))
    def who(self, entry: AuditEntry) -> str:
        """A name."""
        return actor(entry.actor, {entry.actor.removeprefix("staff:"): getattr(entry, "staff_name", None) or ""})

    @display(description=gettext_lazy("What"))
    def did(self, entry: AuditEntry) -> str:
        """In words."""
        return what(entry)

    @display(description=gettext_lazy("Facts"))
    def about(self, entry: AuditEntry) -> str:
        """Counts and ids, isolated from the direction of the page."""
        return format_html("<bdi>{}</bdi>", details(entry, {}))

    @display(description=gettext_lazy("Request"))
    def request(self, entry: AuditEntry) -> str:
        """Its reference, leading to it."""
        reference = getattr(entry, "reference", None)
        if not reference:
            return ""
        where = reverse("admin:dsr_case_change", args=[entry.case_id])
        return format_html('<a href="{}">{} {}</a>', where, reference[:4], reference[4:])


def _state(value: Any) -> str:
    return str(State(value).label) if value in State.values else str(value)


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {count}" for name, count in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
