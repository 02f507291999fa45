"""One browser tab with a VS Code in it, in the words of a person who uses it.

Every method waits for what it needs to see; nothing waits for a time. A method that waits in vain
raises playwright's `TimeoutError` (or, from `expect`, an AssertionError) that holds the selector.
"""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, expect

VIEWPORT = {"width": 1280, "height": 800}
# Containers and root have no user namespace for Chromium's sandbox, nor a large /dev/shm.
BROWSER_FLAGS = (
    *("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-quic"),
    *("--no-first-run", "--disable-background-networking", "--disable-component-update"),
    "--disable-sync",
)
FIRST_LOAD_MS = 90_000  # 18 s were seen on two busy cores
STEP_MS = 20_000

GHOST_TEXT = ".ghost-text-decoration, .ghost-text, .suggest-preview-text"
STATUS_ITEM = '[id="starcite.starcite.status"]'


class Editor:
    """A tab that shows a workspace; each step is kept as a numbered screenshot."""

    def __init__(self, browser: Browser, *, name: str, shots: Path) -> None:
        """Open an empty tab; screenshots go to `shots` and begin with `name`."""
        context = browser.new_context(
            viewport={"width": VIEWPORT["width"], "height": VIEWPORT["height"]},
            permissions=["clipboard-read", "clipboard-write"],
        )
        self.page: Page = context.new_page()
        self.page.set_default_timeout(STEP_MS)
        self._name = name
        self._shots = shots
        self._n_shots = 0

    def open(self, address: str, file: Path) -> None:
        """Load the workspace at `address` and wait until `file` can be typed in."""
        self.page.goto(address, timeout=FIRST_LOAD_MS)
        self.text_of(file.name).wait_for(timeout=FIRST_LOAD_MS)
        self.focus(file.name)

    def text_of(self, file_name: str) -> Locator:
        """The editor that shows a file of this name."""
        return self.page.locator(f'.editor-instance .monaco-editor[data-uri*="/{file_name}"]')

    def focus(self, file_name: str) -> None:
        """Put the keyboard into the editor that shows this file."""
        editor = self.text_of(file_name)
        editor.locator(".view-lines").click(position={"x": 400, "y": 5})
        focused = f'.editor-instance .monaco-editor.focused[data-uri*="/{file_name}"]'
        self.page.locator(focused).wait_for()

    def press(self, keys: str) -> None:
        """Press one key or chord, such as `Control+End`."""
        self.page.keyboard.press(keys)

    def type(self, text: str) -> None:
        """Type like a person, one key after the other."""
        self.page.keyboard.type(text, delay=40)

    def paste(self, text: str) -> None:
        """Paste as from the clipboard, so that VS Code adds no brackets and no indentation."""
        self.page.evaluate("text => navigator.clipboard.writeText(text)", text)
        self.press("Control+v")

    def save(self) -> None:
        """Save the active file and wait until it is saved."""
        self.page.locator(".tab.active.dirty").wait_for()
        self.press("Control+s")
        self.page.locator(".tab.active:not(.dirty)").wait_for()

    def run_command(self, title: str) -> None:
        """Run a command from the palette by its full title."""
        self.press("F1")
        self.page.locator(".quick-input-widget input").first.fill(f">{title}")
        row = self.choice(title)
        row.click()
        row.wait_for(state="hidden")

    def ghost_text(self) -> str:
        """The completion that is shown, once one is shown."""
        ghost = self.page.locator(GHOST_TEXT)
        ghost.first.wait_for()
        return "".join(ghost.all_text_contents()).replace("\u00a0", " ")

    def status(self, text: str | re.Pattern[str], *, timeout_ms: float = STEP_MS) -> None:
        """Wait until Starcite's status bar item says `text`."""
        expect(self.status_item()).to_contain_text(text, timeout=timeout_ms)

    def status_item(self) -> Locator:
        """Starcite's item in the status bar."""
        return self.page.locator(STATUS_ITEM)

    def marks(self) -> Locator:
        """The pieces of text that an extension has decorated."""
        return self.page.locator('.view-line span[class*="ced-"]')

    def hover(self, word: str) -> Locator:
        """Hover over the first occurrence of a word; returns the hover that opens."""
        self.page.locator(".view-line span span", has_text=word).first.hover()
        hover = self.page.locator(".monaco-hover:visible", has_text="Licence")
        hover.first.wait_for()
        return hover.first

    def notification(self) -> Locator:
        """The newest message in the corner."""
        return self.page.locator(".notification-list-item-message").first

    def choice(self, text: str) -> Locator:
        """The row of the open list that contains this text."""
        return self.page.locator(".quick-input-list .monaco-list-row", has_text=text).first

    def source_line(self, number: int) -> str:
        """The text of a line, counted from 1, in the source that opens beside; waits for it."""
        view = self.page.locator('.editor-instance .monaco-editor[data-uri^="starcite-source:"]')
        shown = view.locator(".line-numbers", has_text=re.compile(rf"^{number}$"))
        shown.wait_for()
        # Lines lie in the page in any order; what tells them is how far from the top they are.
        top = shown.evaluate("number => number.parentElement.style.top")
        line = view.locator(f'.view-line[style*="top:{top}"], .view-line[style*="top: {top}"]')
        return line.inner_text().replace("\u00a0", " ")

    def shot(self, step: str) -> Path:
        """Keep a screenshot of what is there now; returns its path."""
        self._n_shots += 1
        path = self._shots / f"{self._name}-{self._n_shots}-{step}.png"
        self.page.screenshot(path=path)
        return path

    def close(self) -> None:
        """Close the tab."""
        self.page.context.close()
