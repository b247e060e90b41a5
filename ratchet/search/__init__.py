"""Search: the race among candidates, and the rounds that start from its winner."""

from ratchet.search.entry import Entry
from ratchet.search.policy import RacePolicy, race_policy
from ratchet.search.race import RaceResult, race
from ratchet.search.rounds import SearchResult, search
from ratchet.search.trials import RaceTrials

__all__ = ["Entry", "RacePolicy", "RaceResult", "RaceTrials", "SearchResult", "race", "race_policy", "search"]
