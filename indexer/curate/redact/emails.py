"""E-mail addresses.

Kept on purpose: addresses under names that RFC 2606 reserves (nobody owns them), the account of an
SSH remote (`git@host:repo`), user information in a URL (its password is another finder's), and
anything whose last label is no top-level domain (`a@self.weight` multiplies matrices).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from indexer.curate.redact.spans import Kind, Span
from indexer.curate.redact.view import WORD, View, byte_set

LONGEST_LOCAL = 64  # RFC 5321, 4.5.3.1.1
LONGEST_DOMAIN = 255

_BEFORE = byte_set(WORD + '_-+?"' + "".join(map(chr, range(0xC0, 0x100))))  # "?": not in Latin-1
_AFTER = byte_set(WORD + "?" + "".join(map(chr, range(0xC0, 0x100))))

_LOCAL = re.compile(r"(?:(?<!\w)[ODLodl]')?\w(?:[\w.+%-]*[\w+-])?\Z")
_QUOTED_LOCAL = re.compile(r"\"[^\"\\\n@]{1,62}\"\Z")
_DOMAIN = re.compile(
    r"(?>(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+([^\W\d_]{2,24}|xn--[a-z0-9-]{2,59}))(?!\w)"
)
_LOCAL_CHARACTERS = re.compile(r"[\w.+%'-]*\Z")
_URL_BEFORE = re.compile(r"[a-zA-Z][\w+.-]*://[^\s\"'<>@]*\Z")
_SSH_ACCOUNTS = frozenset({"git", "hg", "svn", "gitea", "gitlab", "aur", "ssh"})
_RESERVED = re.compile(  # RFC 2606 and 6761
    r"(?:^|\.)(?:example|test|invalid|localhost|local|localdomain|internal)$"
    r"|(?:^|\.)example\.(?:com|net|org|edu|[a-z]{2}|co\.[a-z]{2}|com\.[a-z]{2})$",
    re.IGNORECASE,
)
_ESCAPE_BEFORE = re.compile(r"\\[nrt]\Z")
_SPELT_OUT_LOCAL = re.compile(r"[A-Za-z0-9][\w.+-]{0,63}+[ \t]{0,3}\Z")
_SPELT_OUT_DOMAIN = re.compile(
    r"[\[({][ ]?at[ ]?[\])}][ \t]{0,3}(?P<name>(?:[a-z0-9-]{1,63}+"
    r"(?:\.|[ \t]{0,3}[\[({][ ]?dot[ ]?[\])}][ \t]{0,3}|[ ]dot[ ])){1,5}+"
    r"(?P<tld>[a-z]{2,24}))(?![\w-])",
    re.IGNORECASE,
)
_SPELT_OUT_SIGNS = (b"(at)", b"[at]", b"{at}", b"[ at ]", b"( at )")

_COUNTRY_DOMAINS_TEXT = (
    "ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs "
    "bt bw by bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee "
    "eg er es et eu fi fj fk fm fo fr ga gb gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk "
    "hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la "
    "lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my "
    "mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro "
    "rs ru rw sa sb sc sd se sg sh si sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk "
    "tl tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw"
)
COUNTRY_DOMAINS = frozenset(_COUNTRY_DOMAINS_TEXT.split())
_GENERIC_DOMAINS_TEXT = (
    "com org net edu gov mil int arpa info biz name pro aero asia cat coop jobs mobi museum post "
    "tel travel xxx app dev page cloud online site website tech store shop blog email mail xyz "
    "club top live life world today news media digital agency studio design systems solutions "
    "services software network technology computer codes tools team works company group global "
    "international business consulting ventures capital finance bank insurance energy health care "
    "clinic academy school education university institute foundation social community space zone "
    "city town london berlin paris amsterdam nyc tokyo wien koeln hamburg bayern ruhr saarland "
    "swiss scot wales africa kiwi moscow eus gal bzh quebec vip fun games game art music photo "
    "photos photography video film tv fm radio link click host hosting domains cafe bar pub "
    "restaurant food recipes kitchen garden house homes properties estate land rent engineer "
    "engineering science expert guru ninja rocks wtf lol ink wiki one cool best plus center "
    "support help legal law lawyer attorney security express delivery support events market "
    "marketing trade trading industries google microsoft amazon apple"
)
GENERIC_DOMAINS = frozenset(_GENERIC_DOMAINS_TEXT.split())


def find_emails(view: View) -> Iterator[Span]:
    """The addresses in a text; each candidate is an `@` between two plausible characters."""
    done = 0
    for at in view.between("@", _BEFORE, _AFTER).tolist():
        if at >= done:
            span = _address_around(view.text, at, done)
            if span is not None:
                done = span.end
                yield span
    for sign in _SPELT_OUT_SIGNS:
        for at in view.find_all_lower(sign):
            yield from _spelt_out(view.text, at)


def _address_around(text: str, at: int, lowest: int) -> Span | None:
    window = text[max(lowest, at - LONGEST_LOCAL) : at]
    local = _LOCAL.search(_LOCAL_CHARACTERS.search(window)[0]) or _QUOTED_LOCAL.search(window)  # type: ignore[index]  # the first always matches
    domain = _DOMAIN.match(text, at + 1, at + 1 + LONGEST_DOMAIN)
    if local is None or domain is None:
        return None
    start, end = at - len(local[0]), domain.end()
    if _ESCAPE_BEFORE.search(text[max(0, start - 1) : start + 1]) and at - start > 1:
        start += 1  # the n of a written "\n" is no part of the address
    enclosed = text[start - 1 : start] in ("<", '"', "'", ":") and start > 0
    if not _is_domain(domain, enclosed=enclosed) or _continues(text, end):
        return None
    if text[start:at] in _SSH_ACCOUNTS and text[end : end + 1] in (":", "/"):
        return None
    if _URL_BEFORE.search(text[max(0, start - 200) : start]):
        return None
    return Span(start, end, Kind.EMAIL, "email")


def _is_domain(domain: re.Match[str], *, enclosed: bool) -> bool:
    top = domain[1].lower()
    if _RESERVED.search(domain[0]):
        return False
    if len(top) == 2:
        return top in COUNTRY_DOMAINS
    return top in GENERIC_DOMAINS or not top.isascii() or top.startswith("xn--") or enclosed


def _continues(text: str, end: int) -> bool:
    """A call or an index after the "domain" makes it an expression: `x@y.to(device)`."""
    return text[end : end + 1] in ("(", "[", "_") and end < len(text)


def _spelt_out(text: str, at: int) -> Iterator[Span]:
    local = _SPELT_OUT_LOCAL.search(text[max(0, at - LONGEST_LOCAL - 4) : at])
    domain = _SPELT_OUT_DOMAIN.match(text, at, at + LONGEST_DOMAIN)
    if local is None or domain is None:
        return
    top = domain["tld"].lower()
    name = re.sub(r"[^a-z0-9-]+(?:dot[^a-z0-9]+)?", ".", domain["name"].lower())
    if (top in COUNTRY_DOMAINS or top in GENERIC_DOMAINS) and not _RESERVED.search(name):
        yield Span(at - len(local[0]), domain.end(), Kind.EMAIL, "email spelt out")
