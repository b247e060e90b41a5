"""How often a judge says what a person says, and whether it can be led astray."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from prompts import render
from ratchet.calibration.labels import JudgeLabel
from ratchet.calibration.sample import balance
from ratchet.concurrency import Progress, for_each
from ratchet.engine import Engine, Workbench
from ratchet.errors import ConfigurationError, ModelError, ModelUnavailableError
from ratchet.evaluators.judge import Ruling, judge
from ratchet.gate import measure
from ratchet.llm import Meter, metered
from ratchet.records import Measure, Record
from ratchet.tasks.criteria import Judge

REPEATS = 3
"""Asks of a criterion that asks once, to see whether the judge agrees with itself."""


class Traps(Record):
    """Shares of items on which the judge was led astray."""

    order: Measure
    """The verdict changes when the answer is shown before the reference instead of after it."""
    verbosity: Measure
    """A wrong answer that failed passes when a confident paragraph of no content stands after it."""
    repeats: Measure
    """Independent asks of the same question do not agree."""


class JudgeAgreement(Record):
    """A judge criterion beside people's verdicts. All shares come with their 95 % Wilson intervals."""

    criterion: str
    model: str
    repeats: int
    n: int
    accuracy: Measure
    """Of all outputs: the verdict is the person's. No verdict is not right."""
    agreement: Measure
    """Of the outputs that got a verdict: it is the person's."""
    false_pass: Measure
    """Of the wrong outputs that got a verdict: passed."""
    false_fail: Measure
    """Of the right outputs that got a verdict: failed."""
    errors: Measure
    """Of all outputs: the judge gave no verdict in the form that was asked for."""
    traps: Traps | None
    """None where none were set."""
    calls: int
    reused: int


class _Judged(NamedTuple):
    label: JudgeLabel
    ruling: Ruling | None

    @property
    def right(self) -> bool:
        return self.ruling is not None and self.ruling.verdict is self.label.verdict


def judge_criterion(bench: Workbench, label: JudgeLabel | None = None, name: str | None = None) -> Judge:
    """The criterion that a label speaks of: the one it names, otherwise `name`, otherwise the task's first judge.

    Raises:
        ConfigurationError: the task has no such judge criterion.
    """
    judges = {criterion.name: criterion for criterion in bench.task.criteria if criterion.kind == "judge"}
    wanted = (label.criterion if label else None) or name or next(iter(judges), None)
    where = f"{label.where}: " if label else ""
    if wanted is None:
        raise ConfigurationError(f"{where}a verdict, but task {bench.task.name} has no judge criterion to compare with")
    if wanted not in judges:
        known = ", ".join(judges) or "none"
        raise ConfigurationError(
            f"{where}task {bench.task.name} has no judge criterion {wanted!r} (there are: {known})"
        )
    return judges[wanted]


def by_criterion(bench: Workbench, labels: Sequence[JudgeLabel]) -> dict[str, list[JudgeLabel]]:
    """The labels of each judge criterion.

    Raises:
        ConfigurationError: a label speaks of a criterion that the task does not have; names the line.
    """
    found: dict[str, list[JudgeLabel]] = {}
    for label in labels:
        found.setdefault(judge_criterion(bench, label).name, []).append(label)
    return found


async def measure_judge(
    engine: Engine,
    bench: Workbench,
    criterion: Judge,
    labels: Sequence[JudgeLabel],
    *,
    limit: int | None = None,
    traps: int = 20,
    progress: Progress | None = None,
) -> JudgeAgreement:
    """Ask the judge about labelled outputs: all, or the first `limit` of a balanced sample, and `traps` of them in ways
    that must not change its verdict.

    Raises:
        ConfigurationError, ModelUnavailableError: the judge's model is refused or does not answer at all.
    """
    ordered = balance(labels, lambda label: label.verdict, lambda label: label.input + label.output)[:limit]
    at_once = 2 * engine.settings.concurrency
    with metered(Meter()) as meter:
        ask = partial(_ask, engine, bench, criterion)
        judged = await for_each(ordered, ask, at_once, progress)
        found = await _traps(engine, bench, criterion, judged, traps) if traps else None
    answered = [item for item in judged if item.ruling]
    wrong, right = ([item for item in answered if item.label.verdict is verdict] for verdict in (False, True))
    return JudgeAgreement(
        criterion=criterion.name,
        model=str(engine.models.spec("judge")),
        repeats=criterion.repeats,
        n=len(judged),
        accuracy=_share(judged),
        agreement=_share(answered),
        false_pass=measure(sum(not item.right for item in wrong), len(wrong)),
        false_fail=measure(sum(not item.right for item in right), len(right)),
        errors=measure(len(judged) - len(answered), len(judged)),
        traps=found,
        calls=meter.calls,
        reused=sum(usage.reused for usage in meter.roles.values()),
    )


def _share(judged: list[_Judged]) -> Measure:
    return measure(sum(item.right for item in judged), len(judged))


async def _ask(
    engine: Engine, bench: Workbench, criterion: Judge, label: JudgeLabel, *, swapped: bool = False
) -> _Judged:
    task = bench.task.description
    try:
        ruling = await judge(engine.models, criterion, task, label.input, label.output, label.expected, swapped=swapped)
    except ModelUnavailableError:
        raise
    except ModelError:
        return _Judged(label, None)
    return _Judged(label, ruling)


async def _traps(engine: Engine, bench: Workbench, criterion: Judge, judged: list[_Judged], count: int) -> Traps:
    """Set each trap on the first `count` items that it fits; items without a verdict are left out."""
    answered = [item for item in judged if item.ruling]
    with_reference = [item for item in answered if item.label.expected is not None][:count]
    failed = [item for item in answered if item.right and not item.label.verdict][:count]
    padded = [item.label._replace(output=render("padded", output=item.label.output)) for item in failed]
    at_once = 2 * engine.settings.concurrency
    ask = partial(_ask, engine, bench, criterion)
    swapped = await for_each([item.label for item in with_reference], partial(ask, swapped=True), at_once)
    lengthened = await for_each(padded, ask, at_once)
    if criterion.repeats == 1:
        voting = partial(_ask, engine, bench, criterion.model_copy(update={"repeats": REPEATS}))
        voted = await for_each([item.label for item in answered[:count]], voting, at_once)
    else:
        voted = answered
    return Traps(
        order=_changed_share(with_reference, swapped),
        verbosity=_changed_share(failed, lengthened),
        repeats=measure(
            sum(item.ruling.split for item in voted if item.ruling), sum(item.ruling is not None for item in voted)
        ),
    )


def _changed_share(before: list[_Judged], after: list[_Judged]) -> Measure:
    """The share of verdicts that changed, among items that got one both times."""
    pairs = [
        (one.ruling.verdict, other.ruling.verdict)
        for one, other in zip(before, after, strict=True)
        if one.ruling and other.ruling
    ]
    return measure(sum(one is not other for one, other in pairs), len(pairs))
