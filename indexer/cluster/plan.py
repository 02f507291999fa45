"""What is to be curated on a cluster, and in how many tasks."""

from __future__ import annotations

import hashlib
import json
import pickle
from dataclasses import dataclass, field
from pathlib import Path

from indexer.curate.config import CurateConfig
from indexer.curate.errors import CurateError
from indexer.curate.exact import NAME as EXACT
from indexer.curate.journal import Read
from indexer.curate.near_dedup import NAME as NEAR
from indexer.curate.pipeline import Stage, Step
from indexer.curate.steps import MakeSteps, make_steps
from indexer.writing import built_by

_FILE_BY_FILE = ("opt-out",)  # stages that look at one file at a time, so that any part will do


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What is to be curated, where to, and in how many tasks; everything in it is picklable."""

    reads: tuple[Read, ...]  # one for each input; a task takes a run of neighbours
    work: Path  # a folder that all machines see; removed by nobody
    folder: Path  # where the shards go
    n_tasks: int = 1
    config: CurateConfig = field(default_factory=CurateConfig)
    make_steps: MakeSteps = make_steps

    def part(self, number: int) -> Path:
        """The folder of the files that one task of `filter` has kept."""
        return self.work / f"part-{number:05}"

    def parts(self) -> list[Path]:
        """The folders of all parts, in order."""
        return [self.part(number) for number in range(self.n_tasks)]

    def key(self) -> str:
        """Equal for plans whose tasks give the same; a folder of work belongs to one key."""
        names = [step.name for step in self.make_steps(self.config, self.work / "scratch")]
        said = json.dumps([built_by(), self.config.digest(), names, self.n_tasks])
        return hashlib.sha256(said.encode() + pickle.dumps(self.reads)).hexdigest()

    def steps(self) -> tuple[list[Step | Stage], list[Step | Stage]]:
        """What runs before de-duplication and what after it.

        Raises:
            CurateError: there is another stage that needs the whole corpus, and no phase for it.
        """
        steps = self.make_steps(self.config, self.work / "scratch")
        stages = [step.name for step in steps if isinstance(step, Stage)]
        names = [step.name for step in steps]
        whole = [name for name in stages if name not in _FILE_BY_FILE]
        if whole != [EXACT, NEAR] or names.index(NEAR) != names.index(EXACT) + 1:
            raise CurateError(
                f"on a cluster the stages are {EXACT}, {NEAR}, without a step between them, "
                f"not {', '.join(whole) or 'none'}; curate on one machine"
            )
        place = names.index(EXACT)
        return list(steps[:place]), list(steps[place + 2 :])
