"""Reads the type and the size of a picture from its first bytes, and looks for what must not be published.

The formats are read by their specifications, because a build needs nothing else of a picture: PNG (ISO/IEC 15948), GIF
(89a), JPEG (ITU-T T.81) with Exif (CIPA DC-008), WebP (RFC 9649), AVIF (ISO/IEC 23008-12) and SVG 2. Every loop is
bounded, whatever the bytes say.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple
from xml.parsers import expat

MAX_PIXELS = 100_000_000
"""The most pixels of a picture: browsers and encoders hold all of them in memory."""
MAX_SVG = 2_000_000
"""The largest SVG, in bytes."""

_MAX_PARTS = 4096
_MAX_DEPTH = 200
_MAX_SIDE = 100_000

SUFFIXES = {"jpeg": "jpg"}
"""The endings of file names that differ from the name of their type."""


class UnusableError(ValueError):
    """A file that must not be published: what is wrong with it, and what to do."""

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what)
        self.what, self.hint = what, hint


class Medium(NamedTuple):
    """What a file is: its `type`, such as jpeg or pdf, and the size at which it is shown, 0 if it has none.

    `located`: it says where it was taken. `animated`: it may have several frames.
    """

    type: str
    width: int = 0
    height: int = 0
    located: bool = False
    animated: bool = False

    @property
    def is_picture(self) -> bool:
        return self.type != "pdf"

    @property
    def suffix(self) -> str:
        """The ending of the names of such files, without a dot."""
        return SUFFIXES.get(self.type, self.type)


def medium(data: bytes, ending: str) -> Medium:
    """What a file with this ending (".jpg") is. Raises UnusableError.

    The ending of one pixel format may stand for another: people rename such files, and browsers look at the bytes.
    """
    found = _pixels(data)
    if ending == ".svg":
        found = _svg(data)
    elif ending == ".pdf":
        if b"%PDF-" not in data[:1024]:
            raise UnusableError("is not a PDF", "save it as PDF again")
        return Medium("pdf")
    if found is None:
        raise UnusableError("is not a picture, whatever its name says", "save it again as JPEG, PNG, WebP or AVIF")
    if not (0 < found.width <= _MAX_SIDE and 0 < found.height <= _MAX_SIDE):
        raise UnusableError("has no usable size", "save it again")
    if found.type != "svg" and found.width * found.height > MAX_PIXELS:
        size = f"has {found.width:,} × {found.height:,} pixels"
        raise UnusableError(size, f"save it smaller; the maximum is {MAX_PIXELS // 1_000_000} million pixels")
    return found


def size(data: bytes) -> tuple[int, int] | None:
    """The size of a picture that its owner trusts: an SVG may have scripts, which <img> does not run.

    None if it is no picture, or does not say its size.
    """
    found = _pixels(data)
    sides = (found.width, found.height) if found else _root_size(data[:MAX_SVG])
    return sides if sides and all(0 < side <= _MAX_SIDE for side in sides) else None


def _pixels(data: bytes) -> Medium | None:
    """A picture made of pixels; None if it is something else. Its size is (0, 0) if it is damaged."""
    for mark, type, read in _FORMATS:
        if mark.match(data):
            try:
                return read(data)
            except (struct.error, IndexError):
                return Medium(type)
    return None


def _png(data: bytes) -> Medium:
    located = animated = False
    at = 8
    for _ in range(_MAX_PARTS):
        if len(data) < at + 8:
            break
        length, name = struct.unpack_from(">I4s", data, at)
        if name == b"eXIf":
            located = _exif(data[at + 8 : at + 8 + min(length, 1 << 16)])[1]
        animated = animated or name == b"acTL"
        at += 12 + length
    width, height = struct.unpack_from(">II", data, 16)
    return Medium("png", width, height, located, animated)


def _gif(data: bytes) -> Medium:
    # To count the frames takes decoding all of them. Most pictures in this format have several.
    width, height = struct.unpack_from("<HH", data, 6)
    return Medium("gif", width, height, animated=True)


_NO_SIZE = {0xC4, 0xC8, 0xCC}  # DHT, JPG and DAC lie among the markers of frames (T.81, table B.1)


def _jpeg(data: bytes) -> Medium:
    orientation, located = 1, False
    at = 2
    for _ in range(_MAX_PARTS):
        while data[at] == 0xFF and data[at + 1] == 0xFF:  # fill bytes
            at += 1
            if at > 1 << 20:
                return Medium("jpeg")
        if data[at] != 0xFF:
            break
        marker = data[at + 1]
        if marker == 0x01 or 0xD0 <= marker <= 0xD7:
            at += 2
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        if length < 2:
            break
        if marker == 0xE1 and data[at + 4 : at + 10] == b"Exif\0\0":
            orientation, located = _exif(data[at + 10 : at + 2 + length])
        if 0xC0 <= marker <= 0xCF and marker not in _NO_SIZE:
            height, width = struct.unpack_from(">HH", data, at + 5)
            # Values from 5 on are turned by 90 degrees (Exif 2.3, 4.6.4).
            if orientation > 4:
                width, height = height, width
            return Medium("jpeg", width, height, located)
        at += 2 + length
    return Medium("jpeg")


def _exif(data: bytes) -> tuple[int, bool]:
    """The orientation (1 to 8) and whether there is a position, of a block in TIFF's form."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    orientation, located = 1, False
    try:
        if order:
            (start,) = struct.unpack_from(order + "I", data, 4)
            (count,) = struct.unpack_from(order + "H", data, start)
            for at in range(start + 2, start + 2 + 12 * min(count, 512), 12):
                tag, kind, _, value = struct.unpack_from(order + "HHIH", data, at)
                if tag == 0x0112 and kind == 3 and 1 <= value <= 8:
                    orientation = value
                located = located or tag == 0x8825
    except struct.error:
        pass
    return orientation, located


