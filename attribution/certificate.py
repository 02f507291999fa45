"""Negative certificates: "no run of N lexemes of these texts is shared with that index".

One is issued only if `absence.absence_of` has proved it. It holds digests and no source text:
who has the texts and the index can repeat the proof, and who has the certificate alone can see
that not a byte of it was changed since it was issued or signed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from attribution.absence import Bounds, absence_of, readings_of
from attribution.errors import CertificateError
from attribution.outcomes import Absence
from attribution.target import Target
from indexer import Index
from indexer.optout.keys import is_signed, public_key_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SCHEMA = "starcite.certificate/1"
_DOMAIN = b"starcite negative certificate 1\n"
_MAX_BYTES = 64_000_000  # of a certificate; one of a million texts has fewer
_FIELDS = frozenset({"schema", "tool", "issued_at", "statement", "min_lexemes", "index", "texts"})
_SIGNED_FIELDS = frozenset({"public_key", "signature"})


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexState:
    """The index that was looked through: its manifest names the checksum of every file of it."""

    manifest_sha256: str
    corpus_digest: str
    n_documents: int  # live ones
    k: int  # lexemes in a fingerprint
    w: int  # fingerprints in a window


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadingDigest:
    """One way in which the text may have to be lexed, and what was looked up for it."""

    inside: str  # the opening of the string or comment that it may start in; "" is code
    n_lexemes: int
    n_fingerprints: int
    fingerprints_sha256: str  # of the 32-bit fingerprints in order, little-endian


@dataclass(frozen=True, kw_only=True, slots=True)
class CertifiedText:
    """A text, named and not told."""

    name: str  # as it was given, with its lines if it is a part of a file
    sha256: str  # of its UTF-8
    n_bytes: int
    language: str
    readings: tuple[ReadingDigest, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Certificate:
    """What a certificate says."""

    min_lexemes: int
    index: IndexState
    texts: tuple[CertifiedText, ...]
    tool: str
    issued_at: str
    public_key: str = ""  # of who signed it; empty where nobody did


def state_of(index: Index) -> IndexState:
    """What a certificate says of an index."""
    manifest = index.manifest
    return IndexState(
        manifest_sha256=manifest.checksum,
        corpus_digest=manifest.corpus_digest,
        n_documents=manifest.n_live,
        k=manifest.k,
        w=manifest.w,
    )


def text_of(target: Target, *, k: int, w: int) -> CertifiedText:
    """What a certificate says of a text."""
    data = _utf8(target)
    is_part = target.start > 0 or target.file_sha256 != hashlib.sha256(data).hexdigest()
    lines = f":{target.start_line + 1}-{target.end_line}" if is_part else ""
    return CertifiedText(
        name=target.name + lines,
        sha256=hashlib.sha256(data).hexdigest(),
        n_bytes=len(data),
        language=target.language,
        readings=tuple(
            ReadingDigest(
                inside=reading.inside.decode(),
                n_lexemes=len(reading.lexemes),
                n_fingerprints=len(reading.fingerprints.values),
                fingerprints_sha256=hashlib.sha256(
                    reading.fingerprints.values.astype("<u4").tobytes()
                ).hexdigest(),
            )
            for reading in readings_of(data, target.language, k=k, w=w)
        ),
    )


def prove(index: Index, target: Target, *, min_lexemes: int) -> Absence:
    """Whether the index shares no run of `min_lexemes` with the text.

    Raises:
        ValueError: runs of `min_lexemes` are too short to be proved absent.
        IndexerError: the index cannot be read.
    """
    return absence_of(
        index, _utf8(target), target.language, min_lexemes=min_lexemes, bounds=Bounds()
    )


def issue(certificate: Certificate, *, key: Ed25519PrivateKey | None = None) -> bytes:
    """The bytes of the file of a certificate whose texts were all proved; signed if with a key."""
    record = _record(certificate)
    if key is not None:
        signature = key.sign(_DOMAIN + _canonical(record)).hex()
        record |= {"public_key": public_key_of(key), "signature": signature}
    return _canonical({**record, "sha256": _checksum(record)})


def read_certificate(data: bytes, *, public_key: str | None = None) -> Certificate:
    """The certificate in a file; with `public_key`, only if its owner signed it.

    Raises:
        CertificateError: a byte was changed, it is none of this version, or not signed as asked.
    """
    record = _parsed(data)
    checksum = record.pop("sha256", None)
    if checksum != _checksum(record):
        raise CertificateError("its checksum does not fit: it was changed")
    signer = record.pop("public_key", "")
    signature = record.pop("signature", "")
    if public_key is not None and signer != public_key:
        raise CertificateError(f"it was signed by {signer or 'nobody'}, not by {public_key}")
    try:
        if signer or signature:
            is_genuine = is_signed(
                _DOMAIN + _canonical(record),
                signature=bytes.fromhex(signature),
                public_key=signer,
            )
            if not is_genuine:
                raise CertificateError("its signature does not fit: it was changed")
        return _certificate(record, signer)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CertificateError(f"it is no certificate of this version: {error}") from error


def check_text(certificate: Certificate, target: Target) -> CertifiedText:
    """The entry of the certificate that a text is.

    Raises:
        CertificateError: it is about no such text.
    """
    found = text_of(target, k=certificate.index.k, w=certificate.index.w)
    about = [one for one in certificate.texts if one.sha256 == found.sha256]
    for one in about:
        if (one.language, one.readings) == (found.language, found.readings):
            return one
    if about:
        raise CertificateError(f"{target.name} is lexed otherwise here than where it was issued")
    raise CertificateError(f"it is not about {target.name} as it stands now")


def _utf8(target: Target) -> bytes:
    return target.text.encode("utf-8", "replace")


def _statement(certificate: Certificate) -> str:
    return (
        f"Of {len(certificate.texts)} texts, no run of {certificate.min_lexemes} lexemes or more "
        f"is in the {certificate.index.n_documents} documents of the index."
    )


def _record(certificate: Certificate) -> dict[str, Any]:
    record = asdict(certificate)
    del record["public_key"]
    return {"schema": SCHEMA, "statement": _statement(certificate), **record}


def _certificate(record: Mapping[str, Any], signer: str) -> Certificate:
    certificate = Certificate(
        min_lexemes=record["min_lexemes"],
        index=IndexState(**record["index"]),
        texts=tuple(_text(one) for one in record["texts"]),
        tool=record["tool"],
        issued_at=record["issued_at"],
        public_key=signer,
    )
    state, n = certificate.index, certificate.min_lexemes
    if not all(type(one) is int and one > 0 for one in (n, state.k, state.w)):
        raise ValueError(f"min_lexemes, k and w are {n!r}, {state.k!r} and {state.w!r}")
    if n < state.k + state.w - 1:
        raise ValueError(f"runs of {n} lexemes cannot be proved absent with such fingerprints")
    if record["statement"] != _statement(certificate):
        raise ValueError("its statement says something else than its figures")
    return certificate


def _text(record: Mapping[str, Any]) -> CertifiedText:
    readings = tuple(ReadingDigest(**one) for one in record["readings"])
    return CertifiedText(**{**record, "readings": readings})


def _parsed(data: bytes) -> dict[str, Any]:
    if len(data) > _MAX_BYTES:
        raise CertificateError(f"it has {len(data):,} bytes, more than {_MAX_BYTES:,}")
    try:
        record = json.loads(data)
        is_canonical = _canonical(record) == data
    except (ValueError, RecursionError) as error:
        raise CertificateError(f"it is no JSON: {error}") from error
    names = set(record) - {"sha256"} if isinstance(record, dict) else set()
    if names not in (_FIELDS, _FIELDS | _SIGNED_FIELDS) or record["schema"] != SCHEMA:
        raise CertificateError(f"it is no certificate of the kind {SCHEMA}")
    if not is_canonical:
        raise CertificateError("it is not in the form in which it was issued")
    return dict(record)


def _canonical(record: object) -> bytes:
    """The one form of a certificate."""
    return (json.dumps(record, sort_keys=True, indent=1) + "\n").encode()


def _checksum(record: Mapping[str, Any]) -> str:
    return hashlib.sha256(_canonical(record)).hexdigest()
