"""A VS Code in the browser with our extension in it, for `make demo` and the end-to-end tests.

Everything here runs on the standard library alone: it has to work before anything is installed.
"""
