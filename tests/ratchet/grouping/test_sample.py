from collections import Counter
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from ratchet.grouping import representative_sample


class Origin(NamedTuple):
    id: str
    source: str


def origins(sources: str) -> list[Origin]:
    """A failure for each letter, which names its source."""
    return [Origin(f"F-{number}", source) for number, source in enumerate(sources)]


def sampled(sources: str, count: int) -> str:
    return "".join(origin.source for origin in representative_sample(origins(sources), count))


some = st.text("abcd", max_size=40)
counts = st.integers(1, 12)


@given(some, counts)
def test_sample_has_the_size_asked_for_and_keeps_the_order(sources: str, count: int) -> None:
    failures = origins(sources)

    chosen = representative_sample(failures, count)

    assert len(chosen) == min(count, len(failures))
    assert chosen == [failure for failure in failures if failure in chosen]


@given(some, counts)
def test_no_source_has_two_more_than_another_that_could_give_more(sources: str, count: int) -> None:
    there, taken = Counter(sources), Counter(sampled(sources, count))

    for number in taken.values():
        assert all(number <= taken[other] + 1 for other in there if taken[other] < there[other])


@given(st.integers(1, 8), st.integers(1, 12))
def test_each_failure_is_from_another_source_where_there_are_enough(each: int, count: int) -> None:
    sources = "".join(letter * each for letter in "abcdefghijkl")

    assert max(Counter(sampled(sources, count)).values()) == 1


def test_single_loud_source_does_not_crowd_out_the_others() -> None:
    assert Counter(sampled("a" * 50 + "bc", 6)) == {"a": 4, "b": 1, "c": 1}


def test_old_and_new_failures_of_each_source_are_taken() -> None:
    failures = origins("ab" * 50)

    chosen = representative_sample(failures, 8)

    for source in "ab":
        given = [origin for origin in failures if origin.source == source]
        assert [given.index(origin) for origin in chosen if origin.source == source] == [0, 12, 25, 37]


def test_sources_that_are_too_many_are_taken_from_first_to_last() -> None:
    assert sampled("abcdefghij", 3) == "adg"


def test_all_failures_are_taken_where_they_are_few() -> None:
    assert sampled("aab", 3) == sampled("aab", 8) == "aab"
    assert sampled("", 4) == ""
