from typing import Any

import pytest
from chat_server import completion
from shop import FailRuns, OpenEngine, Project, item_of, shop_items

from ratchet.engine import Engine
from ratchet.errors import ModelUnavailableError, TriageError
from ratchet.llm import Fault
from ratchet.proposers import Situation
from ratchet.proposers.rewrite import Rewrite
from ratchet.records import Diagnosis, FailureBundle
from ratchet.triage import diagnose_failures

pytestmark = pytest.mark.anyio
NOTHING_TO_TRY = """
description = "Says where things are kept"
components = ["shop"]

[[criteria]]
name = "correct"
kind = "python"
use = "{}"
required = true
"""


def needs_new_words(messages: Any, request: Any) -> str:
    """Knows the answer and says it only where the instructions name the shelf's label."""
    return f"bin{item_of(messages)}x" if "label" in messages[0]["content"] else "I do not know"


async def failures_of(engine: Engine, fail_runs: FailRuns, count: int = 3) -> list[FailureBundle]:
    return list(await fail_runs(engine, *range(0, 2 * count, 2)))


async def diagnose(engine: Engine, failures: list[FailureBundle]) -> Diagnosis:
    return await diagnose_failures(engine, await engine.workbench("shop"), failures)


async def test_author_is_asked_before_a_model_is_called_unable(
    project: Project, engine: Engine, fail_runs: FailRuns
) -> None:
    project.script("agent", needs_new_words)
    author = project.script("optimizer", "Answer with the label on the shelf.")
    found = await diagnose(engine, await failures_of(engine, fail_runs))
    assert (found.category, found.explanation) == (
        "prompt",
        "3 of 3 failed runs pass with rewrite; 0 when just repeated",
    )
    assert [(row.passed, row.total) for row in found.evidence if row.treatment == "rewrite"] == [(3, 3)]
    assert len(author.calls) == 1


async def test_words_that_helped_become_a_candidate_and_are_paid_for_once(
    project: Project, engine: Engine, fail_runs: FailRuns
) -> None:
    project.script("agent", needs_new_words)
    author = project.script("optimizer", lambda messages, request: f"Say the label. {len(author.calls)}")
    failures = await failures_of(engine, fail_runs)
    found = await diagnose(engine, failures)
    bundles = await engine.store.failures.bundles(found.failures)
    situation = Situation(engine, await engine.workbench("shop"), "shop", found, bundles)
    (candidate,) = await Rewrite().propose(situation)
    assert (candidate.prompt.prompt, len(author.calls)) == ("Say the label. 1", 1)


@pytest.mark.parametrize("words", ["Be kind.", "Think twice before you answer.", ""])
async def test_unable_is_said_after_the_author_was_asked(
    project: Project, engine: Engine, fail_runs: FailRuns, words: str
) -> None:
    project.script("agent", "I do not know")
    author = project.script("optimizer", words)
    found = await diagnose(engine, await failures_of(engine, fail_runs))
    assert found.category == "capability"
    assert "optimizer model" in found.explanation
    assert found.explanation.endswith("of 3 failed runs pass; the model seems unable to do it")
    assert (len(author.calls), "rewrite" in {row.treatment for row in found.evidence}) == (1, bool(words))


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Fault(400), "request refused"),
        (Fault(200, body=completion("Answer with", "length")), "cut off at max_tokens.*RATCHET_OPTIMIZER_MAX_TOKENS"),
        (Fault(200, body=completion(None, refusal="No.")), "the model refused to answer"),
        ("I'm sorry, but I can't help with that.", "the model declined"),
        (Fault(200, body="<html>"), "unusable reply"),
    ],
)
async def test_unable_is_never_said_where_the_author_could_not_be_asked(
    project: Project, engine: Engine, fail_runs: FailRuns, reply: Any, told: str
) -> None:
    project.script("agent", "I do not know")
    project.script("optimizer", reply)
    with pytest.raises(TriageError, match=f"no other wording could be had: optimizer model .*{told}"):
        await diagnose(engine, await failures_of(engine, fail_runs))


async def test_author_that_is_down_is_waited_for(project: Project, engine: Engine, fail_runs: FailRuns) -> None:
    project.script("agent", "I do not know")
    project.script("optimizer", Fault(503))
    with pytest.raises(ModelUnavailableError, match="optimizer model"):
        await diagnose(engine, await failures_of(engine, fail_runs))


async def test_words_that_the_guards_refuse_are_not_tried(
    project: Project, engine: Engine, fail_runs: FailRuns
) -> None:
    project.write_prompts({"shop": {"prompt": "Answer the question.", "locked": ["Answer the question."]}})
    agent = project.script("agent", "I do not know")
    project.script("optimizer", "Say the label.")
    found = await diagnose(engine, await failures_of(engine, fail_runs))
    assert found.category == "capability"
    assert "label" not in agent.seen


@pytest.mark.parametrize(("words", "category"), [("Say the label.", "prompt"), ("Be kind.", "capability")])
async def test_author_is_asked_where_nothing_else_can_be_tried(
    project: Project, open_engine: OpenEngine, fail_runs: FailRuns, words: str, category: str
) -> None:
    engine = await nothing_to_try(project, open_engine)
    project.script("optimizer", words)
    assert (await diagnose(engine, await failures_of(engine, fail_runs))).category == category


async def test_unable_is_never_said_where_nothing_was_tried(
    project: Project, open_engine: OpenEngine, fail_runs: FailRuns
) -> None:
    engine = await nothing_to_try(project, open_engine)
    with pytest.raises(TriageError, match="nothing could be tried: task shop has no requirement in words, no context"):
        await diagnose(engine, await failures_of(engine, fail_runs))


async def nothing_to_try(project: Project, open_engine: OpenEngine) -> Engine:
    """A task that says of its criterion only that it was not met; no case of it is solved."""

    def correct(inputs: str, outputs: str, reference_outputs: str | None) -> bool:
        return outputs.startswith("bin")

    cases = [{**case, "expected": None} for case in shop_items()]
    project.write_task(toml=NOTHING_TO_TRY.format(project.add("correct", correct)), cases=cases)
    project.script("agent", needs_new_words)
    engine: Engine = await open_engine()
    return engine
