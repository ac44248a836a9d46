"""A Mail: one message to one address. Who gets it and what it says is sealed, and forgotten once it went out."""

from django.db import models

from dsr.models.case import Case
from dsr.models.sealed import Sealed, new_id


class Mail(models.Model):
    """`message` names the templates under templates/email/; `content` (sealed) holds address and values."""

    id = models.CharField(primary_key=True, max_length=32, default=new_id, editable=False)
    case = models.ForeignKey(Case, models.CASCADE, null=True, related_name="mails")
    message = models.CharField(max_length=32)
    language = models.CharField(max_length=12)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    content_sealed = models.BinaryField(default=b"")

    content = Sealed("content_sealed")

    def __str__(self) -> str:
        return f"{self.message} {self.pk}"
