"""Text to token ids and back to bytes, for any tokenizer of the `tokenizers` library."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tokenizers import Tokenizer, pre_tokenizers

from training.evaluate.decode import Vocabulary
from training.evaluate.errors import EvaluateError

END_OF_TEXT = "<|endoftext|>"
_FIM = (
    ("<fim_prefix>", "<fim_suffix>", "<fim_middle>"),
    ("<fim-prefix>", "<fim-suffix>", "<fim-middle>"),
    ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"),
)
_BYTE_TOKEN = re.compile(r"<0x([0-9A-F]{2})>")


class TextTokens:
    """A tokenizer that reads literal control tokens as the text that they are."""

    def __init__(self, tokenizer: Tokenizer, start: int | None = None) -> None:
        self._tokenizer = tokenizer
        tokenizer.encode_special_tokens = True
        tokenizer.no_truncation()
        self.vocabulary = _vocabulary(tokenizer, start)

    def encode(self, text: str) -> list[int]:
        """The ids of a text; a lone surrogate becomes a question mark."""
        clean = text.encode("utf-8", "replace").decode("utf-8")
        return list(self._tokenizer.encode(clean, add_special_tokens=False).ids)


def read_tokens(folder: Path) -> TextTokens:
    """The tokenizer of a model folder; a document starts with <|endoftext|>, else with its BOS.

    Raises:
        EvaluateError: it is missing or damaged.
    """
    path = folder / "tokenizer.json" if folder.is_dir() else folder
    try:
        tokenizer = Tokenizer.from_str(path.read_text("utf-8"))
    except OSError as error:
        raise EvaluateError(
            f"no tokenizer in {folder}: {error.strerror}; give a folder with a tokenizer.json"
        ) from error
    except Exception as error:
        raise EvaluateError(f"{path} is no tokenizer: {error}; use another one") from error
    start = tokenizer.token_to_id(END_OF_TEXT)
    return TextTokens(tokenizer, _bos(path.parent) if start is None else start)


def trained_context(folder: Path) -> int | None:
    """The block size that a model of ours was trained at; positions past it are untrained."""
    try:
        number = json.loads((folder / "manifest.json").read_bytes())["recipe"]["data"]["block_size"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return number if isinstance(number, int) and number > 0 else None


def _bos(folder: Path) -> int | None:
    try:
        number = json.loads((folder / "config.json").read_bytes()).get("bos_token_id")
    except (OSError, ValueError, AttributeError):
        return None
    return number if isinstance(number, int) else None


def _vocabulary(tokenizer: Tokenizer, start: int | None) -> Vocabulary:
    added = tokenizer.get_added_tokens_decoder()
    of_id = {number: text for text, number in tokenizer.get_vocab().items()}
    to_byte = _byte_alphabet()
    is_byte_level = '"ByteLevel"' in tokenizer.to_str()
    tokens = []
    for number in range(max(of_id) + 1):
        if number in added:
            tokens.append(b"" if added[number].special else added[number].content.encode())
        elif is_byte_level:
            tokens.append(bytes(to_byte[char] for char in of_id.get(number, "")))
        else:
            tokens.append(_piece_bytes(of_id.get(number, "")))
    ends = frozenset(number for number, text in enumerate(tokens) if not text)
    known = {text: number for number, text in of_id.items()}
    fim = next(
        ((known[a], known[b], known[c]) for a, b, c in _FIM if {a, b, c} <= known.keys()), None
    )
    return Vocabulary(
        tokens=tuple(tokens), ends=ends, start=() if start is None else (start,), fim=fim
    )


def _byte_alphabet() -> dict[str, int]:
    """The character that GPT-2's byte-level alphabet writes for each byte, and back.

    Printable bytes stand for themselves; the others are numbered from U+0100 on, in order.
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    alphabet = {chr(byte): byte for byte in printable}
    alphabet |= {chr(0x100 + place): byte for place, byte in enumerate(others)}
    if set(alphabet) != set(pre_tokenizers.ByteLevel.alphabet()):
        raise EvaluateError("this version of tokenizers has another byte alphabet; use 0.23")
    return alphabet


def _piece_bytes(piece: str) -> bytes:
    """A SentencePiece token: U+2581 is a space, <0x0A> a byte."""
    if found := _BYTE_TOKEN.fullmatch(piece):
        return bytes([int(found[1], 16)])
    return piece.replace("\u2581", " ").encode()
