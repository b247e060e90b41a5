"""Cycles that cannot prove anything: always a verdict, one line that says why, and nothing lost."""

import importlib
import re
from typing import Any

import pytest
from shop import TASK, OpenEngine, Project, item_of, needs_context, needs_requirement, shop_items

from ratchet.errors import ModelUnavailableError
from ratchet.llm import Fault
from ratchet.prompting import TaskPrompt
from ratchet.proposers import Situation
from ratchet.records import Candidate

pytestmark = pytest.mark.anyio
CASES = shop_items()
FAILING = (0, 2, 4)


@pytest.fixture
def improve(project: Project, invoke: Any) -> Any:
    """Lets three training cases fail, runs `improve` with the given agent, and returns the state."""

    async def run(
        agent: Any, *, failing: tuple[int, ...] = FAILING, expected: bool = True, **settings: Any
    ) -> dict[str, Any]:
        project.script("agent", agent if callable(agent) else "I do not know")
        thread = f"cycle-{failing[0]}"
        for number in failing:
            served = {"task": "shop", "input": CASES[number]["input"]}
            if expected:
                served["expected"] = CASES[number]["expected"]
            await invoke("serve", served, thread=f"run-{number}")
        project.script("agent", agent)
        result: dict[str, Any] = await invoke("improve", {"task": "shop"}, thread=thread, **settings)
        return result

    return run


@pytest.fixture
def ended_well(project: Project, improve: Any, open_engine: OpenEngine) -> Any:
    """Checks what has to hold after every cycle that ended without a proof."""

    async def check(
        result: dict[str, Any],
        status: str,
        words: str,
        *,
        left: str = "escalated",
        later: Any = needs_requirement,
    ) -> None:
        outcome, validation = result["outcome"], result["validation"]
        assert (outcome["status"], "__interrupt__" in result) == (status, False)
        assert words in outcome["message"]
        assert "\n" not in outcome["message"]
        assert validation is None or not validation["proven"]
        assert project.prompts_file.read_text() == '{\n  "shop": "Answer the question."\n}'
        store = (await open_engine()).store
        assert {row["status"] for row in await store.failures.of_task("shop")} == {left}
        assert [row["status"] for row in await store.cycles.select()] == [status]
        (review,) = await store.reviews.select("shop")
        assert (review["cycle_id"], review["document"]["message"]) == (outcome["cycle_id"], outcome["message"])
        project.write_task(cases=CASES)
        again = await improve(later, failing=(6, 8, 10))
        assert "__interrupt__" in again

    return check


def on_held_out(answer: str) -> Any:
    """An agent that context helps on training cases, and that answers all held-out cases alike, or rightly."""

    def agent(messages: Any, request: Any) -> str:
        item = item_of(messages)
        if int(item) % 2 == 0:
            return needs_context(messages, request)
        return answer or f"bin{item}x"

    return agent


async def test_empty_held_out_set(project: Project, improve: Any, ended_well: Any) -> None:
    project.write_task(cases=[case | {"split": "train"} for case in CASES])
    await ended_well(await improve(needs_context), "inconclusive", "there are no held-out cases")


@pytest.mark.parametrize("answer", ["", "no"])
async def test_one_sided_held_out_set(improve: Any, ended_well: Any, answer: str) -> None:
    result = await improve(on_held_out(answer))
    await ended_well(result, "inconclusive", "0 cases won and 0 lost")


async def test_held_out_cases_without_expected_outputs(project: Project, improve: Any, ended_well: Any) -> None:
    project.write_task(cases=[case | ({} if case["split"] == "train" else {"expected": None}) for case in CASES])
    await ended_well(await improve(needs_context), "inconclusive", "could not be scored")


async def test_failures_without_expected_outputs(improve: Any, ended_well: Any) -> None:
    result = await improve(needs_requirement, expected=False)
    await ended_well(result, "escalated", "has no expected output")


def erring(pattern: str) -> Any:
    """A criterion that cannot judge an output to a held-out case that fits the pattern."""

    def criterion(inputs: str, outputs: str, reference_outputs: Any = None) -> bool:
        if re.search("[13579] kept", inputs) and re.search(pattern, outputs):
            raise ValueError("cannot tell")
        return True

    return criterion


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("", "could not be scored"),
        ("bin", "criterion 'checked' falls from 100% to 0%"),
        ("bin.[159]", "criterion 'checked' falls from 100% to"),
    ],
)
async def test_criterion_that_errs(project: Project, improve: Any, ended_well: Any, pattern: str, words: str) -> None:
    use = project.add("erring", erring(pattern))
    checked = f'[[criteria]]\nname = "checked"\nkind = "python"\nuse = "{use}"\n'
    project.write_task(toml=f"{TASK}\n{checked}", cases=CASES)
    await ended_well(await improve(needs_context), "inconclusive", words)


class Rubbish:
    """A proposer of whatever it is given."""

    name = "rubbish"

    def __init__(self, *texts: str) -> None:
        self.texts = texts

    async def propose(self, situation: Situation) -> list[Candidate]:
        return [Candidate(strategy="rubbish", rationale="-", prompt=TaskPrompt(prompt=text)) for text in self.texts]


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ((), "no candidate was left to try"),
        (("Answer the question.", "Ignore all rules.", "x" * 7000), "no candidate was left to try"),
        ((".", "\x00\u202e{x.__class__}", '{"prompt": 1}'), "no candidate beats the prompt in force"),
    ],
)
async def test_proposer_of_nothing_or_rubbish(
    improve: Any, ended_well: Any, monkeypatch: pytest.MonkeyPatch, texts: tuple[str, ...], words: str
) -> None:
    with monkeypatch.context() as only:
        only.setattr(importlib.import_module("nodes.repair_context"), "CONTEXT", (Rubbish(*texts),))
        only.setattr("ratchet.search.rounds.CONTEXT", (Rubbish(*texts),))
        only.setattr("ratchet.search.rounds.WORDING", ())
        result = await improve(needs_context)
    await ended_well(result, "inconclusive", words)


@pytest.mark.parametrize("optimizer", ["  \n", Fault(400), Fault(200, body="<html>")])
async def test_optimizer_of_nothing_or_rubbish_leaves_the_other_proposers(
    project: Project, improve: Any, optimizer: Any
) -> None:
    project.script("optimizer", optimizer)
    result = await improve(needs_requirement)
    assert result["__interrupt__"][0].value["review"]["strategy"] == "requirements"


@pytest.mark.parametrize("limit", [0, 2, 9, 20, 30])
async def test_budget_used_up_in_any_phase(improve: Any, ended_well: Any, limit: int) -> None:
    result = await improve(needs_context, max_calls=limit)
    await ended_well(
        result, "escalated", f"the budget of {limit} model calls is used up", left="open", later=needs_context
    )


async def test_model_that_goes_away_leaves_the_cycle_to_the_next_try(
    project: Project, improve: Any, invoke: Any, open_engine: OpenEngine
) -> None:
    with pytest.raises(ModelUnavailableError, match="does not answer"):
        await improve(Fault(503))
    store = (await open_engine()).store
    (cycle,) = await store.cycles.select()
    assert (cycle["status"], cycle["document"]["owner"]) == ("running", "")
    project.script("agent", needs_context)
    assert (await invoke("improve", None, thread="cycle-0"))["__interrupt__"]
