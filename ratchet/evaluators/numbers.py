"""Numbers as people write them: signs, thousands in groups, decimal commas, ranges."""

import re
import unicodedata

_MINUS = str.maketrans(dict.fromkeys("−‒–—﹣－", "-"))  # noqa: RUF001
_SPACE = "[ \u00a0\u2009\u202f'’]"  # noqa: RUF001
_NUMBER = re.compile(
    rf"(?<![\w.,])[-+]?(?:\d{{1,3}}(?:{_SPACE}\d{{3}})+(?!\d)|\d+(?:[.,]\d+)*)(?:[.,]\d+)?(?:[eE][-+]?\d+)?"
    r"|(?<=\d)[-](?P<end>\d+(?:[.,]\d+)*)"
    r"|\d+(?:[.,]\d+)*(?:[eE][-+]?\d+)?"
)
"""Signed where the sign does not stand between two numbers: "10-12" ends with 12."""


def last_number(text: str) -> set[float]:
    """The values that the last number of a text may stand for; empty where it has none.

    There are several where people write it differently. "1.234" is one and a bit in one country and over a thousand in
    another. "Room 12 500" may hold one number or two.
    """
    plain = unicodedata.normalize("NFKC", text).translate(_MINUS)
    found = list(_NUMBER.finditer(plain))
    if not found:
        return set()
    last = found[-1]
    written = last["end"] or last[0]
    parts = re.split(_SPACE, written)
    values = _values("".join(parts))
    return values | _values(parts[-1]) if len(parts) > 1 else values


def values_of(text: str) -> set[float]:
    """The values that a text stands for which is a number; empty where it is none."""
    plain = unicodedata.normalize("NFKC", text).translate(_MINUS).strip()
    return last_number(plain) if _NUMBER.fullmatch(plain) else set()


def _values(written: str) -> set[float]:
    """Every reading of the marks in a number: one of them a decimal mark, or all of them between thousands."""
    sign = "-" if written.startswith("-") else ""
    number, _, exponent = written.lstrip("+-").lower().partition("e")
    marks = re.findall("[.,]", number)
    readings = set()
    if not marks:
        readings.add(number)
    whole, mark, rest = number.rpartition(marks[-1]) if marks else ("", "", "")
    if mark and mark not in whole:
        readings.add(f"{re.sub('[.,]', '', whole)}.{rest}")
    if mark and len(set(marks)) == 1 and re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+", number):
        readings.add(re.sub("[.,]", "", number))
    if not readings:
        readings.add(rest)  # "1.2.3" is a version or a date; its last part is the last number
    return {float(f"{sign}{reading}e{exponent or 0}") for reading in readings}
