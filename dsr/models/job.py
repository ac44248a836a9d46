"""A Job: one piece of work that was promised. Written in the same transaction as the fact that calls for it."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from dsr.models.case import Case


class JobState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Needs a person")
    LEFT_OUT = "left-out", _("Left out")


class Job(models.Model):
    """`key` tells apart jobs of one kind for one case and system (a mail's id, a round).

    `lease` and `lease_until` say who works on it and until when; `checkpoint` where to go on; `problem` and `hint`
    (no values of a person) what staff should know.
    """

    kind = models.CharField(max_length=32)
    case = models.ForeignKey(Case, models.CASCADE, null=True, related_name="jobs")
    system = models.CharField(max_length=64, blank=True, default="")
    key = models.CharField(max_length=64, blank=True, default="")
    queue = models.CharField(max_length=16)
    state = models.CharField(max_length=16, choices=JobState, default=JobState.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    lease = models.CharField(max_length=32, blank=True, default="")
    lease_until = models.DateTimeField(null=True)
    checkpoint = models.JSONField(default=dict)
    problem = models.CharField(max_length=500, blank=True, default="")
    hint = models.CharField(max_length=500, blank=True, default="")
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["kind", "case", "system", "key"], condition=Q(case__isnull=False), name="job_once_per_case"
            ),
            models.UniqueConstraint(
                fields=["kind", "system", "key"], condition=Q(case__isnull=True), name="job_once_without_case"
            ),
        ]
        indexes: ClassVar[list[Any]] = [
            # The sweep reads what is due and nothing else, however many jobs are done.
            models.Index(fields=["due_at"], condition=Q(state="waiting"), name="job_waiting_due"),
            models.Index(fields=["lease_until"], condition=Q(state="running"), name="job_running_lease"),
            # The queue of staff asks of every request whether something of it failed, or whether it was disputed.
            models.Index(fields=["case", "due_at"], condition=Q(state="failed"), name="job_failed"),
            models.Index(fields=["case"], condition=Q(kind="remove", key="disputed"), name="job_disputed"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
