"""Makes smaller copies of pictures with Pillow, which the extra `images` installs.

The same versions make the same bytes everywhere: nothing depends on the number of processors. A copy has no metadata,
so no position, and its colours are those of sRGB.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from newsgen import files, urls
from newsgen.builder.cache import FOLDER
from newsgen.errors import OutputError
from newsgen.pages import AttachmentPage
from newsgen.pictures import Medium
from newsgen.text import digest, digest_bytes

if TYPE_CHECKING:
    from PIL.Image import Image

WIDTHS = (480, 960, 1600)
"""The widths of copies, in pixels."""

SMALLEST = 320
"""Pictures that are not wider have no smaller copies."""

_RECIPE = 1
"""Changes when the same picture should be decoded or resized in another way."""

_SAVE: dict[str, tuple[str, dict[str, Any]]] = {
    # Threads and tiles would depend on the number of processors, and so would the bytes.
    "avif": ("AVIF", {"quality": 50, "speed": 6, "max_threads": 1, "autotiling": False}),
    "webp": ("WEBP", {"quality": 80, "method": 4}),
    "jpeg": ("JPEG", {"quality": 85, "optimize": True, "progressive": True}),
    "png": ("PNG", {"optimize": True}),
}
_TURNED = ("jpeg", "avif")
"""The formats whose orientation browsers follow."""


@cache
def pillow() -> ModuleType | None:
    """Pillow's Image module; None if it is not installed."""
    try:
        from PIL import Image
    except ImportError:
        return None
    Image.MAX_IMAGE_PIXELS = None  # `pictures.medium` limits them, without a warning
    return Image


@cache
def formats() -> tuple[str, ...]:
    """The formats of smaller copies, the smallest files first."""
    from PIL import features

    return tuple(name for name in ("avif", "webp") if features.check(name))


@cache
def _version() -> str:
    from PIL import __version__, features

    libraries = [
        f"{name} {features.version(name)}" for name in ("avif", "webp", "jpg", "libjpeg_turbo", "zlib", "littlecms2")
    ]
    return digest(repr((_RECIPE, _SAVE, WIDTHS, formats(), __version__, libraries)).encode())[:16]


def version(kind: Medium) -> str:
    """A digest of what decides the bytes of such a picture's copies; "" if it is copied as it is."""
    if kind.animated or kind.type not in _SAVE or pillow() is None:
        return ""
    return _version() if kind.type != "avif" or "avif" in formats() else ""


def widths(width: int) -> tuple[int, ...]:
    """The widths of the copies of a picture, its own or the largest last."""
    largest = min(width, WIDTHS[-1])
    return (*(each for each in WIDTHS if each * 1.2 <= largest), largest) if width > SMALLEST else ()


def is_damaged(data: bytes, type: str) -> bool:
    """Whether a picture cannot be decoded."""
    try:
        _decoded(data, type)
    except OutputError:
        return True
    return False


def encoded(data: bytes, name: str, page: AttachmentPage, site: Path) -> bytes:
    """The copy of a picture for a page, from the cache if it was made before. Messages call the picture `name`.

    The cache is a folder, because pictures are large: each file begins with the digest of the rest.
    """
    place = _place(page.path, site)
    try:
        kept = place.read_bytes()
        if digest_bytes(kept[16:]) == kept[:16]:
            return kept[16:]
    except OSError:
        pass
    try:
        made = _encoded(_last_decoded(data, page.kind), page.width, page.format)
    except OutputError as error:
        raise OutputError(f"{name}: cannot be decoded: {error}; save it again") from None
    with contextlib.suppress(OutputError):  # the cache is for speed only
        files.write(place, digest_bytes(made) + made, f".{os.getpid()}.{place.name}")
    return made


def forget(paths: Iterable[str], site: Path) -> None:
    """Removes the copies at these paths from the cache. An output folder that still shows one has its bytes itself."""
    for path in paths:
        if path.startswith(urls.ATTACHMENTS[1:]):
            with contextlib.suppress(OSError):
                _place(path, site).unlink()


def _place(path: str, site: Path) -> Path:
    return site / FOLDER / "pictures" / path.rpartition("/")[2]


def _encoded(image: Image, width: int, format: str) -> bytes:
    from PIL.Image import Resampling

    if width != image.width:
        height = max(1, round(image.height * width / image.width))
        image = image.resize((width, height), Resampling.LANCZOS, reducing_gap=3.0)
    name, settings = _SAVE[format]
    buffer = io.BytesIO()
    image.save(buffer, name, **settings)
    return buffer.getvalue()


def _decoded(data: bytes, type: str) -> Image:
    """A picture at its largest width, upright, in RGB or RGBA. Raises OutputError with the reason if it is damaged."""
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(data), formats=[_SAVE[type][0]]) as opened:
            is_turned = type in _TURNED and opened.getexif().get(0x0112, 1) > 4
            scale = 1.25 * WIDTHS[-1] / opened.size[is_turned]
            if scale < 1:  # a JPEG can be decoded at a half, a quarter or an eighth of its size
                opened.draft(None, (round(opened.width * scale), round(opened.height * scale)))
            opened.load()
            profile = opened.info.get("icc_profile")
            image = ImageOps.exif_transpose(opened) if type in _TURNED else opened.copy()
        image = _in_srgb(image, profile)
        if image.width > WIDTHS[-1]:
            height = max(1, round(image.height * WIDTHS[-1] / image.width))
            image = image.resize((WIDTHS[-1], height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    except Exception as error:  # Pillow's decoders raise nearly everything
        raise OutputError(f"{error.__class__.__name__}: {error}"[:200]) from None
    image.info = {}  # encoders would write the metadata in it
    return image


_last_decoded = lru_cache(maxsize=1)(_decoded)
"""All copies of a picture are made one after another."""


def _in_srgb(image: Image, profile: bytes | None) -> Image:
    """A picture in RGB or RGBA, with the colours that its profile says."""
    if image.mode.startswith("I;16"):
        image = image.point(lambda value: value / 256).convert("L")
    has_alpha = image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info
    mode = "RGBA" if has_alpha else "RGB"
    if image.mode not in ("CMYK", "L"):
        image = image.convert(mode)
    if profile:
        from PIL import ImageCms

        try:
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            wanted = image.mode if image.mode == "RGBA" else "RGB"
            changed = ImageCms.profileToProfile(image, own, ImageCms.createProfile("sRGB"), outputMode=wanted)
            image = changed or image
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass  # most profiles that cannot be read are near sRGB
    return image if image.mode == mode else image.convert(mode)
