"""The built-in source ``solved_cases``: the most similar cases whose right answer is known, as chat turns."""

from collections.abc import Sequence

from ratchet.embedding import Embeddings
from ratchet.prompting import Example
from ratchet.sources.ranking import Ranking
from ratchet.tasks import Case
from ratchet.text import normal_form

NAME = "solved_cases"
MOST_ANSWERS = 12
"""Different answers that can all be shown by an example each."""


class SolvedCases:
    """Training cases that have an expected output. Held-out cases never get in here."""

    def __init__(self, cases: Sequence[Case], embeddings: Embeddings | None = None) -> None:
        self._examples = [
            Example(input=case.input, output=solution)
            for case in cases
            if case.split == "train" and (solution := case.solution()) is not None
        ]
        self._forms = [normal_form(example.input) for example in self._examples]
        self._index = Ranking(NAME, [example.input for example in self._examples], embeddings)

    def __len__(self) -> int:
        return len(self._examples)

    async def similar(self, query: str, top_k: int, exclude: str | None = None) -> list[Example]:
        """At most `top_k` examples, most similar last (next to the input); those for the input `exclude` are left out,
        so that a training case never sees its own answer."""
        own = normal_form(exclude or "")
        places = [place for place, _ in await self._index.best(query, top_k + self._forms.count(own))]
        kept = [self._examples[place] for place in places if self._forms[place] != own]
        return kept[:top_k][::-1]

    def of_each_answer(self, exclude: str | None = None) -> list[Example]:
        """One solved case of each answer, in file order, none of them for the input `exclude`; nothing where answers
        hardly repeat or are too many to show them all."""
        answers = {example.output for example in self._examples}
        if len(answers) > min(MOST_ANSWERS, len(self._examples) // 2):
            return []
        chosen: dict[str, Example] = {}
        own = normal_form(exclude or "")
        for example, form in zip(self._examples, self._forms, strict=True):
            if form != own:
                chosen.setdefault(example.output, example)
        return list(chosen.values())

    def all(self) -> list[Example]:
        """Every solved case, in file order."""
        return list(self._examples)
