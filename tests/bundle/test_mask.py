"""Secrets in an export are masked and said so; everything else stays as it was."""

import tracemalloc
from collections import Counter
from collections.abc import Callable

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsr.bundle import mask
from dsr.connectors import Texts

# Made up, in the shape of the real ones. Split so that no scanner takes this file for a leak.
SECRETS = {
    "sk-" + "abcdEFGH1234567890abcdEFGH1234567890": mask.API_KEY,
    "sk-ant-" + "api03-AbCdEfGhIjKlMnOpQrStUvWxYz_-AA": mask.API_KEY,
    "sk-proj-" + "AbCdEfGhIjKlMnOpQrStUvWxYz": mask.API_KEY,
    "AKIA" + "IOSFODNN7EXAMPLE": mask.API_KEY,
    "AIza" + "SyA1234567890abcdefghijklmnopqrstuv": mask.API_KEY,
    "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc": mask.API_KEY,
    "rk_live_" + "4eC39HqLyjWDarjtT1zdp7dc": mask.API_KEY,
    "whsec_" + "5WbX5kEWLlfzsGNjH64I8lOOqUB6e8FH": mask.API_KEY,
    "SG." + "ngeVfQFYQlKU0ufo8x5d1A.TwL2iGABf9DHoTf-09kqeF8tAmbihYzrnopKc-1s5cr": mask.API_KEY,
    "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a": mask.TOKEN,
    "gho_" + "16C7e42F292c6912E7710c838347Ae178B4a": mask.TOKEN,
    "github_pat_" + "11ABCDEFG0123456789_abcdefghijklmnopqrstuvwxyz": mask.TOKEN,
    "xoxb-" + "123456789012-1234567890123-AbCdEfGhIjKl": mask.TOKEN,
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
    + ".eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U": mask.TOKEN,
    "$2b$12$" + "R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW": mask.PASSWORD_HASH,
    "$argon2id$v=19$m=65536,t=3,p=4$" + "c29tZXNhbHQ$RdescudvJCsgt3ub+b9dWRWJTmaaJObG": mask.PASSWORD_HASH,
    "argon2$argon2id$v=19$m=102400,t=2,p=8$" + "c29tZXNhbHQ$RdescudvJCsgt3ub": mask.PASSWORD_HASH,
    "pbkdf2_sha256$870000$" + "c2FsdHNhbHQ$N5mVY0n4dFzS3j0LZk0z2n5u8mV9y1xQ2w3e4r5t6y7=": mask.PASSWORD_HASH,
    "{SSHA}" + "DkMTwBl+a/3DQTxCYEApdUtNXGgdUac3": mask.PASSWORD_HASH,
    "$6$rounds=5000$" + "usesomesillystri$D4IrlXatmP7rx3P3InaxBeoomnAihCKRVQAr/36eYaKL": mask.PASSWORD_HASH,
    "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nMIIEow"
    + "IBAAKCAQEA\n-----END RSA PRIVATE KEY-----": mask.PRIVATE_KEY,
    "-----BEGIN OPENSSH PRIVATE KEY-----\\nb3BlbnNzaC1rZXk"
    + "tdjEAAAAA\\n-----END OPENSSH PRIVATE KEY-----": mask.PRIVATE_KEY,
    "GOCSPX-" + "abcdefGHIJKL1234567890mnopqr": mask.API_KEY,
    "hvs." + "CAESIJabcdefghijklmnopqrstuvwxyz0123456789": mask.API_KEY,
    "shpat_" + "0123456789abcdef0123456789abcdef": mask.API_KEY,
    "sq0atp-" + "abcdefghij0lmnopqrstuv": mask.API_KEY,
    "dapi" + "0123456789abcdef0123456789abcdef": mask.API_KEY,
    "lin_api_" + "abcdefghijABCDEFGHIJ0123456789abcdefghij": mask.API_KEY,
    "ntn_" + "123456789abcdefghijABCDEFGHIJ0123456789abcdef": mask.API_KEY,
    "tvly-" + "abcdefghijABCDEFGHIJ012345": mask.API_KEY,
    "nvapi-" + "abcdefghijABCDEFGHIJ0123456789abcdefghij": mask.API_KEY,
    "sbp_" + "0123456789abcdef0123456789abcdef01234567": mask.API_KEY,
    "nfp_" + "abcdefghijABCDEFGHIJ0123456789abcdef": mask.API_KEY,
    "figd_" + "abcdefghijABCDEFGHIJ0123456789abcdef": mask.API_KEY,
    "glsa_" + "abcdefghijABCDEFGHIJ0123456789ab_01234567": mask.API_KEY,
    "dckr_pat_" + "abcdefghijABCDEFGHIJ012345": mask.API_KEY,
    "ATATT3" + "xFfGF0abcdefghijABCDEFGHIJ0123456789": mask.API_KEY,
    "pat-na1-" + "01234567-89ab-cdef-0123-456789abcdef": mask.API_KEY,
    "xkeysib-" + "0123456789abcdef0123456789abcdef-abcdefghij123456": mask.API_KEY,
    "PMAK-" + "0123456789abcdef01234567-0123456789abcdef01": mask.API_KEY,
    "dp.pt." + "abcdefghijABCDEFGHIJ0123456789abcdefghijABC": mask.API_KEY,
    "AGE-SECRET-KEY-1" + "QQPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L": mask.API_KEY,
    "123456789:" + "AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-aB": mask.TOKEN,
}
NEAR_WORDS = {
    "https://hooks.slack.com/services/" + "T00000000/B00000000/abcdefABCDEF0123456789": mask.TOKEN,
    "https://discord.com/api/webhooks/987654321098765432/" + "abcDEF123abcDEF123abcDEF123": mask.TOKEN,
    "AccountName=a;AccountKey=" + "abcdefghij1234567890ABCDEFGHIJabcdefghij==": mask.SECRET,
    "https://a.blob.example/c?sv=2020&sig=" + "abcDEF123%2Babc%2FdefGHI456789": mask.SECRET,
    "otpauth://totp/x?issuer=y&secret=" + "JBSWY3DPEHPK3PXP": mask.SECRET,
    "Authorization: Bearer " + "0123456789abcdef0123": mask.TOKEN,
    "Authorization: Basic " + "YWRhOmh1bnRlcjIK": mask.TOKEN,
    "postgres://ada:" + "hunter2@db.example.com/app": mask.PASSWORD,
    "secret: " + "9f86d081884c7d659a2feaa0c55ad015": mask.SECRET,
    'api_key_hash="' + '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c"': mask.SECRET,
    "the token is " + "AbCdEf0123456789AbCdEf0123": mask.SECRET,
    "password = " + "'hunter2!'": mask.PASSWORD,
    "my password: " + "hunter22": mask.PASSWORD,
    '{\\"password\\": \\"' + 'correcthorse\\"}': mask.PASSWORD,
}
HARMLESS = (
    "My leadership at sq0, dapi and glc_ is in figd_names_of_many_words and pat-na1-only; 10:aa:bb:cc:dd:ee",
    "https://docs.example.com/?signature=none&sig=short, an account key = the one on your ring",
    "I learned scikit, or sk-learn-with-many-different-words-and-more, in a week.",
    "Your token count was 123456789 and the secret of good bread is time.",
    "password reset requested at 2026-01-01",
    'if request.POST["password"] == stored: return True',
    "https://example.com:8080/a?b=c@d",
    "The bearer of internationalization certificates",
    "Asia and Acca, $20 or $100, {sha} of things, ghost_writer, eyJ",
    "commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b changed the parser",
    "550e8400-e29b-41d4-a716-446655440000",
    "naïve Ω 日本語 مرحبا 🙂",
)


