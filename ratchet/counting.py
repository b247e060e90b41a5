"""Numbers of things, as people write them."""


def quantity(number: int, thing: str) -> str:
    """Number and thing: 1 case, 2 cases, 1,200 cases."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """Seconds in the unit that suits them: 90 seconds, 5 minutes, 24 hours, 3 days."""
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= 2 * size:
            return quantity(round(seconds / size), unit)
    return quantity(round(seconds), "second")
