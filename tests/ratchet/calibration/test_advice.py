from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.calibration import JudgeAgreement, TriageAgreement, judge_advice, triage_advice
from ratchet.calibration.advice import LINES, WIDEST, labels_needed
from ratchet.calibration.judge_agreement import Traps
from ratchet.gate import measure, wilson

CATEGORIES = st.sampled_from(["prompt", "context", "capability", "unstable"])


def judge(
    false_passes: int = 0, false_fails: int = 0, errors: int = 0, flips: dict[str, int] | None = None, **more: Any
) -> JudgeAgreement:
    """Figures of 100 wrong and 100 right outputs, with traps set on 20 of them."""
    right = 200 - errors - false_passes - false_fails
    given: dict[str, Any] = {
        "criterion": "good", "model": "openai:judge", "repeats": 1, "n": 200,
        "accuracy": measure(right, 200), "agreement": measure(right, 200 - errors),
        "false_pass": measure(false_passes, 100), "false_fail": measure(false_fails, 100),
        "errors": measure(errors, 200), "calls": 0, "reused": 0,
        "traps": Traps(**{name: measure((flips or {}).get(name, 0), 20) for name in Traps.model_fields}),
    }  # fmt: skip
    return JudgeAgreement(**(given | more))


def triage(confusion: dict[str, dict[str, int]], analyst: float = 0.0, **more: Any) -> TriageAgreement:
    n = sum(sum(row.values()) for row in confusion.values())
    given: dict[str, Any] = {
        "n": n, "accuracy": measure(sum(row.get(label, 0) for label, row in confusion.items()), n),
        "confusion": confusion, "analyst": measure(round(analyst * n), n), "analyst_confusion": {},
        "analyst_model": "openai:x", "did_not_fail": [], "problems": [], "calls": 0, "reused": 0,
        "calls_per_failure": 0.0, "analyst_calls_per_failure": 0.0,
    }  # fmt: skip
    return TriageAgreement(**(given | more))


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (judge(), "nothing to change: the judge of 'good' agrees with 100 % of the labels"),
        (judge(5, 5), "nothing to change: the judge of 'good' agrees with 95 % of the labels"),
        (judge(traps=None), "nothing to change"),
        (judge(62), "set RATCHET_JUDGE_MODEL to a larger model: it passes 62 % of the wrong answers"),
        (judge(0, 40), "say in the `question` of 'good' what is allowed, or set RATCHET_JUDGE_MODEL to a larger model"),
        (
            judge(errors=60),
            "set RATCHET_JUDGE_MODEL to a larger model: it gives no verdict in the form that is asked for on 30",
        ),
        (judge(flips={"verbosity": 8}), "add a `max_words` criterion: 40 % of the wrong answers pass when"),
        (judge(flips={"order": 10}), "it changes 50 % of its verdicts when answer and reference"),
        (judge(flips={"repeats": 6}), "set `repeats = 3` for the criterion 'good': asked again, the judge disagrees"),
        (judge(flips={"repeats": 6}, repeats=3), "set `repeats = 5` for the criterion 'good'"),
        (judge(flips={"repeats": 6}, repeats=15), "nothing to change"),
        (judge(flips={"order": 1, "verbosity": 1, "repeats": 1}), "nothing to change"),
        (judge(model="openai:agent"), "RATCHET_JUDGE_MODEL is the agent's own model (openai:agent)"),
    ],
)
def test_judge_advice_names_the_setting(found: JudgeAgreement, said: str) -> None:
    (line,) = judge_advice(found, "openai:agent")
    assert said in line


def test_judge_advice_is_short_and_tells_the_worst_first() -> None:
    everything = judge(62, 20, 30, {"order": 9, "verbosity": 9, "repeats": 9}, model="openai:agent")
    lines = judge_advice(everything, "openai:agent")
    assert len(lines) == LINES
    assert lines[0].startswith(
        "set RATCHET_JUDGE_MODEL to a larger model: it passes 62 % of the wrong answers, gives no"
    )
    assert lines[1].startswith("say in the `question` of 'good'")


def test_judge_advice_says_how_many_labels_are_missing() -> None:
    few = judge(accuracy=measure(8, 10))
    assert judge_advice(few, "a") == [
        "10 labels are too few: the accuracy lies between 49 and 94 %; about 60 labels would tell within 20 points"
    ]
    assert len(judge_advice(few.model_copy(update={"false_pass": measure(90, 100)}), "a")) == 2


