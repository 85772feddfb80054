"""Smaller copies of pictures beside articles: made once, the same everywhere, without metadata and in the right colours."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, ImageCms
from sites import Site

from newsgen.builder import encoder

Make = Callable[..., Site]


def photo(width: int = 700, height: int = 500, format: str = "JPEG", mode: str = "RGB", **more: Any) -> bytes:
    """A picture with a red upper left quarter, and with what cameras write about it."""
    image = Image.new(mode, (width, height), "blue")
    image.paste("red", (0, 0, width // 2, height // 2))
    exif = Image.Exif()
    exif[0x0112] = more.pop("orientation", 1)
    exif[0x8825] = {1: "N", 2: (52.0, 31.0, 12.0)}
    exif[0x010F] = "Camera maker"
    buffer = io.BytesIO()
    image.save(buffer, format, exif=exif, **more)
    return buffer.getvalue()


def built(s: Site) -> dict[str, bytes]:
    return {path.rpartition("/")[2]: data for path, data in s.tree().items() if path.startswith("attachments/")}


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def test_a_phone_photo_gets_copies_upright_and_without_its_position(site: Make) -> None:
    s = site("-- site.toml --\nbase_url = 'https://news.example/sub/'\n")
    s.write("content/a.jpg", photo(1000, 700, orientation=6))
    s.article("x", webUrl=None, more="image: a.jpg\n", body="![Quay](a.jpg)")
    s.good()
    found = built(s)
    page = s.read("2026/11/08/x/index.html")
    stem = next(name for name in found if name.endswith(".jpg")).removesuffix(".jpg")
    assert found.keys() == {f"{stem}.jpg", *(f"{stem}-{w}.{f}" for w in (480, 700) for f in ("avif", "webp"))}
    for data in found.values():
        copy = opened(data)
        assert not copy.getexif()
        assert b"Camera" not in data
        width, height = copy.size
        assert abs(height / width - 1000 / 700) < 0.01
        red, blue = (copy.convert("RGB").getpixel((width * n // 8, height // 8)) for n in (7, 1))
        assert red[0] > 200 > 60 > red[2], "the upper left quarter is turned to the right"
        assert blue[2] > 200
    assert page.count('width="700" height="1000"') == 2
    address = f"/sub/attachments/{stem}"
    absolute = f"https://news.example{address}"
    copies = f'srcset="{absolute}-480.avif 480w, {absolute}-700.avif 700w"'
    assert copies in s.read("atom.xml").replace("&#34;", '"').replace("&quot;", '"')
    assert page.count(f'srcset="{address}-480.avif 480w, {address}-700.avif 700w"') == 2
    assert page.count(f'<source type="image/webp" srcset="{address}-480.webp 480w, {address}-700.webp 700w"') == 2
    assert page.count("<picture>") == page.count("</picture>") == 2
    assert "<picture><source" in s.read("index.html")


def test_copies_are_made_once_and_are_the_same_in_workers(site: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    s = site()
    for n in range(3):
        s.write(f"content/{n}.jpg", photo(340 + n, 20)).article(f"x{n}", more=f"image: {n}.jpg\n")
    s.good(jobs=2)
    tree, made = s.tree(), []
    original = encoder._encoded
    monkeypatch.setattr(encoder, "_encoded", lambda *args: made.append(args[1:]) or original(*args))
    encoder._last_decoded.cache_clear()
    s.good(output=s.root / "again")
    assert made == []
    assert s.tree(s.root / "again") == tree
    for kept in (s.root / ".newsgen/pictures").iterdir():
        kept.write_bytes(b"damaged")
    s.good(output=s.root / "other", jobs=1)
    assert len(made) == 9
    assert s.tree(s.root / "other") == tree
    shutil.rmtree(s.root / ".newsgen")
    (s.root / "content/0.jpg").write_bytes(photo(345, 20))
    shutil.rmtree(s.output)
    s.good(jobs=1)
    assert len(built(s)) == 9
    s.write("content/1.jpg", photo(346, 20)).good(jobs=1)
    assert {kept.name for kept in (s.root / ".newsgen/pictures").iterdir()} == built(s).keys()


@pytest.mark.parametrize(
    ("format", "mode", "ending"),
    [("PNG", "RGBA", "png"), ("PNG", "P", "png"), ("WEBP", "RGB", "webp"), ("AVIF", "RGB", "avif")],
)
def test_copies_of_other_formats_keep_their_transparency(format: str, mode: str, ending: str) -> None:
    data = photo(400, 30, format)
    if mode == "RGBA":
        image = opened(data).convert("RGBA")
        image.putalpha(128)
        image.save(buffer := io.BytesIO(), "PNG")
        data = buffer.getvalue()
    if mode == "P":
        buffer = io.BytesIO()
        opened(data).quantize(4).save(buffer, "PNG", transparency=0)
        data = buffer.getvalue()
    for wanted in (ending, "webp", "avif"):
        copy = opened(encode(data, ending, 400, wanted))
        assert copy.size == (400, 30)
        assert copy.mode == ("RGBA" if mode in ("RGBA", "P") else "RGB")
        assert not copy.getexif()


def encode(data: bytes, type: str, width: int, format: str) -> bytes:
    return encoder._encoded(encoder._decoded(data, type), width, format)


def test_colours_are_those_of_srgb() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    same = opened(encode(photo(400, 30, icc_profile=srgb), "jpeg", 400, "webp"))
    assert "icc_profile" not in same.info
    assert same.getpixel((10, 5))[0] > 240
    for broken in (b"nonsense", lab.tobytes()):
        assert opened(encode(photo(400, 30, icc_profile=broken), "jpeg", 400, "webp")).getpixel((10, 5))[0] > 240
    cmyk = io.BytesIO()
    Image.new("CMYK", (400, 30), (0, 255, 255, 0)).save(cmyk, "JPEG")
    assert opened(encode(cmyk.getvalue(), "jpeg", 400, "webp")).getpixel((10, 5))[0] > 200
    deep = io.BytesIO()
    Image.new("I;16", (400, 30), 0x8000).save(deep, "PNG")
    assert abs(opened(encode(deep.getvalue(), "png", 400, "png")).getpixel((10, 5))[0] - 128) < 2


def test_damaged_pictures_cost_only_themselves(site: Make) -> None:
    s = site().write("content/cut.jpg", photo()[:4000]).write("content/good.png", photo(400, 20, "PNG"))
    s.article("x", more="images: [cut.jpg, good.png]\n")
    report = s.build()
    assert [str(p) for p in report.problems] == [
        "content/x.md:5: images[0].url: the file 'cut.jpg' is damaged; save it again"
    ]
    assert {name.rpartition(".")[2] for name in built(s)} == {"png", "avif", "webp"}


def test_small_and_moving_pictures_have_no_copies(site: Make) -> None:
    frames = [Image.new("RGB", (400, 40), color) for color in ("red", "blue")]
    moving = io.BytesIO()
    frames[0].save(moving, "WEBP", save_all=True, append_images=frames[1:])
    s = site().write("content/small.jpg", photo(200, 100)).write("content/moving.webp", moving.getvalue())
    s.article("x", more="images: [small.jpg, moving.webp]\n")
    s.good()
    found = built(s)
    assert len(found) == 2
    assert moving.getvalue() in found.values()
    assert not any(b"Camera" in data for data in found.values())


def test_without_pillow_a_position_is_told(site: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "pillow", lambda: None)
    s = site().write("content/a.jpg", photo()).article("x", more="image: a.jpg\n")
    for _ in range(2):
        assert [str(w) for w in s.good().warnings] == [
            "content/x.md:5: image: the file 'a.jpg' says where it was taken, and readers could find that out;"
            " install newsgen[images], or remove its position"
        ]
    assert list(built(s).values()) == [photo()]


def test_widths() -> None:
    assert [encoder.widths(n) for n in (100, 320, 321, 600, 1000, 1599, 5000)] == [
        (), (), (321,), (480, 600), (480, 1000), (480, 960, 1599), (480, 960, 1600)
    ]  # fmt: skip
    big = encoder._decoded(photo(4000, 3000), "jpeg")
    assert big.size == (1600, 1200)
    assert encoder._decoded(photo(3000, 4000, orientation=6), "jpeg").size == (1600, 1200)
