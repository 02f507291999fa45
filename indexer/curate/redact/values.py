"""Whether the value beside a name such as `password` or `api_key` is a secret.

Kept on purpose: placeholders (`<token>`, `${TOKEN}`, `changeme`, `xxxx`), names of fields, types,
files and addresses, labels and sentences shown to people, and patterns.
"""

from __future__ import annotations

import re

from indexer.curate.redact.entropy import LIKELY_BITS, SURE_BITS, is_hex, is_uuid, looks_random

LONGEST_PASSWORD = 100

_PLACEHOLDER = re.compile(
    r"<.*|\[.*|\(.*\)|\$.{0,2}[A-Za-z_]\w*\)?|%.*%|%[sdrv]|%\(.*|#[\w-]+#|@[\w.]+@?|:\w+|\.{2,}.*|"
    r"[x*X#•_.-]+|0+|0x[0-9a-fA-F]{1,8}|-{1,2}[a-z][a-zA-Z-]*|"
    r"(?:your|my|the|some|any|put|insert|enter|add|replace|set|test|fake|dummy|foo)"
    r"[-_ ]?(?:own|super|actual|real|new|api|access|auth|secret|private|db|user|strong|app)?"
    r"[-_ ]?(?:password|passwd|pwd|pass|token|key|secret|credentials?|here|it)?"
    r"(?:[-_ ]?here)?",
    re.IGNORECASE,
)
_PLACEHOLDER_PART = re.compile(
    r"[{}…]|%[sd]\b|\.\.\.\Z|example|placeholder|change[-_ ]?(?:me|this|it)|redacted|dummy|"
    r"your[-_]|"
    r"[-_]here|todo|fixme|replace[-_ ]?(?:me|this|with)|not[-_ ]a[-_ ]?real|xxxxx|\*\*\*",
    re.IGNORECASE,
)
_STOP_WORDS_TEXT = (
    "password passwd passwords pwd pass passphrase passcode secret secrets token tokens key keys "
    "apikey auth basic bearer digest string str text bytes none null nil undefined true false yes "
    "no required optional hidden visible input username user users email login logout "
    "sample default empty value values new old current confirm reset forgot forgotten change "
    "auto prompt masked protected private public env vault file varchar char integer int number "
    "object boolean bool any type name field id enabled disabled invalid valid missing unknown "
    "credentials credential oauth oauth2 jwt saml ldap kerberos ask noop plain plaintext md5 "
    "sha256 sha512 bcrypt argon2 scrypt pbkdf2 utf-8 utf8 base64 hex ascii http https localhost on "
    "const static self this function return async await lambda"
)
_STOP_WORDS = frozenset(_STOP_WORDS_TEXT.split())
_NAME_LIKE = re.compile(r"[A-Za-z_$][\w$.:/\\-]*", re.ASCII)
_CAPITALS = re.compile(r"[A-Z_]+")
_STEM = re.compile(r"pass|pwd|secret|token|key|auth|cred|login|user|name|field", re.IGNORECASE)
_FILE = re.compile(
    r"\A(?:[~.]{0,2}/|[A-Za-z]:\\|\w{1,20}+://)"
    r"|\.(?:txt|pem|key|json|ya?ml|html?|php|py|js|ts|env|crt|cer|p12|jks|conf|cfg|ini|toml|xml|md|log)\Z"
)
_PATTERN = re.compile(r"\\[dwsSDWbB]|\[\^?[a-zA-Z0]-|\(\?|\.\*|\.\+|\)\$|&&|\|\||\(\)|->|=>|==")
_TYPE = re.compile(
    r"[uif](?:8|16|32|64|128)|u?int\d*(?:_t)?|float\d*|utf-?\d+|str\d*|[A-Z]\w*\d?\??"
)


def is_placeholder(value: str) -> bool:
    """Whether a value stands for a secret that somebody is to fill in, or that was masked."""
    if _CAPITALS.fullmatch(value) and _STEM.search(value):
        return True
    if value.lower() in _STOP_WORDS or _PLACEHOLDER.fullmatch(value):
        return True
    return _PLACEHOLDER_PART.search(value) is not None


def is_password(value: str, *, may_be_word: bool) -> bool:
    """Whether a quoted value beside a password's name is one; people choose words, too."""
    if (
        not 4 <= len(value) <= LONGEST_PASSWORD
        or is_placeholder(value)
        or any(map(str.isspace, value))
    ):
        return False
    if _FILE.search(value) or _PATTERN.search(value):
        return False
    if not any(map(str.isdigit, value)) and _NAME_LIKE.fullmatch(value):
        if value.isalpha():
            word = may_be_word and not _STEM.search(value) and not value.istitle()
            return word or (len(value) >= 12 and looks_random(value))
        return _is_random_part(value)
    return not _is_numbered_name(value)


def is_bare_password(value: str, *, only_values: bool) -> bool:
    """Whether a value without quotes is a password; `only_values` where no name can stand."""
    if not is_password(value, may_be_word=only_values):
        return False
    if only_values:
        return True
    if value.isdigit():
        return len(value) >= 6
    if _TYPE.fullmatch(value) and not looks_random(value):
        return re.search(r"[a-z]\d+[a-zA-Z]|\d{2,}\Z", value) is not None and len(value) >= 6
    if _NAME_LIKE.fullmatch(value):
        mixed = re.search(r"[A-Za-z]\d+[A-Za-z]|\d\d+\Z", value) is not None
        return len(value) >= 6 and (mixed or looks_random(value, SURE_BITS))
    return any(map(str.isalnum, value)) and not value.endswith((":", "\\", "="))


def is_key(value: str, *, strong_name: bool, chosen: bool = False) -> bool:
    """Whether a value beside a key's name is one.

    Args:
        value: The value without quotes.
        strong_name: The name can hardly be anything but a credential's (`api_key`, not `key`).
        chosen: People choose such values themselves (`client_secret`), so they need not be random.
    """
    if len(value) < 8 or is_placeholder(value) or any(map(str.isspace, value)):
        return False
    if _FILE.search(value) or (_PATTERN.search(value) and not looks_random(value, 7.5)):
        return False
    if is_uuid(value) or is_hex(value):
        return strong_name and looks_random(value.replace("-", ""))
    if len(value) >= 16 and looks_random(value, LIKELY_BITS if strong_name else SURE_BITS):
        return not value.isalpha() or len(value) >= 20
    return strong_name and _is_short_key(value, chosen=chosen)


def _is_short_key(value: str, *, chosen: bool) -> bool:
    if any(map(str.isdigit, value)) and any(map(str.isalpha, value)):
        if len(value) < 16 and looks_random(value, LIKELY_BITS + 1.2):
            return True
        return (chosen and not _is_numbered_name(value)) or _n_signs(value) >= 3
    return chosen and _n_signs(value) >= 1 and not _NAME_LIKE.fullmatch(value)


def _is_numbered_name(value: str) -> bool:
    """A name with a number at its end: `password1`, `user_token_2`; not the weak `hunter2`."""
    plain = value.rstrip("0123456789")
    return (plain.lower().strip("_-") in _STOP_WORDS and len(value) - len(plain) < 2) or (
        "_" in plain and _NAME_LIKE.fullmatch(value) is not None and _STEM.search(value) is not None
    )


def _is_random_part(value: str) -> bool:
    return any(len(part) >= 12 and looks_random(part) for part in re.split(r"[^A-Za-z0-9]", value))


def _n_signs(value: str) -> int:
    return len({character for character in value if not character.isalnum()} - set("_-./: "))
