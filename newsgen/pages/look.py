"""Turns the settings of `[brand]` into what every page shows of a site's own look, and into its style sheet."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from newsgen import brands, colours, model, urls
from newsgen.colours import Palette
from newsgen.model import Image, Link
from newsgen.pages.kinds import StylesPage
from newsgen.text import digest

STYLES = "css/brand-settings.css"
"""The path of the style sheet, without its fingerprint."""

Address = Callable[[str], str]
"""The address of a static file, with its fingerprint."""


def brand(
    settings: brands.Brand,
    address: Address,
    size: Callable[[str], tuple[int, int]],
    media_type: Callable[[str], str],
    page: StylesPage | None,
    head: str,
) -> model.Brand | None:
    """What every page shows of a site's own look; None if it has none.

    `size` measures a picture, `page` is the site's style sheet, and `head` is the text of its head file.
    """
    if settings == brands.Brand():
        return None

    def picture(file: str) -> Image | None:
        if not file:
            return None
        width, height = size(file)
        return Image(url=address(file), width=width, height=height)

    return model.Brand(
        styles=urls.address(page.path) if page else "",
        logo=picture(settings.logo),
        logo_dark=picture(settings.logo_dark),
        icon=picture(settings.icon),
        icon_type=media_type(settings.icon) if settings.icon else "",
        colours=(settings.palette("light").paper, settings.palette("dark").paper),
        footer=tuple(_words(settings.footer)),
        profiles=tuple(Link(title=profile.title, url=profile.url) for profile in settings.profiles),
        head=head,
    )


def _words(text: str) -> Iterator[Link]:
    """The links in a text, and the words between them."""
    end = 0
    for found in brands.MARKUP_LINK.finditer(text):
        if found.start() > end:
            yield Link(title=text[end : found.start()], url="")
        yield Link(title=found[1], url=urls.spelled(found[2]) or found[2])
        end = found.end()
    if text[end:]:
        yield Link(title=text[end:], url="")


def styles(settings: brands.Brand, address: Address, root: str, *, fingerprinted: bool) -> StylesPage | None:
    """The style sheet of a site's own look; None if it needs none. `root` is the path of the site's base URL."""
    text = "".join(f"{rule}\n" for rule in _rules(settings, lambda file: urls.href(address(file), root)))
    if not text:
        return None
    stem, dot, ending = STYLES.rpartition(".")
    path = f"{stem}.{digest(text.encode())[:8]}{dot}{ending}" if fingerprinted else STYLES
    return StylesPage(path=path, source=STYLES, text=text)


def _rules(settings: brands.Brand, link: Callable[[str], str]) -> Iterator[str]:
    """Rules that are in no layer, so they win over those of the shipped style sheet."""
    for font in settings.fonts:
        yield (
            f'@font-face {{ font-family: "brand-{font.face}"; src: url("{link(font.file)}") format("woff2"); '
            f"font-weight: {font.weight}; font-style: {font.style}; font-display: swap; }}"
        )
    faces = dict.fromkeys(font.face for font in settings.fonts)
    stacks = {"serif": 'Georgia, "Noto Serif", serif', "sans": "system-ui, sans-serif"}
    light = [f'--{face}: "brand-{face}", {stacks[face]};' for face in faces]
    if settings.face:
        light.append(f"--{'sans' if settings.face == 'serif' else 'serif'}: var(--{settings.face});")
    mine = {scheme: settings.palette(scheme) for scheme in colours.SHIPPED}
    differs = {name for scheme, palette in mine.items() for name in _differing(palette, colours.SHIPPED[scheme])}
    names = [name for name in Palette._fields if name in differs]
    light += (f"--{name}: {getattr(mine['light'], name)};" for name in names)
    dark = [f"--{name}: {getattr(mine['dark'], name)};" for name in names]
    if light:
        yield f":root {{ {' '.join(light)} }}"
    if dark:
        yield f"@media (prefers-color-scheme: dark) {{ :root {{ {' '.join(dark)} }} }}"
    if settings.logo:
        yield ".name img { block-size: 2.25rem; inline-size: auto; object-fit: contain; }"


def _differing(one: Palette, other: Palette) -> list[str]:
    return [name for name, a, b in zip(Palette._fields, one, other, strict=True) if a != b]
