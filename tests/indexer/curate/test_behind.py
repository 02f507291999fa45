"""What is done in a second thread is done in order, whole, and fails aloud."""

from __future__ import annotations

import threading

import pytest

from indexer.curate.behind import Behind


def test_calls_are_made_in_order_in_another_thread() -> None:
    """All calls are made, in order, by the time that it is left, and not by the caller's thread."""
    made: list[int] = []
    threads = set()

    def call(number: int) -> None:
        made.append(number)
        threads.add(threading.get_ident())

    with Behind() as behind:
        for number in range(200):
            behind.do(call, number)

    assert made == list(range(200))
    assert len(threads) == 1
    assert threading.get_ident() not in threads


@pytest.mark.parametrize("n_calls", [1, 100])
def test_what_a_call_raises_is_raised(n_calls: int) -> None:
    """An error in the thread ends the caller, whether it goes on or is done."""

    def fail() -> None:
        raise OSError("the disk is full")

    def ask() -> None:
        with Behind() as behind:
            for _ in range(n_calls):
                behind.do(fail)

    with pytest.raises(OSError, match="the disk is full"):
        ask()


def test_an_error_of_the_caller_ends_it() -> None:
    """Nothing is waited for that has not begun when the caller fails, and no thread stays."""
    before = threading.active_count()
    go_on = threading.Event()
    made: list[int] = []

    def ask() -> None:
        with Behind() as behind:
            behind.do(lambda: go_on.wait() and None)
            for number in range(10):
                behind.do(made.append, number)
            go_on.set()
            raise ValueError("no file")

    with pytest.raises(ValueError, match="no file"):
        ask()
    assert threading.active_count() == before
    assert made == list(range(len(made)))
