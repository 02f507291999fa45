"""A process that answers one question after the other, from its standard input to its output.

It ends with its input: whatever happens to the service, no worker stays behind. Ctrl-C and the
signals of a service manager reach the whole group of processes; only the service follows them, so
that answers under way are still given.
"""

from __future__ import annotations

import json
import os
import signal
import struct
import sys
from dataclasses import asdict
from typing import BinaryIO

from attribution.config import ServiceConfig
from attribution.service.answers import Answer, Answerer
from attribution.service.place import Place, as_argument, of_argument

QUESTION_HEAD = struct.Struct(">BI")  # bytes in the question's name and in its body
ANSWER_HEAD = struct.Struct(">HI")  # the status, bytes in the body


def command(place: Place, config: ServiceConfig) -> list[str]:
    """What starts a worker; -P: no module is imported from the folder that it is started in."""
    settings = json.dumps(asdict(config))
    return [sys.executable, "-P", "-m", "attribution.service.worker", as_argument(place), settings]


def question_frame(name: str, body: bytes) -> bytes:
    """A question as a worker reads it."""
    encoded = name.encode("ascii")
    return QUESTION_HEAD.pack(len(encoded), len(body)) + encoded + body


def answer_frame(answer: Answer) -> bytes:
    """An answer as the service reads it."""
    return ANSWER_HEAD.pack(answer.status, len(answer.body)) + answer.body


def run(answerer: Answerer, questions: BinaryIO, answers: BinaryIO) -> None:
    """Answer until the questions end."""
    while len(head := questions.read(QUESTION_HEAD.size)) == QUESTION_HEAD.size:
        n_name, n_body = QUESTION_HEAD.unpack(head)
        name, body = questions.read(n_name), questions.read(n_body)
        if len(body) < n_body:
            return  # the service died while it asked
        answer = answerer.answer(name.decode("ascii", "replace"), body)
        answers.write(answer_frame(answer))
        answers.flush()


def main(place: str, settings: str) -> None:
    """Run as a process; what libraries print must not get between the answers."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    answerer = Answerer(of_argument(place), ServiceConfig(**json.loads(settings)))
    try:
        run(answerer, sys.stdin.buffer, answers)
    except BrokenPipeError:
        os._exit(0)  # nobody is there to read; nor is anything left to flush
    answerer.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
