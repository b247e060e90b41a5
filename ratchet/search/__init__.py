"""Search: the race among candidates, and the rounds that start from its winner."""

from ratchet.search.race import RaceResult, RaceTrials, race
from ratchet.search.rounds import SearchResult, search

__all__ = ["RaceTrials", "RaceResult", "SearchResult", "race", "search"]
