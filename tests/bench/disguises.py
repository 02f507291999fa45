"""Ways to dress up a copy of some Python, for the tests and the benchmark of decontamination."""

from __future__ import annotations

import ast
import textwrap


class _Renamer(ast.NodeTransformer):
    """Gives every name that the code itself binds a new one."""

    def __init__(self, tree: ast.AST, *, types_stay: bool) -> None:
        self._types_stay = types_stay
        bound = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
        bound |= {
            node.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        bound |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        self._new = {name: f"v{number}" for number, name in enumerate(sorted(bound))}

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self._new.get(node.id, node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.arg = self._new[node.arg]
        if not self._types_stay:
            node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.name = self._new[node.name]
        if not self._types_stay:
            node.returns = None
        self.generic_visit(node)
        return node


def reindented(source: str) -> str:
    """Deeper, and by tabs."""
    deeper = textwrap.indent(source.replace("    ", "\t"), "\t\t")
    return f"class Holder:\n\tif True:\n{deeper}"


def renamed(source: str, *, types_stay: bool = False) -> str:
    """Every name that the code binds is another one."""
    tree = ast.parse(source)
    return ast.unparse(_Renamer(tree, types_stay=types_stay).visit(tree))


def undocumented(source: str) -> str:
    """Neither comments nor docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.body = [part for part in node.body if not _is_string(part)] or [ast.Pass()]
    return ast.unparse(tree)


def uncommented(source: str) -> str:
    """No comments on lines of their own."""
    return "\n".join(line for line in source.splitlines() if not line.strip().startswith("#"))


def docstring_only(source: str) -> str:
    """The task in words, in a comment with other line breaks."""
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    statement = ast.get_docstring(functions[-1]) or ""
    return "# Exercise:\n" + textwrap.indent(textwrap.fill(statement, 40), "# ") + "\nprint(1)\n"


def together(source: str) -> str:
    """All at once: what is left is the shape of the code."""
    return reindented(renamed(undocumented(source)))


def _is_string(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
