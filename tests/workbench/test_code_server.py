import socket

import pytest
from workbench.code_server import HOST, environment, free_port
from workbench.step import StepFailedError


def test_a_port_in_use_is_passed_over() -> None:
    """The port that was asked for is taken if it is free, else a later one."""
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        found = free_port(port)

    assert port < found < port + 50


def test_a_range_of_busy_ports_is_an_error() -> None:
    """With no port left the message names the range and how to choose another one."""
    with pytest.raises(StepFailedError, match=r"ports 70000 to 70049 .* make demo PORT="):
        free_port(70_000)


def test_nothing_inherited_overrules_the_address() -> None:
    """code-server prefers these variables to its own options, even to loopback."""
    inherited = {"PORT": "8766", "CODE_SERVER_HOST": "0.0.0.0", "LANG": "C"}  # noqa: S104

    assert environment(inherited).keys() == {"LANG", "STARCITE_HOME"}
