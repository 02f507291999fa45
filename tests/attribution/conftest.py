"""A small corpus with all that makes attribution hard, indexed once by the real build."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette

from attribution import Tracer
from attribution.service import Service, create_app
from indexer import Origin, SourceFile
from indexer.build import build_index

CART = '''\
"""A shopping cart.

Prices are whole cents; a discount never makes a total negative # not a comment
"""

from decimal import Decimal

# How many different articles one cart may hold.
# Larger ones are split by the caller.
MAX_ARTICLES = 99

\f
class Cart:
    """What a customer has chosen so far."""

    def __init__(self, owner, currency="EUR"):
        self.owner = owner
        self.currency = currency
        self.articles = {}  # article number → quantity

    def add(self, article, quantity=1):
        # A full cart refuses new articles,
        # but not more of those that it has.
        if article not in self.articles and len(self.articles) >= MAX_ARTICLES:
            raise OverflowError(f"a cart holds at most {MAX_ARTICLES} articles")
        self.articles[article] = self.articles.get(article, 0) + quantity

        # Nothing stays in the cart with a quantity below one.
        if self.articles[article] < 1:
            del self.articles[article]

    def total(self, prices, discount=Decimal(0)):
        gross = sum(prices[one] * n for one, n in self.articles.items())
        reduced = gross - gross * discount / 100  # in cents
        return max(Decimal(0), reduced.quantize(Decimal("0.01")))
'''

CITIES = '''\
"""Städte und ihre Flüsse 🌊, für die Übungen."""

FLÜSSE = {"Köln": "Rhein", "Würzburg": "Main", "Dresden": "Elbe", "Zürich": "Limmat"}


def fluss_von(stadt, *, vorgabe="unbekannt 🤷"):
    größe = len(FLÜSSE)
    if stadt in FLÜSSE and größe > 0:
        return f"{stadt} liegt am Fluss {FLÜSSE[stadt]} 🏞 sagt man"
    return vorgabe
'''

WINDOWS_FILE = """\
def read_registry(key, values):
    handle = open_key(key, access="read")
    found = [handle.value(name) for name in values if handle.has(name)]
    handle.close()
    return dict(zip(values, found))
""".replace("\n", "\r\n")

IDIOM = """\
    def __eq__(self, other):
        if not isinstance(other, type(self)):
            return NotImplemented
        return self.__dict__ == other.__dict__ and self.kind == other.kind
"""

PLANTS = ("apple", "birch", "cedar", "daisy", "elder", "fern", "grass", "hazel", "ivy", "jute")

NOTES = """\
# The moon pulls the water of every ocean towards itself, and the water on the
# far side of the globe stays behind, so that two bulges travel round the planet
# while it turns; harbours between them see the level rise and fall twice daily.
TIDES = 2
"""

LICENSED = """\
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
VERSION = 1
"""

ZEROS = "TABLE = [\n" + "    0, 0, 0, 0, 0, 0, 0, 0,\n" * 40 + "]\n"


def source_file(text: str, path: str, *, name: str) -> SourceFile:
    origin = Origin(
        source="pypi",
        name=name,
        version="1.2.3",
        path=path,
        spdx_id="MIT",
        license_evidence="metadata: MIT; LICENSE: MIT",
    )
    return SourceFile(text=text, language="python", origin=origin)


def _corpus() -> Iterator[SourceFile]:
    yield source_file(CART, "shop/cart.py", name="shop")
    yield source_file(CART, "vendor/cart.py", name="market")  # an exact twin
    yield source_file(CITIES, "geo/cities.py", name="geo")
    yield source_file(WINDOWS_FILE, "win/registry.py", name="win")
    yield source_file(NOTES, "sea/tides.py", name="sea")
    yield source_file(LICENSED, "legal/version.py", name="legal")
    yield source_file(ZEROS, "data/zeros.py", name="data")
    for number, noun in enumerate(PLANTS):
        yield source_file(
            f"class {noun.title()}:\n    kind = {noun!r}\n    order = {number}\n\n"
            + IDIOM
            + textwrap.indent(f"\ndef grow_{noun}(self):\n    return self.{noun}_height\n", "    "),
            f"plants/{noun}.py",
            name=noun,
        )


@pytest.fixture(scope="session")
def index_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an index over the corpus above; not to be changed."""
    out = tmp_path_factory.mktemp("attribution") / "index"
    build_index(_corpus(), out)
    return out


@pytest.fixture(scope="session")
def tracer(index_path: Path) -> Iterator[Tracer]:
    """A tracer on that index."""
    tracer = Tracer.open(index_path)
    yield tracer
    tracer.close()


@pytest.fixture(scope="session")
def texts() -> dict[str, str]:
    """The texts of the corpus by a short name."""
    return {
        "cart": CART,
        "cities": CITIES,
        "windows": WINDOWS_FILE,
        "idiom": IDIOM,
        "notes": NOTES,
        "licensed": LICENSED,
        "zeros": ZEROS,
    }


@pytest.fixture
def own_index(tmp_path: Path, index_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An index of one's own, to change while it is served, with an empty ledger of its own."""
    monkeypatch.setenv("STARCITE_HOME", str(tmp_path / "home"))
    return Path(shutil.copytree(index_path, tmp_path / "index"))


@pytest.fixture
def app(own_index: Path) -> Starlette:
    """The service over that index, open to whoever can reach it."""
    return create_app(Service(index=own_index))
