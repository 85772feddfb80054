"""The table of hosts is complete, and `host` accepts exactly its names."""

import re
from datetime import date
from pathlib import Path

import pytest

from newsgen import config, hosts
from newsgen.errors import ConfigError
from newsgen.hosts import GB, HOST_NAMES, HOSTS, MIB

DOCS = Path(__file__).parent.parent / "docs/publishing.md"


def load(tmp_path: Path, text: str) -> config.Config:
    file = tmp_path / "site.toml"
    file.write_text(text, encoding="utf-8")
    return config.load(file)


def test_the_table_has_every_name() -> None:
    assert tuple(HOSTS) == HOST_NAMES


@pytest.mark.parametrize("name", HOST_NAMES)
def test_a_limit_has_a_source_and_a_date(name: hosts.HostName) -> None:
    host = HOSTS[name]
    has_limits = any((host.files, host.folder_files, host.file_size, host.site_size, host.redirect_lines))
    assert bool(host.sources) == has_limits
    assert all(re.match(r"https://", source) for source in host.sources)
    assert date.fromisoformat(host.read)
    assert host.targets
    assert host.advised <= set(host.__struct_fields__)


@pytest.mark.parametrize("name", HOST_NAMES)
def test_a_limit_of_a_file_needs_a_host_that_reads_it(name: hosts.HostName) -> None:
    host = HOSTS[name]
    assert host.reads_redirects or not (host.redirect_bytes or host.redirect_line_length)
    assert host.reads_headers or not (host.header_rules or host.header_line_length)


def size(bytes: int) -> str:
    if not bytes:
        return "–"
    unit, name = (GB, "GB") if bytes % GB == 0 else (MIB, "MiB") if bytes % MIB == 0 else (1024, "KiB")
    return f"{bytes // unit:,} {name}"


def row(name: hosts.HostName) -> str:
    """The row of a host in docs/publishing.md."""
    host = HOSTS[name]
    files = f"{host.files:,}" if host.files else "–"
    if host.counts_folders:
        files += ", counting folders"
    if host.folder_files:
        files = f"{host.folder_files:,} in a folder"
    redirects = f"{host.redirect_lines:,} lines" if host.reads_redirects else "not read"
    if host.redirect_bytes:
        redirects += f", {size(host.redirect_bytes)}"
    if "redirect_lines" in host.advised:
        redirects += ", advised"
    headers = (f"{host.header_rules} rules" if host.header_rules else "read") if host.reads_headers else "not read"
    numbered = " ".join(f"[{number}]({source})" for number, source in enumerate(host.sources, 1)) or "–"
    cells = (f"`{name}`", files, size(host.file_size), size(host.site_size), redirects, headers, numbered)
    return f"| {' | '.join(cells)} |"


@pytest.mark.parametrize("name", HOST_NAMES)
def test_the_docs_have_the_same_limits(name: hosts.HostName) -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert row(name) in text
    assert HOSTS[name].read in text


def test_without_the_setting_there_are_no_limits(tmp_path: Path) -> None:
    assert load(tmp_path, "").limits is None


def test_the_setting_selects_a_row(tmp_path: Path) -> None:
    limits = load(tmp_path, 'host = "cloudflare-pages"').limits
    assert limits
    assert (limits.files, limits.redirect_lines, limits.reads_headers) == (20_000, 2_000, True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('host = "cloudflare-page"', "unknown value 'cloudflare-page'; did you mean 'cloudflare-pages'?"),
        ('host = "Netlify"', "unknown value 'Netlify'; did you mean 'netlify'?"),
        ('host = "zzz"', "unknown value 'zzz'; use one of: cloudflare-pages,"),
        ('host = ""', "unknown value ''"),
        ("host = true", "got true or false; use one of: cloudflare-pages,"),
        ('host = ["netlify"]', "site.toml:1: host:"),
        ('[host]\nname = "netlify"', "site.toml:1: host:"),
    ],
)
def test_another_value_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert message in str(caught.value)
    assert "site.toml:1: host:" in str(caught.value)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://my-site.pages.dev/", "cloudflare-pages"),
        ("https://news.me.workers.dev", "cloudflare-workers"),
        ("https://me.github.io/news/", "github-pages"),
        ("https://Me.GitLab.io/", "gitlab-pages"),
        ("https://x.netlify.app", "netlify"),
        ("https://github.io.example.org/", None),
        ("https://mygithub.io/", None),
        ("", None),
    ],
)
def test_the_domain_of_a_host(url: str, name: str | None) -> None:
    assert hosts.at(url) == name
