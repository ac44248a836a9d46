"""Whether a database is a replica, and how far it lags behind: an answer read from it would lack the newest rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from sqlalchemy import Connection, exc

from dsr.connectors import SystemUnreachable
from dsr.connectors.sql.failures import code_of

# Beyond this a replica is not read: what the person did since would be missing from the answer.
MOST_SECONDS_BEHIND = 600
NOT_ALLOWED_TO_SEE = "1227"

# All that came has been replayed, and the primary is still there to send more: then it is not behind. Otherwise it is
# as old as the last change it replayed, or of unknown age when it replayed none since its start.
POSTGRESQL = """
SELECT pg_is_in_recovery(),
       CASE WHEN NOT pg_is_in_recovery() THEN 0
            WHEN pg_last_wal_replay_lsn() >= pg_last_wal_receive_lsn()
                 AND EXISTS (SELECT 1 FROM pg_stat_wal_receiver) THEN 0
            ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())
       END
"""


@dataclass(frozen=True)
class Standing:
    """Whether this is a replica, and its seconds behind: None if it does not tell, infinity if it stopped."""

    is_replica: bool
    behind: float | None = 0

    @property
    def is_stale(self) -> bool:
        """Whether it is too far behind to be read."""
        return self.behind is not None and self.behind > MOST_SECONDS_BEHIND

    def words(self) -> str:
        """What to tell staff; nothing for a database that is no replica."""
        if not self.is_replica:
            return ""
        if self.behind is None:
            return _("It is a replica that does not tell this account how far behind it is.")
        if math.isinf(self.behind):
            return _("It is a replica, and its replication has stopped.")
        seconds = round(self.behind)
        words = ngettext(
            "It is a replica, %(seconds)d second behind.", "It is a replica, %(seconds)d seconds behind.", seconds
        )
        return words % {"seconds": seconds}

    def hint(self) -> str:
        """What staff can do about it, where something is to be done."""
        if self.is_stale:
            return _("Nothing is read from a replica more than %(most)d seconds behind. See to its replication.") % {
                "most": MOST_SECONDS_BEHIND
            }
        if self.is_replica and self.behind is None:
            return _("Grant the account SLAVE MONITOR (MySQL: REPLICATION CLIENT), so that a stale answer is noticed.")
        return ""


def standing(connection: Connection) -> Standing:
    """What this database says of itself."""
    if connection.dialect.name == "postgresql":
        is_replica, behind = connection.exec_driver_sql(POSTGRESQL).one()
        return Standing(is_replica, math.inf if behind is None else float(behind))
    if connection.dialect.name == "mysql":
        return _mysql(connection)
    return Standing(False)


def refuse_stale(connection: Connection, system: str) -> None:
    """Raise SystemUnreachable where this is a replica too far behind: it may catch up."""
    found = standing(connection)
    if found.is_stale:
        raise SystemUnreachable(found.words(), found.hint(), system=system)


def takes_no_changes(connection: Any, dialect: str) -> bool:
    """Whether the database behind this driver's connection is a replica, or was told to take no changes."""
    asked = {"postgresql": "SELECT pg_is_in_recovery()", "mysql": "SELECT @@global.read_only"}.get(dialect)
    if asked is None:
        return False
    with connection.cursor() as cursor:
        cursor.execute(asked)
        (said,) = cursor.fetchone()
    connection.rollback()
    return bool(said)


def _mysql(connection: Connection) -> Standing:
    is_mariadb = getattr(connection.dialect, "is_mariadb", False)
    try:
        rows = connection.exec_driver_sql("SHOW ALL SLAVES STATUS" if is_mariadb else "SHOW REPLICA STATUS").mappings()
        told = [row.get("Seconds_Behind_Master", row.get("Seconds_Behind_Source")) for row in rows]
    except exc.DBAPIError as error:
        if code_of(error) != NOT_ALLOWED_TO_SEE:
            raise
        read_only = bool(connection.exec_driver_sql("SELECT @@global.read_only").scalar_one())
        return Standing(read_only, None if read_only else 0)
    if not told:
        return Standing(False)
    return Standing(True, max(math.inf if seconds is None else float(seconds) for seconds in told))
