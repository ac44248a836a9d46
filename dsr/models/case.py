"""A Case: one request of one person under one right. Its state is written by dsr.lifecycle alone."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from dsr.models.sealed import Sealed, new_id


class Right(models.TextChoices):
    ACCESS = "access", _("a copy of my data")
    EXPORT = "export", _("my data, to take elsewhere")
    CORRECTION = "correction", _("correct something")
    DELETION = "deletion", _("delete my data")
    RESTRICTION = "restriction", _("limit a use")
    OBJECTION = "objection", _("object to a use")
    OPT_OUT = "opt-out", _("turn something off")
    WITHDRAWAL = "withdrawal", _("take back a permission")


class State(models.TextChoices):
    RECEIVED = "received", _("Received")
    VERIFIED = "verified", _("Verified")
    WORKING = "working", _("Collecting")
    CONFIRMING = "confirming", _("Waiting for the person")
    REVIEW = "review", _("In review")
    APPROVED = "approved", _("Approved")
    EXECUTING = "executing", _("Preparing the answer")
    COMPLETED = "completed", _("Answered")
    REFUSED = "refused", _("Refused")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    LAPSED = "lapsed", _("Closed, no reply")
    JOINED = "joined", _("Joined to an earlier request")


class Outcome(models.TextChoices):
    NONE = "", _("open")
    COMPLETE = "complete", _("complete")
    PARTIAL = "partial", _("in part")
    NOTHING_FOUND = "nothing", _("nothing found")
    BY_HAND = "by-hand", _("answered by hand")


class Relation(models.TextChoices):
    """Who the one who asks is to the data."""

    SELF = "self", _("me")
    CHILD = "child", _("my child")
    AGENT = "agent", _("somebody who asked me to act for them")
    CUSTOMERS_USER = "user", _("me, as a user of a customer's product")
    MENTIONED = "mentioned", _("me, in somebody else's data")


class Case(models.Model):
    """One request.

    `details` (sealed): email, name, country, since, until, categories, format, receipts, message: what was asked.
    `findings` (sealed): identifiers and channels that systems gave, and what could not be reached.
    `received_at` is an instant, `received_on` the same as a calendar date in the controller's zone.
    `due_on` repeats the earliest clock, so that queues sort in the database.
    """

    id = models.CharField(primary_key=True, max_length=32, default=new_id, editable=False)
    reference = models.CharField(max_length=8, unique=True)
    right = models.CharField(max_length=16, choices=Right)
    relation = models.CharField(max_length=16, choices=Relation, default=Relation.SELF)
    state = models.CharField(max_length=16, choices=State, default=State.RECEIVED)
    state_at = models.DateTimeField()
    outcome = models.CharField(max_length=16, choices=Outcome, default=Outcome.NONE, blank=True)
    language = models.CharField(max_length=12, default="en")
    policy_version = models.CharField(max_length=32)
    received_at = models.DateTimeField()
    received_on = models.DateField()
    verified_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    due_on = models.DateField(null=True, db_index=True)
    details_sealed = models.BinaryField(default=b"")
    findings_sealed = models.BinaryField(default=b"")
    who_index = models.CharField(max_length=64, blank=True, db_index=True)
    form_index = models.CharField(max_length=64, unique=True)
    claim_index = models.CharField(max_length=64, unique=True, null=True)  # noqa: DJ001  (unique among those that have one)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="cases")
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    joined_to = models.ForeignKey("self", models.SET_NULL, null=True, related_name="joined")
    round = models.PositiveIntegerField(default=1)
    channel_is_young = models.BooleanField(default=False)
    channel_cleared_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    details = Sealed("details_sealed")
    findings = Sealed("findings_sealed")

    class Meta:
        indexes: ClassVar[list[Any]] = [models.Index(fields=["state", "due_on"], name="case_state_due")]
        permissions: ClassVar[Any] = [
            ("see_person", "Can see who asked (recorded)"),
            ("approve_case", "Can approve and release"),
        ]

    def __str__(self) -> str:
        return self.spoken_reference

    @property
    def spoken_reference(self) -> str:
        """The reference as it is read aloud: two groups of four digits."""
        return f"{self.reference[:4]} {self.reference[4:]}"

    @property
    def is_open(self) -> bool:
        return self.state not in ENDS

    @property
    def is_exporting(self) -> bool:
        """Whether the answer is an archive of data."""
        return self.right in (Right.ACCESS, Right.EXPORT)


ENDS = frozenset({State.COMPLETED, State.REFUSED, State.WITHDRAWN, State.LAPSED, State.JOINED})


class Approval(models.Model):
    """One person's agreement to release one round of a case; sending back starts the next round."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="approvals")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    round = models.PositiveIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["case", "by", "round"], name="approval_once_per_person_and_round")
        ]


class Note(models.Model):
    """What was written about or within a case: by staff for staff, or between staff and the person."""

    class Kind(models.TextChoices):
        STAFF = "staff", _("note for staff")
        TO_PERSON = "to-person", _("to the person")
        FROM_PERSON = "from-person", _("from the person")

    id = models.CharField(primary_key=True, max_length=32, default=new_id, editable=False)
    case = models.ForeignKey(Case, models.CASCADE, related_name="notes")
    kind = models.CharField(max_length=16, choices=Kind)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()
    body_sealed = models.BinaryField(default=b"")

    body = Sealed("body_sealed")

    class Meta:
        ordering: ClassVar[list[str]] = ["at"]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["case", "at"], condition=models.Q(kind="from-person"), name="note_from_person")
        ]
