from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from ratchet.calibration.sample import balance


def order(items: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return balance(items, lambda item: item[0], lambda item: item[1])


@given(st.lists(st.tuples(st.sampled_from("abc"), st.text(max_size=4)), max_size=30), st.randoms())
def test_balanced_keeps_every_item_and_does_not_depend_on_the_file_order(
    items: list[tuple[str, str]], random: object
) -> None:
    shuffled = list(items)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert Counter(order(items)) == Counter(items)
    assert order(shuffled) == order(items)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 80))
def test_balanced_beginnings_hold_as_many_of_each_kind_as_there_are(first: int, second: int, limit: int) -> None:
    items = [("a", str(number)) for number in range(first)] + [("b", str(number)) for number in range(second)]
    counts = Counter(kind for kind, _ in order(items)[:limit])
    assert counts["a"] >= min(first, limit // 2)
    assert counts["b"] >= min(second, limit // 2)
