"""Search: the race among candidates, and the rounds that start from its winner."""

from ratchet.search.policy import RacePolicy
from ratchet.search.race import RaceResult, race
from ratchet.search.rounds import SearchResult, search
from ratchet.search.trials import RaceTrials

__all__ = ["RacePolicy", "RaceResult", "RaceTrials", "SearchResult", "race", "search"]
