import pytest

from ratchet.sources.bm25 import Bm25Index

pytestmark = pytest.mark.anyio


TEXTS = ["The shop opens at nine.", "The shop, the shop: a shop closes at six.", "Bicycles are repaired upstairs."]


def test_bm25_puts_the_best_text_first() -> None:
    index = Bm25Index(TEXTS)
    assert [i for i, _ in index.best("when does the shop close? it closes", 3)] == [1, 0]
    assert [i for i, _ in index.best("repaired bicycles", 3)] == [2]


def test_bm25_scores_fall_and_top_k_bounds() -> None:
    found = Bm25Index(TEXTS).best("shop opens", 2)
    assert len(found) == 2
    assert found[0][1] > found[1][1] > 0
    assert len(Bm25Index(TEXTS).best("shop", 1)) == 1


@pytest.mark.parametrize("query", ["zebra", "", "   ", "?!", "the", "a"])
def test_bm25_finds_nothing_without_a_shared_word(query: str) -> None:
    assert Bm25Index(TEXTS).best(query, 3) == []


@pytest.mark.parametrize("texts", [[], [""], ["the a of"]])
def test_bm25_over_nothing_finds_nothing(texts: list[str]) -> None:
    assert Bm25Index(texts).best("shop", 3) == []
