"""The page of `starcite serve` in a real browser: paste code, see its match and its source."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page, expect

from indexer.build import build_index
from tests.attribution.conftest import CART, IDIOM, source_file

pytestmark = pytest.mark.e2e

EVIL = '<img src=x onerror="document.title=1">.py'
TOKEN = "0123456789abcdef-of-the-team"
_SCRIPT = "import starcite; starcite.main(['serve', '--port', '0', '--workers', '1'])"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a service over a small index, which asks for a token."""
    home = tmp_path_factory.mktemp("service home")
    files = [source_file(CART, "shop/cart.py", name="shop")]
    files.append(source_file(CART.replace("99", "98"), EVIL, name="<b>evil</b>"))
    files += [source_file(f"class A{n}:\n{IDIOM}", f"m{n}.py", name=f"p{n}") for n in range(9)]
    build_index(files, home / "index" / "default")
    process = subprocess.Popen(
        [sys.executable, "-c", _SCRIPT],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "STARCITE_HOME": str(home), "STARCITE_SERVE_TOKEN": TOKEN},
    )
    try:
        assert process.stdout is not None
        found = re.search(r"http://[^/]+:\d+/", process.stdout.readline())
        assert found
        yield found[0]
    finally:
        process.terminate()
        process.communicate(timeout=30)
    assert process.returncode == 0


@pytest.fixture
def page(browser: Browser, served: str) -> Iterator[Page]:
    """The page in a tab of its own, with the token; whatever it complains of fails the test."""
    context = browser.new_context(
        http_credentials={"username": "me", "password": TOKEN},
        viewport={"width": 1280, "height": 1100},
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(request.url))
    outside: list[str] = []
    page.on("request", lambda one: None if one.url.startswith(served) else outside.append(one.url))
    page.goto(served)
    yield page
    context.close()

    assert (complaints, outside) == ([], [])


def trace(page: Page, text: str) -> None:
    page.get_by_label("Where does this code come from?").fill(text)
    page.get_by_role("button", name="Trace", exact=True).click()


def test_pasted_code_is_shown_beside_its_source(page: Page, shots: Path) -> None:
    """The match names tier, package and licence; both texts stand side by side, marked."""
    own = "def mine():\n    return 1\n\n\n"
    trace(page, own + CART)
    expect(page.get_by_role("status")).to_contain_text("1 match")
    card = page.get_by_role("list", name="Matches").get_by_role("button")
    expect(card).to_contain_text("E1")
    expect(card).to_contain_text("MIT")
    marked = page.locator("#query .row.in .line")
    source = page.locator("#source .row.in .line")
    expect(source).to_have_count(marked.count())
    page.screenshot(path=shots / "service-page.png", full_page=True)

    assert marked.all_inner_texts() == source.all_inner_texts()
    assert page.locator("#query .row").count() == (own + CART).count("\n")
    assert "shop/cart.py, lines 1–" in page.locator("#about").inner_text()  # noqa: RUF001


def test_names_from_outside_stay_text(page: Page) -> None:
    """Markup in a package's name, in a path or in pasted code is shown as it is written."""
    trace(page, CART.replace("99", "98") + EVIL)
    card = page.get_by_role("list", name="Matches").get_by_role("button")
    expect(card).to_contain_text("<b>evil</b>")
    expect(page.locator("#about")).to_contain_text(EVIL)
    expect(page.locator("#query .row").last).to_contain_text(EVIL)

    assert page.locator("img, b").count() == 0
    assert page.title() == "Starcite: where does this code come from?"


def test_common_code_is_labelled(page: Page) -> None:
    """What nine packages hold is no match to worry about; another source can be chosen."""
    trace(page, IDIOM)
    expect(page.get_by_role("status")).to_contain_text("1 common")
    picker = page.get_by_role("combobox", name="Source")
    first = page.locator("#about dd").nth(1).inner_text()
    picker.select_option(index=1)
    expect(page.locator("#about dd").nth(1)).not_to_have_text(first)
    expect(page.locator("#source .row.in")).not_to_have_count(0)


def test_no_match_and_no_text_are_said(page: Page) -> None:
    """Nothing found says how far it looked; nothing pasted asks for something."""
    trace(page, "")
    expect(page.get_by_role("status")).to_have_text("Paste some code first.")
    page.get_by_label("Where does this code come from?").fill("x = 1\n")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("status")).to_contain_text("No match: no shared run of 30 or more")
    expect(page.locator("#beside")).to_be_hidden()


def test_the_other_pages_are_a_click_away(page: Page) -> None:
    """From the page to "Am I in it?", an answer, and the list of what programs may ask."""
    page.get_by_role("link", name="Am I in it?").click()
    page.get_by_label("Owner").fill("shop")
    page.get_by_role("button", name="Look it up").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Yes: 1 document")
    page.get_by_role("link", name="Ask something else").click()
    page.get_by_role("link", name="API").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The service")


def test_without_the_token_nothing_is_shown(browser: Browser, served: str) -> None:
    """A browser whose person does not know the token gets no page at all."""
    context = browser.new_context()
    page = context.new_page()
    with pytest.raises(Error, match="ERR_INVALID_AUTH_CREDENTIALS"):
        page.goto(f"{served}ask")
    context.close()
