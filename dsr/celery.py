"""The Celery application. Messages hold a job's id and nothing else."""

import os

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dsr.settings")

TRANSPORT_ALIASES["filesystem"] = "dsr.broker:Transport"
app = Celery("dsr")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.set_default()
app.autodiscover_tasks(["dsr"])
