from functools import partial

import pytest
from sqlalchemy.exc import IntegrityError
from stored import case_row

from ratchet.store import Store
from ratchet.store.cases import delete_case, insert_case, stamp_of

pytestmark = pytest.mark.anyio


async def test_cases_are_kept_by_task_and_stamped(store: Store) -> None:
    assert await store.cases.stamp("t") == stamp_of([])
    rows = [
        case_row(task=task, expected=expected, tags=["new"], origin="F-1", created_at=time)
        for task, expected, time in (("t", ["y", {"z": None}], "1"), ("u", {"k": [1]}, "2"))
    ]
    await store.transact([partial(insert_case, row=row) for row in rows])
    assert await store.cases.of_task("t") == [rows[0]]
    assert await store.cases.of_task("u") == [rows[1]]
    assert await store.cases.stamp("t") == stamp_of(rows[:1]) != stamp_of([])


async def test_stamp_of_cases_notices_one_that_took_the_place_of_another(store: Store) -> None:
    """Also where the newest stays, and where the new one says an earlier time than that: clocks may be set back."""
    first, newest, late = [case_row(name, created_at=time) for name, time in (("a", "1"), ("b", "3"), ("c", "2"))]
    await store.transact([partial(insert_case, row=row) for row in (first, newest)])
    before = await store.cases.stamp("t")
    await store.transact([partial(delete_case, row=first), partial(insert_case, row=late)])
    assert await store.cases.stamp("t") == stamp_of([newest, late]) != before


async def test_case_that_nobody_approved_is_an_error(store: Store) -> None:
    with pytest.raises(IntegrityError, match=r"NOT NULL.*cases\.approved_by"):
        await store.transact([partial(insert_case, row=case_row(approved_by=None))])
