import pytest

from ratchet.ledger import drift

FIRST = {"shop": {"prompt": "Answer the question."}}


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (FIRST, 0.0),
        ({"shop": {"prompt": "Answer   the\nquestion."}}, 0.0),
        ({"shop": {"prompt": "Answer the question. Be brief always"}}, 0.3333),
        ({"shop": {"prompt": "Something else entirely"}}, 1.0),
    ],
)
def test_drift_is_the_share_of_changed_words(now: dict[str, dict[str, str]], expected: float) -> None:
    assert drift(FIRST, now) == expected


def test_drift_counts_context_and_examples() -> None:
    context = {"shop": FIRST["shop"] | {"context": [{"source": "handbook"}]}}
    examples = {"shop": FIRST["shop"] | {"examples": [{"input": "i", "output": "o"}]}}
    assert 0 < drift(FIRST, context) < 1
    assert 0 < drift(FIRST, examples) < 1
