import re
from pathlib import Path

import pytest

from newsgen import colours

ROOT = Path(__file__).parent.parent


def test_contrast_follows_wcag() -> None:
    assert colours.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert colours.contrast("#ffffff", "#777777") == pytest.approx(4.478, abs=0.001)
    assert colours.contrast("#8c2a1c", "#8c2a1c") == 1


@pytest.mark.parametrize(
    ("value", "colour"),
    [
        ("#8C2A1C", "#8c2a1c"),
        ("#fff", "#ffffff"),
        ("red", ""),
        ("#ffff", ""),
        ("#12345g", ""),
        ("#fff;}", ""),
        ("", ""),
    ],
)
def test_colours_are_three_or_six_digits(value: str, colour: str) -> None:
    assert colours.parse(value) == colour


def test_the_palettes_are_those_of_the_style_sheets_and_readable() -> None:
    css = "".join((ROOT / f"static/css/{name}.css").read_text(encoding="utf-8") for name in ("site", "archive"))
    for scheme, block in zip(("light", "dark"), re.findall(r":root \{([^}]*)\}", css)[:2], strict=True):
        written = dict(re.findall(r"--(\w+): (#\w+);", block))
        palette = colours.SHIPPED[scheme]  # type: ignore[index]
        assert written == palette._asdict(), scheme
        assert colours.weakest_text(palette) is None
        assert colours.weakest_accent(palette) is None
    mixes = re.findall(r"color-mix\(in srgb, var\(--accent\) (\d+)%, var\(--paper\)\)", css)
    assert max(map(int, mixes)) == colours.TINT * 100


@pytest.mark.parametrize("accent", ["#ffd400", "#e4002b", "#1a73e8", "#000000", "#ffffff"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_nearest_accent_is_readable_and_no_shade_between_is(accent: str, scheme: colours.Scheme) -> None:
    found = colours.nearest_accent(scheme, accent, "")
    assert colours.weakest_accent(colours.palette(scheme, found)) is None
    if found != accent:
        between = colours.mix(found, accent, 0.1)
        assert between == found or colours.weakest_accent(colours.palette(scheme, between))
