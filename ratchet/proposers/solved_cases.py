"""Retrieve the most similar solved cases for each input and show them as chat turns."""

from ratchet.prompting.changes import SIMILAR, with_source
from ratchet.proposers.proposer import Situation
from ratchet.records import Candidate
from ratchet.sources.solved_cases import NAME

LEAST = 4
"""Fewer solved cases than this are not worth a retrieval."""
MOST = 16
"""Solved cases that are fetched at most."""


class SimilarSolvedCases:
    """One candidate: as many as the experiments showed, so that these runs are paid for, or twice as many as today."""

    name = "solved_cases"

    async def propose(self, situation: Situation) -> list[Candidate]:
        """The prompt with a retrieval from the solved cases, where that is more than today's."""
        prompt = situation.prompt
        shown = max((step.top_k for step in prompt.context if step.source == NAME), default=0)
        count = min(MOST, 2 * shown or SIMILAR)
        if len(situation.bench.solved) < LEAST or count <= shown:
            return []
        rationale = f"shows the {count} most similar solved cases of each input"
        return [Candidate(strategy=self.name, rationale=rationale, prompt=with_source(prompt, NAME, count))]
