"""Training of the StarCoder-type decoder and of StarEncoder on the index's own shards.

Nothing is trained yet: the model that completions come from is fetched (`starcite model fetch`),
so attribution says `indexed` and never `trained_on`.
"""

__all__: list[str] = []
