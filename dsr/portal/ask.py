"""Asking: one question a page, then a look at the answers, then it is sent. Nothing is stored before that."""

from dataclasses import replace
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts import codes
from dsr import audit, intake, keys, locks, policy
from dsr.models import Case, Relation
from dsr.portal import adapter, answers, drawn, limits, opened, steps
from dsr.portal.answers import Answers
from dsr.portal.forms import Address, Details, Message, Question, Receipts, Way, Whose
from dsr.portal.start import offered

QUESTIONS: dict[str, type[Question]] = {
    "whose": Whose,
    "way": Way,
    "address": Address,
    "receipts": Receipts,
    "details": Details,
    "message": Message,
}
CHECK = "check"
PLACE = "@sealed-answers@"


@csrf_exempt  # dsr.portal.middleware.OriginCheck guards every POST, without a cookie
@require_http_methods(["GET", "HEAD", "POST"])
@limits.limited
@cache_control(private=True, max_age=0)  # not no-store: with it, a browser's Back would lose the answers
def ask(request: HttpRequest) -> HttpResponse:
    """Begin with ?right=…, go on by POST."""
    if request.method == "POST":
        return _go_on(request)
    right = offered(request.GET.get("right", ""))
    if right is None:
        return HttpResponseRedirect(reverse("portal:start") + "#ask")
    begun = answers.begin(right.name)
    return _untouched(request, begun, path(begun)[0])


def path(given: Answers) -> list[str]:
    """The questions for these answers, in their order."""
    ways = policy.current().identity.ways
    if ways == ("receipt",):
        return ["receipts", "details"]
    choosing = ["way"] if len(ways) > 1 else []
    if given.relation != Relation.SELF:
        return ["whose", "address", "message"]
    return ["whose", *choosing, "receipts" if given.is_by_receipt else "address", "details"]


def _go_on(request: HttpRequest) -> HttpResponse:
    try:
        given = answers.opened(request.POST.get("state", ""))
    except answers.NotOurs:
        return render(request, "portal/ask/lost.html", {"right": offered("access")}, status=400)
    if offered(given.right) is None:
        return HttpResponseRedirect(reverse("portal:start") + "#ask")
    if given.is_stale:
        fresh = given.anew()
        return _question(request, fresh, path(fresh)[0], is_stale=True)
    step, go = request.POST.get("step", ""), request.POST.get("go", "next")
    if step == CHECK:
        return _from_check(request, given, go)
    if step not in path(given):
        return _question(request, given, _next(given))
    return _answer(request, given, step, go)


def _answer(request: HttpRequest, given: Answers, step: str, go: str) -> HttpResponse:
    """Take one page's answers and show the next, or the one before."""
    form = QUESTIONS[step](request.POST)
    is_valid = form.is_valid()
    kept = given.keeping(step, form.cleaned_data, is_answered=is_valid)
    steps_there = path(kept)
    if go == "back":
        return _question(request, kept, steps_there[max(0, steps_there.index(step) - 1)])
    if not is_valid:
        return _question(request, given, step, form)
    after = steps_there[steps_there.index(step) + 1 :]
    # Who changes one answer goes back to the check; who comes here the first time goes on.
    if after and not given.is_changing:
        is_new = kept.values.keys().isdisjoint(_fields(after[0]))
        return (_untouched if is_new else _question)(request, kept, after[0])
    return _check(request, kept)


def _from_check(request: HttpRequest, given: Answers, go: str) -> HttpResponse:
    if go == "send" and _next(given) == CHECK:
        return _send(request, given)
    if go == "back":
        return _question(request, given, path(given)[-1])
    if go in path(given):
        return _question(request, replace(given, is_changing=True), go)
    return _check(request, given)


def _next(given: Answers) -> str:
    return next((step for step in path(given) if step not in given.answered), CHECK)


def _check(request: HttpRequest, given: Answers) -> HttpResponse:
    step = _next(given)
    if step != CHECK:
        return _question(request, given, step)
    context = {
        "right": offered(given.right),
        "state": given.sealed(),
        "step": CHECK,
        "lines": steps.answers_in_words(given, path(given)),
        "email": given.values.get("email", ""),
        "relation": given.relation,
        "due_on": intake.expected_due(given.right).due_on,
    }
    return render(request, "portal/ask/check.html", context)


def _untouched(request: HttpRequest, given: Answers, step: str) -> HttpResponse:
    """A question that was never answered: it differs from form to form in its sealed answers alone."""
    blank = replace(given, values={name: given.values[name] for name in ("relation", "way") if name in given.values})
    name = f"ask {given.right}: {step} of {path(given)}"
    page = drawn.once(name, lambda: _question(request, blank, step, state=PLACE))
    page.content = page.content.replace(PLACE.encode(), given.sealed().encode())
    return page


@cache
def _fields(step: str) -> frozenset[str]:
    return frozenset(QUESTIONS[step]().fields)


def _question(
    request: HttpRequest,
    given: Answers,
    step: str,
    form: Question | None = None,
    *,
    is_stale: bool = False,
    state: str = "",
) -> HttpResponse:
    there = path(given)
    context: dict[str, Any] = {
        "form": form or QUESTIONS[step](initial=_initial(given)),
        "right": offered(given.right),
        "state": state or given.sealed(),
        "step": step,
        "number": there.index(step) + 1,
        "total": len(there),
        "is_first": there.index(step) == 0,
        "is_stale": is_stale,
    }
    return render(request, f"portal/ask/{step}.html", context)


def _initial(given: Answers) -> dict[str, Any]:
    """What the page shows already: the answers, and how files are best written for this right."""
    default = {"format": "csv" if given.right == "access" else "jsonl"}
    return default | given.values | {"receipts": "\n".join(given.values.get("receipts", ()))}


def _send(request: HttpRequest, given: Answers) -> HttpResponse:
    """Open the case; sending the same form again shows the same page and sends no second code."""
    asked = given.asked(get_language() or "en")
    form_index = keys.index("form", given.nonce)
    with audit.recorded():  # when no code may be sent any more, no case stays behind that nobody can verify
        # Of the same form sent twice at once, the second one waits here and finds what the first one did.
        locks.alone("form", form_index)
        is_sent = Case.objects.filter(form_index=form_index).exists()
        if not is_sent:
            limits.consume(request, "file-by-receipt" if asked.receipts else "file", key=asked.email)
        case = intake.open_case(asked)
        if asked.email and not is_sent:
            with adapter.about(case):
                codes.start(request, asked.email)
    return _done(request, case, given)


def _done(request: HttpRequest, sent: Case, given: Answers) -> HttpResponse:
    case = Case.objects.select_related("joined_to").get(pk=sent.pk)
    # An earlier page of this form may have opened the case for an address: then no claim code owns it.
    by_receipt = given.is_by_receipt and intake.is_owned_by(case, given.claim)
    if by_receipt:
        case = case.joined_to or case
    else:
        opened.remember_filed(request, case)
    context = {
        "case": case,
        "email": given.values.get("email", ""),
        "minutes": codes.MINUTES,
        "unverified_days": intake.UNVERIFIED_DAYS,
        "claim": given.claim if by_receipt else "",
        "links": opened.by_token(case) if by_receipt else opened.by_session(case),
        "is_by_hand": given.relation != Relation.SELF,
        "title": _("We have your request"),
    }
    response = render(request, "portal/ask/done.html", context)
    if by_receipt:
        response.headers["Cache-Control"] = "no-store"  # it shows the claim code
    return response
