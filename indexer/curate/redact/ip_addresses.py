"""IP addresses that somebody can be reached at.

Kept on purpose: private, loopback, link-local, documentation, multicast and reserved ranges (they
name no machine of anyone's), networks (they end in zero) and net masks, the resolvers that all the
world writes down, and four numbers with dots that are a version, an object identifier or a section.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from indexer.curate.redact.spans import Kind, Span
from indexer.curate.redact.view import DIGITS, View, byte_set

_PUBLIC_RESOLVERS_TEXT = (  # as listed by bigcode-dataset's pii/ rules, with their IPv6 twins
    "8.8.8.8 8.8.4.4 1.1.1.1 1.0.0.1 76.76.19.19 76.223.122.150 9.9.9.9 149.112.112.112 "
    "208.67.222.222 208.67.220.220 8.26.56.26 8.20.247.20 94.140.14.14 94.140.15.15 "
    "2001:4860:4860::8888 2001:4860:4860::8844 2606:4700:4700::1111 2606:4700:4700::1001 "
    "2620:fe::fe 2620:fe::9"
)
PUBLIC_RESOLVERS = frozenset(_PUBLIC_RESOLVERS_TEXT.split())
CONTEXT_CHARS = 100  # how far words that speak of addresses may stand, to either side

_HEX = byte_set("0123456789abcdefABCDEF")
_HEX_OR_COLON = byte_set("0123456789abcdefABCDEF:")
_IPV4 = re.compile(r"(?<![\w.-])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?!\w|\.[0-9]|-[0-9])")
_IPV6 = re.compile(r"(?<![\w:.])[0-9a-fA-F:]{3,39}+(?![\w:]|\.\d)")
_GLOBAL_UNICAST_6 = ipaddress.IPv6Network("2000::/3")
_DOCUMENTATION_6 = ipaddress.IPv6Network("2001:db8::/32")
_VERSION_BEFORE = re.compile(
    r"(?:(?:version|release|revision|specification|firmware|driver|upgrade[ds]?|(?<![a-z])(?:build|rev|ver|tag|"
    r"since|v|jdk|jre|chrome|edge|firefox|safari|opera|android|ios|kernel))s?"
    r"[\w\"'\])>]*[ \t]*(?:[:=(,]|is|to|from)*[ \t]*"
    r"[\"']?v?|[~<>^]=[ \t]*[\"']?|\w==|[~^][\"']?"
    r"|[A-Za-z][\w.+]*[-_/]v?|/[\w.-]+:v?"
    r"|oids?[\"']?[ \t]*[:=(,]*[ \t]*[\"']?|ObjectIdentifier\([\"']"
    r"|section[ \t]+|chapter[ \t]+|§[ \t]*)\Z",
    re.IGNORECASE,
)
_URL_BEFORE = re.compile(r"(?:[a-z][a-z0-9+.-]{1,20}://(?:[^\s/@]{0,64}@)?|@)\Z", re.IGNORECASE)
_ADDRESS_AFTER = re.compile(r":\d{2,5}(?!\d)|/(?:[89]|[12]\d|3[0-2])(?!\d)")
_FILE_AFTER = re.compile(
    r"[-.](?:tar|zip|tgz|whl|jar|exe|dmg|deb|rpm|gz|dll|so|msi|apk|nupkg|js)\b"
)
_ADDRESS_WORDS = re.compile(
    r"(?<![a-z])(?:ip|ips|ipv4|ipv6|ip_?addr|dns|server|host|hostname|addr|address|addresses|inet|"
    r"gateway|ping|nslookup|traceroute|listen|bind|subnet|cidr|netmask|remote|client|peer|proxy|"
    r"node|endpoint|ssh|connect|socket|route|router|firewall|whitelist|allowlist|blacklist|"
    r"blocklist|banned?|geoip|nameserver|resolver|upstream|forwarded|login|logged)(?![a-z])",
    re.IGNORECASE,
)
_OID_WORDS = re.compile(r"(?<![a-z])(?:oid|objectidentifier|asn1|x509|x\.509)", re.IGNORECASE)


def find_ip_addresses(view: View) -> Iterator[Span]:
    """The public addresses in a text, IPv4 and IPv6."""
    yield from _find_v4(view)
    yield from _find_v6(view)


def _find_v4(view: View) -> Iterator[Span]:
    dots = view.between(".", DIGITS, DIGITS)
    if dots.size < 3:
        return
    near = np.diff(dots) <= 4
    for first in dots[:-2][near[:-1] & near[1:]].tolist():
        found = _IPV4.match(view.text, _run_start(view, first, DIGITS, 3))
        if found and _is_reachable_v4(found[0]) and _means_address(view, found):
            yield Span(found.start(), found.end(), Kind.IP_ADDRESS, "ipv4")


def _find_v6(view: View) -> Iterator[Span]:
    colons = view.between(":", _HEX_OR_COLON, _HEX_OR_COLON)
    done = 0
    for colon in colons.tolist():
        if colon < done:
            continue
        found = _IPV6.match(view.text, _run_start(view, colon, _HEX, 4))
        if found:
            done = found.end()
            if _is_reachable_v6(found[0]):
                yield Span(found.start(), found.end(), Kind.IP_ADDRESS, "ipv6")


def _run_start(view: View, end: int, table: NDArray[np.bool_], longest: int) -> int:
    start = end
    while start > max(0, end - longest) and table[view.codes[start - 1]]:
        start -= 1
    return start


def _is_reachable_v4(text: str) -> bool:
    if text in PUBLIC_RESOLVERS or text.endswith(".0"):
        return False
    try:  # refuses numbers over 255 and leading zeros, as in dates
        address = ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _is_reachable_v6(text: str) -> bool:
    if text.lower() in PUBLIC_RESOLVERS or text.count(":") < 2 or text.endswith("::"):
        return False
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return address in _GLOBAL_UNICAST_6 and address not in _DOCUMENTATION_6


def _means_address(view: View, found: re.Match[str]) -> bool:
    """Whether four numbers are an address: by what touches them, else by words around them."""
    start, end = found.span()
    before = view.line_before(start, CONTEXT_CHARS)
    if _URL_BEFORE.search(before):
        return True
    if _VERSION_BEFORE.search(before[-60:]) or _FILE_AFTER.match(view.text, end):
        return False
    if _ADDRESS_AFTER.match(view.text, end):
        return True
    after = view.text[end : end + CONTEXT_CHARS]
    around = view.text[max(0, start - CONTEXT_CHARS) : start] + " " + after
    if _OID_WORDS.search(around):
        return False
    octets = [int(octet) for octet in found[0].split(".")]
    if max(octets) >= 40:  # versions and section numbers seldom count so far, addresses mostly do
        return True
    return bool(_ADDRESS_WORDS.search(around))
