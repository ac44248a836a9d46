"""Puts our site in the place of Django's default one."""

from django.contrib.admin.apps import SimpleAdminConfig


class StaffAdminConfig(SimpleAdminConfig):
    """The admin without autodiscovery: staff open what StaffSite lists, and nothing that an app brings along.

    (allauth would register its addresses and authenticators, secrets included.)
    """

    default_site = "dsr.admin.site.StaffSite"
