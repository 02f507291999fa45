"""Which matches are common code: boilerplate by what it says, idioms by how many have them."""

from __future__ import annotations

import math
import re

from attribution.config import TraceConfig
from attribution.notices import is_notice
from attribution.types import Commonness, Reason

# Lines that every file of their kind has; what is between parentheses may run over lines.
_BOILERPLATE = re.compile(
    rb"""^[ \t]*(?:
      (?:from[ \t]+[\w.]+[ \t]+)?import[ \t]+(?:\([^)]*(?:\)|\Z)|[^\r\n]*)[^\r\n]*
    | (?:import|using|package|use|require|include|export)\b[^\r\n]*
    | \#[ \t]*(?:include|define|ifndef|ifdef|endif|pragma|!|-\*-)[^\r\n]*
    | __(?:all|version|author|license|copyright)__[ \t]*=[ \t]*
      (?:[\[(][^\])]*(?:[\])]|\Z)|[^\r\n]*)
    | if[ \t]+__name__[ \t]*==[^\r\n]*
    | (?:sys\.exit|raise[ \t]+SystemExit|exit)?\(?(?:main|unittest\.main|pytest\.main)\([^\r\n]*
    | \w+[ \t]*=[ \t]*logging\.getLogger\([^\r\n]*
    | (?:if[ \t]+(?:t\.|typing\.)?TYPE_CHECKING|try|pass|else|finally)[ \t]*:?[ \t]*
    | except[ \t]+(?:Import|ModuleNotFound)Error[^\r\n]*
    | [\]}),'"][\]}), \t'"]*
    )[ \t]*(?:\#[^\r\n]*)?$""",
    re.MULTILINE | re.VERBOSE,
)
_WORD = re.compile(rb"\w+")


def commonness_of(
    text: bytes, *, n_owners: int, n_lexemes: int, bits: float, config: TraceConfig
) -> tuple[Commonness, tuple[Reason, ...]]:
    """Whether a matched text is common, and the comparisons that say so. Pure.

    Imports that few owners have and whose words are rare are somebody's own; a notice never is.
    """
    share = boilerplate_share(text)
    is_own = n_owners < config.min_common_owners and config.min_own_bits <= bits < math.inf
    boilerplate = Reason(
        rule="boilerplate_share",
        value=round(share, 3),
        at_least=config.min_boilerplate_share,
        holds=share >= config.min_boilerplate_share,
    )
    if is_notice(text.decode("utf-8", "replace")) or (boilerplate.holds and not is_own):
        return Commonness.BOILERPLATE, (boilerplate,)
    owners = Reason(
        rule="n_owners",
        value=n_owners,
        at_least=config.min_common_owners,
        holds=n_owners >= config.min_common_owners and n_lexemes < config.min_vendored_lexemes,
    )
    told = Reason(
        rule="bits", value=round(bits, 1), at_least=config.min_bits, holds=bits >= config.min_bits
    )
    says_little = not told.holds and n_lexemes < config.min_vendored_lexemes
    is_common = owners.holds or says_little
    measured = (told,) if math.isfinite(bits) else ()  # infinite: not asked for
    return (Commonness.IDIOM if is_common else Commonness.RARE), (boilerplate, owners, *measured)


def boilerplate_share(text: bytes) -> float:
    """The part of a text's words that stand in a licence notice or in lines of boilerplate."""
    if is_notice(text.decode("utf-8", "replace")):
        return 1.0
    n_words = len(_WORD.findall(text))
    rest = _BOILERPLATE.sub(b"", text)
    return 1 - len(_WORD.findall(rest)) / n_words if n_words else 1.0
