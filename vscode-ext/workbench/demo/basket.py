"""A shopping basket. Type at the end of the file: grey text appears, and Tab takes it."""

from dataclasses import dataclass


@dataclass
class Item:
    """Something on the shelf."""

    name: str
    price_cents: int
    quantity: int = 1

    def total_cents(self) -> int:
        """What this many of them cost."""
        return self.price_cents * self.quantity


def total_cents(items: list[Item]) -> int:
    """What the whole basket costs."""
    return sum(item.total_cents() for item in items)


def cheapest(items: list[Item]) -> Item:
    """The item with the lowest price."""
    return min(items, key=lambda item: item.price_cents)


def most_expensive(items: list[Item]) -> Item:
    """The item with the highest price."""
