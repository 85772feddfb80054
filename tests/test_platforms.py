from collections.abc import Callable

import pytest
from articles import noise
from hypothesis import given, settings
from hypothesis import strategies as st
from sites import Site, related

from newsgen import canonical, platforms
from newsgen.errors import ConfigError

Make = Callable[..., Site]
TABLE = platforms.of()


@pytest.mark.parametrize(
    ("address", "provider"),
    [
        ("https://ann.substack.com/p/x", "ann.substack.com"),
        ("https://open.substack.com/pub/ann/p/x", "ann.substack.com"),
        ("https://substack.com/@ann/note/1", "ann.substack.com"),
        ("https://medium.com/@Ann/x-1", "ann.medium.com"),
        ("https://www.medium.com/@Ann.Lee?x#y", "ann-lee.medium.com"),
        ("https://ann.medium.com/x", "ann.medium.com"),
        ("https://medium.com/the-tide/x-1", "the-tide.medium.com"),
        ("https://medium.com/p/1a2b", "medium.com"),
        ("https://medium.com/tag/harbour", "medium.com"),
        ("https://medium.com/about", "medium.com"),
        ("https://blog.naver.com/ann_k/22", "ann_k.blog.naver.com"),
        ("https://m.blog.naver.com/ann_k/22", "ann_k.blog.naver.com"),
        ("https://blog.naver.com/PostView.naver?logNo=3&blogId=ann", "ann.blog.naver.com"),
        ("https://note.com/ann/n/n1", "ann.note.com"),
        ("https://note.com/hashtag/x", "note.com"),
        ("https://youtube.com/@ann", "ann.youtube.com"),
        ("https://m.youtube.com/watch?v=1", "youtube.com"),
        ("https://qiita.com/ann/items/1", "ann.qiita.com"),
        ("https://zenn.dev/ann/articles/1", "ann.zenn.dev"),
        ("https://dev.to/ann/x", "ann.dev.to"),
        ("https://write.as/ann/x", "ann.write.as"),
        ("https://write.as/x1", "write.as"),
        ("https://buttondown.email/ann/archive/x/", "ann.buttondown.com"),
        ("https://velog.io/@%ED%95%9C/x", "xn--6q8b.velog.io"),
        ("https://mastodon.social/@ann@other.example/1", "mastodon.social"),
        ("https://medium.com/@www/x", "medium.com"),
        ("https://medium.com/@/x", "medium.com"),
        ("https://medium.com.example/@ann/x", "medium.com.example"),
        ("https://notmedium.com/@ann/x", "notmedium.com"),
        ("https://own.example/@ann/x", "own.example"),
        ("", ""),
    ],
)
def test_an_address_on_a_platform_belongs_to_its_author(address: str, provider: str) -> None:
    assert TABLE.provider(address) == provider
    assert TABLE.provider(provider) == TABLE.key(provider) == provider


def test_an_author_is_an_independent_source() -> None:
    names = [pattern.partition("/")[0] for _, _, patterns in platforms.TABLE for pattern in patterns.split()]
    hosts = {name.partition("?")[0].partition(">")[2] or name.partition("?")[0] for name in names}
    for name in ("substack.com", "ghost.io", "beehiiv.com", "medium.com", "wordpress.com", "tumblr.com", "livejournal.com",
                 "tistory.com", "write.as", "micro.blog", "buttondown.com", "blog.naver.com", "note.com"):  # fmt: skip
        assert name in hosts
        assert TABLE.owner(f"ann.{name}") == TABLE.owner(f"mail.ann.{name}") == f"ann.{name}"
        assert TABLE.owner(f"ben.{name}") == f"ben.{name}"
    assert TABLE.owner("ann.blogspot.com") == "ann.blogspot.com"  # by the public suffix list
    assert TABLE.owner("north.post.example") == "post.example"


