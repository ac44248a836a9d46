"""Signs of life that a health check reads for next to nothing: one small file a process, written anew while it lives.

`python -m dsr.pulse web|worker|clock` reads them, or asks the web server, without loading Django: it runs every few
seconds in each container. Ends with 0 when that process can do its work, and with 1 and a reason when it cannot.
"""

import json
import os
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

EVERY_SECONDS = 10
# Two beats may be missed: a busy machine is slow, not dead.
STALE_SECONDS = 30
ANSWER_SECONDS = 20
KINDS = ("web", "worker", "clock")


def folder() -> Path:
    """Where the files are: DSR_RUN, or run/ in the data folder."""
    return Path(os.environ.get("DSR_RUN") or Path(os.environ.get("DSR_DATA") or "var/data") / "run")


def beat(place: Path, name: str, lacking: Sequence[str] = ()) -> None:
    """Say that `name` lives at this moment, and what it lacks to do its work."""
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = place / f".{name}.{os.getpid()}"
    unfinished.write_text(json.dumps({"at": time.time(), "lacking": list(lacking)}))
    unfinished.replace(place / name)


def trouble(place: Path, name: str) -> str:
    """Why `name` on this machine cannot do its work; "" when it can."""
    try:
        found = json.loads((place / f"{name}@{socket.gethostname()}").read_text())
    except FileNotFoundError:
        return f"{name} gave no sign of life yet"
    silent = time.time() - found["at"]
    if silent > STALE_SECONDS:
        return f"{name} is silent for {silent:.0f} seconds"
    return f"{name} lacks: {', '.join(found['lacking'])}" if found["lacking"] else ""


def trouble_of_web(bind: str, origin: str) -> str:
    """What /ready of the web server on this machine says against it; "" when it is ready."""
    port = bind.rpartition(":")[2]
    # The portal answers under its own name only.
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/ready", headers={"Host": urlsplit(origin).netloc})
    try:
        with urllib.request.urlopen(asked, timeout=ANSWER_SECONDS):  # noqa: S310  # nosec B310  (our own address)
            return ""
    except urllib.error.HTTPError as error:
        with error:
            return f"web says: {error.read(200).decode(errors='replace').strip()}"
    except OSError as error:
        return f"web does not answer: {type(error).__name__}"


def main(arguments: Sequence[str]) -> int:
    """Look at one process of this machine."""
    if len(arguments) != 1 or arguments[0] not in KINDS:
        print(f"python -m dsr.pulse {'|'.join(KINDS)}", file=sys.stderr)  # noqa: T201
        return 2
    if arguments[0] == "web":
        origin = os.environ.get("DSR_ORIGIN", "http://localhost:8000")
        found = [trouble_of_web(os.environ.get("DSR_BIND", "127.0.0.1:8000"), origin)]
    else:
        # What is swept has come the whole way: from the schedule over the broker to a worker and the database.
        names = ("clock", "sweep") if arguments[0] == "clock" else ("worker",)
        found = [trouble(folder(), name) for name in names]
    told = "; ".join(filter(None, found))
    print(told or "well", file=sys.stderr)  # noqa: T201
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
