import threading
from datetime import timedelta

import pytest
from celery import Celery
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from dsr import jobs, tasks
from dsr.connectors import SystemRefused, SystemUnreachable
from dsr.models import Job, JobState
from tests import servers

pytestmark = pytest.mark.django_db
up_since = jobs._database_is_up_since


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks) -> list[int]:
    """The ids of jobs that were sent to the broker."""
    ids: list[int] = []
    monkeypatch.setattr(jobs.current_app, "send_task", lambda name, args, queue: ids.extend(args))
    monkeypatch.setattr(jobs, "_length", lambda queue: 0)
    return ids


@pytest.fixture
def job() -> Job:
    return jobs.enqueue("seal", key="1")


def later(job: Job, **changes: object) -> Job:
    Job.objects.filter(pk=job.pk).update(**changes)
    return Job.objects.get(pk=job.pk)


def run(job: Job, monkeypatch: pytest.MonkeyPatch, stage) -> Job:
    monkeypatch.setitem(tasks.STAGES, job.kind, stage)
    tasks.run_job(job.pk)
    return Job.objects.get(pk=job.pk)


def raising(error: Exception):
    def stage(job: Job) -> None:
        raise error

    return stage


def test_the_same_promise_is_made_once_and_sent_after_commit(sent, django_capture_on_commit_callbacks) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        first = jobs.enqueue("mail", key="a")
        assert jobs.enqueue("mail", key="a") == first
        assert sent == []
    assert sent == [first.pk]
    assert jobs.enqueue("mail", key="b") != first


def test_what_is_rolled_back_was_never_promised(sent, django_capture_on_commit_callbacks) -> None:
    with django_capture_on_commit_callbacks(execute=True), pytest.raises(RuntimeError), transaction.atomic():  # noqa: PT012
        jobs.enqueue("mail", key="a")
        raise RuntimeError
    assert (sent, Job.objects.count()) == ([], 0)


def test_a_broker_that_is_down_loses_nothing(monkeypatch, django_capture_on_commit_callbacks) -> None:
    def down(*args: object, **kwargs: object) -> None:
        raise OSError("no broker")

    monkeypatch.setattr(jobs.current_app, "send_task", down)
    with django_capture_on_commit_callbacks(execute=True):
        job = jobs.enqueue("mail", key="a")
    back: list[int] = []
    monkeypatch.setattr(jobs, "_length", lambda queue: 0)
    monkeypatch.setattr(jobs.current_app, "send_task", lambda name, args, queue: back.extend(args))
    assert jobs.sweep(timezone.now() + jobs.RESEND_AFTER + timedelta(seconds=1)) == 1
    assert back == [job.pk]


def test_a_job_is_claimed_by_one_worker(job: Job) -> None:
    mine = jobs.claim(job.pk)
    assert mine is not None
    assert jobs.claim(job.pk) is None
    jobs.finish(mine)
    assert jobs.claim(job.pk) is None


def test_a_job_is_not_claimed_before_it_is_due(job: Job) -> None:
    later(job, due_at=timezone.now() + timedelta(seconds=5))
    assert jobs.claim(job.pk) is None


def test_a_dead_workers_job_goes_to_another_and_the_dead_one_writes_nothing(job: Job) -> None:
    dead = jobs.claim(job.pk)
    later(job, lease_until=timezone.now() - timedelta(seconds=1))
    successor = jobs.claim(job.pk)
    assert successor is not None
    assert successor.attempts == 2
    for write in (
        lambda: jobs.hold(dead, checkpoint={"at": "wrong"}),
        lambda: jobs.finish(dead),
        lambda: jobs.fail(dead, "no"),
        lambda: jobs.retry(dead, "no"),
    ):
        with pytest.raises(jobs.LeaseLost):
            write()
    jobs.hold(successor, checkpoint={"at": "right"})
    assert Job.objects.get(pk=job.pk).checkpoint == {"at": "right"}


@pytest.mark.django_db(transaction=True)
def test_the_lease_is_kept_while_a_long_statement_runs(settings, job: Job) -> None:
    settings.LEASE_SECONDS = 0.3
    mine = jobs.claim(job.pk)
    first = mine.lease_until
    renewed = threading.Event()
    with jobs.leasing(mine):
        for _ in range(100):
            if Job.objects.get(pk=job.pk).lease_until > first + timedelta(seconds=0.3):
                renewed.set()
                break
            threading.Event().wait(0.05)
    assert renewed.is_set()
    connection.close()


def test_retries_wait_longer_each_time_up_to_an_hour_and_never_all_at_once(settings) -> None:
    settings.RETRY_BASE_SECONDS = 5
    for attempts, longest in ((1, 5), (2, 10), (5, 80), (30, 3600)):
        waits = {jobs.wait_seconds(attempts) for _ in range(50)}
        assert all(longest / 2 <= wait <= longest for wait in waits)
        assert len(waits) > 1


