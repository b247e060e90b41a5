import random
import string
from collections.abc import Sequence

import pytest
from failing import THINGS, failing

from ratchet.grouping.splitting import MANY, split
from ratchet.grouping.wording import Wording

FORMAT = '{{"item": "the {}", "answer": "sure"}}'
STORY = "Once upon a time there was a {}, everybody loved it."
UNLIKE = """Cats purr when they sleep | Rivers reach oceans | Miles become kilometres | Michelangelo painted ceilings
Microwaves heat soup | Pluto stays outside | Oranges rhyme badly | Interest compounds yearly | Gallium melts
Walls came down | Bakeries smell nice | Sharks lack bones""".replace("\n", " | ").split(" | ")


def texts(name: str, count: int) -> tuple[list[Wording], list[str]]:
    """What failures of a set say, and their true causes."""
    known = failing(name, 0, count)
    return [Wording.of(item.row["bundle"]) for item in known], [item.cause for item in known]


def answers(*outputs: str) -> list[Wording]:
    return [Wording("is wrong", "where is it", output) for output in outputs]


def of_each(template: str, things: Sequence[str]) -> list[str]:
    return [template.format(thing) for thing in things]


@pytest.mark.parametrize(("name", "count"), [("output", 40), ("comment", 60)])
def test_groups_are_those_of_the_causes_wherever_they_show(name: str, count: int) -> None:
    said, causes = texts(name, count)

    found = split(said)

    assert [{causes[position] for position in group} for group in found if len(group) > 1] == [
        {cause} for cause in (causes[group[0]] for group in found)
    ]
    assert sorted(position for group in found for position in group) == list(range(count))


def test_largest_group_comes_first_and_positions_are_in_order() -> None:
    found = split(answers(*of_each(FORMAT, THINGS[:10]), *of_each(STORY, THINGS)))

    assert found == [list(range(10, 25)), list(range(10))]


def test_failures_of_one_kind_are_not_split() -> None:
    assert split(answers(*of_each(STORY, THINGS))) == []


@pytest.mark.parametrize(("variants", "splits"), [(3, False), (4, True)])
def test_few_different_texts_are_not_split_however_often_they_are_said(variants: int, splits: bool) -> None:
    formats, stories = of_each(FORMAT, THINGS[:variants]), of_each(STORY, THINGS[:variants])

    found = split(answers(*(formats + stories) * 10))

    assert bool(found) is splits


def test_same_text_said_more_often_counts_three_times() -> None:
    outputs = of_each(FORMAT, THINGS) + of_each(STORY, THINGS) + of_each(STORY, THINGS[:1]) * 20

    found = split(answers(*outputs))

    places = [position for group in found for position in group if outputs[position] == STORY.format(THINGS[0])]
    assert places == [15, 30, 31]


@pytest.mark.parametrize(("unlike", "splits"), [(3, True), (12, False)])
def test_few_failures_are_split_where_nearly_all_are_in_a_group(unlike: int, splits: bool) -> None:
    outputs = of_each(FORMAT, THINGS) + of_each(STORY, THINGS) + UNLIKE[:unlike]

    assert len(outputs) < MANY
    assert bool(split(answers(*outputs))) is splits


def test_many_failures_are_split_though_some_are_of_no_kind() -> None:
    outputs = of_each(FORMAT, THINGS) + of_each(STORY, THINGS)
    outputs += of_each(FORMAT + " again", THINGS) + of_each(STORY + " The end.", THINGS) + UNLIKE

    found = split(answers(*outputs))

    assert len(outputs) > MANY
    assert len(found) == 2
    for group in found:
        assert len({position // 15 % 2 for position in group if position < 60}) == 1
        assert sum(position < 60 for position in group) == 30


def test_groups_that_one_word_alone_makes_are_none() -> None:
    """Beside the one word each text says nothing that another one says."""
    draw = random.Random(1)

    def nonsense() -> str:
        return "".join(draw.choices(string.ascii_lowercase, k=6))

    outputs = [f"{word} {nonsense()} {nonsense()}" for word in ("refund", "password") for _ in range(40)]

    assert split(answers(*outputs)) == []


def test_stock_phrase_does_not_outweigh_what_is_asked() -> None:
    stories = [Wording("is wrong", text, "I do not know") for text in of_each(STORY, THINGS)]
    formats = [Wording("is wrong", text, "I do not know") for text in of_each(FORMAT, THINGS)]

    assert [len(group) for group in split([*stories, *formats])] == [15, 15]


def test_nothing_is_split_into_no_groups() -> None:
    assert split([]) == []
    assert split(answers("one", "two")) == []
