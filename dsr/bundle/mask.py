"""Secrets in any text are masked: keys, tokens, passwords and their hashes are described, never disclosed.

Libraries were looked at: detect-secrets reads files line by line, the stream maskers on PyPI are weeks old. So: one
table of patterns. Each is bounded and starts at a boundary of its own characters, which keeps a search linear in
the text, whatever the text is.
"""

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import ahocorasick_rs
import orjson

from dsr.connectors import Texts

# Kinds of secrets, as the text that replaces one says them (ruff takes the names for values).
API_KEY = "API key"
TOKEN = "access token"  # noqa: S105  # nosec B105
PRIVATE_KEY = "private key"
PASSWORD = "password"  # noqa: S105  # nosec B105
PASSWORD_HASH = "password hash"  # noqa: S105  # nosec B105
SECRET = "secret"  # noqa: S105  # nosec B105
KINDS = (API_KEY, TOKEN, PRIVATE_KEY, PASSWORD, PASSWORD_HASH, SECRET)

_Told = TypeVar("_Told")

# The shortest text that can hold a secret of any rule below.
_SHORTEST = 8
_START = r"(?<![A-Za-z0-9_-])"


def replacement(kind: str) -> str:
    """What stands where the secret was."""
    return f"[masked: {kind}]"


@dataclass(frozen=True)
class _Rule:
    """One kind of secret: `triggers` are lower-case pieces one of which must be in the text before it is searched."""

    kind: str
    triggers: tuple[str, ...]
    pattern: re.Pattern[str]

    def apply(self, text: str, counts: Counter[str]) -> str:
        """The text with every match masked. A group `keep` before and `after` the secret stays readable."""

        def masked(match: re.Match[str]) -> str:
            counts[self.kind] += 1
            groups = match.groupdict()
            return (groups.get("keep") or "") + replacement(self.kind) + (groups.get("after") or "")

        return self.pattern.sub(masked, text)


def _rule(kind: str, triggers: str, pattern: str) -> _Rule:
    return _Rule(kind, tuple(triggers.split()), re.compile(pattern))


# A name that says a secret follows, and what may stand between the two.
_NAMED = (
    r"(?i:pass(?:word|wd|phrase|code)|secret|token|credential|(?:api|access|private|auth)[ _-]?key)"
    r"(?i:[ _-]?(?:hash|digest|key|value)){0,2}"
)
_BETWEEN = r"\\?[\"'`]?\s{0,3}(?:[:=]{1,3}>?|->|(?i:is)\b)?\s{0,3}\\?[\"'`]?"
_ASSIGNED = r"\\?[\"'`]?\s{0,3}(?::|=>?)\s{0,3}"