@pytest.mark.parametrize(("secret", "kind"), SECRETS.items())
@pytest.mark.parametrize("around", ["{}", "see {} there", "key={}", "\n{}\n", '{{"a":"{}"}}', "`{}`"])
def test_a_secret_is_masked_wherever_it_stands(secret: str, kind: str, around: str) -> None:
    counts: Counter[str] = Counter()
    masked = mask.mask_text(around.format(secret), counts)
    assert secret[:-2] not in masked
    assert secret.rsplit("$", maxsplit=1)[-1][-12:] not in masked
    assert f"[masked: {kind}]" in masked
    assert counts == {kind: 1}


@pytest.mark.parametrize(("text", "kind"), NEAR_WORDS.items())
def test_a_secret_told_by_the_words_before_it_is_masked_and_the_words_stay(text: str, kind: str) -> None:
    counts: Counter[str] = Counter()
    masked = mask.mask_text(f"Before. {text} After.", counts)
    assert counts == {kind: 1}
    assert masked.startswith("Before. ")
    assert masked.endswith(" After.")
    for piece in ("hunter2", "9f86d081", "AbCdEf01", "01234567", "YWRhOm", "correcthorse"):
        assert piece not in masked


@pytest.mark.parametrize("text", HARMLESS)
def test_ordinary_text_is_left_alone(text: str) -> None:
    counts: Counter[str] = Counter()
    assert mask.mask_text(text, counts) == text
    assert not counts


