"""A Part: up to 100,000 gathered rows of one collection, compressed and encrypted in storage."""

from typing import Any, ClassVar

from django.db import models

from dsr.models.case import Case


class Part(models.Model):
    """`name` is the place in storage; `sha256` is of the plain lines; `info` holds counts of what was masked."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="parts")
    system = models.CharField(max_length=64)
    collection = models.CharField(max_length=64)
    number = models.PositiveIntegerField()
    rows = models.PositiveBigIntegerField()
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    name = models.CharField(max_length=200)
    first_at = models.DateTimeField(null=True)
    last_at = models.DateTimeField(null=True)
    info = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar[list[str]] = ["system", "collection", "number"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["case", "system", "collection", "number"], name="part_once")
        ]

    @property
    def context(self) -> bytes:
        """What the encryption binds the file to."""
        return part_context(self.case_id, self.system, self.collection, self.number)


def part_context(case_id: str, system: str, collection: str, number: int) -> bytes:
    """The associated data of a part's encryption: a part moved to another case or place does not open."""
    return f"part:{case_id}:{system}:{collection}:{number}".encode()