RULES = (
    # PEM first: its body would match other rules. Without its end line only what looks like key lines goes.
    _rule(
        PRIVATE_KEY,
        "-----begin",
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:(?:[^-]|-(?!----)){0,30000}+-----END [A-Z0-9 ]{0,60}-----"
        r"|(?:(?:\\[nr]|\s){0,4}[A-Za-z0-9+/=]{32,120}){0,600}+)",
    ),
    _rule(
        PASSWORD,
        "://",
        r"(?P<keep>(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{1,30}://[^\s/@:\"'<>]{0,120}+:)"
        r"[^\s/@\"'<>]{1,256}+(?P<after>@)",
    ),
    _rule(
        TOKEN,
        "eyj",
        _START + r"eyJ[A-Za-z0-9_-]{5,8000}+\.[A-Za-z0-9_-]{5,16000}+(?:\.[A-Za-z0-9_-]{0,8000}+){1,3}",
    ),
    _rule(TOKEN, "bearer", r"(?P<keep>(?i:\bbearer)\s{1,8})(?=[^\s]{0,200}[0-9])[A-Za-z0-9._~+/=-]{16,8000}+"),
    _rule(TOKEN, "basic", r"(?P<keep>(?i:authorization\W{1,6}basic)\s{1,8})[A-Za-z0-9+/=]{8,2000}+"),
    _rule(TOKEN, "ya29.", _START + r"ya29\.[A-Za-z0-9_-]{20,2000}+"),
    _rule(
        API_KEY,
        "sk- rk- gsk_ xai- pplx- r8_ hf_",
        _START + r"(?:[sr]k-|gsk_|xai-|pplx-|r8_|hf_)(?=[A-Za-z_-]{0,200}[0-9])[A-Za-z0-9_-]{16,400}+",
    ),
    _rule(API_KEY, "sk- hf_", _START + r"(?:sk-(?:ant|proj|or|svcacct|admin)-|hf_)[A-Za-z0-9_-]{20,400}+"),
    _rule(API_KEY, "akia asia abia acca", _START + r"(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}(?![0-9A-Za-z])"),
    _rule(API_KEY, "aiza", _START + r"AIza[0-9A-Za-z_-]{30,100}+"),
    _rule(
        API_KEY,
        "_live_ _test_ whsec_",
        _START + r"(?:(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{8,300}+|whsec_[A-Za-z0-9+/=]{12,300}+)",
    ),
    _rule(
        TOKEN,
        "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- npm_ pypi- dop_v1_",
        _START + r"(?:gh[pousr]_[A-Za-z0-9]{16,300}+|github_pat_[A-Za-z0-9_]{16,300}+|glpat-[A-Za-z0-9_-]{16,100}+"
        r"|npm_[A-Za-z0-9]{30,100}+|pypi-[A-Za-z0-9_-]{40,500}+|dop_v1_[a-f0-9]{32,100}+)",
    ),
    # Further makers' own prefixes. A digit is asked for, since some of them could begin a name.
    _rule(
        API_KEY,
        "gocspx- hvs. shpat_ shpss_ shpca_ shppa_ sq0 dapi lin_api_ ntn_ tvly- nvapi- sbp_ nfp_ figd_ sntrys_ glsa_"
        " glc_ dckr_pat_ atatt3 pat-na1- pat-eu1- xkeysib- pmak- dp.pt. dp.st. age-secret-key-1",
        _START
        + r"(?:GOCSPX-|hvs\.|shp(?:at|ss|ca|pa)_|sq0[a-z]{3}-|dapi(?=[a-f0-9]{32})|lin_api_|ntn_|tvly-|nvapi-|sbp_"
        r"|nfp_|figd_|sntrys_|glsa_|glc_|dckr_pat_|ATATT3|pat-(?:na|eu)1-|xkeysib-|PMAK-|dp\.[ps]t\.|AGE-SECRET-KEY-1)"
        r"(?=[A-Za-z_=-]{0,200}[0-9])[A-Za-z0-9_=-]{16,400}+",
    ),
    _rule(TOKEN, ":aa", r"(?<![A-Za-z0-9])[0-9]{8,10}:AA[A-Za-z0-9_-]{32,34}(?![A-Za-z0-9_-])"),
    # Whoever has one of these addresses can write there.
    _rule(
        TOKEN,
        "hooks.slack.com api/webhooks/",
        r"(?P<keep>hooks\.slack\.com/(?:services|workflows|triggers)/|discord(?:app)?\.com/api/webhooks/[0-9]{5,25}/)"
        r"[A-Za-z0-9_/-]{20,200}+",
    ),
    _rule(
        SECRET,
        "accountkey= sharedaccesskey= sig= otpauth://",
        r"(?P<keep>(?i:AccountKey|SharedAccessKey)=|[?&]sig=|otpauth://[^\s?]{0,200}\?(?:[^\s&=]{1,40}=[^\s&]{0,100}&){0,6}"
        r"secret=)[A-Za-z0-9+/%=_-]{16,200}+",
    ),
    _rule(TOKEN, "xox xapp-", _START + r"(?:xox[a-z]-|xapp-)[A-Za-z0-9-]{10,400}+"),
    _rule(API_KEY, "sg.", _START + r"SG\.[A-Za-z0-9_-]{16,64}+\.[A-Za-z0-9_-]{16,100}+"),
    _rule(
        PASSWORD_HASH,
        "$2 $argon2 pbkdf2 scrypt $1$ $5$ $6$ $7$ $y$ $apr1$ md5$ sha1$",
        r"(?:bcrypt(?:_sha256)?\$|argon2)?\$2[abxy]\$[0-9]{2}\$[./A-Za-z0-9]{31,53}+"
        r"|(?:argon2)?\$argon2(?:id|i|d)\$[^\s\"'\\<>]{16,400}+"
        r"|\$?pbkdf2[_:-](?:hmac[_:-])?sha[0-9]{1,3}[$:][^\s\"'\\<>]{20,500}+"
        r"|\$?scrypt[$:][^\s\"'\\<>]{20,500}+"
        r"|(?<![A-Za-z0-9])(?:md5|sha1)\$[^\s\"'\\<>$]{1,64}+\$[a-f0-9]{32,40}+"
        r"|\$(?:1|5|6|7|y|apr1)\$[./A-Za-z0-9$=,]{20,300}+",
    ),
    _rule(
        PASSWORD_HASH,
        "sha} sha256} sha512} md5} crypt} pbkdf2",
        r"\{(?i:S?SHA(?:256|512)?|S?MD5|CRYPT|PBKDF2[A-Z0-9-]{0,12})\}[A-Za-z0-9+/=$.]{12,400}+",
    ),
    _rule(
        SECRET,
        "passw passp passc secret token credential api key access private auth",
        r"(?P<keep>" + _NAMED + _BETWEEN + r")"
        r"(?:[A-Fa-f0-9]{32,256}+(?![A-Za-z0-9])"
        r"|(?=[A-Za-z_/+-]{0,100}[0-9])(?=[^A-Z\s]{0,100}[A-Z])(?=[^a-z\s]{0,100}[a-z])[A-Za-z0-9_/+-]{24,400}+={0,2})",
    ),
    _rule(
        PASSWORD,
        "passw passp pwd",
        r"(?P<keep>(?i:password|passwd|passphrase|\bpwd)" + _ASSIGNED + r")"
        r"(?:\\?[\"'`][^\s\"'`\\\[]{3,200}+\\?[\"'`]|(?=[^\s\"'(){}\[\]<>;,]{0,100}[0-9])[^\s\"'`(){}\[\]<>;,\\]{6,200}+)",
    ),
)

