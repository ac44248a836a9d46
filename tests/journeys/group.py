"""Worker and clock under their supervisor, as `serve` runs them: so many workers, and the web where it has a port."""

import sys

from dsr.management.supervisor import Child, Supervisor, children

if __name__ == "__main__":
    workers, port = int(sys.argv[1]), sys.argv[2]
    web, clock, worker = children(f"127.0.0.1:{port}", 1, 2)
    named = [[word.replace("worker@", f"worker{number}@") for word in worker.command] for number in range(workers)]
    kept = [clock, *(Child(f"worker {number}", command) for number, command in enumerate(named))]
    supervisor = Supervisor([*kept, web] if port else kept)
    supervisor.start()
    supervisor.run()
