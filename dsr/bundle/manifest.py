"""datapackage.json: every file of an archive with its size and checksum (Frictionless Data Package 2.0)."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from dsr.bundle.contents import Contents
from dsr.bundle.summary import Summary

PATH = "datapackage.json"
_PACKAGE = "https://datapackage.org/profiles/2.0/datapackage.json"
_DIALECT = "https://datapackage.org/profiles/2.0/tabledialect.json"
_SCHEMA = "https://datapackage.org/profiles/2.0/tableschema.json"
_MEDIA_TYPES = {"html": "text/html", "css": "text/css", "pdf": "application/pdf"}


class Manifest:
    """Grows as files go by; written last."""

    def __init__(self, *, is_csv: bool) -> None:
        self._is_csv = is_csv
        self._resources: list[dict[str, Any]] = []

    def noted(self, path: str, chunks: Iterable[bytes], media_type: str = "") -> Iterator[bytes]:
        """Pass the chunks of a file on, and list the file once they are through."""
        digest, size = hashlib.sha256(), 0
        for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
            yield chunk
        ending = path.rpartition(".")[2]
        self._resources.append(
            {
                "name": f"file-{len(self._resources) + 1:05d}",
                "path": path,
                "mediatype": media_type or _MEDIA_TYPES.get(ending, "application/octet-stream"),
                "bytes": size,
                "hash": f"sha256:{digest.hexdigest()}",
            }
        )

    def describe(self, summary: Summary) -> None:
        """Make a table of the file that was listed last."""
        source, resource = summary.source, self._resources[-1]
        summary.bytes += resource["bytes"]
        resource |= {
            "name": f"{source.system}.{source.collection}",
            "type": "table",
            "title": source.title,
            "format": "csv" if self._is_csv else "jsonl",
            "mediatype": "text/csv" if self._is_csv else "application/jsonl",
            "encoding": "utf-8",
            "rows": summary.rows,
            "schema": {
                "$schema": _SCHEMA,
                # Rows of a system without fixed columns need not all have the same.
                "fieldsMatch": "exact" if self._is_csv else "partial",
                "fields": summary.table.fields(is_csv=self._is_csv),
            },
        }
        if source.sentence:
            resource["description"] = source.sentence
        if self._is_csv:
            resource["dialect"] = {"$schema": _DIALECT, "delimiter": ",", "doubleQuote": True}

    def write(self, contents: Contents) -> bytes:
        """The manifest itself. It lists every file but itself."""
        package = {
            "$schema": _PACKAGE,
            "name": "data-of-one-person",
            "title": f"{contents.organisation_short}, {contents.reference}",
            "created": f"{contents.made_on.isoformat()}T00:00:00Z",
            "contributors": [{"title": contents.organisation, "email": contents.email, "roles": ["publisher"]}],
            "resources": self._resources,
        }
        return orjson.dumps(package, option=orjson.OPT_INDENT_2)
