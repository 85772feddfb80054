"""The settings of `[brand]`, which decide how a site looks, and their checks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import msgspec

from newsgen import colours
from newsgen.colours import Palette, Scheme
from newsgen.validation import Faults
from newsgen.validation import Path as Setting

MAX_PICTURE, MAX_FONT, MAX_HEAD = 256 << 10, 2 << 20, 64 << 10
"""The largest logo or icon, font file and head file, in bytes. Readers load each of them with their first page."""

LOGOS, ICONS = (".svg", ".png", ".webp"), (".svg", ".png")
"""The types of logos and icons."""

EXAMPLES = {".svg": "img/logo.svg", ".woff2": "fonts/name.woff2", ".html": "head.html"}
"""An example of a path, by the type of the file."""


_WEIGHT = re.compile(r"[1-9]\d{0,2}( [1-9]\d{0,2})?")


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of the site's editors elsewhere, such as on a social network."""

    title: str
    url: str


class FontFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A font file for one of the two faces. `weight` is one weight, or the two ends of a variable font: "400 700"."""

    file: str
    face: Literal["serif", "sans"]
    weight: str = "400"
    style: Literal["normal", "italic"] = "normal"


class Brand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The look of a site; docs/look.md describes it. Files are below `static/`, and `head` is below `templates/`."""

    logo: str = ""
    logo_dark: str = ""
    icon: str = ""
    accent: str = ""
    accent_dark: str = ""
    background: str = ""
    background_dark: str = ""
    face: Literal["serif", "sans"] | None = None
    fonts: tuple[FontFile, ...] = ()
    footer: str = ""
    profiles: tuple[Profile, ...] = ()
    head: str = ""

    @property
    def files(self) -> dict[Setting, str]:
        """The static files that it names, by their setting."""
        named: dict[Setting, str] = {("logo",): self.logo, ("logo_dark",): self.logo_dark, ("icon",): self.icon}
        named |= {("fonts", number, "file"): font.file for number, font in enumerate(self.fonts)}
        return {setting: file for setting, file in named.items() if file or setting[0] == "fonts"}

    def palette(self, scheme: Scheme) -> Palette:
        """The colours of a scheme. An accent that is not set is a readable shade of the other or of the shipped one."""
        dark = scheme == "dark"
        background = colours.parse(self.background_dark if dark else self.background)
        accent = colours.parse(self.accent_dark if dark else self.accent)
        if not accent:
            wish = colours.parse(self.accent) or colours.SHIPPED[scheme].accent
            accent = colours.nearest_accent(scheme, wish, background) or wish
        return colours.palette(scheme, accent, background)


def check(brand: Brand) -> Faults:
    """The values of a brand. `check_files` looks at its files."""
    wrong = Faults()
    for name in ("accent", "accent_dark", "background", "background_dark"):
        value = getattr(brand, name)
        if value and not colours.parse(value):
            wrong.add(("brand", name), f"{value!r} is not a colour", "write it as #8c2a1c")
    if not wrong:
        wrong += [*_check_contrast(brand, "light", ""), *_check_contrast(brand, "dark", "_dark")]
    for index, font in enumerate(brand.fonts):
        if not _WEIGHT.fullmatch(font.weight):
            what, hint = f"{font.weight!r} is not a weight", 'write it as "400", or "400 700" for a variable font'
            wrong.add(("brand", "fonts", index, "weight"), what, hint)
    for index, profile in enumerate(brand.profiles):
        if not re.match(r"https?://[^/\s@]+(/|$)", profile.url) or not profile.url.isprintable():
            wrong.add(("brand", "profiles", index, "url"), f"{profile.url!r} is not a profile", "use an http(s) URL")
    for link in MARKUP_LINK.finditer(brand.footer):
        if not is_link(link[2]):
            hint = "use /path/, an http(s) URL or a mailto: address"
            wrong.add(("brand", "footer"), f"{link[2]!r} is not an address", hint)
    if brand.logo_dark and not brand.logo:
        wrong.add(("brand", "logo_dark"), "there is no logo for the light scheme", "set `logo` too")
    return wrong


