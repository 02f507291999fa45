"""The service's own pages: plain HTML without scripts; whatever comes from outside is escaped."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from indexer.optout.page import page_of

_STYLE = """
form { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(18rem, 100%), 1fr));
  gap: 1.4rem 2rem; margin-top: 1.5rem; }
form div:last-child { grid-column: 1 / -1; }
label { display: block; font-weight: 600; }
input { font: inherit; color: inherit; background: transparent; width: 100%; box-sizing: border-box;
  padding: .45rem .6rem; margin-top: .25rem; border: 1px solid var(--faint); border-radius: 6px; }
input::placeholder { color: var(--faint); opacity: 1; font-style: italic; }
button { font: inherit; font-weight: 600; color: var(--paper); background: var(--accent); border: 0;
  border-radius: 6px; padding: .5rem 1.4rem; cursor: pointer; }
input:focus-visible, button:focus-visible, a:focus-visible { outline: 3px solid var(--accent);
  outline-offset: 2px; }
.hint { color: var(--faint); font-size: .875rem; margin: .2rem 0 0; }
.problem { border-left: 4px solid var(--accent); padding: .25rem 0 .25rem 1rem;
  overflow-wrap: anywhere; }
"""
_FIELDS = (  # name, label, an example, a hint
    ("owner", "Owner", "octocat", "An account, an organisation, or a package's name."),
    ("repo", "Repository", "octocat/hello-world", "owner/name, or the repository's address."),
    ("package", "Package", "requests", "Its name on the package index."),
    ("path", "Path", "src/**/*.py", "A glob inside of packages and repositories."),
    ("content-hash", "Content hash", "sha256:…", "sha256:… of a file's text, or sha1-git:…"),
    ("swhid", "SWHID", "swh:1:cnt:…", "Software Heritage's name of a file's content."),
)
FORM_PATH, SOURCES_PATH = "/ask", "/sources"


def render_form(values: Mapping[str, str] | None = None, *, problem: str = "") -> str:
    """The question "Am I in it?", with what was typed before and why it could not be read."""
    told = [f'<p class="problem" role="alert">{escape(problem)}</p>'] if problem else []
    fields = "\n".join(_field(*one, (values or {}).get(one[0], "")) for one in _FIELDS)
    body = [
        '<p><a href="/">Trace</a> · <a href="/docs">API</a></p>',
        "<main>",
        "<h1>Am I in it?</h1>",
        "<p>Ask whether code of yours, or of anybody else, is in this index. "
        "Each further field narrows the question.</p>",
        *told,
        f'<form action="{SOURCES_PATH}" method="get" autocomplete="off">\n{fields}\n'
        '<div><button type="submit">Look it up</button></div>\n</form>',
        "</main>",
        "<footer>For programs, the same answer comes as JSON: add <code>format=json</code> to the "
        "address, or send <code>Accept: application/json</code>.</footer>",
    ]
    return page_of("Am I in it?", body, style=_STYLE)


def render_problem(title: str, message: str) -> str:
    """Why there is no answer."""
    body = [
        "<main>",
        f"<h1>{escape(title)}</h1>",
        f'<p class="problem" role="alert">{escape(message)}</p>',
        f'<p><a href="{FORM_PATH}">Am I in it?</a></p>',
        "</main>",
    ]
    return page_of(title, body, style=_STYLE)


def _field(name: str, label: str, example: str, hint: str, value: str) -> str:
    return (
        f'<div><label for="{name}">{escape(label)}</label>\n'
        f'<input id="{name}" name="{name}" value="{escape(value)}" '
        f'placeholder="such as {escape(example)}" maxlength="512" '
        f'spellcheck="false" autocapitalize="off" aria-describedby="{name}-hint">\n'
        f'<p class="hint" id="{name}-hint">{escape(hint)}</p></div>'
    )
