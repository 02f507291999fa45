"""What somebody who asked to be left out gets: signed, and checked without any index.

A receipt is canonical JSON: the same record has one form only, so that no byte of it can be
changed unseen. The signature is over that form of everything but the signature.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from indexer.optout.errors import ReceiptError
from indexer.optout.keys import is_signed, public_key_of
from indexer.optout.ledger import Entry
from indexer.optout.merkle import Absence, Inclusion, MerkleTree, is_absent
from indexer.optout.requery import Answer
from indexer.optout.selector import selector_of
from indexer.optout.trained import ModelRelation, statement

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FORMAT = 1
_DOMAIN = b"starcite opt-out receipt 1\n"
_FIELDS = frozenset(
    {"format", "tool", "request", "ledger", "before", "after", "tombstoned_at", "issued_at"}
    | {"removed", "absence", "requery", "models", "public_key", "signature"}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """The live documents of an index at one moment."""

    corpus_digest: str
    root: str  # of the Merkle tree over their sha256, hexadecimal
    n_documents: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Proven:
    """What a receipt proves, once it is checked."""

    n_removed: int
    n_asked: int  # removed documents that were asked for again
    n_questions: int
    request: str
    issued_at: str
    public_key: str
    models: str


def make_receipt(
    *,
    entry: Entry,
    tool: str,
    after: State,
    tree_after: MerkleTree,
    tombstoned_at: str,
    issued_at: str,
    removed: Sequence[Mapping[str, Any]],
    answers: Sequence[Answer],
    models: Sequence[ModelRelation],
    key: Ed25519PrivateKey,
) -> bytes:
    """The receipt of a request that was carried out, as the bytes of its file.

    Raises:
        ReceiptError: it would not prove what it says: something removed was found again.
    """
    request = entry.request
    before = State(
        corpus_digest=request.corpus_digest, root=request.root, n_documents=request.n_documents
    )
    try:
        absence = {
            sha: _dump(tree_after.prove_absence(bytes.fromhex(sha))) for sha in request.removed
        }
    except ValueError as error:
        raise ReceiptError(f"{error}: it was indexed again; run the same command again") from error
    record = {
        "format": FORMAT,
        "tool": tool,
        "request": {"selector": request.selector.as_record(), "time": entry.time},
        "ledger": {"number": entry.number, "hash": entry.hash},
        "before": asdict(before),
        "after": asdict(after),
        "tombstoned_at": tombstoned_at,
        "issued_at": issued_at,
        "removed": list(removed),
        "absence": absence,
        "requery": {"seed": request.root, "answers": [asdict(answer) for answer in answers]},
        "models": {"statement": statement(models), "checked": [asdict(one) for one in models]},
        "public_key": public_key_of(key),
    }
    data = serialise({**record, "signature": key.sign(_signed_bytes(record)).hex()})
    verify_receipt(data)
    return data


def verify_receipt(data: bytes, *, public_key: str | None = None) -> Proven:
    """Check everything that a receipt says, from its bytes alone.

    Without `public_key`, the key inside of it is believed: nothing was changed since it was
    signed, but not by whom.

    Raises:
        ReceiptError: a byte was changed, another key signed it, or a proof does not hold.
    """
    record = _parse(data)
    if public_key is not None and record["public_key"] != public_key:
        raise ReceiptError(
            f"the receipt was signed with the key {record['public_key']}, not with {public_key}"
        )
    unsigned = {name: value for name, value in record.items() if name != "signature"}
    try:
        signature = bytes.fromhex(record["signature"])
        is_genuine = is_signed(
            _signed_bytes(unsigned), signature=signature, public_key=record["public_key"]
        )
        if not is_genuine:
            raise ReceiptError("its signature does not fit: the receipt was changed")
        return _proven(record)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ReceiptError(f"it is no receipt of this version: {error}") from error


def serialise(record: Mapping[str, Any]) -> bytes:
    """The one form of a receipt."""
    return (json.dumps(record, sort_keys=True, indent=1) + "\n").encode()


def _parse(data: bytes) -> dict[str, Any]:
    try:
        record = json.loads(data)
        is_canonical = serialise(record) == data
    except (ValueError, RecursionError) as error:
        raise ReceiptError(f"it is no JSON: {error}") from error
    if not isinstance(record, dict) or record.keys() != _FIELDS:
        raise ReceiptError("it is no receipt: it has other fields")
    if record["format"] != FORMAT:
        raise ReceiptError(f"it has format {record['format']!r}; this version reads {FORMAT}")
    if not is_canonical:
        raise ReceiptError("it is not in the form in which it was written: it was changed")
    return record


def _proven(record: Mapping[str, Any]) -> Proven:
    removed = [one["sha256"] for one in record["removed"]]
    if removed != sorted(set(removed)) or record["absence"].keys() != set(removed):
        raise ReceiptError("the removed documents and the proofs of their absence differ")
    root, n_documents = bytes.fromhex(record["after"]["root"]), record["after"]["n_documents"]
    for sha256 in removed:
        proof = _load(record["absence"][sha256])
        if not is_absent(bytes.fromhex(sha256), proof, root=root, n_leaves=n_documents):
            raise ReceiptError(f"it does not prove that {sha256} is absent")
    answers = [Answer(**one) for one in record["requery"]["answers"]]
    for answer in answers:
        if answer.document_sha256 not in set(removed) or answer.is_found is not False:
            raise ReceiptError(f"{answer.document_sha256} was found again by {answer.probe}")
    return Proven(
        n_removed=len(removed),
        n_asked=len({answer.document_sha256 for answer in answers}),
        n_questions=len(answers),
        request=str(selector_of(record["request"]["selector"])),
        issued_at=record["issued_at"],
        public_key=record["public_key"],
        models=record["models"]["statement"],
    )


def _signed_bytes(unsigned: Mapping[str, Any]) -> bytes:
    return _DOMAIN + serialise(unsigned)


def _dump(proof: Absence) -> dict[str, Any]:
    return {"left": _dump_side(proof.left), "right": _dump_side(proof.right)}


def _dump_side(side: Inclusion | None) -> dict[str, Any] | None:
    if side is None:
        return None
    path = [sibling.hex() for sibling in side.path]
    return {"index": side.index, "leaf": side.leaf.hex(), "path": path}


def _load(record: Mapping[str, Any]) -> Absence:
    return Absence(left=_load_side(record["left"]), right=_load_side(record["right"]))


def _load_side(record: Mapping[str, Any] | None) -> Inclusion | None:
    if record is None:
        return None
    path = tuple(bytes.fromhex(sibling) for sibling in record["path"])
    return Inclusion(index=record["index"], leaf=bytes.fromhex(record["leaf"]), path=path)
