"""PostgreSQL's fast way out: one COPY, taken apart into columns and put together as JSON, a block of rows at a time.

What row by row would take a minute takes seconds; no row is held but those of a block.
"""

from __future__ import annotations

import select
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any

import orjson
import psycopg
from django.utils.translation import gettext as _
from psycopg import pq
from sqlalchemy import ColumnElement, Connection, exc, func
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import TIMESTAMP

from dsr.connectors import Block, Record, SystemUnreachable, Texts
from dsr.connectors.sql import copied
from dsr.connectors.sql.copied import NULL, Column, Slot
from dsr.connectors.sql.rows import Reading
from dsr.connectors.sql.timespan import moment

BLOCK_BYTES = 1 << 19
# A server that says nothing for so long will say nothing any more; sorting millions of rows takes less.
PATIENCE_SECONDS = 1800
LONGEST_MODEL = 80


@dataclass(frozen=True)
class Asked:
    """One column of the statement. The same column asked for in the same form has one place."""

    source: ColumnElement[Any]
    form: str
    family: str

    @property
    def element(self) -> ColumnElement[Any]:
        """What the statement selects."""
        if self.form == "time":
            return func.to_json(sql_cast(self.source, TIMESTAMP(timezone=True)))
        if self.form == "array":
            return func.to_json(self.source)
        if self.form == "binary":
            return func.encode(self.source, "base64")
        return self.source


FORMS = {"datetime": "time", "array": "array", "binary": "binary"}


class Copy:
    """A person's rows of one collection as a COPY statement, as blocks, and as records."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        here = reading.here
        self._asked: list[Asked] = []
        # What stays back is not even read.
        self._shown = {
            name: None if name in here.secret else self._place(reading.element(name, column), column.family)
            for name, column in here.columns.items()
        }
        self._without_others = {
            name: names.without_others for name, names in reading.found.names.items() if names.element is None
        }
        self._owners = [self._place(owner.element, owner.family, "as it is") for owner in reading.found.owners]
        self._key = [self._place(column.element, column.family) for column in here.key]
        self._time = self._place(here.time.element, here.time.family) if here.time is not None else None
        self._whose: dict[tuple[bytes, ...], str] = {}

    def _place(self, source: ColumnElement[Any], family: str, form: str = "") -> int:
        form = form or FORMS.get(family, "as it is")
        for place, known in enumerate(self._asked):
            if known.source is source and known.form == form:
                return place
        self._asked.append(Asked(source, form, family))
        return len(self._asked) - 1

    def blocks(self, connection: Connection, after: Sequence[Any] | None, most: int) -> Iterator[Block]:
        """The rows behind a key, in blocks of at most so many."""
        for rows in _received(connection, self._statement(connection, after), most):
            yield self._block(rows)

    def records(self, connection: Connection, after: Sequence[Any] | None) -> Iterator[Record]:
        """The same rows, one by one."""
        for block in self.blocks(connection, after, most=32):
            lines = block.lines.split(b"\n")
            for owner, head, data in zip(block.owners, lines[::2], lines[1::2], strict=False):
                said = orjson.loads(head)
                key = tuple(tuple(part) if isinstance(part, list) else part for part in said["k"])
                yield Record(owner, key, moment(said["t"]) if said["t"] else None, orjson.loads(data))

    def _statement(self, connection: Connection, after: Sequence[Any] | None) -> bytes:
        """COPY takes no parameters: the driver quotes the values in, and SQLAlchemy has quoted the names."""
        query = self._reading.selecting([each.element for each in self._asked], after)
        compiled = query.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
        processors: Mapping[str, Any] = compiled._bind_processors
        values = {
            name: processors[name](value) if name in processors else value for name, value in compiled.params.items()
        }
        with closing(psycopg.ClientCursor(_driver(connection))) as cursor:
            composed = cursor.mogrify(str(compiled), values) if values else str(compiled).replace("%%", "%")
        return f"COPY ({composed}) TO STDOUT".encode()

    def _block(self, rows: list[memoryview]) -> Block:
        many = len(rows)
        raw = b"".join(rows)
        has_null = NULL in raw
        fields = raw[:-1].replace(b"\n", b"\t").split(b"\t")
        columns = [fields[place :: len(self._asked)] for place in range(len(self._asked))]
        slots: dict[int, Slot] = {}

        def slot(place: int) -> Slot:
            if place not in slots:
                asked = self._asked[place]
                slots[place] = copied.WRITERS.get(asked.family, copied.strings)(columns[place], has_null)
            return slots[place]

        shown = {name: None if place is None else slot(place) for name, place in self._shown.items()}
        for name in shown.keys() & self._without_others.keys():
            shown[name] = copied.changed(shown[name], self._without_others[name])
        times = self._times(columns, slot)
        keys = [copied.key_part(self._asked[place].family, slot(place), columns[place]) for place in self._key]
        lines = _written(many, times, keys, shown)
        last = orjson.loads(b"[" + b",".join(key[-1] for key in keys) + b"]")
        known = [time for time in times if time != b"null"] if has_null or b"null" in times else times
        return Block(
            rows=many,
            lines=lines,
            owners=self._owners_of(columns),
            last=tuple(last),
            texts=self._texts(slot, shown),
            unlike={name: each.unlike for name, each in shown.items() if each is not None and each.unlike},
            first_at=min(known)[1:-1].decode() if known else "",
            last_at=max(known)[1:-1].decode() if known else "",
            is_in_time_order=known == sorted(known),
            days=Counter({day.decode(): count for day, count in Counter(copied.day_of(known)).items()}),
            models=self._models(shown),
        )

    def _times(self, columns: list[Column], slot: Callable[[int], Slot]) -> Column:
        if self._time is None:
            return [b"null"] * len(columns[0])
        family = self._asked[self._time].family
        written = slot(self._time)
        return (
            written.values
            if family == "datetime" and not written.unlike
            else copied.moments(family, columns[self._time])
        )

    def _owners_of(self, columns: list[Column]) -> list[str]:
        found = self._reading.found
        whose = self._whose if len(self._whose) < 1_000 else {}
        owning = list(zip(*(columns[place] for place in self._owners), strict=True))
        for values in set(owning) - whose.keys():
            families = [self._asked[place].family for place in self._owners]
            whose[values] = found.whose([copied.as_read(f, v) for f, v in zip(families, values, strict=True)])
        self._whose = whose
        return list(map(whose.__getitem__, owning))

    def _texts(self, slot: Callable[[int], Slot], shown: dict[str, Slot | None]) -> dict[str, Texts]:
        """Where a secret may stand: in what goes out, and in keys, which file names are made of.

        A column of dates or UUIDs holds no secret that its values would tell, but its name may say that it does.
        """
        columns = self._reading.here.columns
        texts = {
            name: Texts(each.is_bare, () if columns[name].family in copied.TELLING_NOTHING else each.values)
            for name, each in shown.items()
            if each is not None and columns[name].family not in copied.NEVER_TEXT
        }
        for column, place in zip(self._reading.here.key, self._key, strict=True):
            if column.name not in shown and column.family not in copied.NEVER_TEXT:
                texts[column.name] = Texts(slot(place).is_bare, slot(place).values)
        return texts

    def _models(self, shown: dict[str, Slot | None]) -> Counter[str]:
        slot = shown.get(self._reading.here.collection.model)
        counts: Counter[str] = Counter()
        if slot is not None:
            for value, many in Counter(slot.values).items():
                said = orjson.loads(b'"%b"' % value if slot.is_bare else value)
                if said is not None:
                    counts[str(said)[:LONGEST_MODEL]] += many
        return counts


def _written(many: int, times: Column, keys: list[Column], shown: dict[str, Slot | None]) -> bytes:
    """All rows as text: one template for a row, repeated, and filled by one operation."""
    given = {name: None if slot is None else slot.is_bare for name, slot in shown.items()}
    template = _template(len(keys), tuple(given.items()))
    values = [times, *keys, *(slot.values for slot in shown.values() if slot is not None)]
    return template * many % tuple(chain.from_iterable(zip(*values, strict=True)))


@cache
def _template(keys: int, shown: tuple[tuple[str, bool | None], ...]) -> bytes:
    """A row's two lines. True: the value wants quotes; None: nothing of this column goes out."""
    marks = {None: b"null", True: b'"%b"', False: b"%b"}
    fields = [orjson.dumps(name).replace(b"%", b"%%") + b":" + marks[is_bare] for name, is_bare in shown]
    head = b'{"t":%b,"k":[' + b",".join([b"%b"] * keys) + b"]}"
    return head + b"\n{" + b",".join(fields) + b"}\n"


