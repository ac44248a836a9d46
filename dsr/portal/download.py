"""The archive, streamed as it is decrypted, from any byte on. Fetching it uses nothing up."""

import re
from typing import NamedTuple

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from dsr import deliver, policy
from dsr.lifecycle import NotAllowed
from dsr.models import Delivery
from dsr.portal import opened
from dsr.portal.opened import Opened

# One range. Several in one request need not be served (RFC 9110, 14.2), so those get the whole file.
ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class Span(NamedTuple):
    """Bytes from `first` up to, not including, `end`."""

    first: int
    end: int


class Unsatisfiable(Exception):
    """The range begins behind the end of the file."""


@require_safe
@opened.owned
def download(request: HttpRequest, found: Opened) -> HttpResponseBase:
    """The file, for its owner, within half an hour of a typed code."""
    delivery = getattr(found.case, "delivery", None)
    if delivery is None:
        raise Http404
    if not delivery.is_available or not found.is_fresh:
        return HttpResponseRedirect(found.links["status"] + "#get", status=303)
    try:
        span = _span(request, delivery)
    except Unsatisfiable:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{delivery.size}"})
    return _answer(request, found, delivery, span)


def _answer(request: HttpRequest, found: Opened, delivery: Delivery, span: Span | None) -> HttpResponseBase:
    first, end = span or Span(0, delivery.size)
    headers = {
        "Content-Length": str(end - first),
        "Content-Disposition": f'attachment; filename="{_file_name(found)}"',
        "Content-Type": "application/zip",
        "Accept-Ranges": "bytes",
        "ETag": _etag(delivery),
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    if span:
        headers["Content-Range"] = f"bytes {first}-{end - 1}/{delivery.size}"
    status = 206 if span else 200
    if request.method == "HEAD":
        return HttpResponse(status=status, headers=headers)
    try:
        chunks = deliver.serve(found.case, first, end)
    except NotAllowed:
        return HttpResponseRedirect(found.links["status"], status=303)  # it went while we looked
    deliver.seen(found.case)
    return StreamingHttpResponse(chunks, status=status, headers=headers)


def _span(request: HttpRequest, delivery: Delivery) -> Span | None:
    """The part that is asked for, or None for all of it. Raises Unsatisfiable."""
    asked = ONE_RANGE.fullmatch(request.headers.get("Range", "").strip())
    if asked is None or asked[0] == "bytes=-" or not _is_same_file(request, delivery):
        return None
    if not asked[1]:
        length = min(int(asked[2]), delivery.size)
        if length == 0:
            raise Unsatisfiable
        return Span(delivery.size - length, delivery.size)
    first = int(asked[1])
    end = min(int(asked[2]) + 1, delivery.size) if asked[2] else delivery.size
    if asked[2] and int(asked[2]) < first:
        return None  # not a range at all: RFC 9110, 14.1.1
    if first >= delivery.size:
        raise Unsatisfiable
    return Span(first, end)


def _is_same_file(request: HttpRequest, delivery: Delivery) -> bool:
    """If-Range: go on only if what the browser has is part of this very file."""
    condition = request.headers.get("If-Range", "")
    return not condition or condition == _etag(delivery)


def _etag(delivery: Delivery) -> str:
    return f'"{delivery.sha256}"'


def _file_name(found: Opened) -> str:
    short = re.sub(r"[^a-z0-9]+", "-", policy.current().organisation.short.casefold()).strip("-")
    return f"{short or 'your'}-data-{found.case.reference}.zip"
