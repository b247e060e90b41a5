from proposed import AFTER, BEFORE, LOST, proposal, validation

from ratchet.approval import approval_request, diff
from ratchet.records import Diagnosis, Repeats, Spent


def test_diff_shows_text_context_and_examples() -> None:
    assert diff(BEFORE, AFTER) == (
        "--- before\n+++ after\n@@ -1,2 +1,6 @@\n Answer.\n+Be brief.\n Keep it.\n"
        "+[context] handbook: query '{input}', top 3\n+[example] user: i\n+[example] assistant: o"
    )


def test_approval_request_has_the_form_of_the_agent_inbox() -> None:
    diagnosis = Diagnosis(category="prompt", component="shop", failures=["F"], explanation="e")
    request = approval_request(proposal(), validation(losses=[LOST]), diagnosis, Spent(calls=7), None)
    summary = "shop/shop: states it. Held-out success 40% -> 80% (0 won, 1 lost of 10)."
    assert request["action_requests"] == [
        {"name": "apply_change", "args": {"component": "shop", "prompt": AFTER.as_json()}, "description": summary}
    ]
    assert request["review_configs"] == [
        {"action_name": "apply_change", "allowed_decisions": ["approve", "edit", "reject"]}
    ]
    review = request["review"]
    assert (review["id"], review["change_hash"], review["spent"]["calls"]) == ("C-1", "abc", 7)
    assert review["validation"]["losses"][0]["case_id"] == "c"
    assert "problem" not in request


def test_approval_request_says_how_often_each_case_was_run() -> None:
    diagnosis = Diagnosis(category="prompt", component="shop", failures=["F"], explanation="e")
    often = Repeats(count=3, why="as 2 of 9 failures passed when repeated")
    summary = approval_request(proposal(), validation(repeats=often), diagnosis, Spent(), None)["review"]["summary"]
    assert summary.endswith(
        "(0 won, 0 lost of 10; each case was run 3 times, as 2 of 9 failures passed when repeated; "
        "it is won where its mean rises)."
    )


def test_approval_request_says_why_an_answer_was_not_accepted() -> None:
    diagnosis = Diagnosis(category="prompt", component="shop", failures=["F"], explanation="e")
    assert approval_request(proposal(), validation(), diagnosis, Spent(), "wrong form")["problem"] == "wrong form"
