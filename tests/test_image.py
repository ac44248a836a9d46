"""What the image and the compose file promise, read line by line: no engine runs here to hold them to it."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from dsr.environment import WrongSetting
from dsr.management import supervisor

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("migrate", "web", "worker", "clock")
FINAL = DOCKERFILE.rpartition("\nFROM ")[2]
NEEDED = {"requirements.lock", "manage.py", "dsr", "accounts", "templates", "static"}


def instructions(text: str) -> list[tuple[str, str]]:
    """Each instruction of a Dockerfile and its words, continuation lines joined."""
    lines = re.sub(r"^\s*#.*\n", "", text, flags=re.M).replace("\\\n", " ").splitlines()
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines if line.strip())]


def given(text: str, word: str) -> list[str]:
    return [rest for found, rest in instructions(text) if found == word]


def test_every_base_is_pinned_to_a_python_we_support_on_one_debian() -> None:
    bases = [words.split()[0] for words in given(DOCKERFILE, "FROM")]
    assert len(bases) == 2
    assert set(bases) == {"python:3.12-slim-bookworm"}


def test_packages_come_locked_by_digest_and_as_wheels() -> None:
    installs = [words for words in given(DOCKERFILE, "RUN") if "pip" in words and " install " in words]
    (install,) = [words for words in installs if "pip" in words.split("install")[0]]
    assert "--require-hashes" in install
    assert "--only-binary :all:" in install
    assert install.endswith("-r /build/requirements.lock")
    assert "django-storages" in (ROOT / "requirements.lock").read_text()


def test_what_runs_is_nobody_s_root_and_has_no_tools() -> None:
    assert given(FINAL, "USER") == ["10001:10001"]
    words = " ".join(given(FINAL, "RUN"))
    for tool in ("gcc", "build-essential", "git", "curl", "wget"):
        assert not re.search(rf"\b{tool}\b", words), tool
    assert "pip uninstall" in words
    copies = given(FINAL, "COPY")
    assert copies == ["--from=build /venv /venv", "--from=build /app /app"]


def test_the_letters_can_be_printed() -> None:
    makefile = re.search(r"^PANGO := (.*)$", (ROOT / "Makefile").read_text(), re.M)
    assert makefile is not None
    assert set(makefile[1].split()) <= set(" ".join(given(FINAL, "RUN")).split())


def test_it_is_stopped_warmly() -> None:
    assert given(FINAL, "STOPSIGNAL") == ["SIGTERM"]
    (command,) = given(FINAL, "CMD")
    assert command.startswith("["), "with a shell in between, the signal would not arrive"


def test_nothing_is_copied_that_is_not_needed() -> None:
    assert given(DOCKERFILE, "ADD") == []
    copied = {words.split()[0] for words in given(DOCKERFILE, "COPY") if not words.startswith("--from")}
    assert copied == NEEDED
    ignored = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert ignored[0] == "*"
    assert {line[1:] for line in ignored if line.startswith("!")} == NEEDED


def test_what_the_code_needs_is_copied() -> None:
    """Whatever stands at the top level and is imported or read at run time."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    top = {name.partition("/")[0] for name in tracked.split()}
    aside = {"tests", "bench", "docs", ".ci", "Makefile", "README.md", "Dockerfile", "docker-compose.yml"}
    aside |= {"pyproject.toml", "requirements-dev.lock", ".gitignore", ".dockerignore"}
    assert top - aside == NEEDED


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_each_service_may_do_as_little_as_it_can(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"])
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert service["restart"] == ("no" if name == "migrate" else "unless-stopped")
    assert "privileged" not in service
    assert "cap_add" not in service
    assert not any("docker.sock" in str(volume) for volume in service.get("volumes", ()))
    if name != "migrate":
        assert service["healthcheck"]["test"][0] == "CMD"


def test_only_the_web_is_published_and_only_on_the_loopback() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert list(published) == ["web"]
    assert all(port.startswith("127.0.0.1:") for port in published["web"])
    assert COMPOSE["networks"]["inside"]["internal"] is True
    for name in ("db", "redis"):
        assert SERVICES[name]["networks"] == ["inside"]


def test_no_secret_stands_in_the_file() -> None:
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|MAIL|DATABASE|APP_URL", variable):
                assert variable.endswith("_FILE"), (name, variable)
                assert value.startswith("/run/secrets/")
                assert value.removeprefix("/run/secrets/") in service["secrets"]
    assert all(list(secret) == ["file"] for secret in COMPOSE["secrets"].values())
    for folder in ("secrets", "config"):
        ignored = subprocess.run(["git", "check-ignore", "-q", f"{folder}/x"], cwd=ROOT, check=False)
        assert ignored.returncode == 0, f"{folder}/ could be committed"


def test_only_the_preparing_service_may_write_the_keys() -> None:
    for name in OURS:
        (keys,) = [volume for volume in SERVICES[name]["volumes"] if volume.startswith("keys:")]
        assert keys.endswith(":ro") == (name != "migrate")


def test_nothing_starts_before_the_database_is_prepared() -> None:
    for name in ("web", "worker", "clock"):
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert SERVICES["migrate"]["depends_on"]["db"] == {"condition": "service_healthy"}


@pytest.mark.parametrize("kind", ["web", "worker", "clock"])
def test_a_container_runs_what_serve_runs(kind: str) -> None:
    """One source of the words: the service calls the supervisor, which knows what each process is."""
    assert SERVICES[kind]["command"] == ["python", "-m", "dsr.management.supervisor", kind]
    assert SERVICES[kind]["healthcheck"]["test"] == ["CMD", "python", "-m", "dsr.pulse", kind]
    together = {child.name: child.command for child in supervisor.children("127.0.0.1:8000", 2, 2)}
    assert supervisor.alone(kind, {}) == together[kind]


def test_how_many_and_where_is_said_by_the_environment() -> None:
    web = supervisor.alone("web", {"DSR_BIND": "0.0.0.0:80", "DSR_WEB_WORKERS": "5"})
    assert web[web.index("--bind") + 1] == "0.0.0.0:80"
    assert web[web.index("--workers") + 1] == "5"
    worker = supervisor.alone("worker", {"DSR_WORK_PROCESSES": "3"})
    assert worker[worker.index("-c") + 1] == "3"
    with pytest.raises(WrongSetting):
        supervisor.alone("worker", {"DSR_WORK_PROCESSES": "many"})
    with pytest.raises(KeyError):
        supervisor.alone("beat", {})
