"""What is remembered. Ids are random; what says something about a person is sealed."""

from dsr.models.audit import AuditEntry, AuditHead
from dsr.models.case import Approval, Case, Note, Outcome, Relation, Right, State
from dsr.models.clock import Clock
from dsr.models.delivery import Delivery, Download
from dsr.models.job import Job, JobState
from dsr.models.mail import Mail
from dsr.models.part import Part

__all__ = [
    "Approval",
    "AuditEntry",
    "AuditHead",
    "Case",
    "Clock",
    "Delivery",
    "Download",
    "Job",
    "JobState",
    "Mail",
    "Note",
    "Outcome",
    "Part",
    "Relation",
    "Right",
    "State",
]
