"""The settings of `[brand]` and `[policy]`: what is accepted, and what each mistake is answered with."""

from pathlib import Path

import pytest
from test_pictures import PNG

from newsgen import config
from newsgen.errors import ConfigError

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"/>'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("static/img", "static/fonts", "templates"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "static/img/logo.svg").write_text(SVG)
    (tmp_path / "static/img/wide.png").write_bytes(PNG)
    (tmp_path / "static/fonts/own.woff2").write_bytes(b"wOF2" + bytes(60))
    (tmp_path / "templates/head.html").write_text("<script>1</script>")
    return tmp_path


def load(folder: Path, text: str) -> config.Config:
    (folder / "site.toml").write_text(text, encoding="utf-8")
    return config.load(folder / "site.toml")


def test_a_whole_brand(folder: Path) -> None:
    found = load(
        folder,
        '[brand]\nlogo = "img/logo.svg"\nlogo_dark = "img/wide.png"\nicon = "img/logo.svg"\naccent = "#036"\n'
        'background = "#FFFFFF"\nface = "sans"\nfonts = [{file = "fonts/own.woff2", face = "serif", weight = "400 700"}]\n'
        'footer = "See [us](/about/)"\nprofiles = [{title = "M", url = "https://social.example/@m"}]\nhead = "head.html"\n'
        '[policy]\nscript = ["stats.example", "https://*.cdn.example:8443/"]\n',
    )
    light, dark = found.brand.palette("light"), found.brand.palette("dark")
    assert (light.accent, light.paper, light.ink) == ("#003366", "#ffffff", "#1c1a17")
    assert dark.accent != "#003366"  # a lighter shade, since it is not set
    assert found.policy.hosts("script") == ("stats.example", "*.cdn.example:8443")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('accent = "red"', "site.toml:2: brand.accent: 'red' is not a colour; write it as #8c2a1c"),
        ('accent = 3', "site.toml:2: brand.accent: expected text, got a whole number; put it in quotes"),
        (
            'accent = "#ffd400"',
            "site.toml:2: brand.accent: '#ffd400' has a contrast of 1.23 with raised surfaces (#f1ede5), and needs 4.5; "
            "the nearest shade that passes is '#7a6500'",
        ),
        (
            'accent_dark = "#333333"',
            "site.toml:2: brand.accent_dark: '#333333' has a contrast of 1.26 with raised surfaces (#202228), and needs 4.5; "
            "the nearest shade that passes is '#8c8c8c'",
        ),
        (
            'background = "#222222"',
            "site.toml:2: brand.background: '#222222' has a contrast of 1.09 with text (#1c1a17), and needs 4.5; "
            "the nearest shade that passes is '#e9e9e9'",
        ),
        ('colour = "#fff"', "site.toml:2: brand.colour: unknown setting"),
        ('face = "mono"', "site.toml:2: brand.face: unknown value 'mono'; use one of: serif, sans"),
        ('logo_dark = "img/logo.svg"', "site.toml:2: brand.logo_dark: there is no logo for the light scheme; set `logo` too"),
        ('logo = "img/no.svg"', "site.toml:2: brand.logo: there is no file 'static/img/no.svg'; add it, or correct the path"),
        ('logo = "img"', "site.toml:2: brand.logo: 'img' has the wrong type; use one of: .svg, .png, .webp"),
        ('logo = "../secret.svg"', "site.toml:2: brand.logo: '../secret.svg' is not a path below static/; write it as img/logo.svg"),
        ('logo = "/etc/logo.svg"', "site.toml:2: brand.logo: '/etc/logo.svg' is not a path below static/; write it as img/logo.svg"),
        ("logo = 'img\\logo.svg'", "site.toml:2: brand.logo: 'img\\\\logo.svg' is not a path below static/; write it as img/logo.svg"),
        ('logo = "img/out.svg"', "site.toml:2: brand.logo: 'static/img/out.svg' is a link that leads out of static/; put the file itself there"),
        ('logo = "img/loop.svg"', "site.toml:2: brand.logo: 'static/img/loop.svg' cannot be read: "),
        ('logo = "img/folder.svg"', "site.toml:2: brand.logo: 'static/img/folder.svg' is not a file; name a file"),
        ('logo = "img/huge.png"', "site.toml:2: brand.logo: 'static/img/huge.png' has 300 KiB, and may have 256; use a smaller file"),
        ('logo = "img/text.svg"', "site.toml:2: brand.logo: 'static/img/text.svg' is no picture that newsgen can measure; save it as SVG with a viewBox"),
        ('icon = "img/wide.png"', "site.toml:2: brand.icon: 'static/img/wide.png' is 512 pixels wide and 256 high; an icon is square"),
        ('fonts = [{file = "", face = "sans"}]', "site.toml:2: brand.fonts[0].file: '' is not a path below static/; write it as fonts/name.woff2"),
        ('fonts = [{file = "fonts/a.ttf", face = "sans"}]', "site.toml:2: brand.fonts[0].file: 'fonts/a.ttf' has the wrong type; use one of: .woff2"),
        ('fonts = [{file = "fonts/own.woff2", face = "sans", weight = "bold"}]', "brand.fonts[0].weight: 'bold' is not a weight"),
        ('fonts = [{file = "img/text.woff2", face = "sans"}]', "brand.fonts[0].file: 'static/img/text.woff2' is not a WOFF2 font; convert it to WOFF2"),
        ('profiles = [{title = "x", url = "javascript:1"}]', "brand.profiles[0].url: 'javascript:1' is not a profile; use an http(s) URL"),
        ('footer = "[x](javascript:alert)"', "site.toml:2: brand.footer: 'javascript:alert' is not an address; use /path/"),
        ('footer = "[x](//evil.example)"', "site.toml:2: brand.footer: '//evil.example' is not an address"),
        ('head = "img/logo.svg"', "site.toml:2: brand.head: 'img/logo.svg' has the wrong type; use one of: .html"),
        ('head = "latin.html"', "site.toml:2: brand.head: 'templates/latin.html' is not valid UTF-8 text; save it as UTF-8"),
        ('head = "no.html"', "site.toml:2: brand.head: there is no file 'templates/no.html'; add it, or correct the path"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_brand_says_what_to_do(folder: Path, line: str, message: str) -> None:
    (folder / "secret.svg").write_text(SVG)
    (folder / "static/img/out.svg").symlink_to(folder / "secret.svg")
    (folder / "static/img/loop.svg").symlink_to("loop.svg")
    (folder / "static/img/folder.svg").mkdir()
    (folder / "static/img/huge.png").write_bytes(PNG + bytes(300 << 10))
    (folder / "static/img/text.svg").write_text("no picture")
    (folder / "static/img/text.woff2").write_text("no font")
    (folder / "templates/latin.html").write_bytes("<meta content='é'>".encode("latin-1"))
    with pytest.raises(ConfigError) as caught:
        load(folder, f"[brand]\n{line}\n")
    (problem,) = caught.value.problems
    assert message in str(problem)


@pytest.mark.parametrize(
    "host", ["'unsafe-inline'", "unsafe-inline", "*", "https:", "http://a.example", "a.example/x.js", "a.example; x", "localhost", "a..b"]
)  # fmt: skip
def test_a_policy_names_hosts_only(folder: Path, host: str) -> None:
    hint = "inline scripts and styles belong into" if "unsafe" in host else "write it as stats.example"
    with pytest.raises(ConfigError, match=rf"site.toml:2: policy.script\[0\]: .* is not a host; {hint}"):
        load(folder, f'[policy]\nscript = ["{host}"]\n')


def test_all_mistakes_of_a_brand_are_told_at_once(folder: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(folder, '[brand]\naccent = "x"\nlogo = "no.svg"\nhead = "x.txt"\n[policy]\nfont = ["*"]\n')
    assert [p.field for p in caught.value.problems if not isinstance(p, str)] == [
        "brand.accent", "brand.logo", "brand.head", "policy.font[0]",
    ]  # fmt: skip
