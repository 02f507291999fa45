"""The languages of the corpus and the extensions that each may have; every other file is left out.

The list follows StarCoder's choice of languages. Where one extension serves several languages, the
one that the reader found decides, and an extension of another language is a clash that drops it.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from indexer.curate.pipeline import Drop
from indexer.source_file import SourceFile

EXTENSIONS: dict[str, str] = {
    "ada": "adb ads",
    "agda": "agda lagda",
    "alloy": "als",
    "antlr": "g4",
    "applescript": "applescript",
    "assembly": "asm s",
    "augeas": "aug",
    "awk": "awk",
    "batchfile": "bat cmd",
    "bluespec": "bsv",
    "c": "c h",
    "clojure": "clj cljs cljc",
    "cmake": "cmake",
    "coffeescript": "coffee",
    "common-lisp": "lisp lsp",
    "cpp": "cc cpp cxx hh hpp hxx h ipp tpp",
    "csharp": "cs",
    "css": "css scss less",
    "cuda": "cu cuh",
    "dart": "dart",
    "dockerfile": "dockerfile",
    "elixir": "ex exs",
    "elm": "elm",
    "emacs-lisp": "el",
    "erlang": "erl hrl",
    "fsharp": "fs fsi fsx",
    "fortran": "f f90 f95 f03 f08 for",
    "glsl": "glsl vert frag geom",
    "go": "go",
    "groovy": "groovy gradle",
    "haskell": "hs",
    "html": "html htm xhtml",
    "idris": "idr",
    "isabelle": "thy",
    "java": "java",
    "java-server-pages": "jsp",
    "javascript": "js mjs cjs",
    "javascriptreact": "jsx",
    "json": "json",
    "julia": "jl",
    "jupyter": "ipynb",
    "kotlin": "kt kts",
    "lean": "lean",
    "lisp": "lisp el",
    "literate-coffeescript": "litcoffee",
    "literate-haskell": "lhs",
    "lua": "lua",
    "makefile": "mk mak",
    "maple": "mpl",
    "markdown": "md markdown",
    "mathematica": "wl wls",
    "matlab": "m",
    "objective-c": "m mm h",
    "ocaml": "ml mli",
    "pascal": "pas dpr lpr",
    "perl": "pl pm",
    "php": "php",
    "powershell": "ps1 psm1",
    "prolog": "pl pro",
    "protobuf": "proto",
    "python": "py pyi pyw pyx pxd",
    "r": "r",
    "racket": "rkt",
    "restructuredtext": "rst",
    "rmarkdown": "rmd",
    "ruby": "rb",
    "rust": "rs",
    "sas": "sas",
    "scala": "scala",
    "scheme": "scm ss sld",
    "shell": "sh bash zsh",
    "shellscript": "sh bash zsh",
    "smalltalk": "st",
    "solidity": "sol",
    "sparql": "sparql rq",
    "sql": "sql",
    "stan": "stan",
    "standard-ml": "sml sig",
    "stata": "do ado",
    "swift": "swift",
    "systemverilog": "sv svh",
    "tcl": "tcl",
    "tcsh": "csh tcsh",
    "tex": "tex",
    "text": "txt",
    "thrift": "thrift",
    "toml": "toml",
    "typescript": "ts mts cts",
    "typescriptreact": "tsx",
    "verilog": "v vh",
    "vhdl": "vhd vhdl",
    "visual-basic": "vb bas",
    "xslt": "xslt xsl",
    "yacc": "y yy",
    "yaml": "yaml yml",
    "zig": "zig",
}
_WHOLE_NAMES = {
    "makefile": "makefile",
    "gnumakefile": "makefile",
    "dockerfile": "dockerfile",
    "cmakelists.txt": "cmake",
}
_LANGUAGES_OF: dict[str, frozenset[str]] = {
    f".{extension}": frozenset(
        language for language, row in EXTENSIONS.items() if extension in row.split()
    )
    for row in EXTENSIONS.values()
    for extension in row.split()
}


def extension_of(path: str) -> str:
    """The lower-case extension with its dot, or the whole name of a file like `Makefile`."""
    name = path.replace("\\", "/").rsplit("/", 1)[-1].lower()
    return name if name in _WHOLE_NAMES else PurePosixPath(name).suffix


def languages_of(path: str) -> frozenset[str]:
    """The languages that a file of this name can hold; none for an extension of no language."""
    extension = extension_of(path)
    if extension in _WHOLE_NAMES:
        return frozenset({_WHOLE_NAMES[extension]})
    return _LANGUAGES_OF.get(extension, frozenset())


def check_language(file: SourceFile) -> SourceFile | Drop:
    """The file, or a drop where its extension is of no language, or of another than its own."""
    if file.kind != "file":
        return file
    known = languages_of(file.origin.path)
    if not known:
        return Drop("unknown extension", extension_of(file.origin.path))
    if file.language not in known:
        return Drop("extension of another language", f"{file.language}: {file.origin.path[-40:]}")
    return file
