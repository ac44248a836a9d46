"""Work that needs a person: jobs that failed for good, what is wrong, and what can be done."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.contrib.admin import ShowFacets, SimpleListFilter, display
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dsr import deliver
from dsr.admin import left, queue
from dsr.admin.lists import List
from dsr.lifecycle import NotAllowed
from dsr.models import Job, JobState

KINDS = {
    "mail": gettext_lazy("Send a mail"),
    "identify": gettext_lazy("Find the person"),
    "gather": gettext_lazy("Read a system"),
    "release": gettext_lazy("Release without review"),
    "seal": gettext_lazy("Make the archive"),
    "remove": gettext_lazy("Remove files"),
}


class StateFilter(SimpleListFilter):
    """What failed, what is being tried again, or everything that is not done."""

    title = gettext_lazy("state")
    parameter_name = "is"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        """Beside the failed ones, which are shown without a choice."""
        return [("trying", _("Trying again")), ("unfinished", _("Not done yet"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        """The jobs of that state."""
        if self.value() == "trying":
            return queryset.filter(state=JobState.WAITING).exclude(problem="")
        if self.value() == "unfinished":
            return queryset.exclude(state__in=(JobState.DONE, JobState.LEFT_OUT))
        return queryset.filter(state=JobState.FAILED)

    def choices(self, changelist: Any) -> Any:
        """The first choice is not "all"."""
        first, *others = super().choices(changelist)
        return [{**first, "display": _("Needs a person")}, *others]


class JobAdmin(List):
    """A list to read, and one button a job."""

    list_display = ("what", "request", "system", "attempts", "wrong", "since", "again")
    list_display_links = None
    list_filter = (StateFilter,)
    list_select_related = ("case",)
    list_per_page = 100
    ordering = ("due_at",)
    actions = None
    show_full_result_count = False
    show_facets = ShowFacets.NEVER

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Facts promise work."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        """No form edits a job."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        """A promise is kept, not deleted."""
        return False

    def get_urls(self) -> list[URLPattern]:
        """The list and the button."""
        view = self.admin_site.admin_view
        return [
            path("", view(self.changelist_view), name="dsr_job_changelist"),
            path("<int:pk>/again/", view(self.try_again), name="dsr_job_again"),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list."""
        return super().changelist_view(request, {"title": _("Work that needs a person"), **(extra_context or {})})

    def try_again(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Start a failed job afresh."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not (self.has_view_permission(request) and request.user.has_perm("dsr.change_case")):
            raise Http404
        try:
            deliver.try_again(get_object_or_404(Job.objects.select_related("case"), pk=pk), queue.reader(request))
            messages.success(request, _("It is tried again now."))
        except NotAllowed as reason:
            messages.error(request, str(reason))
        return redirect("admin:dsr_job_changelist")

    @display(description=gettext_lazy("What"))
    def what(self, job: Job) -> str:
        """In words."""
        return str(KINDS.get(job.kind, job.kind))

    @display(description=gettext_lazy("Request"))
    def request(self, job: Job) -> str:
        """Its reference, leading to it."""
        if job.case is None:
            return "–"
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:dsr_case_change", args=[job.case.pk]), job.case.spoken_reference
        )

    @display(description=gettext_lazy("What is wrong, and what helps"))
    def wrong(self, job: Job) -> str:
        """Both sentences; they may quote a system, so they are isolated."""
        return format_html("<bdi>{}</bdi><br><bdi class=dim>{}</bdi>", job.problem, job.hint)

    @display(description=gettext_lazy("Since"))
    def since(self, job: Job) -> str:
        """When it was promised."""
        return left.moment(job.created_at)

    @display(description=gettext_lazy("Do"))
    def again(self, job: Job) -> str:
        """A button of the list's own form."""
        if job.state != JobState.FAILED:
            return ""
        where = reverse("admin:dsr_job_again", args=[job.pk])
        return format_html('<button class="button" formaction="{}">{}</button>', where, _("Try again"))
