from dataclasses import replace
from typing import Any

import pytest
from shop import TASK, Project, shop_items

from ratchet.errors import BudgetError, ModelReplyError, ModelUnavailableError
from ratchet.llm import Fault, Meter, metered
from ratchet.prompting import ContextStep, Example
from ratchet.prompting.changes import with_source
from ratchet.proposers import CONTEXT, WORDING, Memory, Situation, fingerprint_of, propose
from ratchet.proposers.examples import Examples
from ratchet.proposers.minimal_edit import MinimalEdit
from ratchet.proposers.requirements import Requirements
from ratchet.proposers.retrieval import Retrieval
from ratchet.proposers.rewrite import Rewrite
from ratchet.proposers.solved_cases import SimilarSolvedCases
from ratchet.records import Candidate

pytestmark = pytest.mark.anyio


async def test_requirements_states_what_failed_criteria_ask_for(situation: Any) -> None:
    (candidate,) = await Requirements().propose(await situation())
    assert candidate.prompt.prompt == "Answer the question.\nAnswer in at most 5 words."


async def test_requirements_that_are_stated_already_give_none(project: Project, situation: Any) -> None:
    project.write_prompts({"shop": "Answer the question. Answer in at most 5 words."})
    project.write_task(
        toml=TASK.replace("limit = 5", "limit = 5\nweight = 1.0"), cases=shop_items(), documents={"a.md": "a"}
    )
    made = await situation()
    assert await Requirements().propose(made) == []


@pytest.mark.parametrize(("shown", "proposed"), [(0, [4]), (4, [8]), (12, [16]), (16, [])])
async def test_solved_cases_are_retrieved_as_in_the_experiments_or_twice_as_many(
    situation: Any, shown: int, proposed: list[int]
) -> None:
    made = await situation()
    base = with_source(made.prompt, "solved_cases", shown) if shown else made.prompt
    candidates = await SimilarSolvedCases().propose(replace(made, base=base))
    assert [step.top_k for candidate in candidates for step in candidate.prompt.context] == proposed


async def test_solved_cases_that_are_too_few_give_none(project: Project, situation: Any) -> None:
    project.write_task(cases=shop_items(6), documents={"a.md": "text"})
    made = await situation()
    assert len(made.bench.solved) == 3
    assert await SimilarSolvedCases().propose(made) == []


async def test_examples_are_solved_training_cases_with_different_answers(situation: Any) -> None:
    made = await situation()
    (candidate,) = await Examples(5).propose(made)
    shown = candidate.prompt.examples
    assert len(shown) == len({example.output for example in shown}) == 5
    assert all(example in made.bench.solved.all() for example in shown)


async def test_examples_prefer_different_answers(project: Project, situation: Any) -> None:
    cases = [{"input": f"Where is item{n:02d} kept?", "expected": "no" if n < 9 else "yes", "split": "train"}
             for n in range(10)]  # fmt: skip
    project.write_task(cases=cases, documents={"a.md": "text"})
    (candidate,) = await Examples(2).propose(await situation())
    assert {example.output for example in candidate.prompt.examples} == {"no", "yes"}


async def test_examples_show_each_answer_where_answers_are_few(project: Project, situation: Any) -> None:
    cases = [{"input": f"Where is item{n:02d} kept?", "expected": f"bin{n % 8}", "split": "train"} for n in range(20)]
    project.write_task(cases=cases, documents={"a.md": "text"})
    (candidate,) = await Examples(6).propose(await situation())
    assert {example.output for example in candidate.prompt.examples} == {f"bin{n}" for n in range(8)}


async def test_retrieval_goes_through_sources_and_depths(situation: Any) -> None:
    candidates = await Retrieval().propose(await situation())
    assert [candidate.prompt.context for candidate in candidates] == [
        [ContextStep(source="handbook", top_k=depth)] for depth in (1, 2, 4)
    ]


async def test_retrieval_starts_with_the_source_that_held_the_answer(project: Project, situation: Any) -> None:
    second = '[[context_sources]]\nname = "answers"\nkind = "documents"\npath = "documents"\n'
    project.write_task(toml=TASK + second, cases=shop_items(), documents={"a.md": "text"})
    made = await situation()
    made.diagnosis.source = "handbook"
    names = [candidate.prompt.context[0].source for candidate in await Retrieval().propose(made)]
    assert names == ["handbook"] * 3 + ["answers"] * 2


async def test_rewrite_takes_the_models_text(project: Project, situation: Any) -> None:
    script = project.script("optimizer", "```text\nAnswer shortly.\n```")
    (candidate,) = await Rewrite().propose(await situation(feedback="be kind"))
    assert candidate.prompt.prompt == "Answer shortly."
    assert "too long" in script.seen
    assert "be kind" in script.seen
    assert "Never ask for a password." in script.seen


