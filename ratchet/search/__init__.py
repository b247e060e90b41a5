"""Search: the race among candidates, and the rounds that start from its winner."""

from ratchet.search.race import Course, RaceResult, race
from ratchet.search.rounds import SearchResult, search

__all__ = ["Course", "RaceResult", "SearchResult", "race", "search"]
