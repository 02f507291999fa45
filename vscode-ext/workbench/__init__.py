"""A VS Code in the browser with our extension in it, for `make demo` and the end-to-end tests.

What sets things up runs on the standard library alone; `demo` and `excerpt` need the packages of
this repository, `editor` needs playwright.
"""
