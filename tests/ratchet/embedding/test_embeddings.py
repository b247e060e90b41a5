import numpy as np
import pytest
from embedded_texts import KeptVectors, KnownMeanings
from shop import OpenEngine

from ratchet.embedding import Embeddings
from ratchet.embedding.model import LONGEST
from ratchet.errors import ModelReplyError, ModelUnavailableError

pytestmark = pytest.mark.anyio


async def test_each_text_is_embedded_once() -> None:
    model = KnownMeanings()
    embeddings = Embeddings(model, KeptVectors())

    first = await embeddings.of(["a lorry", "a refund", "a lorry"])
    again = await embeddings.of(["a refund", "a van"])

    assert model.asked == ["a lorry", "a refund", "a van"]
    assert first.shape == (3, 5)
    assert np.array_equal(first[1], again[0])
    assert np.array_equal(first[0], first[2])


async def test_vectors_outlive_the_process(open_engine: OpenEngine) -> None:
    models = [KnownMeanings(), KnownMeanings()]
    for model in models:
        engine = await open_engine()
        await Embeddings(model, engine.store.vectors).of(["a lorry", "a refund"])

    assert [model.asked for model in models] == [["a lorry", "a refund"], []]


async def test_vectors_of_another_model_are_not_used() -> None:
    store, other = KeptVectors(), KnownMeanings()
    other.name = "other"
    await Embeddings(KnownMeanings(), store).of(["a lorry"])
    await Embeddings(other, store).of(["a lorry"])

    assert other.asked == ["a lorry"]
    assert len(store.kept) == 2


@pytest.mark.parametrize(("costs", "asked", "kept"), [(False, 2, 0), (True, 1, 1)])
async def test_question_is_kept_only_where_it_costs_something(costs: bool, asked: int, kept: int) -> None:
    model, store = KnownMeanings(costs=costs), KeptVectors()
    for _ in range(2):
        await Embeddings(model, store).of(["a lorry"], keep=False)

    assert (len(model.asked), len(store.kept)) == (asked, kept)


async def test_blank_text_has_no_meaning_and_is_not_asked_for() -> None:
    model = KnownMeanings()
    rows = await Embeddings(model, KeptVectors()).of(["", " \n", "a lorry"])

    assert model.asked == ["a lorry"]
    assert not rows[:2].any()
    assert (await Embeddings(model, KeptVectors()).of([" "])).shape == (1, 1)
    assert (await Embeddings(model, KeptVectors()).of([])).shape == (0, 1)


async def test_long_text_is_cut() -> None:
    model = KnownMeanings()
    await Embeddings(model, KeptVectors()).of(["lorry " * LONGEST])

    assert [len(text) <= LONGEST for text in model.asked] == [True]


async def test_model_that_has_changed_under_its_name_is_told() -> None:
    store = KeptVectors()
    await Embeddings(KnownMeanings(), store).of(["a lorry"])

    with pytest.raises(ModelReplyError, match=r"known: vectors of 3 and 5 numbers; the model of this name has changed"):
        await Embeddings(KnownMeanings(size=3), store).of(["a lorry", "a refund"])


async def test_error_of_the_model_keeps_nothing() -> None:
    model, store = KnownMeanings(), KeptVectors()
    model.error = ModelUnavailableError("down")
    with pytest.raises(ModelUnavailableError):
        await Embeddings(model, store).of(["a lorry"])

    assert store.kept == {}


async def test_closing_closes_the_model() -> None:
    model = KnownMeanings()
    await Embeddings(model, KeptVectors()).close()

    assert model.asked == ["(closed)"]
