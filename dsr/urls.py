"""Addresses: the person's pages with the language in front, staff under /staff/, and what machines look for."""

from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import include, path

from dsr.portal import urls as portal

urlpatterns = [
    path("staff/account/", include("accounts.urls")),
    path("staff/", admin.site.urls),
    path("", include((portal.machine_patterns, "machine"), namespace="machine")),
    *i18n_patterns(
        path("", include((portal.person_patterns, "portal"), namespace="portal")), prefix_default_language=True
    ),
]
