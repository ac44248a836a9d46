import json
from types import SimpleNamespace

import pytest
from django.db import DatabaseError, connection, transaction

from dsr import audit
from dsr.models import AuditEntry, AuditHead
from tests.conftest import guard_of_the_trail

pytestmark = pytest.mark.django_db


@pytest.fixture
def trail() -> list[AuditEntry]:
    for number in range(6):
        audit.append("looked", actor="staff:1", case="c" * 32, rows=number)
    return list(AuditEntry.objects.all())


def change(**changes: object) -> None:
    AuditEntry.objects.filter(seq=3).update(**changes)


def reorder() -> None:
    third, fourth = AuditEntry.objects.get(seq=3), AuditEntry.objects.get(seq=4)
    third.seq, fourth.seq = 4, 3
    third.save()
    fourth.save()


def cut_off_the_end() -> None:
    """As somebody with database rights would: the head is set back too, to a MAC that is in the table."""
    AuditEntry.objects.filter(seq__gt=4).delete()
    AuditHead.objects.update(seq=4, mac=AuditEntry.objects.get(seq=4).mac)


def test_an_untouched_trail_has_no_problem(trail: list[AuditEntry]) -> None:
    audit.write_checkpoint()
    assert audit.verify() == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda: change(actor="staff:2"),
        lambda: change(act="nothing"),
        lambda: change(case_id="d" * 32),
        lambda: change(facts={"rows": 0}),
        lambda: change(at="2020-01-01T00:00:00Z"),
        lambda: change(mac="0" * 64),
        lambda: AuditEntry.objects.filter(seq=3).delete(),
        lambda: AuditEntry.objects.filter(seq=1).delete(),
        lambda: AuditEntry.objects.all().delete(),
        lambda: AuditHead.objects.update(seq=5),
        reorder,
    ],
)
def test_whatever_is_done_to_entries_is_found(trail: list[AuditEntry], spoil) -> None:
    spoil()
    assert audit.verify() != []


STRANGE = {
    "sqlite": [
        ("facts", '{"rows": 99999999999999999999999}'),
        ("facts", '{"rows": "\\ud800"}'),
        ("facts", "no json"),
        ("at", "no time"),
        ("actor", b"\xff\x00"),
    ],
    "postgresql": [
        ("facts", '{"rows": 99999999999999999999999}'),
        ("facts", "7"),
        ("at", "infinity"),
        ("at", "0044-03-15 BC"),
    ],
}


@pytest.mark.parametrize(("column", "value"), STRANGE[connection.vendor])
def test_what_no_entry_of_ours_could_hold_is_found_and_the_rest_still_checked(
    trail: list[AuditEntry], column: str, value: object
) -> None:
    pragma = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        if pragma:
            cursor.execute("PRAGMA ignore_check_constraints = ON")
        cursor.execute(f"UPDATE dsr_auditentry SET {column} = %s WHERE seq = 3", [value])
        if pragma:
            cursor.execute("PRAGMA ignore_check_constraints = OFF")
    assert audit.verify()


def test_acts_that_go_on_during_the_walk_are_no_problem(trail: list[AuditEntry], monkeypatch) -> None:
    first, _ = audit._head(), audit.append("looked", actor="staff:1")
    heads = [first, audit._head()]
    monkeypatch.setattr(audit, "_head", lambda: heads.pop(0))
    assert audit.verify() == []


def test_entries_are_written_last_and_what_failed_leaves_none(trail: list[AuditEntry]) -> None:
    def refused() -> None:
        with audit.recorded():
            audit.append("refused", actor="staff:1")
            raise RuntimeError

    with audit.recorded():
        audit.append("one", actor="staff:1")
        with pytest.raises(RuntimeError):
            refused()
        audit.append("two", actor="staff:1")
        assert AuditEntry.objects.count() == 6
    assert [entry.act for entry in AuditEntry.objects.filter(seq__gt=6)] == ["one", "two"]
    with pytest.raises(RuntimeError):
        refused()
    audit.append("three", actor="staff:1")
    assert AuditEntry.objects.get(seq=9).act == "three"
    assert audit.verify() == []


def test_checkpoints_that_are_not_even_text_are_found(trail: list[AuditEntry]) -> None:
    audit.write_checkpoint()
    with audit.checkpoint_path().open("ab") as file:
        file.write(b"\xff\xfe\n")
    assert audit.verify() == ["Checkpoint 2 in checkpoints.jsonl was changed."]
    audit.append("looked", actor="staff:1")
    audit.write_checkpoint()
    assert len(audit.checkpoint_path().read_bytes().splitlines()) == 3


def test_a_cut_off_end_is_found_up_to_the_last_checkpoint(trail: list[AuditEntry]) -> None:
    audit.write_checkpoint()
    cut_off_the_end()
    assert audit.verify() == ["A checkpoint names entry 6, but the trail ends with 4: its end was cut off."]


def test_a_recomputed_trail_is_found_by_the_checkpoint(trail: list[AuditEntry], monkeypatch) -> None:
    """Somebody who even had the key of the chain could not change what an older checkpoint names."""
    audit.write_checkpoint()
    AuditEntry.objects.all().delete()
    AuditHead.objects.all().delete()
    for _ in range(6):
        audit.append("looked", actor="staff:9")
    assert "Entry 6 is not the one that the checkpoint of that time names." in audit.verify()


def test_a_changed_checkpoint_is_found(trail: list[AuditEntry]) -> None:
    audit.write_checkpoint()
    path = audit.checkpoint_path()
    line = json.loads(path.read_text())
    path.write_text(json.dumps(line | {"seq": 4}) + "\nnot json\n")
    assert audit.verify() == [
        "Checkpoint 1 in checkpoints.jsonl was changed.",
        "Checkpoint 2 in checkpoints.jsonl was changed.",
    ]


def test_a_checkpoint_is_written_once_for_the_same_end(trail: list[AuditEntry]) -> None:
    audit.write_checkpoint()
    audit.write_checkpoint()
    assert len(audit.checkpoint_path().read_text().splitlines()) == 1


def truncate() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE dsr_auditentry")


SPOILS = [lambda: change(act="nothing"), lambda: AuditEntry.objects.filter(seq=3).delete()]


@pytest.mark.parametrize("spoil", [*SPOILS, *([truncate] if connection.vendor == "postgresql" else [])])
def test_the_database_itself_refuses_to_change_the_trail(trail: list[AuditEntry], spoil) -> None:
    with connection.cursor() as cursor:
        guard_of_the_trail().guard(None, SimpleNamespace(connection=connection, execute=cursor.execute))
    with pytest.raises(DatabaseError, match="never"), transaction.atomic():
        spoil()
    audit.append("looked", actor="staff:1")
    assert audit.verify() == []