# Names of fields whose value is a secret whatever it looks like, and those whose value must also look like one.
_ALWAYS = (
    "password",
    "passwd",
    "passphrase",
    "clientsecret",
    "secretkey",
    "privatekey",
    "securityanswer",
    "secretanswer",
)
_IF_OPAQUE = (
    "secret", "apikey", "accesskey", "authkey", "token", "credential", "credentials", "authorization",
    "signingkey", "encryptionkey", "webhookkey",
)  # fmt: skip
_SUFFIXES = ("hash", "hashed", "digest", "encrypted", "value")
_OPAQUE = re.compile(r"(?=[^\s]{0,200}[0-9])[^\s]{12,}+")

# What a block of lines must hold, in lower case, before its lines are taken apart: pieces of the triggers above, few
# enough that a million rows pass in seconds.
_FORMATS = (
    b"$", b"://", b"eyj", b"k-", b"gh", b"xai-", b"pplx-", b"r8_", b"hf_", b"gsk_", b"aiza", b"akia", b"asia", b"abia",
    b"acca", b"_live_", b"_test_", b"whsec", b"glpat-", b"npm_", b"pypi-", b"dop_v1", b"xox", b"xapp", b"ya29.", b"sg.",
    b"sha", b"md5}", b"crypt}", b"pbkdf2", b"scrypt", b"bearer", b"basic", b"passp", b"pwd", b"-----begin",
    b"gocspx", b"hvs.", b"shp", b"sq0", b"dapi", b"lin_api", b"ntn_", b"tvly", b"nvapi", b"sbp_", b"nfp_", b"figd_",
    b"sntrys", b"glsa_", b"glc_", b"dckr_", b"atatt3", b"pat-", b"keysib", b"pmak-", b"dp.", b":aa", b"hooks",
    b"accountkey=", b"sharedacc", b"sig=",
)  # fmt: skip
# Names that call for a look, unless a number follows: input_tokens is on every row of usage.
_NAMES = tuple(
    (name, re.compile(name + rest + rb"(?![a-z_-]{0,20}\":(?:[-0-9ntf]|\"\"))"))
    for name, rest in (
        (b"passw", b""), (b"passc", b""), (b"secret", b""), (b"token", b""), (b"credential", b""), (b"authori", b""),
        (b"answer", b""), (b"api", b"[ _-]?key"), (b"access", b"[ _-]?key"), (b"private", b"[ _-]?key"),
        (b"auth", b"[ _-]?key"), (b"signing", b"[ _-]?key"), (b"encryption", b"[ _-]?key"), (b"webhook", b"[ _-]?key"),
    )
)  # fmt: skip
_TRIGGERS = tuple(dict.fromkeys(trigger for rule in RULES for trigger in rule.triggers))
_RULES_OF = [tuple(place for place, rule in enumerate(RULES) if trigger in rule.triggers) for trigger in _TRIGGERS]
_TRIGGER_SEARCH = ahocorasick_rs.BytesAhoCorasick([trigger.encode() for trigger in _TRIGGERS])
_FORMAT_SEARCH = ahocorasick_rs.BytesAhoCorasick(_FORMATS)
# In a value on its own: what a rule is triggered by, and the names of fields inside a document.
_WORDS = [*(trigger.encode() for trigger in _TRIGGERS), *(name for name, _rest in _NAMES)]
_WORD_SEARCH = ahocorasick_rs.BytesAhoCorasick(_WORDS)
# In longer texts it is asked for each piece whether it is there: a search gives every place, fifty times the text.
_LONG = 1 << 16
_LONGEST_NAME = 64
_BLOCK_LINES = 64
_BLOCK_BYTES = 1 << 16


