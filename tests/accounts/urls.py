"""The portal's addresses, and the smallest pages that use codes and the second factor."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from accounts import codes, second_factor
from dsr import urls as portal


def ask(request: HttpRequest) -> HttpResponse:
    try:
        codes.start(request, request.POST["email"])
    except codes.TooManyCodes:
        return HttpResponse("later", status=429)
    return HttpResponse("look into your mail")


def confirm(request: HttpRequest) -> HttpResponse:
    try:
        user = codes.confirm(request, request.POST["code"])
    except codes.WrongCode as wrong:
        return HttpResponse(f"WrongCode {wrong.tries_left}", status=403)
    except codes.NotSignedIn as problem:
        return HttpResponse(type(problem).__name__, status=403)
    return HttpResponse(user.email)


def me(request: HttpRequest) -> HttpResponse:
    return JsonResponse(
        {
            "email": getattr(request.user, "email", ""),
            "waiting_for": codes.waiting_for(request),
            "fresh": codes.recently_confirmed(request, minutes=10),
        }
    )


def protected(request: HttpRequest) -> HttpResponse:
    return second_factor.require(request) or HttpResponse("what staff see")


urlpatterns = [
    path("ask/", ask),
    path("confirm/", confirm),
    path("me/", me),
    path("protected/", protected, name="protected"),
    *portal.urlpatterns,
]
