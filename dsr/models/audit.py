"""The trail: one entry an act, each bound to the one before it by a keyed hash."""

from typing import ClassVar

from django.db import models


class AuditEntry(models.Model):
    """`actor` is "subject", "system" or "staff:<id>"; `facts` hold ids, counts and digests, never values."""

    seq = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    actor = models.CharField(max_length=64)
    act = models.CharField(max_length=64)
    case_id = models.CharField(max_length=32, blank=True, db_index=True)
    facts = models.JSONField(default=dict)
    mac = models.CharField(max_length=64)

    class Meta:
        ordering: ClassVar[list[str]] = ["seq"]


class AuditHead(models.Model):
    """The one row that names the end of the chain; locked while an entry is appended."""

    seq = models.BigIntegerField(default=0)
    mac = models.CharField(max_length=64, blank=True)