def _driver(connection: Connection) -> psycopg.Connection[Any]:
    driver = connection.connection.dbapi_connection
    assert isinstance(driver, psycopg.Connection)
    return driver


def _received(connection: Connection, statement: bytes, most: int) -> Iterator[list[memoryview]]:
    """The rows of a COPY as they come, some at a time. One that is broken off closes its connection."""
    pgconn = _driver(connection).pgconn
    is_whole = False
    try:
        pgconn.send_query(statement)
        _result(pgconn)
        is_over = False
        while not is_over:
            rows, is_over = _taken(pgconn, most)
            if rows:
                yield rows
        while _result(pgconn) is not None:
            pass
        is_whole = True
    except psycopg.Error as error:
        is_lost = pgconn.status != pq.ConnStatus.OK
        raise exc.DBAPIError.instance(
            "COPY", None, error, psycopg.Error, hide_parameters=True, connection_invalidated=is_lost
        ) from None
    finally:
        if not is_whole:
            connection.invalidate()


def _taken(pgconn: pq.abc.PGconn, most: int) -> tuple[list[memoryview], bool]:
    """The next rows, and whether they are the last."""
    take = pgconn.get_copy_data
    rows: list[memoryview] = []
    room = BLOCK_BYTES
    while room > 0 and len(rows) < most:
        got, data = take(1)
        if got > 0:
            rows.append(data)
            room -= got
        elif got == 0:
            _wait(pgconn)
        else:
            return rows, True
    return rows, False


def _result(pgconn: pq.abc.PGconn) -> pq.abc.PGresult | None:
    """The next result, waited for without holding up other threads. Raises what the server said went wrong."""
    # A long statement goes out in pieces; the server may say something meanwhile, and must be heard.
    while pgconn.flush():
        _wait(pgconn, select.POLLIN | select.POLLOUT)
    while pgconn.is_busy():
        _wait(pgconn)
    result = pgconn.get_result()
    if result is not None and result.status == pq.ExecStatus.FATAL_ERROR:
        raise psycopg.errors.error_from_result(result)
    return result


def _wait(pgconn: pq.abc.PGconn, events: int = select.POLLIN) -> None:
    poll = select.poll()
    poll.register(pgconn.socket, events)
    told = poll.poll(PATIENCE_SECONDS * 1000)
    if not told:
        minutes = PATIENCE_SECONDS // 60
        raise SystemUnreachable(_("The database has said nothing for %(many)d minutes.") % {"many": minutes})
    if told[0][1] & ~select.POLLOUT:
        pgconn.consume_input()
