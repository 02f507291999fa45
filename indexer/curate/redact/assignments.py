"""Values that their name gives away: `password = "…"`, `API_KEY=…`, `<token>…</token>`.

What binds a value to a name, and the value, are judged in a bounded window after the name, in
whatever notation they are written: code, JSON, YAML, .env, XML, headers, queries, comments.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from indexer.curate.redact.entropy import looks_random
from indexer.curate.redact.names import Name, find_names
from indexer.curate.redact.spans import Kind, Span
from indexer.curate.redact.values import is_bare_password, is_key, is_password
from indexer.curate.redact.view import View

WINDOW_CHARS = 400

_AFTER_NAME = re.compile(
    r"(?P<close>\\?[\"'`]?[\])]{0,2}+[ \t]{0,40}+)"
    r"(?::[ \t]{0,4}+[&\w.\[\]<>'|? ]{1,40}?(?=[ \t=])[ \t]{0,4}(?==(?!=)[ \t]*\S)"  # an annotation
    r"|(?:[aA]s[ \t])?[\w.\[\]*&]{1,30}+[ \t]{1,4}+(?==))?"
    r"(?P<sep>=>|:=|:-|={1,3}|!==?|<-|:(?!:)|(?<=[\"'`]),|(?<=[ \t])[vV]alue=|\(|"
    r">(?:\s{0,20}<\w{1,20}>)?|"
    r"(?<=\))\.(?:type|fill|send_?[kK]eys|set_?[vV]alue|val|input)\(|"
    r"(?:is|was|to|by|BY)(?=[ \t:])|)"
    r"[ \t]{0,40}+"
)
_WRAP = re.compile(
    r"(?:(?:new|await|return)[ \t])?(?:[A-Za-z_][\w.:]{0,40}+!?\([ \t]*+"
    r"(?:[\"'][\w.-]{1,40}[\"'][ \t]*+,[ \t]*+)?){1,2}"
    r"|[A-Za-z_$][\w.$]{0,60}(?:\[[\"'][\w]{1,40}[\"']\])?[ \t]*+(?:\|\||\?\?|or)[ \t]++"
)
_OTHER_CALLS = re.compile(  # what is in their parentheses is no value
    r"(?:open|getpass|input|prompt|format|search|match|sub|compile|split|strip|"
    r"replace|join|find|index|startswith|endswith|isinstance|print|log|regex|test|query\w*)\(",
    re.IGNORECASE,
)
_CODECS = re.compile(r"code\(", re.IGNORECASE)
_SCHEME = re.compile(
    r"(?:bearer|basic|token|apikey|api-key|key|bot|!{1,2}\w{1,20})[ \t]{1,4}", re.IGNORECASE
)
_QUOTED = re.compile(
    r"(?:[bBrRuUfFL@$]{1,2})?(?P<open>\\\"|\\'|\"|'|`)"
    r"(?P<value>(?:(?!(?P=open))(?:[^\\\n]|\\[^\n])){1,300}+)(?P=open)"
)
_BARE = re.compile(r"[^\s\\\"'`,;<>(){}\[\]&]{3,300}+")
_BARE_PASSWORD = re.compile(r"[^\s\"'`<>]{3,200}+")
_LINE_START = re.compile(
    r"[ \t]*(?:(?:export|set|SET|ENV|ARG|env)[ \t]+|(?:[-*#;]|//|--)[ \t]*)?\$?[\w.-]*\Z"
)
_LINE_END = re.compile(r"[ \t]*(?:[#;][^\n]*|\\)?\Z")
_SHELL_LINE = re.compile(
    r"(?:\A|[;&|])[ \t]*(?:(?:export|ENV|ARG|set)[ \t]+|-[ \t]+)?[A-Z][A-Z0-9_]*=\S+\Z"
)
_DOTTED_NAME = re.compile(r"[A-Za-z_]\w*(?:\.\w+)+")
_IN_TAG = re.compile(r"<(?:[\w:.-]+[ \t][^<>]*)?\Z")
_LOGIN_BEFORE = re.compile(r"login[ \t]+\S{1,60}\s+\Z")
_PROSE = re.compile(r"[ \t]*(?:[-*+>#]+[ \t])?(?:\[[ x]\][ \t])?[\w \t,]*")
_TERSE = re.compile(r"\A(?:=|:[ ])(?=\S)")  # what code has blanks around, or a comma after
_WORDS_THAT_BIND = frozenset({"is", "was", "to", "by", "BY"})


def find_assignments(view: View) -> Iterator[Span]:
    """Values beside a credential's name that can be its secret."""
    for name in find_names(view):
        span = _value_of(view, name)
        if span is not None:
            yield span


def _value_of(view: View, name: Name) -> Span | None:
    text, limit = view.text, name.end + WINDOW_CHARS
    after = _AFTER_NAME.match(text, name.end, limit)
    if after is None:
        return None
    at, sep = after.end(), after["sep"]
    bound = sep not in ("", ",") and not sep.endswith("(") and sep not in _WORDS_THAT_BIND
    stated = bound and sep not in ("==", "===", "!=", "!==")
    wrap = _WRAP.match(text, at, limit) if bound else None
    if wrap and (_OTHER_CALLS.search(wrap[0]) or (name.is_password and _CODECS.search(wrap[0]))):
        return None
    quoted = _QUOTED.match(text, wrap.end() if wrap else at, limit)
    if quoted is not None:
        return _quoted_value(view, name, quoted, bound=stated and not wrap)
    loose = not bound and (sep == "," or sep.endswith("(") or text[at - 1 : at] not in (" ", "\t"))
    if loose or (sep.startswith(">") and not _IN_TAG.search(name.before)):
        return None
    bare = _bare_password if name.is_password else _bare_key
    return bare(view, name, at, sep)


