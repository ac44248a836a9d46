"""docker-compose.yml, carried out without Docker: each service's very command and environment as a process.

PostgreSQL and Redis are this machine's own. Paths of a container stand for folders of the test, its host names for
ports of the loopback; all else is what the file says. What only an engine can do (limits, users, read-only disks) is
read by tests/test_image.py.
"""

import base64
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
import yaml

from dsr import samples
from dsr.bundle import opening
from tests.journeys.company import LONGEST_WAIT, NothingCame, PostOffice
from tests.servers import Postgres, Redis, free_port, program

pytestmark = [pytest.mark.processes, pytest.mark.enable_socket]

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
OURS = ("migrate", "web", "worker", "clock")
PASSWORD = "correct horse/battery"
HEAVY_ROWS = 300


class Host:
    """One machine that carries the file out."""

    def __init__(self, folder: Path, secrets: dict[str, str], ports: dict[str, int] | None = None) -> None:
        self.folder = folder
        self.ports = ports or {"db": free_port(), "redis": free_port(), "web": free_port()}
        self.places = {"/data": "data", "/keys": "keys", "/config": "config", "/run/secrets": "secrets", "/tmp": "tmp"}
        for place in (*self.places.values(), "collected"):
            (folder / place).mkdir(mode=0o700)
        for name, value in secrets.items():
            (folder / "secrets" / name).write_text(self.translated(value) + "\n")
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def translated(self, text: str) -> str:
        """A value of the file, as it is on this machine."""
        text = re.sub(r"\$\{(\w+)(?::-([^}]*))?\}", lambda found: os.environ.get(found[1], found[2] or ""), text)
        for host in ("db", "redis"):
            text = re.sub(rf"(?<=[/@]){host}:\d+", f"127.0.0.1:{self.ports[host]}", text)
        text = text.replace("0.0.0.0:8000", f"127.0.0.1:{self.ports['web']}")
        for inside, outside in self.places.items():
            if text == inside or text.startswith(f"{inside}/"):
                return str(self.folder / outside) + text.removeprefix(inside)
        return text

    def environment(self, service: str) -> dict[str, str]:
        """What a service is given: by the image, then by the file."""
        said = image_environment() | COMPOSE["services"][service]["environment"]
        given = {name: self.translated(str(value)) for name, value in said.items() if name != "PATH"}
        return given | {
            "PATH": os.environ["PATH"], "TMPDIR": str(self.folder / "tmp"), "HOME": "/nonexistent",
            "DSR_STATIC": str(self.folder / "collected"),
        }  # fmt: skip

    def start(self, service: str, command: list[str] | None = None) -> subprocess.Popen[bytes]:
        """Run the service's command, or another one in its place."""
        words = [sys.executable if word == "python" else word for word in command or self.command(service)]
        return subprocess.Popen(words, cwd=ROOT, env=self.environment(service), start_new_session=True)

    def command(self, service: str) -> list[str]:
        said: list[str] = COMPOSE["services"][service]["command"]
        return said

    def up(self, service: str) -> None:
        self.running[service] = self.start(service)

    def is_healthy(self, service: str) -> bool:
        """What the service's own health check says."""
        test = COMPOSE["services"][service]["healthcheck"]["test"]
        assert test[0] == "CMD"
        checking = self.start(service, test[1:])
        return checking.wait(seconds(COMPOSE["services"][service]["healthcheck"]["timeout"])) == 0

    def wait(self, service: str, *, healthy: bool) -> None:
        ends_at = time.monotonic() + LONGEST_WAIT + 60
        while self.is_healthy(service) is not healthy:
            assert self.running[service].poll() is None, f"{service} ended"
            if time.monotonic() > ends_at:
                raise NothingCame(f"{service} to be {'healthy' if healthy else 'unhealthy'}")
            time.sleep(0.5)

    def down(self) -> dict[str, int]:
        """Stop everything warmly. How each ended."""
        for process in self.running.values():
            process.send_signal(getattr(signal, stop_signal()))
        ended = {}
        for service, process in self.running.items():
            try:
                ended[service] = process.wait(seconds(COMPOSE["services"][service]["stop_grace_period"]))
            except subprocess.TimeoutExpired:
                ended[service] = -1
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        self.running = {}
        return ended

    def python(self, code: str) -> Any:
        """Do something with the settings of the worker, as people and staff would through the web. What it printed."""
        start = "import django, json; django.setup()\n"
        done = subprocess.run(
            [sys.executable, "-c", start + code], cwd=ROOT, capture_output=True, text=True, check=False,
            env=self.environment("worker") | {"DJANGO_SETTINGS_MODULE": "dsr.settings"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def ask(self, path: str) -> tuple[int, str, Message]:
        """A page of the web server."""
        asked = urllib.request.Request(
            f"http://127.0.0.1:{self.ports['web']}{path}", headers={"Host": "localhost:8000"}
        )
        try:
            with urllib.request.urlopen(asked, timeout=30) as answer:
                return answer.status, answer.read().decode(), answer.headers
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode(), error.headers


def seconds(text: str) -> float:
    assert re.fullmatch(r"\d+s", text), text
    return float(text[:-1])


def image_environment() -> dict[str, str]:
    """The variables of the image that runs: those behind the Dockerfile's last FROM."""
    last = (ROOT / "Dockerfile").read_text().rpartition("\nFROM ")[2].replace("\\\n", " ")
    pairs = [pair for line in re.findall(r"^ENV (.*)$", last, re.M) for pair in line.split()]
    return dict(pair.split("=", 1) for pair in pairs)


def stop_signal() -> str:
    found = re.search(r"^STOPSIGNAL (\w+)$", (ROOT / "Dockerfile").read_text(), re.M)
    assert found is not None
    return found[1]


def tree() -> dict[str, str]:
    """Every file of the project and what is in it, but for what other tests and git keep there."""
    kept = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    loose = subprocess.run(
        ["git", "ls-files", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    paths = [ROOT / name for name in [*kept, *loose] if name]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths if path.is_file()}


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Host, Postgres, Redis, PostOffice]]:
    """Secrets as docs/deployment.md makes them; the sample company's files as policy and systems."""
    folder = tmp_path_factory.mktemp("host")
    office = PostOffice()
    office.open()
    (folder / "systems").mkdir()
    built = samples.build("lumio", folder / "systems", others=5, heavy_rows=HEAVY_ROWS)
    secrets = {
        "database": "postgresql://portal:correct%20horse%2Fbattery@db:5432/portal",
        "database_password": PASSWORD,
        "mail": office.url,
        "app_url": built["LUMIO_APP_URL"],
    }
    host = Host(folder, secrets)
    shutil.copy(samples.policy_path("lumio"), folder / "config" / "policy.toml")
    mapped = samples.systems_path("lumio").read_text().replace('url_env = "LUMIO_APP_URL"', 'url_env = "APP_URL"')
    (folder / "config" / "systems.toml").write_text(mapped)
    others = {name: value for name, value in built.items() if name != "LUMIO_APP_URL"}
    for service in OURS:
        COMPOSE["services"][service]["environment"] |= others
    database = Postgres(port=host.ports["db"])
    broker = Redis(port=host.ports["redis"])
    before = tree()
    try:
        database.prepare()
        # As the image of PostgreSQL does: over the network, nobody without a password.
        rules = database.folder / "data" / "pg_hba.conf"
        rules.write_text("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
        database.start()
        database.execute(f"CREATE ROLE portal LOGIN PASSWORD '{PASSWORD}'")
        database.execute("CREATE DATABASE portal OWNER portal")
        broker.start()
        yield host, database, broker, office
    finally:
        host.down()
        database.remove()
        broker.remove()
        office.close()
    assert tree() == before, "a process wrote into its own code"


ASK = """
import secrets
from accounts.models import User
from dsr import intake, samples
person = samples.person("lumio")
asked = intake.Asked(right="access", nonce=secrets.token_hex(16), email=person.email)
user, _ = User.objects.get_or_create(email=person.email)
print(json.dumps(intake.verify(intake.open_case(asked), user).pk))
"""
STATE = """
from dsr.models import Case, Job
undone = list(Job.objects.exclude(state="done").values_list("kind", "problem"))
print(json.dumps([Case.objects.get(pk={0!r}).state, undone]))
"""
APPROVE = """
from accounts.models import User
from dsr import deliver
from dsr.models import Case
case = Case.objects.get(pk={0!r})
for name in ("ben", "cleo")[: deliver.approvals_needed(case)]:
    deliver.approve(case, User.objects.get_or_create(email=f"{{name}}@staff.example", defaults={{"is_staff": True}})[0])
print("true")
"""
FETCH = """
import base64
from dsr import audit, deliver
from dsr.models import Case
case = Case.objects.get(pk={0!r})
bundle = b"".join(deliver.serve(case))
print(json.dumps([case.delivery.rows, base64.b64encode(bundle).decode(), audit.verify()]))
"""


def until(host: Host, case: str, wanted: str) -> None:
    ends_at = time.monotonic() + 2 * LONGEST_WAIT
    told: Any = None
    while time.monotonic() < ends_at:
        told = host.python(STATE.format(case))
        if told[0] == wanted:
            return
        time.sleep(0.3)
    raise NothingCame(f"{wanted}: {told}")


def assert_a_backup_restores(host: Host, database: Postgres, case: str, folder: Path) -> None:
    """docs/backup-and-restore.md, with this machine's own programs: into an empty database and empty folders."""
    dump, restore = str(program("pg_dump")), str(program("pg_restore"))
    at = ["--host", str(database.folder), "--port", str(database.port), "--username", "portal"]
    with (folder / "portal.dump").open("wb") as file:
        subprocess.run([dump, *at, "--format=custom", "portal"], stdout=file, check=True)
    ends_at = time.monotonic() + 2 * LONGEST_WAIT
    while not (host.folder / "data" / "audit").is_dir():
        assert time.monotonic() < ends_at, "the clock writes a checkpoint each minute"
        time.sleep(0.5)
    backup = folder / "data.tar"
    subprocess.run(
        ["tar", "--create", "--file", backup, "--directory", host.folder / "data", "bundles", "audit"], check=True
    )

    (folder / "restored").mkdir()
    url = "postgresql://portal:correct%20horse%2Fbattery@db:5432/restored"
    restored = Host(folder / "restored", {"mail": "outbox"}, ports=host.ports)
    (restored.folder / "secrets" / "database").write_text(restored.translated(url))
    shutil.copy(host.folder / "secrets" / "app_url", restored.folder / "secrets")
    shutil.copytree(host.folder / "config", restored.folder / "config", dirs_exist_ok=True)
    database.execute("CREATE DATABASE restored OWNER portal")
    subprocess.run([restore, *at, "--dbname", "restored", "--no-owner", folder / "portal.dump"], check=True)
    subprocess.run(["tar", "--extract", "--file", backup, "--directory", restored.folder / "data"], check=True)

    # Without the keys nothing starts, and none are made.
    refused = subprocess.run(
        [sys.executable, "manage.py", "prepare"], cwd=ROOT, env=restored.environment("migrate"), check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    assert refused.returncode != 0
    assert "there is data that only its keys can open" in refused.stderr
    assert not (restored.folder / "keys" / "keys.json").exists()

    shutil.copy(host.folder / "keys" / "keys.json", restored.folder / "keys")
    assert restored.start("migrate").wait(120) == 0
    assert restored.start("web", ["python", "manage.py", "audit", "verify"]).wait(60) == 0
    _rows, encoded, trail = restored.python(FETCH.format(case))
    (folder / "restored.zip").write_bytes(base64.b64decode(encoded))
    assert opening.verify(folder / "restored.zip") == []
    assert trail == []


def test_one_export_is_carried_through_and_every_health_check_tells_the_truth(
    machine: tuple[Host, Postgres, Redis, PostOffice], tmp_path: Path
) -> None:
    host, database, broker, office = machine
    # What the image does when it is built.
    collecting = [sys.executable, "manage.py", "collectstatic", "--noinput", "--skip-checks", "-v", "0"]
    assert host.start("web", collecting).wait() == 0
    assert host.start("migrate").wait(120) == 0
    assert host.start("migrate").wait(120) == 0, "it runs at each start"
    assert (host.folder / "keys" / "keys.json").stat().st_mode & 0o777 == 0o600
    for service in ("web", "worker", "clock"):
        assert not host.is_healthy(service), f"{service} is not running yet"
        host.up(service)
    for service in ("web", "worker", "clock"):
        host.wait(service, healthy=True)

    status, words, headers = host.ask("/ready")
    assert (status, words) == (200, "ready\n")
    assert headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in headers
    assert host.ask("/health")[:2] == (200, "ok\n")
    assert host.ask("/en/")[0] == 200

    case = host.python(ASK)
    until(host, case, "review")
    host.python(APPROVE.format(case))
    until(host, case, "completed")
    rows, encoded, trail = host.python(FETCH.format(case))
    bundle = tmp_path / "bundle.zip"
    bundle.write_bytes(base64.b64decode(encoded))
    assert opening.verify(bundle) == []
    expected = samples.expected("lumio", samples.person("lumio"), heavy_rows=HEAVY_ROWS)
    assert rows == sum(len(found) for found in expected.values()) > 0
    assert trail == []
    assert office.taken

    assert_a_backup_restores(host, database, case, tmp_path)

    broker.stop(signal.SIGKILL)
    for service in ("web", "worker", "clock"):
        host.wait(service, healthy=False)
    assert host.ask("/ready")[:2] == (503, "not ready: broker\n")
    assert host.ask("/health")[0] == 200
    broker.start()
    for service in ("web", "worker", "clock"):
        host.wait(service, healthy=True)

    database.stop(signal.SIGINT)
    for service in ("web", "worker", "clock"):
        host.wait(service, healthy=False)
    assert host.ask("/ready")[:2] == (503, "not ready: database\n")
    assert host.ask("/health")[0] == 200
    database.start()
    for service in ("web", "worker", "clock"):
        host.wait(service, healthy=True)

    written = {path.relative_to(host.folder).parts[0] for path in host.folder.rglob("*") if path.is_file()}
    assert written <= {"data", "keys", "config", "secrets", "tmp", "collected", "systems"}
    assert {path.name for path in (host.folder / "keys").iterdir()} == {"keys.json"}
    assert host.down() == {"web": 0, "worker": 0, "clock": 0}
