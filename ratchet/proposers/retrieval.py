"""Repair the context: fetch from a source before the model is called. Source by depth."""

from ratchet.prompting.changes import with_source
from ratchet.proposers.proposer import Situation
from ratchet.records import Candidate


class Retrieval:
    """One candidate per source and depth; the source that held what was missing comes first."""

    name = "retrieval"

    def __init__(self, depths: tuple[int, ...] = (1, 2, 4), most: int = 5) -> None:
        self._depths = depths
        self._most = most

    async def propose(self, situation: Situation) -> list[Candidate]:
        """The prompt with a retrieval step, for each source and depth."""
        names = sorted(situation.bench.sources, key=lambda name: name != situation.diagnosis.source)
        prompts = [
            (name, depth, with_source(situation.prompt, name, depth)) for name in names for depth in self._depths
        ]
        return [
            Candidate(strategy=self.name, rationale=f"fetches the best {depth} from {name!r}", prompt=prompt)
            for name, depth, prompt in prompts
            if prompt != situation.prompt
        ][: self._most]
