import pytest

from ratchet.llm.reasoning import without_reasoning


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("<think>\nOslo? No.\n</think>\n\nBergen", "Bergen"),
        ("<think></think>\n\nBergen", "Bergen"),
        ("<thinking>It is north of Oslo.</thinking>Bergen", "Bergen"),
        ("<THINK>a</THINK>\nBergen", "Bergen"),
        ("[THINK]a [b] c[/THINK]Bergen", "Bergen"),
        ("◁think▷a◁/think▷Bergen", "Bergen"),
        ("<seed:think>a</seed:think>Bergen", "Bergen"),
        ("<reasoning>a</reasoning>\nBergen", "Bergen"),
        ("Oslo? No, it rains there too.\n</think>\n\nBergen", "Bergen"),
        ("<think>a</think>\nBergen\n<think>or not</think>\nBergen!", "Bergen\n\nBergen!"),
        ("<think>\nOslo, because", ""),
        ("  <think>Oslo, because", ""),
        ("Bergen.\n  <think>a</think>", "Bergen."),
    ],
)
def test_reasoning_is_no_part_of_the_answer(text: str, answer: str) -> None:
    assert without_reasoning(text) == answer


@pytest.mark.parametrize(
    "text",
    [
        "",
        " Bergen \n",
        "I think <b>Bergen</b>.",
        "Write `<think>` before and `</think>` after what is thought.",
        "Put this at the top:\n<think>\nthen think.",
    ],
)
def test_text_without_reasoning_stays_as_it_is(text: str) -> None:
    assert without_reasoning(text) == text