def test_deep_inside_objects_and_in_the_names_of_fields() -> None:
    key = next(iter(SECRETS))
    counts: Counter[str] = Counter()
    value = {"a": [{"b": {"c": ["x", key]}}], key: 1, "n": -5, "none": None}
    masked = mask.mask_value(value, counts)
    assert masked == {"a": [{"b": {"c": ["x", "[masked: API key]"]}}], "[masked: API key]": 1, "n": -5, "none": None}
    assert counts == {mask.API_KEY: 2}


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("password", "tr0ub4dor", mask.PASSWORD),
        ("userPassword", "short", mask.PASSWORD),
        ("password_hash", "0" * 16, mask.PASSWORD_HASH),
        ("client_secret", "xyz", mask.SECRET),
        ("clientSecret", "xyz", mask.SECRET),
        ("api_key_hash", "9f86d081884c7d65", mask.API_KEY),
        ("refresh_token", "1//0gLongOpaque-Value", mask.TOKEN),
        ("security_answer", "Rex", mask.SECRET),
    ],
)
def test_a_field_named_as_a_secret_is_masked_whatever_its_value_looks_like(name: str, value: str, kind: str) -> None:
    line = orjson.dumps({"id": 1, "settings": {name: value}})
    masked, counts = mask.mask_line(line)
    assert orjson.loads(masked) == {"id": 1, "settings": {name: f"[masked: {kind}]"}}
    assert counts == {kind: 1}


def test_names_of_counts_and_labels_do_not_call_for_masking() -> None:
    line = orjson.dumps(
        {
            "input_tokens": 12,
            "token": "hello",
            "api_key": "my laptop",
            "password_changed_at": "2026-01-01",
            "password": "",
        }
    )
    assert mask.mask_line(line) == (line, Counter())


def test_masking_twice_changes_nothing_more() -> None:
    line = orjson.dumps([{"password": "a"}, *SECRETS, *NEAR_WORDS])
    once, counts = mask.mask_line(line)
    assert counts.total() == 1 + len(SECRETS) + len(NEAR_WORDS)
    assert mask.mask_line(once)[1].total() == 0


def test_lines_in_blocks_come_out_as_lines_alone() -> None:
    lines = [
        orjson.dumps({"n": n, "text": secret if n % 50 == 0 else "plain"}) for n, secret in enumerate([*SECRETS] * 20)
    ]
    assert list(mask.mask_lines(lines)) == [mask.mask_line(line) for line in lines]
    assert [line for line, _ in mask.mask_lines(lines)][1] is lines[1]


VALUES = st.text(max_size=30) | st.integers(-(2**53), 2**53)


@given(st.dictionaries(st.text(max_size=8), VALUES), st.sampled_from([*SECRETS]))
def test_a_secret_among_anything_is_found_and_its_neighbours_stay(neighbours: dict[str, object], secret: str) -> None:
    neighbours = {
        name: value for name, value in neighbours.items() if mask.mask_value({name: value}, Counter()) == {name: value}
    }
    line = orjson.dumps(neighbours | {"found": f"see {secret}"})
    masked, counts = mask.mask_line(line)
    assert orjson.loads(masked) | {"found": ""} == neighbours | {"found": ""}
    assert counts.total() == 1


PIECES = [
    "sk-", "eyJ", "eyJa.", "eyJaaaaaaaa.aaaaaaaa", "-----BEGIN PRIVATE KEY-----", "://", "a://b:", "bearer ",
    "password:", 'password: "', "password=a", "token is ", "secret key key ", "$2a$10$", "$argon2id$",
    "pbkdf2_sha256$", "{ssha}a", "xoxb-", "aA0", "-", "ya29.", "SG.aaaaaaaaaaaaaaaa.", "authorization: basic ",
    "md5$", "hf_", "secret=a_/+-", "\\",
]  # fmt: skip


@pytest.mark.parametrize("piece", PIECES)
def test_a_megabyte_made_to_keep_a_pattern_busy_is_searched_in_bounded_steps(piece: str) -> None:
    """Backtracking without bounds would take hours here, not fractions of a second."""
    million = 1_000_000
    for text in (piece * (million // len(piece)), (piece + "a" * 250) * (million // 253)):
        mask.mask_text(text, Counter())


def test_a_long_text_made_of_triggers_takes_no_memory_of_its_own_many_times_over() -> None:
    text = b"://" * 700_000

    def peak(work: Callable[[], object]) -> int:
        tracemalloc.start()
        work()
        high = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return high

    line = orjson.dumps({"text": text.decode()})
    assert peak(lambda: list(mask.mask_lines([line]))) < 20 * len(text)
    assert peak(lambda: mask.suspects({"text": Texts(True, [text])}, 1)) < 20 * len(text)


def test_what_was_looked_at_is_not_remembered() -> None:
    """A worker that goes on to the next person must not hold the texts of the last."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for n in range(300):
        mask.suspects({"text": Texts(True, [b"my token %d " % n + b"x" * 20_000])}, 1)
        mask.mask_line(orjson.dumps({"k" * 5_000 + str(n): "a token, my password"}))
    held = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert held < 500_000


@pytest.mark.parametrize("size", [10, 70_000])
def test_the_rows_of_a_block_that_hold_a_secret_are_found_wherever_they_stand(size: int) -> None:
    key = b"AKIA" + b"IOSFODNN7EXAMPLE"
    plain = b"a token of thanks " + b"x" * size
    values = [plain, key, plain + b"1", b"", b"see " + key + b" " + plain, b"token", plain + key.lower(), key]
    assert mask.suspects({"text": Texts(True, values)}, len(values)) == [1, 4, 7]
