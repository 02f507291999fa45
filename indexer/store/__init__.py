"""The on-disk structures of a segment: each module holds one structure's writer and reader."""