def _webp(data: bytes) -> Medium:
    kind = data[12:16]
    if kind == b"VP8 ":
        if data[23:26] != b"\x9d\x01\x2a":
            return Medium("webp")
        width, height = struct.unpack_from("<HH", data, 26)
        return Medium("webp", width & 0x3FFF, height & 0x3FFF)
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return Medium("webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind != b"VP8X":
        return Medium("webp")
    flags = data[20]
    width, height = (1 + int.from_bytes(data[at : at + 3], "little") for at in (24, 27))
    located = False
    at = 12
    for _ in range(_MAX_PARTS if flags & 8 else 0):
        if len(data) < at + 8:
            break
        name, length = struct.unpack_from("<4sI", data, at)
        if name == b"EXIF":
            block = data[at + 8 : at + 8 + min(length, 1 << 16)]
            located = _exif(block.removeprefix(b"Exif\0\0"))[1]
        at += 8 + length + length % 2
    return Medium("webp", width, height, located, bool(flags & 2))


def _boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The type, start and end of the content of each box (ISO/IEC 14496-12, 4.2)."""
    for _ in range(_MAX_PARTS):
        if at + 8 > end:
            return
        size, name = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, at + 8)
            head = 16
        stop = end if size == 0 else at + size
        if (size and size < head) or stop > end:
            return
        yield name, at + head, stop
        at = stop


def _avif(data: bytes) -> Medium:
    """The size of the primary item: that of its `ispe`, turned by its `irot`."""
    start, end = next(((a, b) for name, a, b in _boxes(data, 0, len(data)) if name == b"meta"), (0, 0))
    if not end:
        return Medium("avif")
    primary = 0
    properties: list[tuple[bytes, int]] = []
    of_item: dict[int, list[int]] = {}
    for name, at, stop in _boxes(data, start + 4, end):
        if name == b"pitm":
            (primary,) = struct.unpack_from(">I" if data[at] else ">H", data, at + 4)
        for inner, begin, limit in _boxes(data, at, stop) if name == b"iprp" else ():
            if inner == b"ipco":
                properties = [(kind, place) for kind, place, _ in _boxes(data, begin, limit)]
            elif inner == b"ipma":
                of_item |= _associations(data, begin)
    width = height = turns = 0
    for number in of_item.get(primary, ()):
        kind, place = properties[number - 1] if 0 < number <= len(properties) else (b"", 0)
        if kind == b"ispe":
            width, height = struct.unpack_from(">II", data, place + 4)
        elif kind == b"irot":
            turns = data[place] & 3
    located = b"Exif" in data[start:end]  # where it is and what it says, only a decoder finds out
    if turns % 2:
        width, height = height, width
    return Medium("avif", width, height, located, data[8:12] == b"avis")


def _associations(data: bytes, at: int) -> dict[int, list[int]]:
    """The numbers of the properties of each item, of an `ipma` box."""
    version, wide = data[at], data[at + 3] & 1
    (count,) = struct.unpack_from(">I", data, at + 4)
    at += 8
    out: dict[int, list[int]] = {}
    for _ in range(min(count, _MAX_PARTS)):
        (item,) = struct.unpack_from(">I" if version else ">H", data, at)
        at += 4 if version else 2
        number = data[at]
        at += 1
        found = struct.unpack_from(f">{number}{'H' if wide else 'B'}", data, at)
        out[item] = [value & (0x7FFF if wide else 0x7F) for value in found]
        at += number * (2 if wide else 1)
    return out


_FORMATS = (
    (re.compile(rb"\x89PNG\r\n\x1a\n....IHDR", re.DOTALL), "png", _png),
    (re.compile(rb"GIF8[79]a"), "gif", _gif),
    (re.compile(rb"\xff\xd8\xff"), "jpeg", _jpeg),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "webp", _webp),
    (re.compile(rb"....ftyp(?:avif|avis|mif1.{0,32}avif)", re.DOTALL), "avif", _avif),
)

# What runs scripts or leads elsewhere when a reader opens the picture by itself: `<img>` allows none of it.
_ACTIVE = {"script", "foreignobject", "iframe", "embed", "object", "audio", "video", "handler", "listener"}
_LENGTH = re.compile(r"\s*([0-9]*\.?[0-9]+)(?:px)?\s*")
_ONLY_DATA = re.compile(r"#|data:image/(?:png|jpeg|gif|webp|avif)[;,]", re.IGNORECASE)
_SCRIPT = re.compile(r"(?:java|vb|live)script:|data:text/", re.IGNORECASE)
_NOISE = re.compile(r"[\x00-\x20]+")
_CODE_HINT = "remove scripts, links and external files from it, or put it into static/ if you trust it"


def _svg(data: bytes) -> Medium:
    """An SVG without scripts. Raises UnusableError for one with them."""
    if len(data) > MAX_SVG:
        raise UnusableError(f"is larger than {MAX_SVG // 1_000_000} MB", "save it with less detail")
    size: list[tuple[int, int]] = []
    depth = 0

    def refuse(what: str) -> None:
        raise UnusableError(f"has {what}, which could act on the site's readers", _CODE_HINT)

    def element(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        local = name.rpartition(":")[2].lower()
        if depth == 1:
            if local != "svg":
                raise UnusableError("is not an SVG", "save it as SVG again")
            size.append(_svg_size(attributes))
        if depth > _MAX_DEPTH:
            raise UnusableError("is nested too deeply", "save it with less detail")
        if local in _ACTIVE:
            refuse(f"<{local}>")
        for key, value in attributes.items():
            attribute = key.rpartition(":")[2].lower()
            if attribute.startswith("on"):
                refuse(f"the attribute {attribute!r}")
            plain = _NOISE.sub("", value)
            if _SCRIPT.search(plain) or (attribute in ("href", "src") and plain and not _ONLY_DATA.match(plain)):
                refuse(f"a link in <{local}>")

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = element, end
    parser.EntityDeclHandler = lambda *_: refuse("entities")
    parser.ProcessingInstructionHandler = lambda *_: refuse("a processing instruction")
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise UnusableError(f"is not a well-formed SVG (line {error.lineno})", "save it as SVG again") from None
    except (ValueError, LookupError) as error:  # an encoding that is not known
        if isinstance(error, UnusableError):
            raise
        raise UnusableError("is not a well-formed SVG", "save it as SVG again") from None
    return Medium("svg", *size[0])


class _Root(Exception):  # noqa: N818 (not an error)
    """Ends the parsing of an SVG at its first element, whose name and attributes are the arguments."""


def _root_size(data: bytes) -> tuple[int, int] | None:
    """The size that the first element of an SVG says; None if there is none, or it says nothing."""

    def stop(*found: object) -> None:
        raise _Root(*found)

    parser = expat.ParserCreate()
    parser.StartElementHandler = stop
    parser.EntityDeclHandler = lambda *_: stop("", {})
    try:
        parser.Parse(data, True)
    except _Root as root:
        name, attributes = root.args
        return _said_size(attributes) if name.rpartition(":")[2].lower() == "svg" else None
    except (expat.ExpatError, ValueError, LookupError):
        return None
    return None


def _svg_size(attributes: dict[str, str]) -> tuple[int, int]:
    """The size in pixels, or the usual one of replaced elements."""
    return _said_size(attributes) or (300, 150)


def _said_size(attributes: dict[str, str]) -> tuple[int, int] | None:
    """The size in pixels: `width` and `height`, else that of the `viewBox`."""
    sides = [_LENGTH.fullmatch(attributes.get(name, "")) for name in ("width", "height")]
    if all(sides):
        numbers = [float(side[1]) for side in sides if side]
    else:
        box = re.split(r"[\s,]+", attributes.get("viewBox", "").strip()[:200])
        try:
            numbers = [float(value) for value in box[2:4]]
        except ValueError:
            numbers = []
    if len(numbers) == 2 and all(0 < number <= _MAX_SIDE for number in numbers):
        return max(1, round(numbers[0])), max(1, round(numbers[1]))
    return None
