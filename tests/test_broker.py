import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection
from kombu.transport.virtual import Channel

from dsr import celery  # noqa: F401  (puts the transport in its place)
from dsr.broker import Transport


@pytest.fixture
def channel(tmp_path: Path) -> Iterator[Channel]:
    options = {
        "data_folder_in": str(tmp_path / "queue"),
        "data_folder_out": str(tmp_path / "queue"),
        "control_folder": str(tmp_path / "control"),
    }
    for name in ("queue", "control"):
        (tmp_path / name).mkdir()
    with Connection("filesystem://localhost", transport_options=options) as connection:
        assert isinstance(connection.transport, Transport)
        yield connection.channel()


def test_messages_come_in_order_and_once(channel: Channel, tmp_path: Path) -> None:
    for number in range(3):
        channel._put("bulk", {"number": number})
        channel._put("clock", {"number": -number})
    assert [channel._get("bulk")["number"] for _ in range(3)] == [0, 1, 2]
    with pytest.raises(Empty):
        channel._get("bulk")
    assert channel._size("clock") == 3


def test_no_reader_meets_a_half_written_message(channel: Channel) -> None:
    taken: list[int] = []
    is_over = threading.Event()

    def read() -> None:
        while not is_over.is_set() or channel._size("bulk"):
            try:
                taken.append(channel._get("bulk")["number"])
            except Empty:
                continue

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(400):
        channel._put("bulk", {"number": number})
    is_over.set()
    for reader in readers:
        reader.join()
    assert sorted(taken) == list(range(400))


def test_what_a_killed_sender_left_is_no_message(channel: Channel, tmp_path: Path) -> None:
    (tmp_path / "queue" / "1.unfinished").write_bytes(b"")
    with pytest.raises(Empty):
        channel._get("bulk")


def test_a_queue_is_bound_once_beside_the_others(channel: Channel, tmp_path: Path) -> None:
    for queue in ("bulk", "clock", "bulk"):
        channel._queue_bind("work", queue, "", queue)
    assert sorted(entry.queue for entry in channel.get_table("work")) == ["bulk", "clock"]
    assert [path.name for path in (tmp_path / "control").iterdir()] == ["work.exchange"]
