"""A Clock: one deadline of a case under one rule or promise."""

from typing import Any, ClassVar

from django.db import models

from dsr.models.case import Case


class Clock(models.Model):
    """Dates are calendar dates in the controller's zone; `due_at` is set only for promises given in hours.

    `rule_version` and `steps` are frozen when the clock opens, so the answer to "why this date?" does not change
    when a rule does.
    """

    case = models.ForeignKey(Case, models.CASCADE, related_name="clocks")
    rule = models.CharField(max_length=32)
    rule_version = models.CharField(max_length=64)
    title = models.CharField(max_length=200)
    due_on = models.DateField()
    due_at = models.DateTimeField(null=True)
    acknowledge_by = models.DateField(null=True)
    internal_on = models.DateField(null=True)
    latest_on = models.DateField(null=True)
    steps = models.JSONField(default=list)

    class Meta:
        ordering: ClassVar[list[str]] = ["due_on", "rule"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["case", "rule"], name="clock_once_per_case_and_rule")
        ]