def test_a_passing_failure_is_tried_again_with_its_reason(job: Job, monkeypatch) -> None:
    failed = run(job, monkeypatch, raising(SystemUnreachable("Stripe did not answer.", "Look at its status page.")))
    assert (failed.state, failed.problem, failed.hint) == (
        "waiting",
        "Stripe did not answer.",
        "Look at its status page.",
    )
    assert failed.due_at > timezone.now()
    assert failed.lease == ""


def test_after_the_last_attempt_a_person_is_asked(job: Job, monkeypatch, settings) -> None:
    job = later(job, attempts=settings.MAX_ATTEMPTS - 1)
    failed = run(job, monkeypatch, raising(SystemUnreachable("down")))
    assert failed.state == JobState.FAILED


@pytest.mark.parametrize("error", [SystemRefused("column gone", "map it"), jobs.NeedsPerson("column gone", "map it")])
def test_a_permanent_failure_is_told_apart_at_once(job: Job, monkeypatch, error) -> None:
    failed = run(job, monkeypatch, raising(error))
    assert (failed.state, failed.attempts, failed.problem, failed.hint) == (JobState.FAILED, 1, "column gone", "map it")


def test_an_unforeseen_failure_is_kept_without_its_words(job: Job, monkeypatch, caplog) -> None:
    failed = run(job, monkeypatch, raising(ValueError("ada@example.com has no invoice")))
    assert failed.state == JobState.WAITING
    assert failed.problem.startswith("ValueError at test_jobs.py:")
    assert "ada@example.com" not in failed.problem + failed.hint + caplog.text
    assert "ValueError" in caplog.text


def test_a_full_disk_is_a_passing_failure(job: Job, monkeypatch) -> None:
    failed = run(job, monkeypatch, raising(OSError(28, "No space left on device")))
    assert (failed.state, failed.hint) == (JobState.WAITING, "Look at the disk and the network.")


def test_a_finished_job_is_not_done_again(job: Job, monkeypatch) -> None:
    done: list[int] = []

    def stage(job: Job) -> None:
        done.append(job.pk)
        jobs.finish(job)

    run(job, monkeypatch, stage)
    run(job, monkeypatch, stage)
    assert len(done) == 1


def test_the_sweep_sends_what_is_due_and_only_that(sent) -> None:
    now = timezone.now()
    old = now - timedelta(hours=1)
    wanted = {
        later(jobs.enqueue("mail", key="never sent"), sent_at=None).pk,
        later(jobs.enqueue("mail", key="message lost"), sent_at=old).pk,
        later(jobs.enqueue("mail", key="worker dead"), state="running", sent_at=old, lease_until=old).pk,
        later(jobs.enqueue("mail", key="dead at once"), state="running", sent_at=now - timedelta(seconds=9),
              lease_until=now - timedelta(seconds=1)).pk,
    }  # fmt: skip
    later(jobs.enqueue("mail", key="just sent"), sent_at=now)
    later(jobs.enqueue("mail", key="not due"), sent_at=None, due_at=now + timedelta(seconds=9))
    later(jobs.enqueue("mail", key="at work"), state="running", sent_at=old, lease_until=now + timedelta(seconds=9))
    later(jobs.enqueue("mail", key="done"), state="done", sent_at=old)
    later(jobs.enqueue("mail", key="failed"), state="failed", sent_at=old)
    assert jobs.sweep() == 4
    assert set(sent) == wanted
    assert jobs.sweep() == 0


def test_messages_that_wait_in_a_long_queue_are_not_doubled(sent, monkeypatch) -> None:
    lengths = {"interactive": jobs.CROWDED + 1, "bulk": 0}
    monkeypatch.setattr(jobs, "_length", lengths.__getitem__)
    now = timezone.now()
    silent = now - jobs.RESEND_AFTER - timedelta(seconds=1)
    later(jobs.enqueue("mail", key="behind many"), sent_at=silent)
    wanted = {
        later(jobs.enqueue("seal", key="behind nobody"), sent_at=silent).pk,
        later(jobs.enqueue("mail", key="never sent"), sent_at=None).pk,
        later(jobs.enqueue("mail", key="for too long"), sent_at=now - jobs.RESEND_ANYHOW_AFTER * 2).pk,
        later(jobs.enqueue("mail", key="worker dead"), state="running", sent_at=silent, lease_until=now).pk,
    }
    assert jobs.sweep(now + timedelta(seconds=1)) == 4
    assert set(sent) == wanted


