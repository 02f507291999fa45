"""Curation on many machines: the steps of `indexer.curate` as pipeline blocks of datatrove.

Needs the extras `corpus` and `cluster` on all machines, and a file system that all of them see.
From Python:

    from functools import partial
    from pathlib import Path

    from indexer.cluster import Executor, Plan, curate_on_cluster
    from my_inputs import read_one  # one function a kind of input, importable on every machine

    inputs = sorted(Path("/data/stack").glob("*.parquet"))
    plan = Plan(
        reads=tuple(partial(read_one, path) for path in inputs),
        work=Path("/data/work"),
        folder=Path("/data/curated"),
        n_tasks=2000,
    )
    curate_on_cluster(plan, Executor(kind="slurm", options={"time": "8:00:00", "partition": "cpu"}))

The phases, each waiting for the one before, each task of which can be repeated:

    filter   n_tasks   read a share of the inputs, run the steps about one file, spool what stays
                       with its digest and its MinHash signature
    same     1         which texts are equal, by digest
    bands    25        one LSH band each: sort the keys, verify candidates, write the edges
    join     1         union the edges of all bands
    elect    n_tasks   choose who stays, of a share of the clusters
    near     1         put together who stands for whom
    write    n_tasks   give what stays its twins' origins, run the steps after de-duplication,
                       write shards
    seal     1         number the shards through, merge the digests, write the manifest

For 3 TB of text in 230 million files (13 kB each, as in the default corpus), by the speeds in
`tests/bench/results/dedup.json`: both stages take 3e12 B / 25 MB per core-second = 33 core-hours,
decontamination (15 MB) 56, redaction (20 MB) 42. The work takes 1.2 kB a file for digests, band
keys and signatures = 285 GB, and 0.3 of the text. A task of `bands` holds 50 B a file = 12 GB;
`same`, which sorts all digests, 100 B = 23 GB; every other task less than `bands`.

The outcome is that of `starcite corpus curate`: the same records and the same corpus digest. Only
where one shard ends and the next begins depends on the number of tasks.
"""

from indexer.cluster.executors import Executor, curate_on_cluster
from indexer.cluster.phases import PHASES, Phase
from indexer.cluster.plan import Plan

__all__ = ["PHASES", "Executor", "Phase", "Plan", "curate_on_cluster"]
