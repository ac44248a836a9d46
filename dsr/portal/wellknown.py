"""What machines look for: health, robots, where to report a hole, and the company's colours."""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from dsr import policy, readiness
from dsr.portal.context import site

PLAIN = "text/plain; charset=utf-8"
# RFC 9116 asks for a date less than a year ahead; the file is made anew each day.
SECURITY_VALID_DAYS = 180


@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """This process answers."""
    return HttpResponse("ok\n", content_type=PLAIN)


@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """All that it needs answers too. Names what does not; why, is in the log."""
    lacking = readiness.lacking()
    if lacking:
        answer = HttpResponse(f"not ready: {', '.join(lacking)}\n", content_type=PLAIN, status=503)
        # Django would write an error for each probe; the log has one line for what is missing.
        answer._has_been_logged = True  # type: ignore[attr-defined]
        return answer
    return HttpResponse("ready\n", content_type=PLAIN)


@require_safe
@cache_control(public=True, max_age=86400)
def robots(request: HttpRequest) -> HttpResponse:
    """Search engines may find the start and the policy, and nothing about a person."""
    lines = ["User-agent: *", *(f"Disallow: /{path}" for path in ("staff/", "outbox/", "*/r/", "*/o/", "*/ask/"))]
    return HttpResponse("\n".join([*lines, ""]), content_type=PLAIN)


@require_safe
@cache_control(public=True, max_age=3600)
def security_txt(request: HttpRequest) -> HttpResponse:
    """Where to report a vulnerability (RFC 9116)."""
    current = policy.current()
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    expires = today + timedelta(days=SECURITY_VALID_DAYS)
    lines = [
        f"Contact: mailto:{current.security.email or current.organisation.email}",
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        f"Preferred-Languages: {', '.join(code for code, _ in settings.LANGUAGES)}",
        f"Canonical: {settings.DSR_ORIGIN}{reverse('machine:security')}",
        f"Policy: {settings.DSR_ORIGIN}{reverse('portal:policy')}",
    ]
    return HttpResponse("\n".join([*lines, ""]), content_type=PLAIN)


@require_safe
@cache_control(public=True, max_age=31_536_000, immutable=True)
def accent(request: HttpRequest) -> HttpResponse:
    """The company's accent for light and dark pages. Its address changes with its content."""
    held = site(request)["site"]
    if held is None:
        raise Http404
    return HttpResponse(held.sheet, content_type="text/css; charset=utf-8")
