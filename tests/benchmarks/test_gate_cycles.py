from typing import Any

from shop import Project

from benchmarks.gate_cycles import Variants, proposing
from ratchet.proposers import wording_strategies
from ratchet.search import rounds


def test_variants_are_the_only_candidates_of_every_round(project: Project) -> None:
    variants = Variants(0, 2)
    with proposing(variants):
        first: Any = wording_strategies(project.settings())
        further = (*rounds.WORDING, *rounds.CONTEXT)
    assert first == further == (variants,)
    assert wording_strategies(project.settings()) == rounds.WORDING != (variants,)
