"""The key that receipts are signed with: Ed25519, made when it is first needed."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.config import data_home
from indexer.optout.errors import MissingExtraError, OptoutError, SelectorError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_PUBLIC_KEY = re.compile(r"[0-9a-f]{64}")


def key_path() -> Path:
    """Where the private key lies: 32 bytes in hexadecimal, readable by its owner only."""
    return data_home() / "keys" / "receipts.ed25519"


def open_key(path: Path) -> Ed25519PrivateKey:
    """Read the private key, or make one if there is none.

    Raises:
        MissingExtraError: `cryptography` is not installed.
        OptoutError: the key cannot be read or written, or is none.
    """
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
            Ed25519PrivateKey,
        )
    except ModuleNotFoundError as error:
        raise MissingExtraError("cryptography") from error
    try:
        if not path.exists():
            _store(path, Ed25519PrivateKey.generate().private_bytes_raw().hex())
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text("ascii").strip()))
    except OSError as error:
        raise OptoutError(f"cannot use the key {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise OptoutError(f"{path} holds no Ed25519 key; put back a copy, or move it") from error


def public_key_of(key: Ed25519PrivateKey) -> str:
    """The public half, in hexadecimal: what others check a receipt with."""
    return key.public_key().public_bytes_raw().hex()


def is_signed(data: bytes, *, signature: bytes, public_key: str) -> bool:
    """Whether the owner of the public key signed exactly these bytes.

    Raises:
        MissingExtraError: `cryptography` is not installed.
    """
    try:
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
            Ed25519PublicKey,
        )
    except ModuleNotFoundError as error:
        raise MissingExtraError("cryptography") from error
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key)).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def parse_public_key(value: str) -> str:
    """A public key given as 64 hexadecimal digits, or as the file that holds them.

    Raises:
        SelectorError: it is neither.
    """
    text = value.strip()
    if not _PUBLIC_KEY.fullmatch(text):
        try:
            text = Path(value).read_text("ascii").strip()
        except (OSError, ValueError) as error:
            raise SelectorError(
                f"--key {value!r} is neither 64 lower-case hexadecimal digits nor a file of them"
            ) from error
    if not _PUBLIC_KEY.fullmatch(text):
        raise SelectorError(f"the file {value} holds no key of 64 lower-case hexadecimal digits")
    return text


def _store(path: Path, digits: str) -> None:
    """Make the file with nobody else able to read it at any moment, and whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(digits + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        path.hardlink_to(partial)  # never in place of a key that another process made meanwhile
    except FileExistsError:
        pass
    finally:
        partial.unlink()
