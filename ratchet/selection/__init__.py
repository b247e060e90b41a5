"""Selection: the race among candidates, and the proof on held-out cases."""

from ratchet.selection.prove import prove
from ratchet.selection.race import RaceResult, race

__all__ = ["RaceResult", "prove", "race"]