def test_a_broker_that_goes_in_the_middle_of_a_sweep_is_not_asked_again_and_again(monkeypatch) -> None:
    promised = [later(jobs.enqueue("mail", key=str(number)), sent_at=None) for number in range(5)]
    sent: list[int] = []

    def gone_after_two(name: str, args: list[int], queue: str) -> None:
        sent.extend(args)
        if len(sent) > 2:
            raise OSError("no broker")

    monkeypatch.setattr(jobs, "_length", lambda queue: 0)
    monkeypatch.setattr(jobs.current_app, "send_task", gone_after_two)
    assert jobs.sweep() == 2
    assert len(sent) == 3
    unsent = Job.objects.filter(sent_at=None).values_list("pk", flat=True)
    assert set(unsent) == {job.pk for job in promised} - set(sent[:2])


def test_a_database_that_goes_while_a_lease_is_kept_does_not_end_the_keeping(settings, job: Job, monkeypatch) -> None:
    settings.LEASE_SECONDS = 0.03
    over, tries = threading.Event(), []

    def gone_at_first(pk: int, lease: str) -> object:
        tries.append(pk)
        if len(tries) < 3:
            raise OperationalError("the server closed the connection")
        over.set()
        return Job.objects.none()

    monkeypatch.setattr(jobs, "_leased", gone_at_first)
    thread = threading.Thread(target=jobs._renew, args=(job.pk, "lease", over))
    thread.start()
    thread.join(10)
    assert len(tries) == 3


def test_a_job_whose_database_hiccuped_is_tried_again(job: Job, monkeypatch) -> None:
    failed = run(job, monkeypatch, raising(OperationalError("deadlock detected: ada@example.com")))
    assert (failed.state, failed.hint) == ("waiting", "Look at the portal's own database.")
    assert "ada" not in failed.problem


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite is never away")
def test_after_the_database_was_away_whoever_works_may_renew_first(settings, job: Job, sent, monkeypatch) -> None:
    monkeypatch.setattr(jobs, "_database_is_up_since", up_since)
    mine = jobs.claim(job.pk)
    later(job, lease_until=timezone.now() - timedelta(seconds=1), sent_at=timezone.now() - timedelta(hours=1))
    settings.LEASE_SECONDS = 3600  # longer than this server is up
    assert jobs.claim(job.pk) is None
    assert jobs.sweep() == 0
    settings.LEASE_SECONDS = 0
    assert jobs.sweep() == 1
    assert jobs.claim(job.pk) is not None
    with pytest.raises(jobs.LeaseLost):
        jobs.finish(mine)


def test_a_nul_in_a_systems_words_does_not_stop_the_failure_from_being_written(job: Job, monkeypatch) -> None:
    failed = run(job, monkeypatch, raising(SystemRefused("no column a\0b", "hint\0")))
    assert (failed.state, failed.problem, failed.hint) == ("failed", "no column ab", "hint")


@pytest.mark.enable_socket
def test_the_length_of_a_queue_is_counted(redis_server: servers.Redis, monkeypatch) -> None:
    app = Celery(broker=redis_server.url(), set_as_current=False)
    monkeypatch.setattr(jobs, "current_app", app)
    with redis_server.client() as client:
        client.flushall()
    assert jobs._length("bulk") == 0
    for _ in range(3):
        app.send_task("dsr.run_job", args=[1], queue="bulk")
    assert jobs._length("bulk") == 3
    app.close()


@pytest.mark.enable_socket
@pytest.mark.parametrize("trouble", ["full", "a replica"])
def test_a_broker_that_takes_nothing_more_loses_nothing(trouble: str, monkeypatch) -> None:
    """Full, or a replica after a failover: it answers, with a refusal."""
    with servers.running(servers.Redis(options=["--maxmemory-policy", "noeviction"])) as server:
        app = Celery(broker=server.url(), set_as_current=False)
        monkeypatch.setattr(jobs, "current_app", app)
        with server.client() as client:
            if trouble == "full":
                client.config_set("maxmemory", "1")
            else:
                client.replicaof("127.0.0.1", "9")
        promised = later(jobs.enqueue("mail", key="refused"), sent_at=None)
        assert jobs.sweep() == 0
        assert Job.objects.get(pk=promised.pk).sent_at is None
        with server.client() as client:
            client.config_set("maxmemory", "0")
            client.replicaof("NO", "ONE")
        assert jobs.sweep() == 1
        app.close()


def test_a_person_can_have_a_failed_job_tried_again(job: Job, sent, django_capture_on_commit_callbacks) -> None:
    failed = later(job, state="failed", attempts=8)
    with django_capture_on_commit_callbacks(execute=True):
        jobs.again(failed)
    again = Job.objects.get(pk=job.pk)
    assert (again.state, again.attempts, sent) == ("waiting", 0, [job.pk])
