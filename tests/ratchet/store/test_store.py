from functools import partial

import pytest
from stored import case_row

from ratchet.errors import ConfigurationError
from ratchet.store import Store
from ratchet.store.cases import insert_case
from ratchet.store.reviews import answer_item

pytestmark = pytest.mark.anyio


async def test_transact_does_all_or_nothing(store: Store) -> None:
    await store.reviews.add("V", "t", "C", "capability", {})
    case = case_row(input="x")
    await store.transact([partial(insert_case, row=case)])
    close = partial(answer_item, review_id="V", answer={}, status="dismissed")
    with pytest.raises(ConfigurationError, match="t: a case with the input 'x' was approved before"):
        await store.transact([close, partial(insert_case, row=case | {"id": "b"})])
    assert [row["status"] for row in await store.reviews.select("t")] == ["open"]