def test_every_platform_has_a_source_and_a_date() -> None:
    for source, date, patterns in platforms.TABLE:
        assert source
        assert len(date) == 10
        for pattern in patterns.split():
            assert platforms.is_pattern(pattern.partition(">")[0]), pattern


@given(st.text(alphabet="ab@./?%-_:é \\\0#", max_size=12) | st.text(max_size=8))
@settings(max_examples=300)
def test_no_name_leaves_its_platform(name: str) -> None:
    for form in ("https://medium.com/@{}/x", "https://note.com/{}/n/1", "https://blog.naver.com/V?blogId={}"):
        address = canonical.web_address(form.format(name))
        provider = TABLE.provider(address) if address else ""
        assert provider == canonical.host(provider)
        assert TABLE.owner(provider) is not None


def test_a_provider_has_the_home_page_of_its_author() -> None:
    assert TABLE.home("ann.note.com") == "https://note.com/ann"
    assert TABLE.home("ann.substack.com") == "https://ann.substack.com/"
    assert TABLE.home("ann-lee.note.com") == "https://note.com/"  # perhaps "ann.lee"
    assert TABLE.home("own.example") == "https://own.example/"
    assert TABLE.author_page("https://note.com/Ann.Lee/n/1") == "https://note.com/Ann.Lee"
    assert TABLE.author_page("https://open.substack.com/pub/ann/p/x") == ""


STORM = "Harbour bridge {} after storm damage closes crossing"


def storm(site: Make, *addresses: str, toml: str = "", more: str = "") -> Site:
    s = site().write("site.toml", f'title = "T"\nbase_url = "https://t.example/"\n{toml}')
    for number, (address, word) in enumerate(zip(addresses, ("shut", "closed", "blocked"), strict=False)):
        s.article(f"a{number}", title=STORM.format(word), webUrl=address, more=more, story="bridge")
    return s


@pytest.mark.parametrize(
    ("form", "more"),
    [
        ("https://notes-{}.substack.com/p/bridge", ""),
        ("https://notes-{}.substack.com/p/bridge", "provider: {domain: www.substack.com}\n"),
        ("https://medium.com/@notes-{}/bridge-1", ""),
        ("https://medium.com/@notes-{}/bridge-1", "provider: {domain: medium.com}\n"),
    ],
)
def test_three_authors_at_one_host_are_three_sources(site: Make, form: str, more: str) -> None:
    library = storm(site, *map(form.format, (1, 2, 3)), more=more).load().library
    assert library.stories[0].sources == 3
    assert len(library.sections["provider"]) == 3


def test_a_domain_in_the_file_counts_and_is_normalised_by_the_same_table(site: Make) -> None:
    s = storm(site, "https://medium.com/@ann/x", more="provider: {name: Ann, domain: 'https://Ann.example/'}\n")
    s.article("b", webUrl="https://b.example/x", more="provider: {domain: 'medium.com/@Ben'}\n")
    s.article("c", webUrl="https://c.example/x", more="provider: {domain: medium.com}\n")
    assert sorted(s.load().library.providers) == ["ann.example", "ben.medium.com", "medium.com"]


def test_a_platform_is_not_the_name_of_its_authors(site: Make) -> None:
    s = storm(site, "https://medium.com/@ann/x", "https://medium.com/@ben/x", more="provider: {name: Medium}\n")
    s.write("content/_providers/ben.medium.com.md", "---\nname: Ben\n---\n")
    providers = s.load().library.providers
    assert {p.title: p.home for p in providers.values()} == {
        "ann.medium.com": "https://medium.com/@ann",
        "Ben": "https://medium.com/@ben",
    }


