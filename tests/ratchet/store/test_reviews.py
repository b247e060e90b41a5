from functools import partial

import pytest
from sqlalchemy.exc import IntegrityError

from ratchet.errors import AlreadyDecidedError, RatchetError
from ratchet.store import Store
from ratchet.store.reviews import answer_item

pytestmark = pytest.mark.anyio


async def test_reviews_keep_the_first_of_an_id(store: Store) -> None:
    await store.reviews.add("V", "t", "C", "capability", {"a": 1})
    await store.reviews.add("V", "t", "C", "budget", {"a": 2})
    assert [(row["kind"], row["document"]) for row in await store.reviews.select("t")] == [("capability", {"a": 1})]
    assert await store.reviews.select("u") == []


async def test_answer_item_takes_answers_until_it_is_closed(store: Store) -> None:
    await store.reviews.add("V", "t", "C", "capability", {"a": 1})
    await store.transact([partial(answer_item, review_id="V", answer={"n": 1})])
    await store.transact([partial(answer_item, review_id="V", answer={"n": 2}, status="dismissed")])
    with pytest.raises(AlreadyDecidedError, match="review C is dismissed already"):
        await store.transact([partial(answer_item, review_id="V", answer={"n": 3})])
    item = await store.reviews.find("V")
    assert item is not None
    assert (item["status"], item["document"]) == ("dismissed", {"a": 1, "answers": [{"n": 1}, {"n": 2}]})
    assert item == await store.reviews.find("C")
    assert await store.reviews.select("t") == []
    assert await store.reviews.find("X") is None


async def test_answer_to_an_item_that_is_not_there_says_so(store: Store) -> None:
    with pytest.raises(RatchetError, match=r"no review 'V'; `ratchet inbox` lists what waits"):
        await store.transact([partial(answer_item, review_id="V", answer={})])


async def test_review_without_a_kind_is_an_error(store: Store) -> None:
    with pytest.raises(IntegrityError, match=r"NOT NULL.*reviews\.kind"):
        await store.reviews.add("V", "t", "C", None, {})  # type: ignore[arg-type]
