"""Which setting to change, from the figures of a calibration. No model is involved."""

from ratchet.calibration.judge_agreement import JudgeAgreement
from ratchet.calibration.triage_agreement import NONE, TriageAgreement
from ratchet.gate import wilson
from ratchet.records import Measure
from ratchet.tasks.criteria import MOST_JUDGE_REPEATS

TOLERATED = 0.05
"""A share of mistakes is told when even the lower end of its interval is above this: it is no accident then."""
WIDEST = 0.2
"""An accuracy whose interval is wider than this says little."""
LINES = 3
"""Lines of advice at most: the first thing to change is worth more than a list."""


def judge_advice(found: JudgeAgreement, agent_model: str) -> list[str]:
    """What to change about a judge, the most pressing first; one to three lines."""
    lines = _larger_model(found) + _criterion(found)
    if found.model == agent_model:
        lines.append(
            f"RATCHET_JUDGE_MODEL is the agent's own model ({agent_model}): it shares the agent's mistakes; set another"
        )
    fine = f"nothing to change: the judge of {found.criterion!r} agrees with {_share(found.accuracy)} of the labels"
    return _shorten(lines or _unless_wide(found.accuracy, fine), found.accuracy)


def _larger_model(found: JudgeAgreement) -> list[str]:
    reasons = []
    if _matters(found.false_pass):
        reasons.append(f"passes {_share(found.false_pass)} of the wrong answers")
    if _matters(found.errors):
        reasons.append(f"gives no verdict in the form that is asked for on {_share(found.errors)} of outputs")
    if found.traps and _matters(found.traps.order):
        reasons.append(
            f"changes {_share(found.traps.order)} of its verdicts when answer and reference change places, which no "
            "`repeats` mends"
        )
    return [f"set RATCHET_JUDGE_MODEL to a larger model: it {', '.join(reasons)}"] if reasons else []


def _criterion(found: JudgeAgreement) -> list[str]:
    lines = []
    if _matters(found.false_fail):
        lines.append(
            f"say in the `question` of {found.criterion!r} what is allowed, or set RATCHET_JUDGE_MODEL to a larger "
            f"model: it fails {_share(found.false_fail)} of the right answers"
        )
    if found.traps and _matters(found.traps.verbosity):
        lines.append(
            f"add a `max_words` criterion: {_share(found.traps.verbosity)} of the wrong answers pass when a confident "
            "paragraph follows them"
        )
    if found.traps and _matters(found.traps.repeats) and found.repeats < MOST_JUDGE_REPEATS:
        lines.append(
            f"set `repeats = {found.repeats + 2}` for the criterion {found.criterion!r}: asked again, the judge "
            f"disagrees with itself on {_share(found.traps.repeats)} of outputs"
        )
    return lines


def triage_advice(found: TriageAgreement) -> list[str]:
    """What to change about triage, the most pressing first; one to three lines."""
    if not found.n:
        return ["none of the labelled inputs fails now: label failures of the version in force"]
    lines = [line for line in (_mistake(found, *pair) for pair in _MISTAKES) if line]
    untried = sum(row.get(NONE, 0) for row in found.confusion.values())
    if untried * 5 > found.n:
        lines.append(f"{untried} of {found.n} failures could not be triaged, the first: {found.problems[0]}")
    fine = f"nothing to change: triage names the cause in {_share(found.accuracy)} of the labelled failures"
    return _shorten((lines or _unless_wide(found.accuracy, fine)) + _opinion(found), found.accuracy)


def _opinion(found: TriageAgreement) -> list[str]:
    """What the analyst alone is worth beside the experiments."""
    right = _share(found.analyst)
    if found.analyst.rate < found.accuracy.rate:
        return [f"keep the experiments; RATCHET_ANALYST_MODEL's opinion is right in only {right}"]
    if found.analyst.low > found.accuracy.rate:
        theirs = f"RATCHET_ANALYST_MODEL is right in {right}, they in {_share(found.accuracy)}"
        return [f"read the analyst's opinion beside the experiments: {theirs}"]
    return []


_MISTAKES = (
    ("context", "capability", "the sources do not hold the answer or retrieval misses it: look at [[context_sources]]"),
    ("context", "prompt", "similar solved cases hold the answers: look at the evidence, the label may be too strict"),
    ("prompt", "capability", "say what is asked for: give the failed criteria a `requirement`, or add training cases"),
    ("prompt", "context", "the fetched text helps where wording would: say the `requirement` of the failed criteria"),
    ("capability", "prompt", "a change of the prompt made them pass: look whether the label is right"),
    ("capability", "context", "a source made them pass: look whether the label is right"),
    ("prompt", "unstable", "the runs pass when repeated: set `temperature = 0.0` under [agent]"),
    ("context", "unstable", "the runs pass when repeated: set `temperature = 0.0` under [agent]"),
    ("capability", "unstable", "the runs pass when repeated: set `temperature = 0.0` under [agent]"),
)
"""What a mistake of triage says about the task: label, category that was named, advice."""


def _mistake(found: TriageAgreement, label: str, named: str, advice: str) -> str | None:
    row = found.confusion.get(label, {})
    count, total = row.get(named, 0), sum(row.values())
    if not total or wilson(count, total)[0] <= TOLERATED:
        return None
    return f"{count} of {total} {label} failures are called {named}: {advice}"


def _is_wide(accuracy: Measure) -> bool:
    return accuracy.high - accuracy.low > WIDEST


def _unless_wide(accuracy: Measure, fine: str) -> list[str]:
    return [] if _is_wide(accuracy) else [fine]


def _shorten(lines: list[str], accuracy: Measure) -> list[str]:
    """At most `LINES` of them; the last one says so where there are too few labels."""
    if not _is_wide(accuracy):
        return lines[:LINES]
    needed = labels_needed(accuracy.rate)
    wide = (
        f"{accuracy.n} labels are too few: the accuracy lies between {100 * accuracy.low:.0f} and "
        f"{100 * accuracy.high:.0f} %; about {needed} labels would tell within {100 * WIDEST:.0f} points"
    )
    return [*lines[: LINES - 1], wide]


def labels_needed(rate: float) -> int:
    """The number of labels, in steps of ten, for which a rate's 95 % interval is as narrow as `WIDEST`."""
    n = 10
    while True:
        low, high = wilson(round(rate * n), n)
        if high - low <= WIDEST:
            return n
        n += 10


def _matters(share: Measure) -> bool:
    return share.n > 0 and share.low > TOLERATED


def _share(share: Measure) -> str:
    return f"{100 * share.rate:.0f} %"
