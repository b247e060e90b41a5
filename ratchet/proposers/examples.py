"""Show solved training cases as fixed chat turns, chosen for the failing inputs: similar to them, and diverse."""

from ratchet.counting import quantity
from ratchet.prompting import Example
from ratchet.proposers.guards.quoting import holds_personal
from ratchet.proposers.proposer import Situation
from ratchet.records import Candidate


class Examples:
    """One candidate with `count` fixed examples, the same in every run; where answers are few, one of each at least."""

    name = "examples"

    def __init__(self, count: int = 6) -> None:
        self._count = count

    async def propose(self, situation: Situation) -> list[Candidate]:
        """The prompt with examples chosen from the solved training cases."""
        chosen = await choose(situation, max(self._count, len(situation.bench.solved.of_each_answer())))
        if not chosen:
            return []
        prompt = situation.prompt.model_copy(update={"examples": chosen})
        rationale = f"shows {quantity(len(chosen), 'solved case')} in every run"
        return [Candidate(strategy=self.name, rationale=rationale, prompt=prompt)]


async def choose(situation: Situation, count: int) -> list[Example]:
    """The solved cases nearest to each failing input in turn, with different answers before the same one again;
    those of failing inputs last."""
    solved = situation.bench.solved
    failing = {failure.input for failure in situation.failures}
    ranked: list[Example] = []
    most = count + len(failing)
    nearest = [await solved.similar(failure.input, most, exclude=failure.input) for failure in situation.failures]
    for depth in range(1, most + 1):
        for near in nearest:
            if len(near) >= depth and near[-depth] not in ranked and near[-depth].input not in failing:
                ranked.append(near[-depth])
    rest = [example for example in solved.all() if example not in ranked]
    ranked += sorted(rest, key=lambda example: example.input in failing)
    ranked = [example for example in ranked if not _shows_failed_run(situation, example)]
    chosen: list[Example] = []
    rest = ranked
    while rest and len(chosen) < count:
        answers: set[str] = set()
        later = []
        for example in rest:
            if example.output in answers or len(chosen) == count:
                later.append(example)
            else:
                answers.add(example.output)
                chosen.append(example)
        rest = later
    return chosen


def _shows_failed_run(situation: Situation, example: Example) -> bool:
    """Whether the example holds personal data of a failed run: it may be a curated case, and still be one person's."""
    return holds_personal(situation.failures, [situation.prompt.prompt], [example.input, example.output]) is not None
