"""A small held-out corpus, and a tiny random model of the family in a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexer import Origin, SourceFile
from indexer.curate.curation import Task, curate_corpus


def source_file(text: str, path: str, name: str) -> SourceFile:
    origin = Origin(
        source="pypi",
        name=name,
        version="1",
        path=path,
        spdx_id="MIT",
        license_evidence="metadata: MIT; LICENSE: MIT",
    )
    return SourceFile(text=text, language="python", origin=origin)


def module(number: int) -> str:
    """A file of its own, long enough to be asked about."""
    words = ["river", "stone", "lamp", "violin", "harbour", "meadow", "copper", "window"]
    noun, verb = words[number % 8], words[(number * 3 + 1) % 8]
    functions = "".join(
        f"def {verb}_{noun}_{place}(first, second=None):\n"
        f"    # what {noun} {place} gives when the {verb} is {number * 31 + place}\n"
        f"    total = first * {number * 17 + place} - len(str(second))\n"
        f"    if total % {place + 2} == 0:\n"
        f"        return [{noun!r}, total, {place}]\n"
        f"    return sorted({{total, {number}, {place * 7}}})\n\n\n"
        for place in range(12)
    )
    return f'"""Of {noun} and {verb}, part {number}."""\n\nimport math\n\n\n{functions}'


@pytest.fixture(scope="session")
def files() -> list[SourceFile]:
    """A few files from two packages."""
    return [source_file(module(n), f"part_{n}.py", f"package{n % 2}") for n in range(8)]


@pytest.fixture(scope="session")
def corpus(files: list[SourceFile], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Curated shards of them."""
    folder = tmp_path_factory.mktemp("heldout") / "shards"
    curate_corpus(Task(read=lambda: iter(files), folder=folder))
    return folder


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random GPTBigCode of 64 positions with a byte-level tokenizer and sentinels."""
    torch = pytest.importorskip("torch", reason="torch is not installed (extra `train`)")
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    tokenizers = pytest.importorskip("tokenizers", reason="tokenizers is not installed")
    from indexer.curate.sentinels import SENTINELS

    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=400,
        show_progress=False,
        special_tokens=list(SENTINELS),
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator([module(number) for number in range(4)], trainer=trainer)
    folder = tmp_path_factory.mktemp("models") / "tiny"
    torch.manual_seed(0)
    config = transformers.GPTBigCodeConfig(
        vocab_size=tokenizer.get_vocab_size(),
        n_positions=64,
        n_embd=32,
        n_layer=2,
        n_head=2,
        multi_query=True,
        bos_token_id=0,
        eos_token_id=0,
    )
    transformers.GPTBigCodeForCausalLM(config).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder
