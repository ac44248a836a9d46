"""The stage: sample companies whose systems are real SQLite files, and a worker that does what is due."""

import importlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.db import connection
from django.utils import timezone

from dsr import jobs, policy, samples, tasks
from dsr.models import Job, JobState
from tests import servers
from tests.connectors import seeding

OTHERS, HEAVY_ROWS = 30, 300
# How long a machine takes proves nothing.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """The trail's triggers would keep a transactional test from being cleared away; test_audit puts them back."""
    with django_db_blocker.unblock(), connection.schema_editor() as editor:
        guard_of_the_trail().unguard(None, editor)


def guard_of_the_trail() -> Any:
    """The migration that makes the trail append-only; its name begins with a digit."""
    return importlib.import_module("dsr.migrations.0002_trail_is_append_only")


@pytest.fixture(scope="session")
def sample_systems(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, str]]:
    """Builds each sample's systems once, small."""
    built: dict[str, dict[str, str]] = {}

    def build(name: str) -> dict[str, str]:
        if name not in built:
            built[name] = samples.build(name, tmp_path_factory.mktemp(name), others=OTHERS, heavy_rows=HEAVY_ROWS)
        return built[name]

    return build


@pytest.fixture
def company(
    sample_systems: Callable[[str], dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], policy.Policy]]:
    """`company("lyumen")`: this process obeys that sample's policy and reads its systems."""

    def enter(name: str) -> policy.Policy:
        for variable, value in sample_systems(name).items():
            monkeypatch.setitem(os.environ, variable, value)
        policy.configure(samples.policy_path(name), samples.systems_path(name))
        return policy.current()

    yield enter
    policy.configure(samples.policy_path("lumio"), samples.systems_path("lumio"))


@pytest.fixture
def lumio(company: Callable[[str], policy.Policy]) -> policy.Policy:
    """Lumio, the company most tests are about."""
    return company("lumio")


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, settings: Any) -> Path:
    """Each test has a data folder of its own: bundles, trail checkpoints, outbox."""
    settings.DATA = tmp_path
    settings.STORAGES = settings.STORAGES | {
        "bundles": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path / "bundles"},
        }
    }
    return tmp_path


@pytest.fixture(autouse=True)
def database_of_long_standing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases lapse: the server of a test run is up for seconds only, within which they would not."""
    monkeypatch.setattr(jobs, "_database_is_up_since", lambda: 1e9)


@pytest.fixture
def work() -> Callable[[], int]:
    """Does what is due, as a worker would, until nothing is. How many jobs were done."""

    def run() -> int:
        done = 0
        while True:
            due = Job.objects.filter(state=JobState.WAITING, due_at__lte=timezone.now()).order_by("pk")
            pks = list(due.values_list("pk", flat=True))
            if not pks:
                return done
            for pk in pks:
                tasks.run_job(pk)
                done += 1

    return run


@pytest.fixture(scope="session")
def postgres() -> Iterator[servers.Postgres]:
    """One PostgreSQL for the run; each test makes a database of its own in it."""
    if os.environ.get("DSR_TEST_DATABASE") == "postgresql":
        yield servers.shared_postgres()  # tests.settings ends it
        return
    with servers.running(servers.Postgres()) as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[servers.MariaDb]:
    """One MariaDB for the run; each test makes a database of its own in it."""
    with servers.running(servers.MariaDb()) as server:
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[servers.Redis]:
    """One Redis for the run."""
    with servers.running(servers.Redis()) as server:
        yield server


@pytest.fixture(scope="session")
def s3_server() -> Iterator[servers.S3]:
    """One S3 for the run; each test makes a bucket of its own in it."""
    with servers.running(servers.S3()) as server:
        yield server


@pytest.fixture(scope="session")
def litellm_proxy(postgres: servers.Postgres) -> Iterator[str]:
    """A LiteLLM proxy's database with a person and a bystander in every column that can name one."""
    with seeding.seeded_proxy(postgres, "litellm-seeded") as url:
        yield url
