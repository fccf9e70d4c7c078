"""Items through streams, with idle clocks and back-pressure."""

__all__ = ["Sink", "Source"]


class Source:
    """Offers items to a stream of a component; what is offered stays until it is taken.

    ``chance`` is that of an offer in a clock without one.
    """

    def __init__(self, bench, name, items, *, rng, chance=1.0):
        self.bench = bench
        self.name = name
        self.items = list(items)
        self.rng = rng
        self.chance = chance
        self.taken = []
        self.offers = False

    def drive(self):
        """Before the outputs of a clock are read."""
        if not self.offers and self.items and self.rng.random() < self.chance:
            self.offers = True
            self.bench.set(**{f"{self.name}.payload": self.items[0]})
        self.bench.set(**{f"{self.name}.valid": self.offers})

    def observe(self, clock):
        """At the end of a clock. Returns the item that was taken in it, or None."""
        if not self.offers or not self.bench.get(f"{self.name}.ready"):
            return None
        self.offers = False
        self.taken.append(clock)
        return self.items.pop(0)


class Sink:
    """Takes items from a stream of a component, which must not change while they wait."""

    def __init__(self, bench, name, *, rng, chance=1.0):
        self.bench = bench
        self.name = name
        self.rng = rng
        self.chance = chance
        self.clocks = []
        self.items = []
        self.ready = False
        self.waits = None

    def drive(self):
        """Before the outputs of a clock are read."""
        self.ready = self.rng.random() < self.chance
        self.bench.set(**{f"{self.name}.ready": self.ready})

    def observe(self, clock):
        """At the end of a clock. Returns the item that was taken in it, or None."""
        shown = None
        if self.bench.get(f"{self.name}.valid"):
            shown = self.bench.get(f"{self.name}.payload")
        assert self.waits is None or shown == self.waits
        self.waits = None if self.ready else shown
        if shown is None or not self.ready:
            return None
        self.clocks.append(clock)
        self.items.append(shown)
        return shown
