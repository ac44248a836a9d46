"""One person's answer from a LiteLLM proxy: asked for, gathered, agreed to, sealed, opened."""

import json
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from dsr import deliver, intake, policy, samples
from dsr.bundle import archive
from dsr.models import Case, Outcome, State
from tests.connectors.seeding import ADA, EVE
from tests.litellm import SYSTEMS, key_hash
from tests.test_gather import fetched

pytestmark = pytest.mark.django_db

CATEGORIES = {'content = "prompts"': 'content = "usage"', 'records = "account"': 'records = "logs"'}


def test_the_archive_holds_all_of_the_one_and_nothing_of_the_other(
    litellm_proxy: str,
    lumio: policy.Policy,
    work: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("GATEWAY_URL", litellm_proxy)
    systems = SYSTEMS
    for theirs, ours in CATEGORIES.items():
        systems = systems.replace(theirs, ours)
    (tmp_path / "systems.toml").write_text(systems)
    policy.configure(samples.policy_path("lumio"), tmp_path / "systems.toml")
    asked = intake.Asked(right="access", nonce="a", email=ADA.email, receipts=(), claim="")
    case = intake.verify(intake.open_case(asked), User.objects.create_user(ADA.email))
    work()
    case = fetched(case)
    assert case.state == State.REVIEW, [(job.kind, job.problem) for job in case.jobs.all()]
    deliver.approve(case, User.objects.create_user("cleo@staff.example", name="Cleo", is_staff=True))
    work()
    case = Case.objects.get(pk=case.pk)
    assert (case.state, case.outcome) == (State.COMPLETED, Outcome.COMPLETE)
    bundle = tmp_path / "bundle.zip"
    bundle.write_bytes(b"".join(deliver.serve(case)))
    password = case.delivery.secret.get("passphrase")
    assert archive.verify(bundle, password) == []
    folder = archive.extract(bundle, tmp_path / "opened", password)

    data = "".join(path.read_text() for path in sorted((folder / "data").rglob("*.jsonl")))
    assert [place for place, (mark, at) in ADA.marks.items() if mark not in data and at not in data] == []
    everything = "".join(path.read_bytes().decode("latin-1") for path in folder.rglob("*") if path.is_file())
    assert [place for place, (mark, at) in EVE.marks.items() if mark in everything or at in data] == []
    hidden = [*EVE.called(), ADA.key, key_hash("ada-deleted"), "ada-password-0001", "sk-...ada", "third-user"]
    assert [word for word in hidden if word in everything] == []

    package = json.loads((folder / "datapackage.json").read_text())
    assert sum(resource.get("rows", 0) for resource in package["resources"]) == sum(
        case.parts.values_list("rows", flat=True)
    )
    assert "Other people are left out." in (folder / "datapackage.json").read_text()
