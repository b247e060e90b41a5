"""What a task brings to the search for a change: the tables ``[proposers]`` and ``[race]`` of task.toml."""

from ratchet.config.files import StrictModel
from ratchet.config.objects import ObjectPath


class ProposersConfig(StrictModel):
    """Strategies of the task's own, asked beside the built-in ones whatever the cause."""

    use: list[ObjectPath] = []
    """Each a `ratchet.proposers.Proposer`, or a class that makes one without arguments."""


class RaceConfig(StrictModel):
    """How candidates race."""

    use: ObjectPath | None = None
    """A `ratchet.search.RacePolicy`, or a subclass of it; the default one if left out."""
