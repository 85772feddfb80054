"""Parts that need no target: addresses, plans, steps, CDN patterns, moves, retries, and messages without secrets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsgen.builder import Record
from newsgen.config import Config, Publish
from newsgen.errors import ConfigError, PublishError
from newsgen.publish.address import resolve_target
from newsgen.publish.comparison import Move, moves
from newsgen.publish.files import File, Kind, content_type, kind_of
from newsgen.publish.plan import Entry, Plan, Release, State, compare
from newsgen.publish.report import MAX_PATTERNS, cdn_patterns
from newsgen.publish.target import TRIES, redacted, retried

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def address(text: str) -> Any:
    return resolve_target(Config(), text, Path("site"))[2]


@pytest.mark.parametrize(
    ("text", "scheme", "place", "rest"),
    [
        ("./public_html", "dir", "public_html", {}),
        ("dir:www", "dir", "www", {}),
        ("/srv/www:8", "dir", "/srv/www:8", {}),
        ("git:../pages.git#main", "git", "../pages.git", {"branch": "main"}),
        ("git:git@codeberg.org:me/pages.git#pages", "git", "git@codeberg.org:me/pages.git", {"branch": "pages"}),
        ("git:ssh://git@host.example:2222/x#a/b", "git", "ssh://git@host.example:2222/x", {"branch": "a/b"}),
        ("gh-pages:origin", "git", "origin", {"branch": "gh-pages"}),
        ("s3://bucket", "s3", "bucket", {"prefix": ""}),
        ("s3://bucket/a/b/", "s3", "bucket", {"prefix": "a/b"}),
        ("az://$web", "az", "$web", {"prefix": ""}),
        (
            "ssh://me@host.example:2222/srv/www",
            "ssh",
            "host.example",
            {"user": "me", "port": 2222, "prefix": "/srv/www"},
        ),
        ("ssh://host/~/www", "ssh", "host", {"prefix": "www"}),
        ("ssh://[::1]/srv", "ssh", "::1", {"prefix": "/srv"}),
    ],
)
def test_addresses(text: str, scheme: str, place: str, rest: dict[str, Any]) -> None:
    found = address(text)
    assert (found.scheme, found.place) == (scheme, place)
    assert {name: getattr(found, name) for name in rest} == rest


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "dir:", "dir:.", "./a\nb", "./a\0b",
        "ssh://-oProxyCommand=touch%20x/srv", "ssh://-oProxyCommand=x@host/srv", "ssh://me@-oProxyCommand=x/srv", "ssh://host",
        "ssh://host/", "ssh://host/a/../b", "ssh://host/a%0Ab", "ssh://host:0/x", "ssh://host:99999/x", "ssh://ho st/x", "ssh:host/x",
        "git:--upload-pack=touch x#b", "git:ext::sh -c touch#b", "git:x::y#b", "git:repo", "git:repo#", "git:repo#-b", "git:repo#a..b",
        "git:repo#a b", "git:repo#a.lock", "git:#b", "git:ssh://-oProxyCommand=x/y#b", "git:me@-oProxyCommand=x:y#b", "git:me@host:-x#b",
        "git:http+evil://x#b",
        "s3://", "s3://b/../c", "s3://b/.newsgen", "s3://b//c", "s3://b/c?x=1", "s3:b", "gs://bucket", "ftp://host/x", "https://host/x",
    ],
)  # fmt: skip
def test_invalid_addresses_are_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        address(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://me:hunter22@host.example/x", "ssh://me:hunter22@host/srv", "s3://key:hunter22@bucket/x", "az://hunter22@x",
        "git:https://me:hunter22@host/x#b", "git:https://hunter22@host/x#b", "git:me:hunter22@host/x#b", "sftp://hunter22",
    ],
)  # fmt: skip
def test_a_secret_in_an_address_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ConfigError) as error:
        address(text)
    assert "hunter22" not in str(error.value)


def test_a_target_is_chosen_by_name_or_is_the_only_one() -> None:
    one = Config(publish={"live": Publish(to="dir:www")})
    two = Config(publish={"live": Publish(to="dir:www"), "test": Publish(to="s3://bucket", keep=1)})
    assert resolve_target(one, None, Path("site"))[2].place == "site/www", "relative to the site's folder"
    assert resolve_target(two, "test", Path())[1].keep == 1
    for config, name, words in (
        (two, None, "site.toml has several: live, test"),
        (Config(), None, r"site.toml has no \[publish.NAME\]"),
        (
            two,
            "tset",
            r"no target named 'tset' in site.toml \(its targets are: live, test\); if it is a folder, write dir:tset",
        ),
    ):
        with pytest.raises(ConfigError, match=words):
            resolve_target(config, name, Path())


def file(path: str, digest: str = "1", kind: Kind = "page", **more: Any) -> File:
    return File(path=path, source=f"/built/{path}", digest=digest, size=1, kind=kind, **more)


def plan(files: list[File], state: State | None = None, grace: int = 0, later: int = 0) -> Plan:
    moment = NOW + timedelta(seconds=later)
    return compare({f.path: f for f in files}, state or State(), now=moment, grace=timedelta(seconds=grace), keep=2)


def test_no_file_is_sent_before_the_files_that_it_links_to() -> None:
    old = plan(
        [file("index.html", kind="home"), file("a", kind="article"), file("l", kind="list"), file("f", kind="feed")]
    )
    new = [
        file("index.html", "2", "home"), file("a", "2", "article"), file("l", "2", "list"), file("f", "2", "feed"),
        file("new-a", kind="article"), file("new-l", kind="list"), file("new-f", kind="feed"), file("css", kind="fixed"),
    ]  # fmt: skip
    steps = [[f.path for f in step] for step in plan(new, State(release=old.release)).steps()]
    assert steps == [["css"], ["new-a", "new-l", "new-f"], ["a"], ["l"], ["f"], ["index.html"]]
    assert [[f.path for f in step] for step in old.steps()] == [["a", "l", "f"], ["index.html"]]


def test_a_plan_gives_reasons() -> None:
    state = State(release=plan([file("same"), file("text"), file("head"), file("gone"), file("hurt")]).release)
    state.altered = {"hurt": "missing from the bucket"}
    result = plan(
        [file("same"), file("text", "2"), file("head", headers=(("A", "b"),)), file("hurt"), file("new")], state
    )
    assert {c.path: (c.action, c.reason) for c in result.changes} == {
        "text": ("replace", "its content differs"),
        "head": ("replace", "its headers differ"),
        "hurt": ("replace", "missing from the bucket"),
        "gone": ("remove", "no longer on the site"),
        "new": ("add", "new"),
    }
    assert result.lost == ["gone"]


def test_dropped_files_are_removed_after_their_grace_period_and_fingerprinted_ones_after_an_hour() -> None:
    first = plan([file("a"), file("css", kind="fixed")]).release
    second = plan([], State(release=first), grace=60)
    assert {c.action for c in second.changes} == {"keep"}
    assert second.dropped == ["a", "css"]
    third = plan([], State(release=second.release), grace=60, later=59)
    assert third.changes == ()
    assert third.dropped == [], "counted once"
    fourth = plan([], State(release=third.release), grace=60, later=61)
    assert fourth.removed == ["a"]
    back = plan([file("a")], State(release=third.release), grace=60, later=59)
    assert (back.changes, list(back.release.leaving)) == ((), ["css"])
    assert plan([], State(release=fourth.release), grace=60, later=3601).removed == ["css"]


def test_foreign_files_stop_a_plan() -> None:
    with pytest.raises(PublishError, match="in the way: a, b; move"):
        plan([file("a"), file("b")], State(foreign=frozenset("abc")))


def test_an_unfinished_publish_is_continued() -> None:
    old = plan([file("a"), file("b")]).release
    unfinished = {"a": Entry("2", 1, "page"), "new": Entry("1", 1, "page"), "stray": Entry("1", 1, "page")}
    state = State(
        release=old, unfinished="20261124-000000-000001", leftovers=unfinished, arrived=frozenset({"a", "new"})
    )
    result = plan([file("a", "2"), file("b", "3"), file("new")], state, grace=3600)
    assert result.release.id == "20261124-000000-000001"
    assert [f.path for step in result.steps() for f in step] == ["b"]
    assert result.removed == []
    assert list(result.release.leaving) == ["stray"], "readers may have seen it"
    state.arrived = frozenset()
    taken_back = plan([file("a"), file("b")], state)
    assert [f.path for step in taken_back.steps() for f in step] == ["a"]
    assert sorted(taken_back.removed) == ["new", "stray"]


_paths = st.text("abc", min_size=1, max_size=2)
_trees = st.dictionaries(_paths, st.sampled_from("123"))


@given(_trees, _trees, _trees, st.integers(0, 5))
def test_a_plan_leads_from_any_state_to_the_wanted_files(before: Any, leftovers: Any, wanted: Any, grace: int) -> None:
    """After a plan, the target has the wanted files, files in their grace period, and nothing else."""
    release = plan([file(p, d) for p, d in before.items()]).release
    there = {**before, **leftovers}
    marks = {p: Entry(d, 1, "page") for p, d in leftovers.items()}
    arrived = frozenset(p for p in leftovers if wanted.get(p) == leftovers[p])
    state = State(release=release, unfinished=release.id, leftovers=marks, arrived=arrived)
    result = plan([file(p, d) for p, d in wanted.items()], state, grace=grace)
    for sent in (f for step in result.steps() for f in step):
        assert sent.path not in arrived
        there[sent.path] = sent.digest
    for path in result.removed:
        del there[path]
    left = {p: there[p] for p in result.release.leaving}
    assert there == {**wanted, **left}
    assert left.keys() == ((before.keys() | leftovers.keys()) - wanted.keys() if grace else set())


def test_packing_a_release_is_reversible_and_deterministic() -> None:
    release = plan([file("ä/index.html")], State(release=plan([]).release)).release
    assert Release.unpacked(release.packed(), "") == release
    assert release.packed() == release.packed()


@pytest.mark.parametrize(
    ("addresses", "patterns"),
    [
        ([], []),
        (["/", "/a/"], ["/", "/a/"]),
        ([f"/t/{n}/" for n in range(9)], ["/t/*"]),
        (["/", *(f"/2026/11/{n}/x/" for n in range(9))], ["/", "/2026/11/*"]),
        ([f"/{n}/" for n in range(9)], ["/*"]),
    ],
)
def test_addresses_are_reduced_to_patterns(addresses: list[str], patterns: list[str]) -> None:
    assert cdn_patterns(addresses) == patterns


@given(st.lists(st.lists(st.sampled_from("abcd"), max_size=4).map(lambda p: "/" + "".join(f"{x}/" for x in p))))
def test_patterns_are_few_and_match_all(addresses: list[str]) -> None:
    patterns = cdn_patterns(addresses)
    assert len(patterns) <= MAX_PATTERNS
    for each in addresses:
        assert any(each == p or (p.endswith("*") and each.startswith(p[:-1])) for p in patterns)


def test_moves_are_links_whose_order_changed() -> None:
    assert moves("abc", "xabc") == [Move("x", 0, 1)]
    assert moves("abc", "ac") == [Move("b", 2, 0)]
    assert moves("abc", "bac") == [Move("b", 2, 1), Move("a", 1, 2)]
    assert moves("abc", "abc") == []


def test_messages_contain_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sesame-open")
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_abcdef")
    monkeypatch.setenv("HOME_TOWN", "Velmora")
    message = "sesame-open ghp_abcdef Velmora https://me:pw@h/x https://tok@h/x?sig=abc%3D&y=1 ssh://git@h/x"
    assert redacted(message) == (
        "[secret] [secret] Velmora https://[secret]@h/x https://[secret]@h/x?sig=[secret]&y=1 ssh://git@h/x"
    )


def test_a_call_is_retried_after_transient_errors_only(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("newsgen.publish.target.time.sleep", pauses.append)
    calls: list[int] = []

    def failing(until: int) -> int:
        calls.append(1)
        if len(calls) < until:
            raise OSError("busy")
        return len(calls)

    assert retried(lambda: failing(4), lambda error: isinstance(error, OSError)) == 4
    calls.clear()
    with pytest.raises(OSError, match="busy"):
        retried(lambda: failing(99), lambda error: isinstance(error, OSError))
    assert len(calls) == TRIES
    calls.clear()
    with pytest.raises(OSError, match="busy"):
        retried(lambda: failing(99), lambda error: isinstance(error, ValueError))
    assert len(calls) == 1
    assert all(0 <= pause <= 10 for pause in pauses)
    assert len(set(pauses)) == len(pauses), "jitter"


def test_media_types_do_not_depend_on_the_machine() -> None:
    assert content_type("a/index.html") == "text/html; charset=utf-8"
    assert content_type("topics/x/feed.json") == "application/feed+json; charset=utf-8"
    assert content_type("x/data.json") == "application/json"
    assert content_type("sources.opml") == "text/x-opml; charset=utf-8"
    assert content_type("a.PNG") == "image/png"
    assert content_type("_redirects") == "text/plain; charset=utf-8"
    assert content_type("noending") == "application/octet-stream"


@pytest.mark.parametrize(
    ("template", "kind"),
    [("", "asset"), ("pages/search.html", "page"), ("search/terms.json", "feed"), ("feeds/atom.xml", "feed")],
)
def test_files_that_only_machines_read_are_no_addresses_to_lose(template: str, kind: str) -> None:
    assert kind_of("x", Record("", template, "", 0, 0)) == kind
