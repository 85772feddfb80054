"""Publish refuses what the host would refuse or cut off, and targets that do not lead to the host."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from sites import NOW, Site

from newsgen import config
from newsgen.hosts import HOSTS
from newsgen.publish import PublishOptions, publish

Make = Callable[..., Site]
AT = ("--now", NOW.isoformat())
WILD = "/x/* /y\n" + "".join(f"/a{n} /\n" for n in range(120))


@pytest.fixture
def s(site: Make) -> Site:
    return site().article("a").write("site.toml", 'host = "cloudflare-pages"\n')


def test_what_the_host_would_cut_off_is_refused(s: Site, tmp_path: Path) -> None:
    s.write("static/_redirects", WILD)
    refused = s.run("publish", f"dir:{tmp_path / 'www'}", *AT)
    assert refused.returncode == 1
    assert (
        "error: site.toml: host: _redirects has 121 lines from the first with a * or placeholder on" in refused.stderr
    )
    assert (
        "nothing was published: keep to the limits of the host, or publish anyway with --allow-errors" in refused.stderr
    )
    assert not (tmp_path / "www").exists()
    assert s.run("publish", f"dir:{tmp_path / 'www'}", "--allow-errors", *AT).returncode == 0


def test_a_dry_run_is_refused_too(s: Site, tmp_path: Path) -> None:
    s.write("static/_redirects", WILD)
    assert s.run("publish", f"dir:{tmp_path / 'www'}", "--dry-run", *AT).returncode == 1


def test_compressed_copies_count(s: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    s.write("site.toml", 'host = "cloudflare-pages"\n[publish.live]\nto = "../www"\nprecompress = ["gzip"]\n')
    count = len(publish(s.options(), PublishOptions(target="live", dry_run=True)).plan)
    tiny = msgspec.structs.replace(HOSTS["cloudflare-pages"], files=count)
    monkeypatch.setattr(config, "HOSTS", {**HOSTS, "cloudflare-pages": tiny})
    (near,) = publish(s.options(), PublishOptions(target="live")).warnings
    assert f"the site has {count} files, and Cloudflare Pages takes {count}: 100% of that" in near.what
    assert "with precompress = []" in near.hint
    s.write("static/more.txt", "x")
    (over,) = publish(s.options(), PublishOptions(target="live")).problems
    assert over.what.endswith("2 too many"), "the build alone does not break the limit"
    assert not s.build().problems


@pytest.mark.parametrize(
    ("host", "to", "what"),
    [
        ("github-pages", "s3://bucket/x", "an S3 bucket does not lead to GitHub Pages"),
        ("github-pages", "ssh://u@h.example/srv", "a server over ssh does not lead to GitHub Pages"),
        ("netlify", "az://$web", "an Azure container does not lead to Netlify"),
        ("bucket", "git:origin#main", "a branch does not lead to a bucket"),
        ("web-server", "s3://bucket", "an S3 bucket does not lead to a web server"),
    ],
)
def test_a_target_that_contradicts_the_host_is_refused(s: Site, host: str, to: str, what: str) -> None:
    s.write("site.toml", f'host = "{host}"\n[publish.live]\nto = "{to}"\n')
    for command in (("publish", "live"), ("publish", "live", "--dry-run"), ("publish", "live", "--rollback")):
        refused = s.run(*command, *AT)
        assert refused.returncode == 2, refused.stderr
        assert (
            f'error: publish.live.to: {what}, and site.toml says host = "{host}"; use a target with' in refused.stderr
        )
    assert f"error: TARGET: {what}" in s.run("publish", to, *AT).stderr


@pytest.mark.parametrize(
    "host", ["cloudflare-pages", "github-pages", "gitlab-pages", "netlify", "bucket", "web-server"]
)
def test_a_folder_leads_to_every_host(s: Site, host: str, tmp_path: Path) -> None:
    s.write("site.toml", f'host = "{host}"\n')
    assert s.run("publish", f"dir:{tmp_path / host}", *AT).returncode == 0