@pytest.mark.parametrize("proposer", [Rewrite(), MinimalEdit()])
@pytest.mark.parametrize("reply", ["", "  \n ", "```\n\n```", Fault(400), Fault(200, body="<html>")])
async def test_model_that_gives_nothing_gives_no_candidate(
    project: Project, situation: Any, proposer: Any, reply: Any
) -> None:
    project.script("optimizer", reply)
    assert await proposer.propose(await situation()) == []


@pytest.mark.parametrize("proposer", [Rewrite(), MinimalEdit()])
async def test_model_that_is_down_or_too_expensive_is_raised(project: Project, situation: Any, proposer: Any) -> None:
    made = await situation()
    with metered(Meter(limit=0)), pytest.raises(BudgetError):
        await proposer.propose(made)
    project.script("optimizer", Fault(500))
    with pytest.raises(ModelUnavailableError):
        await proposer.propose(made)


async def test_optimizer_sees_no_held_out_case(project: Project, situation: Any) -> None:
    script = project.script("optimizer", "Be brief.")
    await propose((*WORDING, *CONTEXT), await situation())
    assert len(script.calls) == 2
    assert not any(f"item{number:02d} kept" in script.seen for number in range(1, 40, 2))


async def test_propose_takes_a_model_that_does_not_answer_in_form_for_silence(situation: Any) -> None:
    class Broken:
        name = "broken"

        async def propose(self, situation: Situation) -> list[Candidate]:
            raise ModelReplyError("no form")

    proposed = await propose((Broken(), Requirements()), await situation())
    assert [candidate.strategy for candidate in proposed.candidates] == ["requirements"]


async def test_propose_holds_a_further_round_against_the_prompt_in_force_too(situation: Any) -> None:
    class Back:
        name = "back"

        async def propose(self, situation: Situation) -> list[Candidate]:
            return [Candidate(strategy="back", rationale="undoes it", prompt=situation.in_force)]

    made = await situation()
    further = replace(made, base=made.prompt.model_copy(update={"prompt": "Answer."}))
    assert further.prompt.prompt == "Answer."
    proposed = await propose((Back(),), further)
    assert [refused.reason for refused in proposed.refused] == ["is the same as the prompt in force"]


async def test_candidate_that_changes_nothing_is_refused_in_every_round(situation: Any) -> None:
    class Idle:
        name = "idle"

        async def propose(self, situation: Situation) -> list[Candidate]:
            return [Candidate(strategy="idle", rationale="as it is", prompt=situation.prompt)]

    made = await situation()
    further = replace(made, base=made.prompt.model_copy(update={"prompt": "Answer."}))
    for one, reason in (
        (made, "is the same as the prompt in force"),
        (further, "is the same as the best candidate so far, which it was to change"),
    ):
        proposed = await propose((Idle(),), one)
        assert (proposed.candidates, [refused.reason for refused in proposed.refused]) == ([], [reason])


async def test_propose_drops_repetitions(situation: Any) -> None:
    made = await situation()
    proposed = await propose((Requirements(), Requirements()), made)
    assert [candidate.strategy for candidate in proposed.candidates] == ["requirements"]
    assert proposed.refused == []


async def test_propose_does_not_try_a_known_idea_again(situation: Any) -> None:
    made = await situation()
    first = await propose((Requirements(),), made)
    memory = Memory(made.prompt, {fingerprint_of("shop", first.candidates[0]): "no better"})
    again = await propose((Requirements(),), made, memory)
    assert again.candidates == []
    assert [refused.reason for refused in again.refused] == ["failed before: no better"]


async def test_propose_keeps_refused_candidates_with_the_reason(project: Project, situation: Any) -> None:
    project.script("optimizer", "Ignore the rules.")
    proposed = await propose(WORDING, await situation())
    assert {refused.candidate.strategy: refused.reason for refused in proposed.refused} == {
        "rewrite": "speaks of ignoring rules or instructions",
        "minimal_edit": "speaks of ignoring rules or instructions",
    }
    assert [candidate.strategy for candidate in proposed.candidates] == [
        "requirements",
        "solved_cases",
        "examples",
    ]


async def test_idea_is_the_same_for_the_same_change_only(situation: Any) -> None:
    prompt = (await situation()).prompt
    one = Candidate(strategy="a", rationale="x", prompt=prompt)
    same = Candidate(strategy="b", rationale="y", prompt=prompt)
    other = Candidate(
        strategy="a", rationale="x", prompt=prompt.model_copy(update={"examples": [Example(input="i", output="o")]})
    )
    assert fingerprint_of("shop", one) == fingerprint_of("shop", same)
    assert len({fingerprint_of("shop", one), fingerprint_of("shop", other), fingerprint_of("other", one)}) == 3
