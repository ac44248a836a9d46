"""Addresses of database and broker: what each says, and a sentence for each that says something else."""

from pathlib import Path

import psycopg
import pytest
from kombu import Connection
from kombu.exceptions import OperationalError

from dsr import addresses, keys
from dsr.environment import WrongSetting
from tests import servers


def test_a_path_is_sqlite(tmp_path: Path) -> None:
    found = addresses.database(str(tmp_path / "p.sqlite3"))
    assert (found["ENGINE"], found["NAME"]) == ("django.db.backends.sqlite3", tmp_path / "p.sqlite3")
    assert found["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_a_url_is_postgresql_with_every_part_decoded() -> None:
    found = addresses.database("postgresql://us%40er:p%2Fw%23%3A@db.example:5433/por%20tal?sslmode=verify-full")
    told = {name: found[name] for name in ("USER", "PASSWORD", "HOST", "PORT", "NAME")}
    assert told == {"USER": "us@er", "PASSWORD": "p/w#:", "HOST": "db.example", "PORT": "5433", "NAME": "por tal"}
    assert found["OPTIONS"]["sslmode"] == "verify-full"
    assert found["OPTIONS"]["application_name"] == "dsr"
    assert found["CONN_HEALTH_CHECKS"]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", "neither a path nor a URL"),
        ("postgresql:portal", "neither a path nor a URL"),
        ("mysql://u:geheim@h/n", "begins with mysql://"),
        ("postgresql://u:geheim@h", "names no database"),
        ("postgresql://u:geheim@h/a/b", "names no database"),
        ("postgresql://u:ge/heim@h/n", "names no database|no number as its port"),
        ("postgresql://u:geheim@h:port/n", "no number as its port"),
        ("postgresql://u:geheim@h:99999/n", "no number as its port"),
        ("postgresql://u:ge#heim@h/n", "holds a #"),
        ("postgresql://u:geheim@[h/n", "is no URL"),
        ("postgresql://u:geheim@h/n?sslmode=yes", "sslmode='yes'. Allowed are: disable, allow"),
        ("postgresql://u:geheim@h/n?sslmod=require", "'sslmod' behind its question mark. Allowed are: host"),
        ("postgresql://u:geheim@h/n?sslmode=require&sslmode=disable", "something twice"),
        ("postgresql://u:geheim@h/n?sslmode", "no name=value"),
        ("postgresql://u:geheim@h/n?host=/run/postgresql", "host or port twice"),
        ("postgresql://u:geheim@/n?host=/run&port=many", "port='many'"),
    ],
)
def test_a_wrong_database_is_one_sentence_without_the_password(address: str, words: str) -> None:
    with pytest.raises(WrongSetting, match=r"^DSR_DATABASE ") as found:
        addresses.database(address)
    assert any(word in str(found.value) for word in words.split("|"))
    assert "heim" not in str(found.value)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("amqp://u:geheim@h", "begins with amqp://"),
        ("redis", "begins with ://"),
        ("redis://:geheim@/0", "names no host"),
        ("redis://:geheim@h/first", "Redis database 'first'"),
        ("redis://:geheim@h:port/0", "no number as its port"),
        ("redis://:geheim@h/0?ssl_cert_reqs=none", "Write rediss://"),
        ("rediss://:geheim@h/0?ssl_cert_reqs=optional", "required, or none"),
        ("redis+socket://:geheim@h/run/redis.sock", "names no socket"),
        ("redis+socket://", "names no socket"),
        ("redis://h/0?db=1", "'db' behind its question mark"),
    ],
)
def test_a_wrong_broker_is_one_sentence_without_the_password(address: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(WrongSetting, match=r"^DSR_BROKER_URL ") as found:
        addresses.broker(address, tmp_path)
    assert words in str(found.value)
    assert "heim" not in str(found.value)


def test_the_folder_is_the_broker_of_one_machine(tmp_path: Path) -> None:
    address, options = addresses.broker("filesystem://localhost", tmp_path)
    assert (address, options["data_folder_in"]) == ("filesystem://localhost", str(tmp_path / "queue"))


@pytest.mark.enable_socket
def test_postgresql_keeps_the_limits_it_is_given(postgres: servers.Postgres) -> None:
    with postgres.database("limits"):
        found = addresses.database(postgres.url("limits", driver="postgresql"))
        with psycopg.connect(
            dbname=found["NAME"], user=found["USER"], host=found["HOST"], **found["OPTIONS"]
        ) as connection:
            shown = [
                connection.execute(f"SHOW {name}".encode()).fetchone()
                for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
            ]
    assert shown == [("2min",), ("20s",), ("1min",)]


@pytest.mark.enable_socket
def test_lost_keys_are_told_from_a_first_start(postgres: servers.Postgres, tmp_path: Path) -> None:
    lost = tmp_path / "lost.json"
    with postgres.database("keyless"):
        found = addresses.database(postgres.url("keyless", driver="postgresql"))
        keys.configure(tmp_path / "first.json", data_exists=lambda: addresses.holds_data(found))
        assert (tmp_path / "first.json").exists()
        postgres.execute("CREATE TABLE dsr_case (id text)", "keyless")
        with pytest.raises(keys.KeysMissing, match="Put the file back from its backup"):
            keys.configure(lost, data_exists=lambda: addresses.holds_data(found))
    with pytest.raises(WrongSetting, match=r"the database does not answer .*\. Put the key file in its place, or"):
        keys.configure(lost, data_exists=lambda: addresses.holds_data(found))
    assert not lost.exists()


def test_keys_that_another_process_made_meanwhile_are_taken(tmp_path: Path) -> None:
    """Two processes start at once: one makes keys and then data while the other looks for data."""
    path = tmp_path / "keys.json"

    def other_process() -> bool:
        keys.configure(path)
        return True

    keys.configure(path, data_exists=other_process)
    sealed = keys.seal_field(b"value", b"here")
    keys.configure(path)
    assert keys.open_field(sealed, b"here") == b"value"


@pytest.mark.enable_socket
def test_a_broker_with_a_strangers_certificate_is_refused(tmp_path: Path) -> None:
    port = servers.free_port()
    server = servers.Redis()
    key, certificate = server.folder / "key", server.folder / "certificate"
    server.run(
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
        "-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate),
    )  # fmt: skip
    server.options = ["--tls-port", str(port), "--tls-auth-clients", "no"]
    server.options += ["--tls-cert-file", str(certificate), "--tls-key-file", str(key)]
    with servers.running(server):
        for more, is_believed in (("", False), (f"?ssl_ca_certs={certificate}", True)):
            url, options = addresses.broker(f"rediss://localhost:{port}/0{more}", tmp_path)
            with Connection(url, transport_options=options) as connection:
                if is_believed:
                    connection.ensure_connection(max_retries=1)
                else:
                    with pytest.raises(OperationalError, match="certificate verify failed"):
                        connection.ensure_connection(max_retries=1)
