from typing import Any

import pytest
from shop import TASK, Project, shop_items

from ratchet.engine import Engine
from ratchet.errors import BudgetError, ConfigurationError
from ratchet.proposers import Proposer, Situation, own_proposers, propose
from ratchet.records import Candidate

pytestmark = pytest.mark.anyio


class Terse:
    """A proposer as a user writes one; counts how often it is asked."""

    name = "terse"

    def __init__(self) -> None:
        self.asked = 0

    async def propose(self, situation: Situation) -> list[Candidate]:
        self.asked += 1
        text = f"{situation.prompt.prompt} Be terse."
        prompt = situation.prompt.model_copy(update={"prompt": text})
        return [Candidate(strategy=self.name, rationale="is terse", prompt=prompt)]


@pytest.fixture
def load(project: Project, engine: Engine) -> Any:
    """The task's proposers, after these objects were named in its file."""

    async def make(*objects: object) -> list[Proposer]:
        names = [project.add(f"object_{number}", value) for number, value in enumerate(objects)]
        project.write_task(toml=f"{TASK}\n[proposers]\nuse = {names}\n".replace("'", '"'), cases=shop_items())
        return list(await own_proposers((await engine.workbench("shop")).task))

    return make


async def test_task_without_proposers_of_its_own_has_none(engine: Engine) -> None:
    assert await own_proposers((await engine.workbench("shop")).task) == []


async def test_class_is_made_anew_and_an_instance_used_as_it_is(load: Any, situation: Any) -> None:
    made = await situation()
    shared = Terse()
    for _ in range(2):
        proposers = await load(Terse, shared)
        assert [proposer.name for proposer in proposers] == ["terse", "terse"]
        proposed = await propose(proposers, made)
        assert [candidate.prompt.prompt for candidate in proposed.candidates] == ["Answer the question. Be terse."]
    assert shared.asked == 2


class Nameless:
    async def propose(self, situation: Situation) -> list[Candidate]:
        return []


class Blocking:
    name = "blocking"

    def propose(self, situation: Situation) -> list[Candidate]:
        return []


class Greedy:
    name = "greedy"

    async def propose(self, situation: Situation, engine: Engine) -> list[Candidate]:
        return []


class Wanting:
    name = "wanting"

    def __init__(self, calls: int) -> None:
        """Cannot be made without arguments."""


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (Nameless, r"is no proposer: it needs a `name`, a string \(got None\)"),
        (Blocking, r"is no proposer: it needs a method `async def propose\(self, situation\)`"),
        (Greedy, r"is no proposer: `propose` has to take the situation and nothing else \(missing a required"),
        (Wanting, r"cannot be made without arguments \(TypeError: .*'calls'\); name an instance"),
        ("a text", r"is no proposer: it needs a `name`, a string \(got None\)"),
    ],
)
async def test_object_that_is_no_proposer_is_refused(load: Any, wrong: object, why: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^task shop: proposers\.use: '\w+:object_1' " + why):
        await load(Terse, wrong)


async def test_proposer_that_is_not_there_is_refused(project: Project, engine: Engine) -> None:
    project.write_task(toml=TASK + '\n[proposers]\nuse = ["nowhere:Name"]\n', cases=shop_items())
    with pytest.raises(ConfigurationError, match=r"task shop: proposers\.use: 'nowhere:Name' cannot be imported"):
        await own_proposers((await engine.workbench("shop")).task)


class Answering:
    """Returns, or raises, what it was made with."""

    name = "answering"

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    async def propose(self, situation: Situation) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
        (None, "None is no list of Candidate"),
        (["Be terse."], "['Be terse.'] is no list of Candidate"),
    ],
)
async def test_what_goes_wrong_in_a_proposer_costs_its_candidates_only(
    load: Any, situation: Any, caplog: pytest.LogCaptureFixture, answer: Any, told: str
) -> None:
    proposers = await load(Answering(answer), Terse)
    proposed = await propose(proposers, await situation())
    assert [candidate.strategy for candidate in proposed.candidates] == ["terse"]
    assert [record.getMessage() for record in caplog.records if "gave no candidate" in record.getMessage()] == [
        f"proposer scripts_of_this_test:object_0 gave no candidate: {told}"
    ]


async def test_budget_that_ends_in_a_proposer_is_raised(load: Any, situation: Any) -> None:
    (proposer,) = await load(Answering(BudgetError("used up")))
    with pytest.raises(BudgetError, match="used up"):
        await propose([proposer], await situation())
