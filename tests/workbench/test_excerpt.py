from workbench.excerpt import function_lines

TEXT = '''import os


@cached
def wanted(a):
    """Say."""
    return a


class Other:
    def hidden(self): ...
'''


def test_a_function_is_found_by_its_lines() -> None:
    """Lines are 0-based and half-open, and begin at `def`, below the decorators."""
    assert function_lines(TEXT, "wanted") == (4, 7)


def test_only_functions_of_the_module_count() -> None:
    """A method or an unknown name is no function of the module."""
    assert function_lines(TEXT, "hidden") is None
    assert function_lines(TEXT, "absent") is None
