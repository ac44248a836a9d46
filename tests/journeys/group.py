"""Worker and clock under their supervisor, as `serve` runs them, without the web server."""

from dsr.management.supervisor import Supervisor, children

if __name__ == "__main__":
    supervisor = Supervisor([child for child in children("", 1, 2) if child.name != "web"])
    supervisor.start()
    supervisor.run()
