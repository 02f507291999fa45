"""The tokenizer: byte-level BPE with single digits and StarCoder's sentinels at their ids.

The same recipe as bigcode-tokenizer (starcoder/train_bpe_tokenizer.py): digits one by one, GPT-2's
byte-level splits, no normaliser, the 19 sentinels first. Documents reach it with literal sentinels
defused (`indexer.curate.sentinels.neutralise`), so that only we write control tokens.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from indexer.curate.sentinels import SENTINEL_ID, SENTINELS
from training.errors import TokenizerError

FILE_NAME = "tokenizer.json"


def train_tokenizer(texts: Iterable[str], vocab_size: int) -> Tokenizer:
    """Learn the merges that make `texts` shortest; the same texts in the same order, the same.

    Args:
        texts: of the corpus, sentinels defused.
        vocab_size: with sentinels and the 256 bytes.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        show_progress=False,
        special_tokens=[AddedToken(text, normalized=False, special=True) for text in SENTINELS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(texts, trainer=trainer)
    return tokenizer


def save_tokenizer(tokenizer: Tokenizer, folder: Path) -> Path:
    """Write `tokenizer.json`, from which `load_tokenizer` makes the same again."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE_NAME
    path.write_text(tokenizer.to_str(pretty=False), encoding="utf-8")
    return path


def load_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer of a `tokenizer.json`, or of the folder that holds one.

    Raises:
        TokenizerError: there is none, or its sentinels are not StarCoder's.
    """
    file = path / FILE_NAME if path.is_dir() else path
    try:
        tokenizer = Tokenizer.from_str(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise TokenizerError(
            f"no tokenizer in {path}: {error.strerror}; run: starcite train tokenizer --to {path}"
        ) from error
    except Exception as error:
        raise TokenizerError(f"{file} is no tokenizer: {error}; train it again") from error
    wrong = [text for text, number in SENTINEL_ID.items() if tokenizer.token_to_id(text) != number]
    if wrong:
        raise TokenizerError(
            f"{file} has {wrong[0]} at id {tokenizer.token_to_id(wrong[0])}, StarCoder at "
            f"{SENTINEL_ID[wrong[0]]}; use a tokenizer of the family"
        )
    return tokenizer


def tokenizer_digest(tokenizer: Tokenizer) -> str:
    """Equal for tokenizers that make the same of everything."""
    return hashlib.sha256(tokenizer.to_str(pretty=False).encode()).hexdigest()
