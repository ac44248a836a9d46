"""A Delivery: the sealed archive of a case, and each time it was fetched."""

from typing import Any, ClassVar

from django.db import models

from dsr.models.case import Case
from dsr.models.sealed import Sealed


class Delivery(models.Model):
    """`name` is the place of the encrypted archive in storage, empty once it is gone.

    `size` and `sha256` are of the archive as the person receives it. `expires_on` counts from `first_seen_at`,
    or from the day it was sealed for one that nobody looks at. `secret` (sealed) holds the passphrase of an archive
    that travels by mail.
    """

    case = models.OneToOneField(Case, models.CASCADE, related_name="delivery", primary_key=True)
    name = models.CharField(max_length=200, blank=True)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    rows = models.PositiveBigIntegerField()
    is_attached = models.BooleanField(default=False)
    sealed_at = models.DateTimeField()
    first_seen_at = models.DateTimeField(null=True)
    expires_on = models.DateField()
    removed_at = models.DateTimeField(null=True)
    removed_why = models.CharField(max_length=16, blank=True)
    secret_sealed = models.BinaryField(default=b"")

    secret = Sealed("secret_sealed")

    class Meta:
        indexes: ClassVar[list[Any]] = [
            # What may expire, and nothing else, however many are gone.
            models.Index(fields=["expires_on"], condition=models.Q(removed_at__isnull=True), name="delivery_there")
        ]

    @property
    def context(self) -> bytes:
        """What the encryption binds the archive to."""
        return f"bundle:{self.case_id}".encode()

    @property
    def is_available(self) -> bool:
        return bool(self.name) and self.removed_at is None


class Download(models.Model):
    """One answer to a request for the archive's bytes: from where, how many, and whether it reached the end."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="downloads")
    at = models.DateTimeField()
    first_byte = models.PositiveBigIntegerField(default=0)
    sent_bytes = models.PositiveBigIntegerField(default=0)
    is_whole = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar[list[Any]] = ["at"]
