"""A phase as a datatrove pipeline block; importing this needs the `cluster` extra."""

from __future__ import annotations

from datatrove.data import DocumentsPipeline
from datatrove.pipeline.base import PipelineStep

from indexer.cluster.phases import PHASES, Phase
from indexer.cluster.plan import Plan


class PhaseBlock(PipelineStep):  # type: ignore[misc]  # datatrove has no types
    """Runs one task of a phase; files are its in- and output, so no documents flow through."""

    type = "starcite"

    def __init__(self, phase: Phase, plan: Plan) -> None:
        self.name = phase.name
        super().__init__()
        self._phase_name = phase.name
        self._plan = plan

    def run(
        self, data: DocumentsPipeline = None, rank: int = 0, world_size: int = 1
    ) -> DocumentsPipeline:
        """Run the task of this rank."""
        # By name: the block travels to other machines, and a function of a plan is not picklable.
        (phase,) = (phase for phase in PHASES if phase.name == self._phase_name)
        with self.track_time():
            phase.run(self._plan, rank)
        return data
