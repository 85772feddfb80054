"""Measures pictures: reads the width and height in pixels from the first bytes of a file, without decoding it."""

from __future__ import annotations

import math
import re

ENDINGS = (".svg", ".png", ".webp")
"""The types of pictures that `size` measures."""

ICONS = (".svg", ".png")
"""Those of icons."""

_LARGEST = 20_000
_SVG = re.compile(rb"<svg\b(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>")
_NUMBER = rb"[\"']\s*(\d{1,5}(?:\.\d+)?)(?:px)?\s*[\"']"
_SIDES = [re.compile(rb"\s" + side + rb"\s*=\s*" + _NUMBER) for side in (b"width", b"height")]
_VIEW_BOX = re.compile(
    rb"\sviewBox\s*=\s*[\"']\s*-?[\d.]+[\s,]+-?[\d.]+[\s,]+(\d{1,5}(?:\.\d+)?)[\s,]+(\d{1,5}(?:\.\d+)?)\s*[\"']"
)


def size(data: bytes) -> tuple[int, int] | None:
    """The width and height of an SVG, PNG or WebP; None if it is none of these, or does not say."""
    found = _png(data) or _webp(data) or _svg(data)
    return found if found and all(0 < side <= _LARGEST for side in found) else None


def _png(data: bytes) -> tuple[int, int] | None:
    """https://www.w3.org/TR/png-3/#11IHDR"""
    if data[:8] != b"\x89PNG\r\n\x1a\n" or data[12:16] != b"IHDR" or len(data) < 24:
        return None
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def _webp(data: bytes) -> tuple[int, int] | None:
    """https://www.rfc-editor.org/rfc/rfc9649#name-webp-container-specificatio"""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or len(data) < 30:
        return None

    def little(start: int, end: int) -> int:
        return int.from_bytes(data[start:end], "little")

    kind = data[12:16]
    if kind == b"VP8X":
        return little(24, 27) + 1, little(27, 30) + 1
    if kind == b"VP8L":
        bits = little(21, 25)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return (little(26, 28) & 0x3FFF, little(28, 30) & 0x3FFF) if kind == b"VP8 " else None


def _svg(data: bytes) -> tuple[int, int] | None:
    """The width and height of the outermost element, or those of its viewBox."""
    tag = _SVG.search(data[:65536])
    if tag is None:
        return None
    sides = [side.search(tag[0]) for side in _SIDES]
    if all(sides):
        numbers = [side[1] for side in sides if side]
    elif box := _VIEW_BOX.search(tag[0]):
        numbers = [box[1], box[2]]
    else:
        return None
    width, height = (math.ceil(float(number)) for number in numbers)
    return width, height
