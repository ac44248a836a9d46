"""Starts the application: reads the policy and the systems file."""

import logging

from django.apps import AppConfig
from django.conf import settings

from dsr import policy

log = logging.getLogger(__name__)


class DsrConfig(AppConfig):
    """The portal. A wrong policy stops web and workers; management commands report it as a system check."""

    name = "dsr"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from dsr import celery, checks  # noqa: F401  (models must be loaded first)

        if settings.DSR_POLICY and settings.DSR_SYSTEMS:
            try:
                policy.configure(settings.DSR_POLICY, settings.DSR_SYSTEMS)
            except policy.PolicyError as error:
                # Kept: policy.current() raises it again, and the system check dsr.E001 lists it.
                log.debug("the policy is wrong: %d problems", len(error.problems))
