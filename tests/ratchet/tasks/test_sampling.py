import random

from hypothesis import given
from hypothesis import strategies as st

from ratchet.tasks.sampling import shuffled

keys = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), unique=True, max_size=40)


@given(keys, st.text("ab", max_size=3))
def test_shuffled_loses_and_doubles_nothing(items: list[str], salt: str) -> None:
    assert sorted(shuffled(items, key=str, salt=salt)) == sorted(items)


@given(keys, st.text("ab", max_size=3), st.randoms())
def test_shuffled_does_not_depend_on_the_first_order(items: list[str], salt: str, rng: random.Random) -> None:
    mixed = list(items)
    rng.shuffle(mixed)

    assert shuffled(mixed, key=str, salt=salt) == shuffled(items, key=str, salt=salt)


@given(keys, keys)
def test_shuffled_keeps_its_order_when_items_come_and_go(items: list[str], more: list[str]) -> None:
    together = shuffled(list(dict.fromkeys([*items, *more])), key=str)

    assert [item for item in together if item in items] == shuffled(items, key=str)


def test_shuffled_is_the_same_on_every_machine() -> None:
    assert "".join(shuffled("abcdefgh", key=str)) == "hegbacfd"
    assert "".join(shuffled("abcdefgh", key=str, salt="C-1")) == "dfeahgcb"


def test_shuffled_is_another_order_for_each_salt() -> None:
    orders = {tuple(shuffled(range(30), key=str, salt=str(number))) for number in range(50)}

    assert len(orders) == 50


def test_salts_put_each_item_anywhere() -> None:
    firsts = [shuffled(range(10), key=str, salt=str(number))[0] for number in range(2000)]

    assert all(140 < firsts.count(item) < 260 for item in range(10))


def test_shuffled_leaves_the_given_list_as_it_is() -> None:
    items = ["c", "a", "b"]

    shuffled(items, key=str)

    assert items == ["c", "a", "b"]
