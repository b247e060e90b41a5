"""Error control across the cycles of a task: e-LOND.

Test number t may ship when its e-value reaches 1 / a_t with a_t = a g_t (D + 1). The g_t are fixed weights that sum to
one, and D counts the changes shipped before. Under any dependence between the tests this keeps the expected share of
bad changes among the shipped ones below a. Xu and Ramdas, "Online multiple testing with e-values" (AISTATS 2024).
"""

ERROR = 0.05
"""Bound on the expected share of shipped changes that are no better."""
_ZETA = 2.612375348685488  # sum of t ** -1.5 over t = 1, 2, ...


def error_level(number: int, discoveries: int, error: float = ERROR) -> float:
    """The error level of test `number` (1, 2, ...) after that many shipped changes."""
    weight: float = number**-1.5 / _ZETA
    return min(1.0, error * weight * (discoveries + 1))
