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
        (".5", 0.5), ("-.5", -0.5), ("1.5\u00d710^3", 1500), ("2 \u00d7 10\u00b3", 2000),
        ("3.2\u00b710\u207b\u2074", 0.00032),
        ("6.02x10^23", 6.02e23), ("10\u00b3", 1000), ("2\u00bd", 2.5), ("\u00be", 0.75), ("5 %", 0.05), ("12,5%", 12.5),
        ("-$5", -5), ("\u2212\u20ac1.000,50", -1000.5), ("1,00,000", 100_000), ("1_000", 1000),
        ("\u0663\u066b\u0665", 3.5),
        ("12\u066c345", 12_345), ("25 m\u00b2", 25), ("5 kg CO\u2082", 5), ("\u20115", -5), ("10-$20", 20),
    ],
)  # fmt: skip
def test_last_number_is_read_as_people_write_it(text: str, value: float) -> None:
    assert any(number == pytest.approx(value) for number in last_number(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10-12", -12),
        ("a-5", -5),
        ("in 2024 300", 2024300),
        ("3.5", 35),
        ("1,2,3", 123),
        ("42 and 7", 42),
        ("0.001", 1),
        ("0,500", 500),
        (".5", 5),
        ("1'000", 0),
        ("25 m\u00b2", 2),
        ("5", 0.05),
    ],
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


@pytest.mark.parametrize(
    ("text", "values"), [("$1,000.50", {1000.5}), ("12 %", {12, 0.12}), ("\u20ac 5", {5}), ("-.5", {-0.5}), ("~7", {7})]
)
def test_text_that_is_a_number_has_its_values(text: str, values: set[float]) -> None:
    assert values_of(text) == values


@pytest.mark.parametrize("text", ["5 kg", "5 and 7", "v5", "five", "1/2", "5 %, more or less"])
def test_text_that_is_more_than_a_number_has_none(text: str) -> None:
    assert values_of(text) == set()