def _check_contrast(brand: Brand, scheme: Scheme, ending: str) -> Faults:
    """Whether text can be read on the colours of a scheme."""
    wrong = Faults()
    of = brand.palette(scheme)
    if weak := colours.weakest_text(of):
        setting, colour, shade = "background", of.paper, colours.nearest_background(scheme, of.paper)
    elif weak := colours.weakest_accent(of):
        setting, colour, shade = "accent", of.accent, colours.nearest_accent(scheme, of.accent, of.paper)
    else:
        return wrong
    what = f"{colour!r} has a contrast of {weak.ratio:.2f} with {weak.what}, and needs {weak.needed}"
    hint = f"the nearest shade that passes is {shade!r}" if shade else "choose another"
    wrong.add(("brand", setting + ending), what, hint)
    return wrong


MARKUP_LINK = re.compile(r"\[([^\[\]]+)\]\(\s*([^()\s]*)\s*\)")
"""A link in a text with Markdown's notation for links: its words and its address."""


def is_link(url: str) -> bool:
    """Whether a link may lead to this address."""
    return bool(re.match(r"/(?![/\\])|https?://[^/]|mailto:[^@\s]+@", url)) and url.isprintable()


def check_files(brand: Brand, site: Path) -> Faults:
    """The files that a brand names, below the folder of the site."""
    wrong = Faults()
    for setting, name in brand.files.items():
        at: Setting = ("brand", *setting)
        is_font, is_icon = setting[0] == "fonts", setting == ("icon",)
        endings = (".woff2",) if is_font else ICONS if is_icon else LOGOS
        data = _own_file(wrong, at, site / "static", name, endings, MAX_FONT if is_font else MAX_PICTURE)
        if data is None:
            continue
        if is_font:
            if data[:4] != b"wOF2":
                wrong.add(at, f"'static/{name}' is not a WOFF2 font", "convert it to WOFF2")
            continue
        from newsgen import pictures  # imported late: most sites name no files

        size = pictures.size(data)
        if size is None:
            what = f"'static/{name}' is no picture that newsgen can measure"
            wrong.add(at, what, "save it as SVG with a viewBox, or as PNG or WebP")
        elif is_icon and size[0] != size[1]:
            wrong.add(at, f"'static/{name}' is {size[0]} pixels wide and {size[1]} high", "an icon is square")
    if brand.head:
        data = _own_file(wrong, ("brand", "head"), site / "templates", brand.head, (".html",), MAX_HEAD)
        if data is not None:
            try:
                if "\0" in data.decode("utf-8"):
                    raise ValueError
            except ValueError:
                wrong.add(("brand", "head"), f"'templates/{brand.head}' is not valid UTF-8 text", "save it as UTF-8")
    return wrong


def _own_file(wrong: Faults, at: Setting, folder: Path, name: str, endings: tuple[str, ...], most: int) -> bytes | None:
    """The bytes of a file that a setting names, of one of these types and at most this size; None adds a fault."""
    shown = f"{folder.name}/{name}"
    if not name.isprintable() or "\\" in name or name.startswith("/") or {"", ".", ".."} & {*name.split("/")}:
        wrong.add(at, f"{name!r} is not a path below {folder.name}/", f"write it as {EXAMPLES[endings[0]]}")
    elif not name.lower().endswith(endings):
        wrong.add(at, f"{name!r} has the wrong type", f"use one of: {', '.join(endings)}")
    else:
        file = folder / name
        try:
            if not file.resolve(strict=True).is_relative_to(folder.resolve()):
                wrong.add(at, f"'{shown}' is a link that leads out of {folder.name}/", "put the file itself there")
            elif not file.is_file():
                wrong.add(at, f"'{shown}' is not a file", "name a file")
            elif (size := file.stat().st_size) > most:
                wrong.add(at, f"'{shown}' has {size >> 10:,} KiB, and may have {most >> 10:,}", "use a smaller file")
            else:
                return file.read_bytes()
        except FileNotFoundError:
            wrong.add(at, f"there is no file '{shown}'", "add it, or correct the path")
        except (OSError, RuntimeError, ValueError) as error:
            wrong.add(at, f"'{shown}' cannot be read: {getattr(error, 'strerror', None) or error}")
    return None