def _quoted_value(view: View, name: Name, quoted: re.Match[str], *, bound: bool) -> Span | None:
    start, end = quoted.span("value")
    scheme = _SCHEME.match(view.text, start, end)
    if scheme:
        start = scheme.end()
    value = view.text[start:end]
    if name.is_password:
        if is_password(value, may_be_word=bound) and (bound or not value.isalpha()):
            return Span(start, end, Kind.PASSWORD, "password assignment")
    elif scheme and _is_basic(scheme[0], value):
        return Span(start, end, Kind.PASSWORD, "basic authentication")
    elif is_key(value, strong_name=name.strong, chosen=name.chosen and bound):
        return Span(start, end, Kind.KEY, "key assignment")
    return None


def _bare_key(view: View, name: Name, at: int, sep: str) -> Span | None:
    text = view.text
    scheme = _SCHEME.match(text, at, at + 16)
    start = scheme.end() if scheme else at
    found = _BARE.match(text, start, start + WINDOW_CHARS)
    if found is None:
        return None
    value = found[0].rstrip(".:|\\") if not found[0].endswith("=") else found[0]
    end = start + len(value)
    if scheme and _is_basic(scheme[0], value):
        return Span(start, end, Kind.PASSWORD, "basic authentication")
    if value.isalpha() or text[end : end + 1] in ("(", "["):
        return None
    random = is_key(value, strong_name=name.strong) and looks_random(value)
    by_hand = name.chosen and sep == "=" and is_key(value, strong_name=True, chosen=True)
    if random or (by_hand and _is_shell_line(view, end)):
        return Span(start, end, Kind.KEY, "key setting")
    return None


def _bare_password(view: View, name: Name, at: int, sep: str) -> Span | None:
    found = _BARE_PASSWORD.match(view.text, at, at + WINDOW_CHARS)
    if found is None:
        return None
    value = _cut_password(found[0], whole_line=_LINE_START.fullmatch(name.before) is not None)
    end = at + len(value)
    after = view.text[end : end + 1]
    if after in ("(", "[", "{") or any(sign in value for sign in "(){}[]"):
        return None
    if _fits(view, name, value, end, sep):
        return Span(at, end, Kind.PASSWORD, "password setting")
    return None


def _cut_password(value: str, *, whole_line: bool) -> str:
    """Connection strings and queries end a value with `;` or `&`, code with `,` or `)`."""
    if not whole_line:
        value = re.split(r"[;&,]", value, maxsplit=1)[0]
    return value.rstrip(",;)}].|\\")


def _fits(view: View, name: Name, value: str, end: int, sep: str) -> bool:
    """Whether what stands around a bare value lets it be a password."""
    after = view.text[end : end + 1]
    plain = is_bare_password(value, only_values=False)
    if sep == "":
        login = _LOGIN_BEFORE.search(view.text[max(0, name.start - 100) : name.start]) is not None
        values_only = login or name.before.endswith("-")
        return values_only and is_bare_password(value, only_values=any(map(str.isdigit, value)))
    if sep in _WORDS_THAT_BIND:
        return is_bare_password(value, only_values=any(map(str.isdigit, value)))
    if _no_name_can_stand_here(view, name, value, end, sep):
        return is_bare_password(value, only_values=True)
    whole_line = _LINE_END.fullmatch(view.line_after(end, 120)) is not None
    if whole_line and _LINE_START.fullmatch(name.before):
        return plain
    part_of_query = sep == "=" and after in ("", ";", "&", '"', "'", "\n", " ")
    return part_of_query and plain and not value.isdigit() and not _DOTTED_NAME.fullmatch(value)


def _no_name_can_stand_here(view: View, name: Name, value: str, end: int, sep: str) -> bool:
    """XML, options, queries and connection strings, .env files, tersely written settings."""
    if sep.startswith(">"):
        return view.text[end : end + 1] == "<"
    if not _TERSE.search(view.text[name.end : end]):
        return False
    if name.before.endswith((";", "-", "?", "&")) or _is_shell_line(view, end):
        return True
    whole_line = _LINE_END.fullmatch(view.line_after(end, 120)) is not None
    comment = name.before.lstrip().startswith(("#", "//", "*", "--", ";"))
    settings = whole_line and _LINE_START.fullmatch(name.before) is not None
    prose = sep == ":" and whole_line and _PROSE.fullmatch(name.before) is not None
    return any(map(str.isdigit, value)) and (settings or prose or (comment and sep == ":"))


def _is_shell_line(view: View, end: int) -> bool:
    """Whether the line is `NAME=value`, as shells and .env files have it: no blank at the `=`."""
    whole_line = _LINE_END.fullmatch(view.line_after(end, 120)) is not None
    return whole_line and _SHELL_LINE.search(view.line_before(end, 400)) is not None


def _is_basic(scheme: str, value: str) -> bool:
    """Whether a value is the `user:password` of HTTP's Basic scheme (RFC 7617)."""
    if not scheme.lower().startswith("basic"):
        return False
    try:
        decoded = base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False
    return b":" in decoded and decoded.isascii()
