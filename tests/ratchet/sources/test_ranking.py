import asyncio

import pytest
from embedded_texts import KnownMeanings, known_meanings

from ratchet.errors import BudgetError, ModelError, ModelUnavailableError, SourceError
from ratchet.sources.ranking import Ranking

pytestmark = pytest.mark.anyio
TEXTS = [
    "The lorry is in the yard.",
    "A refund takes three days.",
    "The shop opens at nine.",
    "Lamps are upstairs.",
    "Chairs are downstairs.",
    "Tables are in the hall.",
]


async def places(query: str, top_k: int = 10, texts: list[str] = TEXTS) -> list[int]:
    return [place for place, _ in await Ranking("r", texts, known_meanings()).best(query, top_k)]


@pytest.mark.parametrize(("query", "best"), [("Where is the van?", 0), ("give my money back", 1), ("which hours", 2)])
async def test_text_that_means_the_same_in_other_words_is_found(query: str, best: int) -> None:
    assert (await places(query))[0] == best
    assert best not in [place for place, _ in await Ranking("r", TEXTS).best(query, 10)]


async def test_words_and_meaning_count_together() -> None:
    texts = ["The truck is blue.", "The lorry is red.", "The chair is red.", *TEXTS[3:]]

    assert (await places("a red van", texts=texts))[0] == 1


@pytest.mark.parametrize("query", ["zebra", "", "  ", "?!"])
async def test_what_is_alike_in_neither_is_not_found(query: str) -> None:
    assert await places(query) == []


async def test_text_of_an_unknown_script_is_found_by_its_words_only() -> None:
    texts = ["退货政策。商品可以退货。", "停车场在大楼后面。", *TEXTS]

    assert await places("怎么退货", texts=texts) == [0]
    assert await places("营业时间", texts=[*TEXTS, "停车场在大楼后面。"]) == []


async def test_top_k_bounds_and_scores_fall() -> None:
    found = await Ranking("r", TEXTS, known_meanings()).best("Are the lamps and chairs in a van?", 3)

    assert len(found) == 3
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)


async def test_nothing_is_found_in_nothing_and_one_text_by_its_words() -> None:
    assert await places("van", texts=[]) == []
    assert await places("the lorry", texts=TEXTS[:1]) == [0]


async def test_texts_are_embedded_at_the_first_search_once_for_all_who_ask() -> None:
    embeddings = known_meanings()
    ranking = Ranking("r", TEXTS, embeddings)
    assert isinstance(embeddings.model, KnownMeanings)
    assert embeddings.model.asked == []

    await asyncio.gather(*(ranking.best(f"van {number}", 1) for number in range(20)))

    assert [embeddings.model.asked.count(text) for text in TEXTS] == [1] * len(TEXTS)


async def test_refusal_of_the_embedding_model_is_that_of_the_source() -> None:
    embeddings = known_meanings()
    assert isinstance(embeddings.model, KnownMeanings)
    embeddings.model.error = ModelError("too long")

    with pytest.raises(SourceError, match="context source 'r': too long"):
        await Ranking("r", TEXTS, embeddings).best("van", 1)


@pytest.mark.parametrize("error", [ModelUnavailableError("down"), BudgetError("spent")])
async def test_endpoint_that_is_gone_is_not_blamed_on_the_source(error: Exception) -> None:
    embeddings = known_meanings()
    assert isinstance(embeddings.model, KnownMeanings)
    embeddings.model.error = error

    with pytest.raises(type(error)):
        await Ranking("r", TEXTS, embeddings).best("van", 1)
    embeddings.model.error = None
    assert (await Ranking("r", TEXTS, embeddings).best("van", 1))[0][0] == 0
