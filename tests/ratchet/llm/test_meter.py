from collections.abc import Callable
from contextlib import ExitStack

import pytest

from ratchet.errors import BudgetError, ConfigurationError, ModelReplyError, ModelUnavailableError
from ratchet.llm import Meter


def test_meter_knows_the_most_calls_in_flight() -> None:
    meter = Meter()
    with ExitStack() as calls:
        for role in ("agent", "agent", "judge"):
            calls.enter_context(meter.call(role))
    with meter.call("judge"):
        pass
    assert meter.most_in_flight == 3
    assert {role: usage["most_in_flight"] for role, usage in meter.report().items()} == {"agent": 2, "judge": 1}


def test_report_names_what_was_spent() -> None:
    meter = Meter()
    with meter.call("agent") as usage:
        usage.add(input_tokens=3, output_tokens=2, seconds=0.12345)
    assert meter.report() == {
        "agent": {
            "calls": 1, "reused": 0, "input_tokens": 3, "output_tokens": 2, "seconds": 0.123, "most_in_flight": 1,
        }
    }  # fmt: skip


def test_call_is_reserved_while_it_is_under_way() -> None:
    meter = Meter(limit=3, spent=1)
    with meter.call("agent"), meter.call("judge"), pytest.raises(BudgetError), meter.call("agent"):
        pass
    assert (meter.calls, meter.most_in_flight) == (3, 2)


@pytest.mark.parametrize(
    ("error", "charged"),
    [
        (lambda: ModelUnavailableError("down"), 0),
        (lambda: ConfigurationError("no key"), 0),
        (lambda: ModelReplyError("garbage"), 1),
    ],
)
def test_call_is_charged_unless_it_was_not_answered(error: Callable[[], Exception], charged: int) -> None:
    meter = Meter(limit=1)
    with pytest.raises(Exception, match=str(error())), meter.call("agent"):
        raise error()
    assert meter.calls == charged
    for _ in range(1 - charged):
        with meter.call("agent"):
            pass
    assert meter.most_in_flight == 1


def test_role_without_any_usable_answer_is_silent() -> None:
    meter = Meter()
    for role, answered, failed in (("agent", 3, 0), ("judge", 1, 4), ("analyst", 0, 1), ("optimizer", 0, 2)):
        usage = meter.of(role)
        usage.answered, usage.failed, usage.error = answered, failed, f"{role} model m: refused"
    assert meter.silent() == [
        "the analyst model gave no usable answer to its 1 request: analyst model m: refused",
        "the optimizer model gave no usable answer to its 2 requests: optimizer model m: refused",
    ]
