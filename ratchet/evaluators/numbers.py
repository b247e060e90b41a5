"""Numbers as people write them: signs, thousands in groups, decimal commas, ranges, percent, powers of ten."""

import re
import unicodedata

_MARKS = str.maketrans({**dict.fromkeys("−‐‑‒–—﹣－", "-"), "٫": ".", "٬": "'", "⁄": "/"})  # noqa: RUF001
_SPACE = "[ \u00a0\u2009\u202f'’_]"  # noqa: RUF001
_NUMBER = re.compile(
    rf"(?<![\w.,])[-+]?(?:\d{{1,3}}(?:{_SPACE}\d{{3}})+(?!\d)|\d+(?:[.,]\d+)*|(?=[.,]\d))(?:[.,]\d+)?(?:[eE][-+]?\d+)?"
    r"|(?<=\d)[-](?P<end>\d+(?:[.,]\d+)*)"
    r"|\d+(?:[.,]\d+)*(?:[eE][-+]?\d+)?"
)
"""Signed where the sign does not stand between two numbers: "10-12" ends with 12."""
_CURRENCY = "[$€£¥₹₽₩₺₫₱฿]"
_SIGN_BEFORE_CURRENCY = re.compile(rf"(?<![\d)])(?<!\d )([-+])\s?({_CURRENCY})\s?(?=[\d.,])")
_AROUND = re.compile(rf"(?:{_CURRENCY}|[%~≈\s])*")
_PERCENT = re.compile(r"\s?%")
_RAISED = "⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹"
_AS_POWER = str.maketrans(_RAISED, "-+0123456789")
_POWER_OF_TEN = re.compile(rf"(?:(?<=\d)\s?[×x·*]\s?|(?<![\w.,]))10(?:\s?(?:\^|\*\*)\s?([-+]?\d+)|([{_RAISED}]+))")  # noqa: RUF001
_INDEX = re.compile(rf"(?<=[^\W_])[{_RAISED}₀-₉]+")
_FRACTION = re.compile(r"(\d{0,15})\s?([¼½¾⅐-⅞])")


def last_number(text: str) -> set[float]:
    """The values that the last number of a text may stand for; empty where it has none.

    There are several where people write it differently. "1.234" is one and a bit in one country and over a thousand in
    another. "Room 12 500" may hold one number or two. "5 %" is five, or 0.05.
    """
    plain = _plain(text)
    found = list(_NUMBER.finditer(plain))
    if not found:
        return set()
    last = found[-1]
    written = last["end"] or last[0]
    parts = re.split(_SPACE, written)
    values = _values("".join(parts))
    if re.search(r"\s", written):
        values |= _values(parts[-1])
    if _PERCENT.match(plain, last.end()):
        values |= {value / 100 for value in values}
    return values


def values_of(text: str) -> set[float]:
    """The values that a text stands for which is a number, maybe of a currency or percent; empty where it is none."""
    plain = _plain(text)
    found = list(_NUMBER.finditer(plain))
    around = "".join(_NUMBER.split(plain)[:: _NUMBER.groups + 1])
    return last_number(text) if len(found) == 1 and _AROUND.fullmatch(around) else set()


def _plain(text: str) -> str:
    """`text` with the forms that stand for the same made one: minus signs, digits, powers of ten, fractions."""
    spelled = _POWER_OF_TEN.sub(_exponent, text.translate(_MARKS))
    spelled = _FRACTION.sub(lambda found: f"{int(found[1] or 0) + unicodedata.numeric(found[2]):.6g}", spelled)
    spelled = unicodedata.normalize("NFKC", _INDEX.sub("", spelled)).translate(_MARKS)
    digits = "".join(str(unicodedata.digit(char)) if char.isdecimal() else char for char in spelled)
    return _SIGN_BEFORE_CURRENCY.sub(r"\2\1", digits).strip()


def _exponent(found: re.Match[str]) -> str:
    power = found[1] or found[2].translate(_AS_POWER)
    return f"e{power}" if found[0][:2] != "10" else f"1e{power}"


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
    if mark and len(set(marks)) == 1 and re.fullmatch(r"[1-9]\d{0,2}(?:[.,]\d{3})+|[1-9]\d?(?:,\d\d)+,\d{3}", number):
        readings.add(re.sub("[.,]", "", number))
    if not readings:
        readings.add(rest)  # "1.2.3" is a version or a date; its last part is the last number
    return {float(f"{sign}{reading}e{exponent or 0}") for reading in readings}
