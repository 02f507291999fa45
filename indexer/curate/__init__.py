"""From the files of a corpus to the records that an index and a model are made from."""

from indexer.curate.pipeline import Drop, Dropped, Stage, Step, curate

__all__ = ["Drop", "Dropped", "Stage", "Step", "curate"]
