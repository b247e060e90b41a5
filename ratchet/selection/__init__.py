"""Selection: the race among candidates, the rounds of a search, and the proof on held-out cases."""

from ratchet.selection.prove import prove
from ratchet.selection.race import Course, RaceResult, race
from ratchet.selection.rounds import SearchResult, search

__all__ = ["Course", "RaceResult", "SearchResult", "prove", "race", "search"]