def test_platforms_of_the_site_are_added_at_once(site: Make) -> None:
    addresses = ["https://blogs.example/ann/1", "https://blogs.example/ben/1", "https://cy.host.example/1"]
    s = storm(site, *addresses)
    s.article("d", title=STORM.format("lost"), webUrl="https://dee.host.example/1", story="bridge")
    s.good()
    assert "2 independent sources" in s.run("explain", "bridge").stdout
    s.write("site.toml", 'title = "T"\n[sources]\nplatforms = ["blogs.example/:name", "host.example"]\n').good()
    assert "4 independent sources" in s.run("explain", "bridge").stdout
    incremental = s.tree()
    assert "providers/ann.blogs.example/index.html" in incremental
    s.run("clean")
    s.good()
    assert s.tree() == incremental


def test_a_process_counts_anew_when_the_platforms_change(site: Make) -> None:
    s = storm(site, "https://cy.host.example/1", "https://dee.host.example/1")
    s.good()
    assert s.load().library.stories[0].sources == 1
    s.write("site.toml", '[sources]\nplatforms = ["host.example"]\n')
    assert s.load().library.stories[0].sources == 2


def test_commands_that_only_read_follow_the_settings_too(site: Make) -> None:
    s = storm(site, "https://blogs.example/ann/1", "https://blogs.example/ben/1")
    s.good()
    s.write("site.toml", '[sources]\nplatforms = ["blogs.example/:name"]\n')
    assert [article.provider for article in s.load().articles()] == ["ann.blogs.example", "ben.blogs.example"]
    assert "2 independent sources" in s.run("explain", "bridge").stdout


def test_a_process_groups_anew_when_the_platforms_change(site: Make) -> None:
    s = site()
    for author, title, excerpt in (
        ("ann", "Harbour bridge stuck open after first ship", "The Lisk swing bridge failed to close on Saturday."),
        ("ben", "Swing bridge fails on opening day", "Ships pass, trains wait: the Lisk bridge is stuck."),
    ):
        s.article(author, title=title, excerpt=excerpt, webUrl=f"https://blogs.example/{author}/1")
    for other in noise(60):
        s.article(other.id, title=other.title, excerpt=other.excerpt)
    assert s.good().stories == 0
    s.write("site.toml", '[sources]\nplatforms = ["blogs.example/:name"]\n')
    assert s.good().stories == 1


@pytest.mark.parametrize("pattern", ["", "com", "a b.example", "blogs.example/", "blogs.example/:who", "a.example>b.example",
                                     "https://blogs.example/:name", "blogs.example/:name/:name"])  # fmt: skip
def test_a_bad_pattern_is_an_error(site: Make, pattern: str) -> None:
    s = site().write("site.toml", f'[sources]\nplatforms = ["{pattern}"]\n')
    with pytest.raises(ConfigError, match=r"site.toml:2: sources.platforms\[0\]: .* is not a platform; write it as"):
        s.load()


@pytest.mark.parametrize(
    ("blocked", "left"),
    [
        ("medium.com", {"cy.note.com"}),
        ("ann.medium.com", {"ben.medium.com", "cy.note.com"}),
        ("medium.com/@ann", {"ben.medium.com", "cy.note.com"}),
        ("https://note.com/cy", {"ann.medium.com", "ben.medium.com"}),
    ],
)
def test_the_blocklist_knows_authors_and_platforms(site: Make, blocked: str, left: set[str]) -> None:
    addresses = ("https://medium.com/@ann/x", "https://medium.com/@ben/x", "https://note.com/cy/n/1")
    s = storm(site, "https://own.example/1", toml=f'[block]\nproviders = ["{blocked}"]\n', more=related(*addresses))
    assert s.load().library.providers.keys() == left | {"own.example"}


def test_the_page_that_a_platform_had_leads_on(site: Make) -> None:
    s = storm(site, "https://medium.com/@ann/x", "https://note.com/ben/n/1", "https://note.com/cy/n/1")
    s.good()
    assert "/providers/ann.medium.com/" in s.read("providers/medium.com/index.html")
    assert "/sources/" in s.read("providers/note.com/index.html")
    s.article("d", webUrl="https://note.com/info/x").good()
    assert ">note.com</bdi></h1>" in s.read("providers/note.com/index.html")