def mask_lines(lines: Iterable[bytes]) -> Iterator[tuple[bytes, Counter[str]]]:
    """Each orjson line with its secrets masked, and how many of each kind. Looks at blocks first: most hold none."""
    block: list[bytes] = []
    size = 0
    for line in lines:
        block.append(line)
        size += len(line)
        if len(block) == _BLOCK_LINES or size >= _BLOCK_BYTES:
            yield from _mask_block(block)
            block, size = [], 0
    yield from _mask_block(block)


def _mask_block(block: list[bytes]) -> Iterator[tuple[bytes, Counter[str]]]:
    if _may_hold_secret(b"\n".join(block).lower()):
        yield from map(mask_line, block)
    else:
        yield from ((line, Counter()) for line in block)


def suspects(texts: Mapping[str, Texts], rows: int) -> list[int]:
    """The rows of a block that hold a secret, from the values of each column that may hold text.

    Looked at are the values alone, each once: of a million rows of usage, most columns say one of a few things.
    """
    found: set[int] = set()
    for name, (is_bare, values) in texts.items():
        if _named_secret(name) is not None or _masked_name(name)[1]:
            return list(range(rows))
        odd = {value for value in _candidates(list(dict.fromkeys(values))) if _holds_secret(value, is_bare)}
        if odd:
            found.update(place for place, value in enumerate(values) if value in odd)
    return sorted(found)


def _candidates(values: Sequence[bytes]) -> Iterator[bytes]:
    """The values in which a trigger stands, each once. No value has a line break in it."""
    short = [value for value in values if len(value) <= _LONG]
    yield from (value for value in values if len(value) > _LONG and _holds_any(value.lower(), _WORD_SEARCH, _WORDS))
    start = 0
    while start < len(short):
        end, size = start, 0
        while end < len(short) and size <= _LONG:
            size += len(short[end])
            end += 1
        yield from _candidates_together(short[start:end])
        start = end


def _candidates_together(values: Sequence[bytes]) -> Iterator[bytes]:
    ends, end, place = itertools.accumulate(len(value) + 1 for value in values), 0, -1
    for _trigger, start, _end in _WORD_SEARCH.find_matches_as_indexes(b"\n".join(values).lower()):
        if start >= end:
            while end <= start:
                end, place = next(ends), place + 1
            yield values[place]


def _holds_secret(value: bytes, is_bare: bool) -> bool:
    counts: Counter[str] = Counter()
    mask_value(orjson.loads(b'"%b"' % value if is_bare else value), counts)
    return bool(counts)


def mask_line(line: bytes) -> tuple[bytes, Counter[str]]:
    """An orjson line with its secrets masked, and how many of each kind. Without any it is handed back as it is."""
    if not _may_hold_secret(line.lower()):
        return line, Counter()
    counts: Counter[str] = Counter()
    masked = mask_value(orjson.loads(line), counts)
    return (orjson.dumps(masked), counts) if counts else (line, counts)


