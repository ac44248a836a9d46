"""Starting wrongly: each process says what is wrong, in sentences, and does not start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dsr import samples

ROOT = Path(__file__).parent.parent
START = {
    "worker": ["-m", "celery", "-A", "dsr", "worker", "-Q", "bulk", "-c", "1"],
    "web": ["-m", "gunicorn", "dsr.wsgi", "--bind", "127.0.0.1:0"],
    "serve": ["manage.py", "serve", "--bind", "127.0.0.1:0"],
    "demo": ["manage.py", "demo", "--once"],
}


def started(command: list[str], folder: Path, **environment: str) -> tuple[int, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("DSR_", "POLICY", "DJANGO_"))}
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=ours | {"DSR_DATA": str(folder)} | environment, timeout=60,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


@pytest.mark.parametrize("process", sorted(START))
def test_a_wrong_policy_stops_the_start_with_all_its_errors(process: str, tmp_path: Path) -> None:
    wrong = samples.policy_path("lumio").read_text()
    wrong = wrong.replace('rules = ["gdpr", "ccpa"]', 'rules = ["gdprr"]').replace(
        "America/Los_Angeles", "Mars/Olympus"
    )
    (tmp_path / "wrong.toml").write_text(wrong)
    code, told = started(START[process], tmp_path, POLICY="lumio", DSR_POLICY=str(tmp_path / "wrong.toml"))
    assert code != 0
    for words in (
        'rules[1]: found "gdprr"',
        "did you mean 'gdpr'?",
        'organisation.timezone: found "Mars/Olympus"',
        "line 6",
    ):
        assert words in told


def test_without_a_policy_it_says_what_to_set(tmp_path: Path) -> None:
    code, told = started(START["serve"], tmp_path)
    assert code != 0
    assert "Set DSR_POLICY and DSR_SYSTEMS" in told


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"POLICY": "acme"}, "POLICY is 'acme'. Allowed are: "),
        ({"POLICY": "lumio", "DSR_DEBUG": "perhaps"}, "DSR_DEBUG is 'perhaps'. Allowed are 1 and 0"),
        ({"POLICY": "lumio", "DSR_ORIGIN": "privacy.example"}, "DSR_ORIGIN is 'privacy.example'. Allowed is an origin"),
        ({"POLICY": "lumio", "DSR_MAIL_FILE": "/nowhere/mail"}, "DSR_MAIL_FILE names '/nowhere/mail', which cannot be"),
        ({"POLICY": "lumio", "DSR_KEYS_FILE": "/run/secrets/keys"}, "DSR_KEYS is a path already. Set DSR_KEYS to"),
        (
            {"POLICY": "lumio", "DSR_STORAGE": "gs://bucket"},
            "DSR_STORAGE is 'gs://bucket'. Allowed is nothing, or s3://",
        ),
        ({"POLICY": "lumio", "DSR_STORAGE": "s3://Bucket_1"}, "DSR_STORAGE is 's3://Bucket_1'. Allowed is nothing, or"),
        ({"POLICY": "lumio", "DSR_STORAGE": "s3://b-1?acl=public"}, "DSR_STORAGE has 'acl'. Allowed are: endpoint,"),
        ({"POLICY": "lumio", "DSR_STORAGE": "s3://b-1/../x"}, "DSR_STORAGE has the prefix '../x'. Allowed are names"),
        ({"POLICY": "lumio", "DSR_STORAGE": "s3://b-1?endpoint=x"}, "DSR_STORAGE has an endpoint that is no address."),
        (
            {"POLICY": "lumio", "DSR_STORAGE": "s3://b-1?addressing=x"},
            "DSR_STORAGE has addressing 'x'. Allowed are: auto",
        ),
        ({"POLICY": "lumio", "DSR_STORAGE": "s3://b-1", "DSR_S3_KEY_ID": "k"}, "Only one of DSR_S3_KEY_ID and"),
        ({"POLICY": "lumio", "DSR_STORAGE": "s3://k:sesame@b-1"}, "DSR_STORAGE holds credentials. They belong into"),
        ({"POLICY": "lumio", "DSR_MAIL": "smtp://u:sesame@h?ttls=1"}, "DSR_MAIL has more than is understood after the"),
        ({"POLICY": "lumio", "DSR_MAIL": "smtp://u:sesame@h:x"}, "DSR_MAIL is not understood. Allowed are: outbox, or"),
        ({"POLICY": "lumio", "DSR_MAIL": "smtps://h?tls=1"}, "asks for tls=1. Take one."),
        (
            {"POLICY": "lumio", "DSR_MAIL": "mailgun://sesame@mg.example.com"},
            "stands behind a question mark: mailgun://",
        ),
        ({"POLICY": "lumio", "DSR_MAIL": "mailgun://sesame@?regoin=eu"}, "DSR_MAIL has 'regoin' for mailgun. Allowed"),
        ({"POLICY": "lumio", "DSR_MAIL": "mailgun://sesame@?region=mars"}, "a region mailgun does not know here."),
        (
            {"POLICY": "lumio", "DSR_MAIL": "postmark://"},
            "DSR_MAIL lacks the key of postmark. It looks like postmark://",
        ),
        ({"POLICY": "lumio", "DSR_MAIL": "mailjet://sesame@"}, "DSR_MAIL lacks the secret of mailjet."),
        (
            {"POLICY": "lumio", "DSR_MAIL": "postal://sesame@"},
            "DSR_MAIL lacks the api of postal. It looks like postal://KEY",
        ),
        ({"POLICY": "lumio", "DSR_MAIL": "postmark://sesame:b@"}, "DSR_MAIL has a colon in the key of postmark."),
        ({"POLICY": "lumio", "DSR_MAIL": "postmark://sesame@?api=http://x.example"}, "an api that is no https address"),
        ({"POLICY": "lumio", "DSR_MAIL": "sendmail"}, "DSR_MAIL is not understood. Allowed are: outbox, or smtp://"),
    ],
)
def test_a_wrong_variable_is_one_sentence(environment: dict[str, str], words: str, tmp_path: Path) -> None:
    code, told = started(["manage.py", "check"], tmp_path, **environment)
    assert code != 0
    assert words in told
    assert "Traceback" not in told
    assert "sesame" not in told


def test_a_bucket_without_the_packages_for_it_is_one_sentence(tmp_path: Path) -> None:
    hidden = "import sys; sys.modules['boto3'] = None; sys.argv = ['manage.py', 'check']; "
    command = ["-c", hidden + "import runpy; runpy.run_path('manage.py', run_name='__main__')"]
    code, told = started(command, tmp_path, POLICY="lumio", DSR_STORAGE="s3://bucket")
    assert code != 0
    assert "the packages for S3 are not installed. Install requirements.lock" in told
    assert "Traceback" not in told


def test_lost_keys_stop_the_start(tmp_path: Path) -> None:
    (tmp_path / "portal.sqlite3").write_bytes(b"data")
    code, told = started(["manage.py", "check"], tmp_path, POLICY="lumio")
    assert code != 0
    assert "Put the file back from its backup" in told
    assert "Traceback" not in told
    assert not (tmp_path / "keys").exists()


def test_staff_before_the_first_start_are_told_what_to_do(tmp_path: Path) -> None:
    command = ["manage.py", "staff", "add", "ben@staff.example", "--name", "Ben"]
    code, told = started(command, tmp_path, POLICY="lumio")
    assert code != 0
    assert "Run “python manage.py serve” once first" in told
    assert "Traceback" not in told
