"""A browser as small as can be: pages with their sheets and pictures, forms sent as a person would, cookies kept."""

import gzip
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPConnection, HTTPResponse, RemoteDisconnected
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urljoin, urlsplit

import brotli

PATIENCE_SECONDS = 60
MOST_REDIRECTS = 5


@dataclass(frozen=True)
class Visit:
    """One request as it went out, so that it can be sent again by many."""

    method: str
    path: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass
class Form:
    """A form of a page: where it goes, and what would be sent if nobody typed anything."""

    action: str
    method: str = "get"
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Page:
    """What came back: the last answer after redirects, how many bytes it took, what else the page needs."""

    visit: Visit
    status: int
    weight: int
    text: str
    forms: tuple[Form, ...]
    assets: tuple[str, ...]


class Browser:
    """One person's browser. `source` is the address it comes from: any of 127.0.0.0/8."""

    def __init__(self, host: str, port: int, source: str = "127.0.0.1") -> None:
        self._connection = HTTPConnection(host, port, timeout=PATIENCE_SECONDS, source_address=(source, 0))
        self._origin = f"http://{host}:{port}"
        self._cookies: dict[str, str] = {}
        self._seen: dict[str, int] = {}

    def get(self, path: str) -> Page:
        """A page, by its address."""
        return self._follow(Visit("GET", path, headers=self._headers()))

    def send(self, page: Page, typed: dict[str, str], *, button: str = "") -> Page:
        """Fill in the first form that has all the fields typed (or the button wanted), and send it."""
        form = next(f for f in page.forms if typed.keys() <= f.fields.keys() and _has(f, button))
        values = form.fields | typed
        if form.buttons:
            name, value = next((b for b in form.buttons if b[1] == button), form.buttons[0])
            values |= {name: value} if name else {}
        return self.post(urljoin(page.visit.path, form.action), values)

    def post(self, path: str, values: dict[str, str]) -> Page:
        """Send values to an address."""
        headers = (*self._headers(), ("Content-Type", "application/x-www-form-urlencoded"))
        return self._follow(Visit("POST", path, urlencode(values).encode(), headers))

    def whole_weight(self, page: Page) -> int:
        """Bytes of the page with all it needs, with nothing in the browser's cache."""
        return page.weight + sum(self._weight_of(asset) for asset in page.assets)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _weight_of(self, asset: str) -> int:
        if asset not in self._seen:
            self._seen[asset] = self._follow(Visit("GET", asset, headers=self._headers())).weight
        return self._seen[asset]

    def _headers(self) -> tuple[tuple[str, str], ...]:
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        always = (("Accept-Encoding", "br, gzip"), ("Origin", self._origin), ("Sec-Fetch-Site", "same-origin"))
        return (*always, ("Cookie", cookies)) if cookies else always

    def _follow(self, visit: Visit) -> Page:
        for _redirect in range(MOST_REDIRECTS):
            response = self._sent(visit)
            raw = response.read()
            self._keep_cookies(response)
            if response.status not in (301, 302, 303):
                return _page(visit, response, raw)
            parts = urlsplit(urljoin(self._origin + visit.path, response.headers["Location"]))
            visit = Visit("GET", parts.path + (f"?{parts.query}" if parts.query else ""), headers=self._headers())
        raise SystemExit(f"{visit.path} leads round in circles.")

    def _sent(self, visit: Visit) -> HTTPResponse:
        try:
            self._connection.request(visit.method, visit.path, visit.body or None, dict(visit.headers))
            return self._connection.getresponse()
        except (BrokenPipeError, ConnectionResetError, RemoteDisconnected):
            # The server hung up on an idle connection: call again, as browsers do.
            self._connection.close()
            self._connection.request(visit.method, visit.path, visit.body or None, dict(visit.headers))
            return self._connection.getresponse()

    def _keep_cookies(self, response: HTTPResponse) -> None:
        for line in response.headers.get_all("Set-Cookie", []):
            for name, morsel in SimpleCookie(line).items():
                self._cookies[name] = morsel.value


def _has(form: Form, button: str) -> bool:
    return not button or any(value == button for _name, value in form.buttons)


def _page(visit: Visit, response: HTTPResponse, raw: bytes) -> Page:
    encoding = response.headers.get("Content-Encoding", "")
    plain = {"gzip": gzip.decompress, "br": brotli.decompress}.get(encoding, bytes)(raw)
    text = plain.decode(errors="replace")
    seen = _Seen()
    if "html" in response.headers.get("Content-Type", ""):
        seen.feed(text)
    weight = len(raw) + len(str(response.headers))
    return Page(visit, response.status, weight, text, tuple(seen.forms), tuple(dict.fromkeys(seen.assets)))


class _Seen(HTMLParser):
    """Collects forms and what a page needs besides."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.assets: list[str] = []
        self._select = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        at = {name: value or "" for name, value in attributes}
        needed = at.get("href" if tag == "link" else "src", "") if tag in ("link", "script", "img") else ""
        if needed and not needed.startswith("data:"):
            self.assets.append(needed)
        if tag == "form":
            self.forms.append(Form(at.get("action", ""), at.get("method", "get").lower()))
        elif self.forms:
            self._field(tag, at)

    def _field(self, tag: str, at: dict[str, str]) -> None:
        fields, name = self.forms[-1].fields, at.get("name", "")
        if tag == "button":
            self.forms[-1].buttons.append((name, at.get("value", "")))
        elif tag == "input" and at.get("type") == "radio":
            # The first one, unless another is chosen already.
            if "checked" in at or name not in fields:
                fields[name] = at.get("value", "")
        elif tag == "input" and at.get("type") != "checkbox" and name:
            fields[name] = at.get("value", "")
        elif tag in ("textarea", "select") and name:
            fields[name] = ""
