"""The code encoder (BERT style, after the StarCoder paper's StarEncoder); the leaf of the house.

Nothing is served from here yet: the index has no dense view and says so in its manifest.
"""

__all__: list[str] = []
