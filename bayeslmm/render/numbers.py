"""Numbers as people read them: rounded to what their error makes worth printing."""

from math import floor, isfinite, log10

MISSING = "–"


def rounded(value: float, error: float, digits: int = 3) -> str:
    """Write a value to the decimal place of the error's ``digits``-th significant digit.

    >>> rounded(10.46729, 1.5458)
    '10.47'
    >>> rounded(1234.4, 120.0)
    '1234'
    """
    if not isfinite(value):
        return MISSING
    return fixed(value, _places(error if isfinite(error) and error > 0 else abs(value), digits))


def significant(value: float, digits: int = 3) -> str:
    """Write a value to so many significant digits, never in scientific notation below a million."""
    if not isfinite(value):
        return MISSING
    if value and not 1e-4 <= abs(value) < 1e6:
        return f"{value:.{digits - 1}e}"
    return fixed(value, _places(abs(value), digits))


def fixed(value: float, places: int) -> str:
    """Write with so many places, a true minus sign and no negative zero; negative places round tens."""
    text = f"{round(value, places) + 0.0:.{max(places, 0)}f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")


def signed(value: float, places: int = 2) -> str:
    """Write with its sign, plus included."""
    return f"{'+' if value > 0 else ''}{fixed(value, places)}" if isfinite(value) else MISSING


def percent(value: float) -> str:
    """Write a proportion as a percentage."""
    return f"{100 * value:.0f} %" if isfinite(value) else MISSING


def _places(magnitude: float, digits: int) -> int:
    return digits - 1 - floor(log10(magnitude)) if magnitude > 0 else 0
