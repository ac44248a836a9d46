"""The product's addresses, and an empty page behind the same middleware."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from dsr.urls import urlpatterns as of_the_product


def empty(request: HttpRequest) -> HttpResponse:
    """Nothing."""
    return HttpResponse()


urlpatterns = [path("bench/empty/", empty), *of_the_product]
