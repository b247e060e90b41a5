import pytest

from ratchet.prompting import TaskPrompt
from ratchet.proposers.sentences import changeable, locate, replace_sentence, sentences

TEXT = "Answer the question. Be kind!\n\n- Use {tone} words\n- Keep it legal. Version 1.5 counts."


def test_sentences_end_at_marks_and_lines() -> None:
    assert sentences(TEXT) == [
        "Answer the question.",
        "Be kind!",
        "- Use {tone} words",
        "- Keep it legal.",
        "Version 1.5 counts.",
    ]
    assert sentences(" \n ") == []


def test_sentences_know_their_places() -> None:
    for sentence in locate("  " + TEXT + " \n"):
        assert ("  " + TEXT)[sentence.start : sentence.end] == sentence.text


@pytest.mark.parametrize(
    ("locked", "open_to_change"),
    [
        ([], ["Answer the question.", "Be kind!", "- Keep it legal.", "Version 1.5 counts."]),
        (["Keep it legal."], ["Answer the question.", "Be kind!", "Version 1.5 counts."]),
        (["question. Be"], ["- Keep it legal.", "Version 1.5 counts."]),
    ],
)
def test_changeable_leaves_locked_text_and_variables_alone(locked: list[str], open_to_change: list[str]) -> None:
    found = changeable(TaskPrompt(prompt=TEXT, locked=locked))
    assert [sentence.text for sentence in found] == open_to_change


def test_only_sentence_is_not_changeable() -> None:
    assert changeable(TaskPrompt(prompt="Answer the question.")) == []


def test_replaced_keeps_everything_else_as_it_was() -> None:
    kind, version = locate(TEXT)[1], locate(TEXT)[-1]
    assert replace_sentence(TEXT, kind, "Be brief.") == TEXT.replace("Be kind!", "Be brief.")
    assert replace_sentence(TEXT, kind, "") == TEXT.replace("Be kind!\n\n", "")
    assert replace_sentence(TEXT, version, "") == TEXT.removesuffix(" Version 1.5 counts.")
