"""The Celery application. Messages hold a job's id and nothing else."""

import os
from typing import Any

from celery import Celery, bootsteps
from celery.signals import worker_init, worker_process_init
from django.conf import settings
from django.db import connection
from kombu.transport import TRANSPORT_ALIASES

from dsr import policy, pulse, readiness
from dsr.bundle import press

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dsr.settings")

# kombu's own lets a worker end over a half-written message.
TRANSPORT_ALIASES["filesystem"] = "dsr.broker:Transport"
app = Celery("dsr")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.set_default()
app.autodiscover_tasks(["dsr"])


class Pulse(bootsteps.StartStopStep):
    """While the worker's own loop turns, a file says so: one that hangs, or has lost its broker, falls silent."""

    requires = ("celery.worker.components:Timer",)

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        self._entry: Any = None

    def start(self, worker: Any) -> None:
        """Begin with the loop."""
        self._entry = worker.timer.call_repeatedly(pulse.EVERY_SECONDS, self._beat, (worker.hostname,))

    def stop(self, worker: Any) -> None:
        """End with it."""
        if self._entry is not None:
            self._entry.cancel()

    def _beat(self, name: str) -> None:
        lacking = readiness.lacking(("database", "keys"))
        # This process forks others, which must not inherit its connection.
        connection.close()
        pulse.beat(settings.RUN, name, lacking)


app.steps["worker"].add(Pulse)


# Celery tells of its start by signals and in no other way.
@worker_init.connect
def refuse_a_wrong_policy(**_said: Any) -> None:
    """A wrong policy stops the worker, with all its errors."""
    try:
        policy.current()
        policy.systems()
    except (policy.PolicyError, policy.NotConfigured) as error:
        raise SystemExit(str(error)) from error


@worker_process_init.connect
def start_printing_ahead(**_said: Any) -> None:
    """Where archives are sealed, the process that prints letters is loaded before the first of them."""
    if "bulk" in app.amqp.queues.consume_from:
        press.start()
