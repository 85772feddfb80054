"""The colours of a site: contrast by WCAG 2.2, and the palette of light or dark that an editor's colours give."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

Scheme: TypeAlias = Literal["light", "dark"]

TEXT, EDGE = 4.5, 3.0
"""The lowest contrasts of text (WCAG 2.2, 1.4.3) and of the edges of controls (1.4.11)."""

TINT = 0.13
"""The most accent that is mixed into the background below text: on the busiest days of a calendar."""

_HEX = re.compile(r"#(?:[0-9a-f]{3}){1,2}", re.IGNORECASE)
_STEPS = 256


class Palette(NamedTuple):
    """The colours of the style sheet in one scheme, as its custom properties name them."""

    paper: str
    raised: str
    ink: str
    soft: str
    rule: str
    strong: str
    accent: str


SHIPPED = MappingProxyType[Scheme, Palette](
    {
        "light": Palette("#fbf9f5", "#f1ede5", "#1c1a17", "#5d574e", "#d9d3c7", "#1c1a17", "#8c2a1c"),
        "dark": Palette("#15161a", "#202228", "#e9e6df", "#aaa59b", "#363942", "#8d887f", "#f0a58f"),
    }
)
"""The palettes of `static/css/site.css`."""


class Weak(NamedTuple):
    """Too little contrast: between what, how much, and how much is needed."""

    what: str
    ratio: float
    needed: float


def parse(value: str) -> str:
    """A colour such as #8c2a1c or #fff, in six lower-case digits; "" if it is none."""
    if not _HEX.fullmatch(value):
        return ""
    digits = value[1:].lower()
    return "#" + (digits if len(digits) == 6 else "".join(c * 2 for c in digits))


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21 (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def mix(colour: str, other: str, share: float) -> str:
    """A colour with a share of another mixed into it, as CSS does with `color-mix(in srgb, …)`."""
    return _hex(round(a + (b - a) * share) for a, b in zip(_channels(colour), _channels(other), strict=True))


def palette(scheme: Scheme, accent: str = "", background: str = "") -> Palette:
    """The palette of a scheme with another accent or background. Surfaces and lines follow the background."""
    shipped = SHIPPED[scheme]
    paper = background or shipped.paper
    if paper == shipped.paper:
        return shipped._replace(accent=accent or shipped.accent)
    raised, rule = mix(paper, shipped.ink, 0.06), mix(paper, shipped.ink, 0.18)
    return shipped._replace(paper=paper, raised=raised, rule=rule, accent=accent or shipped.accent)


def weakest_text(of: Palette) -> Weak | None:
    """The worst contrast between the text and the surfaces that the background gives; None if all is readable."""
    found = [
        Weak(f"{name} ({colour})", contrast(colour, surface), TEXT)
        for name, colour in (("text", of.ink), ("grey text", of.soft))
        for surface in (of.paper, of.raised)
    ]
    # The least that an accent takes from it there.
    tint = mix(of.paper, of.ink, TINT)
    found.append(Weak(f"grey text ({of.soft}) on days with a tint", contrast(of.soft, tint), TEXT))
    found.append(Weak(f"the edges of fields ({of.strong})", contrast(of.strong, of.paper), EDGE))
    return _worst(found)


def weakest_accent(of: Palette) -> Weak | None:
    """The worst contrast of the accent: as text on each surface, and below text where it is mixed into the background."""
    tint = mix(of.paper, of.accent, TINT)
    found = [
        Weak(f"{name} ({surface})", contrast(of.accent, surface), TEXT)
        for name, surface in (
            ("the background", of.paper),
            ("raised surfaces", of.raised),
            ("the busy days of a calendar", tint),
        )
    ]
    found.append(Weak(f"grey text ({of.soft}) on days with a tint of it", contrast(of.soft, tint), TEXT))
    return _worst(found)


def nearest_background(scheme: Scheme, background: str) -> str:
    """The nearest shade of a background on which text can be read; "" if there is none."""
    return nearest(background, lambda shade: weakest_text(palette(scheme, background=shade)) is None)


@lru_cache(maxsize=64)
def nearest_accent(scheme: Scheme, accent: str, background: str) -> str:
    """The nearest shade of an accent that can be read on a background; "" if there is none."""
    return nearest(accent, lambda shade: weakest_accent(palette(scheme, shade, background)) is None)


def nearest(colour: str, passes: Callable[[str], bool]) -> str:
    """The nearest lighter or darker shade of a colour that passes; "" if none does."""
    for step in range(_STEPS + 1):
        shades = (mix(colour, other, step / _STEPS) for other in ("#000000", "#ffffff"))
        if good := [shade for shade in shades if passes(shade)]:
            return min(good, key=lambda shade: _distance(colour, shade))
    return ""


def _worst(found: list[Weak]) -> Weak | None:
    weak = [each for each in found if each.ratio < each.needed]
    return min(weak, key=lambda each: each.ratio / each.needed) if weak else None


def _luminance(colour: str) -> float:
    """The relative luminance (https://www.w3.org/TR/WCAG22/#dfn-relative-luminance)."""
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in _channels(colour))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _hex(channels: Iterable[int]) -> str:
    return "#" + "".join(f"{c:02x}" for c in channels)


def _distance(one: str, other: str) -> int:
    return sum((a - b) ** 2 for a, b in zip(_channels(one), _channels(other), strict=True))
