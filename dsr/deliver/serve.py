"""Hand the archive out, in part or whole, until it goes."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.core.files.storage import storages
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from dsr import audit, gather, jobs, lifecycle, policy
from dsr.bundle import sealed
from dsr.lifecycle import NotAllowed
from dsr.models import Case, Delivery, Download, Job


def seen(case: Case) -> None:
    """The person looked at the page that offers the archive: from now on the days until it goes are counted."""
    now = timezone.now()
    last_day = now.astimezone(lifecycle.zone()).date() + timedelta(days=policy.current().delivery.expires_days)
    Delivery.objects.filter(case=case, first_seen_at=None, removed_at=None).update(
        first_seen_at=now, expires_on=last_day
    )


def serve(case: Case, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """The archive's bytes from `start` up to and without `end`; each answer is a Download and in the trail.

    Raises NotAllowed, before the first byte, when the archive is gone.
    """
    delivery = Delivery.objects.filter(case=case).first()
    if delivery is None or not delivery.is_available:
        raise NotAllowed(_("This download is no longer here."))
    stop = delivery.size if end is None else min(end, delivery.size)
    with audit.recorded():
        download = Download.objects.create(delivery=delivery, at=timezone.now(), first_byte=start)
        audit.append("downloaded", actor=audit.SUBJECT, case=case, first_byte=start, last_byte=stop - 1)
    return _bytes(delivery, download, start, stop)


def remove(case: Case, why: str) -> None:
    """Delete the archive: its time is up ("expired") or the person closed it ("revoked")."""
    with audit.recorded():
        gone = Delivery.objects.filter(case=case, removed_at=None).update(removed_at=timezone.now(), removed_why=why)
        if not gone:
            raise NotAllowed(_("This download is no longer here."))
        audit.append("removed", actor=audit.SYSTEM if why == "expired" else audit.SUBJECT, case=case, why=why)
        jobs.enqueue("remove", case=case, key=why)


def expire(now: datetime) -> int:
    """Remove every archive whose last day is over in the controller's zone. How many."""
    today = now.astimezone(lifecycle.zone()).date()
    over = list(Delivery.objects.filter(removed_at=None, expires_on__lt=today).select_related("case")[:500])
    for delivery in over:
        remove(delivery.case, "expired")
    return len(over)


def remove_files(job: Job) -> None:
    """Delete a case's parts, and its archive unless that is what the parts were made into.

    What a killed worker left of an archive goes too: nobody knows its name any more, so the folder is looked through.
    """
    case = gather.case_of(job)
    gather.forget_files(case)
    kept = Delivery.objects.filter(case=case).values_list("name", flat=True).first()
    for name in gather.files_below(f"bundles/{case.pk}"):
        if name != kept:
            storages["bundles"].delete(name)
    if job.key != "parts":
        delivery = Delivery.objects.filter(case=case).exclude(name="").first()
        if delivery is not None:
            storages["bundles"].delete(delivery.name)
            Delivery.objects.filter(pk=delivery.pk).update(
                name="", secret_sealed=b"", removed_at=delivery.removed_at or timezone.now(),
                removed_why=delivery.removed_why or job.key,
            )  # fmt: skip
    with transaction.atomic():
        jobs.finish(job)


def _bytes(delivery: Delivery, download: Download, start: int, stop: int) -> Iterator[bytes]:
    """Decrypted from the beginning, since each segment proves itself; what lies before `start` is passed over."""
    at = sent = 0
    try:
        for chunk in sealed.chunks(storages["bundles"], delivery.name, delivery.context):
            wanted = chunk[max(0, start - at) : max(0, stop - at)]
            at += len(chunk)
            if wanted:
                yield wanted
                sent += len(wanted)
            if at >= stop:
                break
    finally:
        # Also when the person's connection broke: what was sent is told truly.
        Download.objects.filter(pk=download.pk).update(sent_bytes=sent, is_whole=start == 0 and sent == delivery.size)
