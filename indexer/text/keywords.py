"""Words that a language keeps for itself: renaming identifiers leaves them as they are.

From the languages' references. A word that only some languages keep (`end`, `type`, `new`) counts
in those alone; a language without an entry has the words that nearly all of them share.
"""

from __future__ import annotations

_SHARED = "if else for while return break continue class import true false null"
_C = f"""{_SHARED} switch case default do goto struct union enum typedef static const void int long
    short char float double unsigned signed sizeof extern volatile inline"""
_OBJECTS = """try catch finally throw new this super public private protected abstract final
    interface extends implements package instanceof boolean"""
_PYTHON = """False None True and as assert async await break class continue def del elif else except
    finally for from global if import in is lambda nonlocal not or pass raise return try while with
    yield"""
_SCRIPT = f"""{_SHARED} {_OBJECTS} switch case default do var let const function typeof delete in of
    void yield async await export from static undefined"""

_WORDS = {
    "python": _PYTHON,
    "javascript": _SCRIPT,
    "javascriptreact": _SCRIPT,
    "typescript": _SCRIPT,
    "typescriptreact": _SCRIPT,
    "c": _C,
    "cpp": f"{_C} {_OBJECTS} template typename namespace using virtual operator auto nullptr",
    "java": f"{_C} {_OBJECTS} byte throws synchronized",
    "csharp": f"{_C} {_OBJECTS} using namespace var string bool foreach in out ref",
    "kotlin": f"{_SHARED} {_OBJECTS} fun val var when object is in",
    "go": """break case chan const continue default defer else fallthrough for func go goto if
        import interface map package range return select struct switch type var nil true false""",
    "rust": """as break const continue crate else enum extern false fn for if impl in let loop
        match mod move mut pub ref return self static struct super trait true type unsafe use
        where while async await dyn""",
    "ruby": f"{_SHARED} def end do then unless until module begin rescue ensure nil self elsif",
    "php": f"{_SHARED} {_OBJECTS} function echo array foreach as namespace use",
    "shell": "if then else elif fi for while do done case esac in function return local",
    "lua": "and break do else elseif end false for function if in local nil not or repeat return "
    "then true until while",
    "sql": "select from where and or not insert into values update set delete create table join on "
    "group by order having as null",
}


def keywords_of(language: str) -> tuple[bytes, ...]:
    """The words that the language keeps, in ASCII."""
    return tuple(word.encode() for word in sorted(set(_WORDS.get(language, _SHARED).split())))