@pytest.mark.parametrize("rate", [0.0, 0.5, 0.8, 1.0])
def test_labels_needed_are_just_enough(rate: float) -> None:
    needed = labels_needed(rate)
    widths = [high - low for low, high in (wilson(round(rate * n), n) for n in (needed - 10, needed) if n)]
    assert widths[-1] <= WIDEST < widths[0] or needed == 10


@pytest.mark.parametrize(
    ("confusion", "said"),
    [
        (
            {"context": {"context": 60, "capability": 40}},
            "40 of 100 context failures are called capability: the sources",
        ),
        ({"context": {"context": 60, "prompt": 40}}, "40 of 100 context failures are called prompt: similar solved"),
        ({"prompt": {"prompt": 60, "capability": 40}}, "give the failed criteria a `requirement`"),
        ({"capability": {"capability": 60, "unstable": 40}}, "set `temperature = 0.0` under [agent]"),
        ({"context": {"context": 100}}, "nothing to change: triage names the cause in 100 % of the labelled failures"),
    ],
)
def test_triage_advice_names_the_mistake_and_the_setting(confusion: dict[str, dict[str, int]], said: str) -> None:
    lines = triage_advice(triage(confusion))
    assert said in lines[0]
    assert lines[1:] == ["keep the experiments; RATCHET_ANALYST_MODEL's opinion is right in only 0 %"]


def test_triage_advice_looks_at_the_sources_first() -> None:
    lines = triage_advice(triage({"context": {"capability": 50}, "prompt": {"capability": 50}}))
    assert "[[context_sources]]" in lines[0]
    assert "`requirement`" in lines[1]


def test_triage_advice_tells_of_an_analyst_that_is_better() -> None:
    lines = triage_advice(triage({"prompt": {"prompt": 50, "context": 50}}, analyst=0.9))
    assert lines[-1].endswith("RATCHET_ANALYST_MODEL is right in 90 %, they in 50 %")


def test_triage_advice_tells_why_failures_could_not_be_triaged() -> None:
    lines = triage_advice(triage({"prompt": {"prompt": 60, "none": 40}}, problems=["f:1: source is down"]))
    assert lines[0] == "40 of 100 failures could not be triaged, the first: f:1: source is down"


def test_triage_advice_says_where_labels_are_too_few() -> None:
    lines = triage_advice(triage({"prompt": {"prompt": 4}}))
    assert lines[-1].startswith("4 labels are too few: the accuracy lies between 51 and 100 %")
    assert not any("nothing to change" in line for line in lines)


def test_triage_advice_without_a_failure_asks_for_labels() -> None:
    assert triage_advice(triage({})) == [
        "none of the labelled inputs fails now: label failures of the version in force"
    ]


few = st.integers(0, 20)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), few, few, few, st.booleans(), st.integers(0, 40))
def test_judge_advice_is_one_to_three_lines_whatever_was_measured(
    false_passes: int, false_fails: int, errors: int, order: int, verbosity: int, repeats: int, own: bool, labels: int
) -> None:
    model = "openai:agent" if own else "openai:judge"
    flips = {"order": order, "verbosity": verbosity, "repeats": repeats}
    accuracy = measure(labels // 2, labels) if labels < 20 else measure(190, 200)

    lines = judge_advice(
        judge(false_passes, false_fails, errors, flips, model=model, accuracy=accuracy), "openai:agent"
    )

    _holds_for_any_advice(lines)
    assert any("labels are too few" in line for line in lines) is (labels < 20)


@given(st.dictionaries(CATEGORIES, st.dictionaries(CATEGORIES | st.just("none"), few, max_size=5), max_size=4), few)
def test_triage_advice_is_one_to_three_lines_whatever_was_measured(
    confusion: dict[str, dict[str, int]], analyst: int
) -> None:
    _holds_for_any_advice(triage_advice(triage(confusion, analyst=analyst / 20, problems=["f:1: source is down"])))


def _holds_for_any_advice(lines: list[str]) -> None:
    assert 1 <= len(lines) <= LINES
    assert not any("\n" in line for line in lines)
    assert len(set(lines)) == len(lines)
    assert not any("nothing to change" in line for line in lines[1:])
