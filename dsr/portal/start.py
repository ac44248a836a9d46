"""The public pages: who runs this, what can be asked, and the policy. Drawn from the policy file alone."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from dsr import lifecycle, policy
from dsr.policy.deadlines import RULES
from dsr.policy.model import Right
from dsr.portal import drawn

# The rights that have a journey here; the policy's others are listed with the way to ask for them.
CARRIED = ("access", "export")
KEPT_SECONDS = 300

Page = Callable[[HttpRequest], HttpResponse]


def public(page: Page) -> Page:
    """For pages that say nothing about a person: drawn once, and cached by browsers."""

    @wraps(page)
    def kept(request: HttpRequest) -> HttpResponse:
        response = drawn.once(page.__name__, lambda: page(request))
        patch_cache_control(response, public=True, max_age=KEPT_SECONDS)
        drawn.pack(response, request.headers.get("Accept-Encoding", ""))
        return response

    return require_safe(kept)


@require_safe
def root(request: HttpRequest) -> HttpResponse:
    """To the start page in a language we have."""
    return HttpResponseRedirect(reverse("portal:start"))


@public
def start(request: HttpRequest) -> HttpResponse:
    """Who runs this, and what can be asked."""
    current = policy.current()
    expected = lifecycle.expected(CARRIED[0])
    laws = [RULES[due.rule].title for due in expected if due.rule != "promise"]
    context = {
        "policy": current,
        "carried": [right for right in current.offered if right.name in CARRIED],
        "by_mail": [right for right in current.offered if right.name not in CARRIED],
        "due_on": expected[0].due_on,
        "within": current.right(CARRIED[0]).within,
        "laws": laws,
        "serves_customers": serves_customers(),
    }
    return render(request, "portal/start.html", context)


@public
def policy_page(request: HttpRequest) -> HttpResponse:
    """The policy: what is held, why, for how long, who receives it."""
    current = policy.current()
    categories = [
        {
            "category": category,
            "purposes": [current.purpose(id) for id in category.purposes],
            "recipients": current.recipients_of(category.id),
        }
        for category in current.categories
    ]
    context = {"policy": current, "categories": categories, "versions": policy.versions()}
    return render(request, "portal/policy.html", context)


@public
def accessibility(request: HttpRequest) -> HttpResponse:
    """How this portal can be used, and whom to tell when it cannot."""
    return render(request, "portal/accessibility.html")


def offered(name: str) -> Right | None:
    """The right of this name, if the policy offers it and the portal can carry it."""
    if name not in CARRIED:
        return None
    right = policy.current().right(name)
    return right if right.offered else None


def serves_customers() -> bool:
    """Whether the company also keeps data for customers who decide about it (it is their processor)."""
    return any(promise.id.endswith(".processor") for promise in policy.current().promises)
