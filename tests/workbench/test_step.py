import sys

import pytest
from workbench.step import StepFailedError, run_step


def test_a_step_that_ends_well_says_how_long_it_took(capsys: pytest.CaptureFixture[str]) -> None:
    """Two lines of progress: the step's beginning and its end; its output goes to the log."""
    run_step("unit test step", [sys.executable, "-c", "print('noise')"])
    lines = capsys.readouterr().out.splitlines()

    assert len(lines) == 2
    assert lines[0].endswith("unit test step ...")
    assert "unit test step: done in " in lines[1]


def test_a_failed_step_gives_its_reason_and_its_log() -> None:
    """One line names the step, what the command said last of an error, and the log to read."""
    say = "import sys; sys.exit('ERROR: disk on fire')"
    with pytest.raises(StepFailedError) as caught:
        run_step("unit test step", [sys.executable, "-c", say])

    assert str(caught.value) == (
        "unit test step failed: ERROR: disk on fire "
        "Next: read .artifacts/logs/unit-test-step.log, then run the same command again."
    )


def test_a_step_without_network_says_so() -> None:
    """What pip and npm write when they reach no registry becomes one plain sentence."""
    say = "import sys; sys.exit('Temporary failure in name resolution')"
    with pytest.raises(StepFailedError, match="the network or the package registry cannot be"):
        run_step("unit test step", [sys.executable, "-c", say])


def test_a_program_that_is_missing_is_a_failed_step() -> None:
    """A command that cannot be started fails like one that was, with the next step."""
    with pytest.raises(StepFailedError, match=r"no-such-program.*Next: run make setup"):
        run_step("unit test step", ["no-such-program"])
