"""Retrieve the most similar solved cases for each input and show them as chat turns."""

from ratchet.proposers.proposer import Situation
from ratchet.records import Candidate
from ratchet.sources.solved_cases import NAME
from ratchet.triage.treatments import with_source

LEAST = 4
"""Fewer solved cases than this are not worth a retrieval."""


class SimilarSolvedCases:
    """One candidate per depth."""

    name = "solved_cases"

    def __init__(self, depths: tuple[int, ...] = (2, 6)) -> None:
        self._depths = depths

    async def propose(self, situation: Situation) -> list[Candidate]:
        """The prompt with a retrieval from the solved cases, at each depth that differs from today's."""
        if len(situation.bench.solved) < LEAST:
            return []
        prompts = [(depth, with_source(situation.prompt, NAME, depth)) for depth in self._depths]
        return [
            Candidate(
                strategy=self.name,
                rationale=f"shows the {depth} most similar solved cases of each input",
                prompt=prompt,
            )
            for depth, prompt in prompts
            if prompt != situation.prompt
        ]
