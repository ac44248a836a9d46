"""File names that are safe on every system, made of names from anywhere."""

import re
import unicodedata

_MOST_CHARACTERS = 80
_MOST_BYTES = 160
_RESERVED = re.compile(r"(?i)(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\..*)?")
# Opened by a double click these would run, or reach for the network, with the person's data beside them.
_ACTIVE = frozenset(
    (
        "app", "bat", "chm", "cmd", "com", "cpl", "desktop", "dll", "exe", "hta", "htm", "html", "iqy", "jar", "js",
        "jse", "lnk", "mht", "mhtml", "msi", "pif", "ps1", "reg", "scr", "sh", "shtml", "slk", "svg", "svgz", "url",
        "vb", "vbe", "vbs", "webloc", "wsf", "xht", "xhtml", "xml", "xsl",
    )
)  # fmt: skip
_UNSAFE = '<>:"/\\|?*'


def safe_name(name: str) -> str:
    """A file name without path, control or invisible characters, bounded, that no system reserves or runs."""
    plain = unicodedata.normalize("NFC", name[: 4 * _MOST_CHARACTERS])
    shown = "".join("_" if c in _UNSAFE else c for c in plain if unicodedata.category(c)[0] != "C")
    words = re.sub(r"\.{2,}", ".", re.sub(r"\s+", " ", shown)).strip(" .")
    stem, dot, ending = words.rpartition(".")
    if not dot or len(ending) > 16 or not stem:
        stem, ending = words, ""
    if ending.lower() in _ACTIVE:
        ending += ".txt"
    stem = _cut(stem, _MOST_BYTES - len(ending.encode()) - 1).rstrip(" .") or "file"
    if _RESERVED.fullmatch(stem) or _RESERVED.fullmatch(f"{stem}.{ending}") or stem.startswith(("-", "~")):
        stem = "_" + stem
    return f"{stem}.{ending}" if ending else stem


def _cut(text: str, most: int) -> str:
    return text[:_MOST_CHARACTERS].encode()[: max(most, 1)].decode(errors="ignore")


def is_safe_path(path: str) -> bool:
    """Whether each step of a path in an archive is a name that safe_name would leave alone, at most five deep."""
    steps = path.split("/")
    return len(steps) <= 5 and all(step and safe_name(step) in (step, f"{step}.txt") for step in steps)


class Names:
    """Names in one folder, no two of which are the same to a system that ignores case or accents' spelling."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, name: str) -> str:
        """A safe name that nobody has yet."""
        safe = safe_name(name)
        stem, dot, ending = safe.partition(".")
        number = 1
        while (key := unicodedata.normalize("NFKC", safe).casefold()) in self._taken:
            number += 1
            safe = f"{stem}-{number}{dot}{ending}"
        self._taken.add(key)
        return safe