def _may_hold_secret(lowered: bytes) -> bool:
    if _holds_any(lowered, _FORMAT_SEARCH, _FORMATS):
        return True
    return any(name in lowered and pattern.search(lowered) is not None for name, pattern in _NAMES)


def _holds_any(lowered: bytes, search: ahocorasick_rs.BytesAhoCorasick, pieces: Sequence[bytes]) -> bool:
    """Whether one of the pieces is in the text. The search lists all places, too many in a long text made of them."""
    if len(lowered) > _LONG:
        return any(piece in lowered for piece in pieces)
    return bool(search.find_matches_as_indexes(lowered))


def mask_value(value: Any, counts: Counter[str]) -> Any:
    """The value with every secret in it masked, at any depth. `counts` grows by kind."""
    if isinstance(value, str):
        return mask_text(value, counts)
    if isinstance(value, dict):
        return _mask_object(value, counts)
    if isinstance(value, list):
        return [mask_value(item, counts) for item in value]
    return value


def mask_text(text: str, counts: Counter[str]) -> str:
    """The text with every secret in it masked."""
    if len(text) < _SHORTEST:
        return text
    for place in _triggered(text.lower().encode(errors="surrogatepass")):
        text = RULES[place].apply(text, counts)
    return text


def _triggered(lowered: bytes) -> list[int]:
    """The places of the rules one of whose triggers is in the text, in their order."""
    if len(lowered) > _LONG:
        found = {number for number, trigger in enumerate(_TRIGGERS) if trigger.encode() in lowered}
    else:
        found = {match[0] for match in _TRIGGER_SEARCH.find_matches_as_indexes(lowered, overlapping=True)}
    return sorted({place for trigger in found for place in _RULES_OF[trigger]})


def _mask_object(value: dict[str, Any], counts: Counter[str]) -> dict[str, Any]:
    masked: dict[str, Any] = {}
    for name, inner in value.items():
        shown, found = _masked_name(name)
        counts.update(found)
        while shown in masked:  # two keys that were both secrets must not become one
            shown += " "
        masked[shown] = _mask_field(name, inner, counts)
    return masked


def _of_short_names(told: Callable[[str], _Told]) -> Callable[[str], _Told]:
    """Remembers what was told of names as long as names are; others would fill the memory, and may be a person's."""
    remembered = lru_cache(maxsize=4096)(told)
    return lambda name: remembered(name) if len(name) <= _LONGEST_NAME else told(name)


@_of_short_names
def _masked_name(name: str) -> tuple[str, tuple[str, ...]]:
    counts: Counter[str] = Counter()
    return mask_text(name, counts), tuple(counts.elements())


def _mask_field(name: str, inner: Any, counts: Counter[str]) -> Any:
    if isinstance(inner, str) and inner:
        looks_secret = _named_secret(name)
        if looks_secret is not None and not inner.startswith("[masked: ") and looks_secret(inner):
            kind = _kind_of_field(name)
            counts[kind] += 1
            return replacement(kind)
    return mask_value(inner, counts)


@_of_short_names
def _named_secret(name: str) -> Callable[[str], bool] | None:
    """How to tell that the value of a field of this name is a secret; None when the name says nothing."""
    plain = _plain(name)
    if plain.endswith(_ALWAYS):
        return bool
    if plain.endswith(_IF_OPAQUE):
        return lambda text: _OPAQUE.match(text) is not None
    return None


@_of_short_names
def _kind_of_field(name: str) -> str:
    plain = _plain(name)
    if "pass" in plain:
        return PASSWORD_HASH if "hash" in name.lower() or "digest" in name.lower() else PASSWORD
    if plain.endswith(("apikey", "accesskey")):
        return API_KEY
    if plain.endswith(("token", "authorization")):
        return TOKEN
    return PRIVATE_KEY if plain.endswith("privatekey") else SECRET


def _plain(name: str) -> str:
    plain = re.sub(r"[^a-z]", "", name[:200].lower())
    for suffix in _SUFFIXES:
        plain = plain.removesuffix(suffix)
    return plain
