"""Each input once: a case that has another one's input proves nothing, and would show what is held out."""

from collections.abc import Sequence
from typing import NamedTuple

from ratchet.counting import quantity
from ratchet.tasks.cases import Case

SHOWN = 3


class LeftOut(NamedTuple):
    """A case that takes no part in anything, and the one with the same input that does."""

    case: Case
    kept: Case

    @property
    def is_leak(self) -> bool:
        """Whether what is held out was also a training case."""
        return self.case.split != self.kept.split


def each_input_once(cases: Sequence[Case]) -> tuple[list[Case], list[LeftOut]]:
    """The cases with different inputs, in their order, and the others. A held-out case goes before a training case, and
    of two in one split the first one stays: the same case twice would count twice at the gate."""
    holders: dict[str, Case] = {}
    for case in sorted(cases, key=lambda case: case.split != "holdout"):
        holders.setdefault(case.form, case)
    used = [case for case in cases if holders[case.form] is case]
    return used, [LeftOut(case, holders[case.form]) for case in cases if holders[case.form] is not case]


def overlap_lines(left_out: Sequence[LeftOut]) -> list[str]:
    """What is wrong with the splits, in a line for each kind; nothing where each input stands in one case only."""
    leaks = [item for item in left_out if item.is_leak]
    twins = [item for item in left_out if not item.is_leak]
    lines = []
    if leaks:
        cases = quantity(len(leaks), "training case")
        lines.append(f"{cases} left out, as the input is held out too: {_names(leaks)}; take one of each pair away")
    if twins:
        lines.append(f"{quantity(len(twins), 'case')} left out, as the input stands there twice: {_names(twins)}")
    return lines


def _names(items: Sequence[LeftOut]) -> str:
    shown = [f"{item.case.id!r} ({item.kept.id!r})" for item in items[:SHOWN]]
    return ", ".join(shown) + (f" and {len(items) - SHOWN} more" if len(items) > SHOWN else "")
