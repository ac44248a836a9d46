"""What a column's name says about what is in it: a credential, or something about a person."""

from __future__ import annotations

import re
from itertools import pairwise

# api_key, apiKey, APIKey and "API key" are the same words.
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+[0-9]*|[0-9]+")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ALWAYS_SECRET = _words(
    "password passwords passwd pwd passphrase passcode secret secrets credential credentials salt otp totp hotp "
    "jwt bearer authorization cookie cvv cvc cvv2 csrf apikey authtoken accesstoken refreshtoken privatekey "
    "secretkey passwordhash"
)
# "key" and "token" alone mean too much: a primary key, a count of tokens.
SECRET_BEFORE = {
    "key": _words("api access private secret session signing encryption service auth host ssh"),
    "keys": _words("api private secret ssh"),
    "token": _words(
        "access refresh id api auth session reset bearer oauth device push csrf "
        "invite verification confirmation unsubscribe magic remember claim"
    ),
    "code": _words("recovery backup verification confirmation reset claim mfa"),
    "codes": _words("recovery backup"),
    "word": _words("pass"),
    "phrase": _words("pass"),
    "answer": _words("security"),
}
# access_token_count, api_key_id, api_key_name: about a secret, and not one.
ABOUT_ONE = _words("count id at expires name prefix")
CREDENTIALS = _words("key keys token tokens pass receipt code pin answer login auth")
DIGESTS = _words("hash hashed digest sha sha1 sha256 sha512 md5 bcrypt argon2 hmac mac encrypted ciphertext")

PERSONAL = _words(
    "email mail e_mail user users username login nickname nick author owner customer client person member subscriber "
    "recipient sender contact account profile name names firstname lastname surname fullname phone mobile telephone "
    "tel fax address street city postcode zip postal ip ips ipaddress birth birthday birthdate dob age gender sex "
    "avatar photo picture passport ssn iban card location latitude longitude lat lon lng geo device fingerprint "
    "useragent session prompt message messages completion comment bio signature ip4 ip6 ipv4 ipv6 remote "
    "subject identity"
)

# Who did something: created_by, changedBy. Who somebody is to a system: sub, sso, oid, a key's hash.
NAMING = _words("by sub sso oid principal admin admins members owners users customers emails token tokens")


def words_of(name: str) -> tuple[str, ...]:
    """The words of a column's name, in lower case."""
    return tuple(word.lower() for word in WORD.findall(name))


def looks_secret(name: str) -> bool:
    """Whether a column of this name holds a password, key or token, or something made from one."""
    words = words_of(name)
    if words in (("token",), ("hash",), ("pin",)) or not ALWAYS_SECRET.isdisjoint(words):
        return True
    if any(first in SECRET_BEFORE.get(second, ()) for first, second in pairwise(words)):
        return words[-1] not in ABOUT_ONE
    return not DIGESTS.isdisjoint(words) and not CREDENTIALS.isdisjoint(words)


def looks_personal(name: str) -> bool:
    """Whether a column of this name is likely to hold something about a person."""
    return not PERSONAL.isdisjoint(words_of(name))


def may_name_somebody(name: str) -> bool:
    """Whether a column of this name may say who somebody is, or who did something."""
    return looks_personal(name) or looks_secret(name) or not NAMING.isdisjoint(words_of(name))
