"""Add what the failed criteria ask for to the prompt. No model is involved."""

from ratchet.evaluators import derived_requirements
from ratchet.prompting.changes import with_requirements
from ratchet.proposers.proposer import Situation
from ratchet.records import Candidate


class Requirements:
    """One candidate: the prompt with one sentence per failed criterion."""

    name = "requirements"

    async def propose(self, situation: Situation) -> list[Candidate]:
        """The prompt with the requirements that it does not state yet."""
        prompt = with_requirements(situation.prompt, derived_requirements(situation.bench.task, situation.failed))
        if prompt == situation.prompt:
            return []
        return [Candidate(strategy=self.name, rationale="states what the failed criteria ask for", prompt=prompt)]
