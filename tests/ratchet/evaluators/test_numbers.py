import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.evaluators.numbers import last_number, values_of


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("it is 42", 42), ("\u22125 °C", -5), ("(-5)", -5), ("= -5", -5), ("-3e-2", -0.03), ("-7.", -7), ("5%", 5),
        ("10-12", 12), ("from 10\u201312 Uhr", 12), ("2024-11-28", 28), ("5 - 3", 3), ("00:30", 30),
        ("1,234.5", 1234.5), ("1.234,5", 1234.5), ("$1,200.50", 1200.5), ("1'000'000", 1_000_000),
        ("12\u202f500", 12_500), ("12 500", 12_500), ("about 3,5 km", 3.5), ("1,234,567", 1_234_567),
        ("1.234", 1.234), ("1.234", 1234), ("room 12 500", 500), ("\uff14\uff12", 42), ("v1.2.3", 3),
    ],
)  # fmt: skip
def test_last_number_is_read_as_people_write_it(text: str, value: float) -> None:
    assert any(number == pytest.approx(value) for number in last_number(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [("10-12", -12), ("a-5", -5), ("in 2024 300", 2024300), ("3.5", 35), ("1,2,3", 123), ("42 and 7", 42)],
)
def test_last_number_is_not_read_otherwise(text: str, value: float) -> None:
    assert value not in last_number(text)


@pytest.mark.parametrize("text", ["", "no", "-", "..."])
def test_text_without_a_number(text: str) -> None:
    assert last_number(text) == set()
    assert values_of(text) == set()


@pytest.mark.parametrize("text", ["1e999", "9" * 5000, "1" + "0" * 400 + "e-400", "1e" + "9" * 50])
def test_huge_numbers_end(text: str) -> None:
    assert last_number(text)


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_what_python_writes_is_read(value: float) -> None:
    assert any(number == pytest.approx(value) for number in last_number(f"the answer is {value!r}"))


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    last_number(text)
