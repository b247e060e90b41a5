from ratchet.prompting import Example, Rules, TaskPrompt, build_messages, system_prompt

RULES = Rules(rules=("Never lie.", "Stay {polite}."), hash="h")


def test_build_messages_of_a_bare_prompt() -> None:
    assert build_messages(RULES, TaskPrompt(prompt="Answer."), "When?") == [
        {"role": "system", "content": "RULES (never break):\n- Never lie.\n- Stay {polite}.\nTASK:\nAnswer."},
        {"role": "user", "content": "When?"},
    ]


def test_build_messages_with_everything() -> None:
    prompt = TaskPrompt(
        prompt="Answer as {tone} in {unknown}.", examples=[Example(input="own in", output="own out")], locked=["Answer"]
    )
    messages = build_messages(
        RULES,
        prompt,
        "{tone}?",
        documents=["First {tone}.", "Second."],
        examples=[Example(input="far", output="1"), Example(input="near", output="2")],
        variables={"tone": "{unknown}"},
    )
    assert messages == [
        {
            "role": "system",
            "content": "RULES (never break):\n- Never lie.\n- Stay {polite}.\nTASK:\n"
            "Answer as {unknown} in {unknown}.\n\nThe answer is in this text:\nFirst {tone}.\n\nSecond.",
        },
        {"role": "user", "content": "own in"},
        {"role": "assistant", "content": "own out"},
        {"role": "user", "content": "far"},
        {"role": "assistant", "content": "1"},
        {"role": "user", "content": "near"},
        {"role": "assistant", "content": "2"},
        {"role": "user", "content": "{tone}?"},
    ]


def test_system_prompt_without_rules_has_no_such_section() -> None:
    text = system_prompt(Rules(rules=(), hash="h"), TaskPrompt(prompt="Do it."), [], {})
    assert text == "TASK:\nDo it."


def test_system_prompt_never_interprets_documents_or_rules() -> None:
    text = system_prompt(RULES, TaskPrompt(prompt="{x}"), ["{x}"], {"x": "value", "polite": "rude"})
    assert (
        text == "RULES (never break):\n- Never lie.\n- Stay {polite}.\nTASK:\nvalue\n\nThe answer is in this text:\n{x}"
    )
