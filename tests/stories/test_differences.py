"""Numbers that only some reports have are written with the word that says what they count."""

from __future__ import annotations

import pytest

from newsgen.stories import numbers


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("1,041 on Saturday", "None"), [("1,041", [0])]),
        (("1,041 on Saturday", "The 1041 cases", "1041 cases, they say", "None"), [("1,041 cases", [0, 1, 2])]),
        (("Held for 41 days", "Held"), [("41 days", [0])]),
        (("12 in Kisten", "12 de mayo", "12 Tote", "12 Tote", "Keine"), [("12 Tote", [0, 1, 2, 3])]),
        (("12 auf einmal", "Keine"), [("12", [0])]),
        (("7 km von hier", "Nah"), [("7 km", [0])]),
        (("7 and 7 and 7 men", "None"), [("7 men", [0])]),
        (("$3m for 3%", "Nothing"), [("$3m", [0])]),
    ],
)
def test_numbers(texts: tuple[str, ...], expected: list[tuple[str, list[int]]]) -> None:
    assert numbers(texts) == expected
