import itertools

import pytest

from ratchet.watch import ERROR, evidence_of_harm


def test_evidence_of_harm_is_fair_where_nothing_changed() -> None:
    before, n = 0.7, 8
    expected = sum(
        evidence_of_harm(before, outcomes) * before ** sum(outcomes) * (1 - before) ** (n - sum(outcomes))
        for outcomes in itertools.product([True, False], repeat=n)
    )

    assert expected == pytest.approx(1)


def test_evidence_of_harm_grows_with_failures_and_shrinks_with_passes() -> None:
    assert evidence_of_harm(0.8, [False] * 10) > 1 / ERROR
    assert evidence_of_harm(0.8, [True] * 10) < 1
    assert evidence_of_harm(0.0, [False] * 100) == 1
