import unicodedata
from collections.abc import Callable

import pytest
from sites import Site, related

Make = Callable[..., Site]


def said(s: Site, **chosen: object) -> list[str]:
    return list(map(str, s.load(**chosen).report.warnings))


def fire(site: Make, lead: str) -> Site:
    s = (
        site()
        .article("a", story="fire", quality=1)
        .article("sub/2026-11-08-café", story="fire", webUrl="https://b.example/x")
    )
    s.article("c", quality=90, story="fire")
    return s.write("content/_stories/fire.md", f'---\ntitle: "The fire"\nlead: {lead}\n---\n')


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("name", ["sub/2026-11-08-café.md", "content/sub/2026-11-08-café.md", "2026-11-08-café.md", "café",
                                  "http://www.b.example/x?utm_source=y"])  # fmt: skip
def test_a_lead_is_found_by_path_name_and_url_in_any_unicode_form(site: Make, form: str, name: str) -> None:
    s = fire(site, unicodedata.normalize(form, name))
    s.run("explain", "fire")
    assert said(s) == []
    assert s.load().library.stories[0].lead.id == "sub/2026-11-08-café.md"
    assert "chosen by an editor" in s.run("explain", "fire").stdout


def test_file_names_in_another_unicode_form_match(site: Make) -> None:
    s = site().article(unicodedata.normalize("NFD", "café-fire"), story="café", quality=1).article("b", story="café")
    s.write(f"content/_stories/{unicodedata.normalize('NFD', 'café')}.md", "---\nlead: café-fire.md\n---\n")
    assert said(s) == []
    assert s.load().library.stories[0].lead.quality == 1


def test_a_lead_that_matches_no_member_is_a_warning(site: Make) -> None:
    s = fire(site, "nothing.md")
    assert said(s) == [
        "content/_stories/fire.md:3: lead: nothing matches 'nothing.md'; "
        "write the path, the file name or the URL of a member"
    ]
    for command in ("build", "check"):
        assert s.run(command).stderr.count("nothing matches 'nothing.md'") == 1
    s.article("d").edit("content/_stories/fire.md", "nothing.md", "d.md")
    assert said(s) == ["content/_stories/fire.md:3: lead: 'd.md' is not in this story; write `story: fire` into it"]
    s.edit("content/_stories/fire.md", "d.md", "e.md").article("e", published="false", story="fire")
    assert said(s) == []


def test_a_reference_to_an_article_behind_a_gate_is_none_to_nothing(site: Make) -> None:
    s = site().article("a", story="fire", draft="true").article("b", story="fire")
    s.write("content/_stories/fire.md", "---\nlead: a.md\n---\n")
    s.write("content/_providers/a.example.md", "---\nname: A\n---\n")
    s.write("content/_providers/related.example.md", "---\nname: R\n---\n")
    s.edit("content/a.md", "draft", related("https://related.example/1") + "topics: [rail]\ndraft")
    s.write("content/_topics/trams.md", "---\nparent: Rail\n---\n")
    assert said(s) == []
    assert said(s, show=frozenset({"draft"})) == []


def test_a_file_about_a_story_that_no_article_names_is_a_warning(site: Make) -> None:
    s = fire(site, "a.md").write("content/_stories/fyre.md", "---\nlead: a.md\n---\n")
    assert said(s) == ["content/_stories/fyre.md: no article names this story; did you mean 'fire'?"]


def test_a_story_that_one_article_names_is_a_warning(site: Make) -> None:
    s = fire(site, "a.md").article("d", story="fires")
    assert said(s) == ["content/d.md:5: story: no other article names the story 'fires'; did you mean 'fire'?"]
    s.write("content/_stories/fires.md", "---\ntitle: F\n---\n")
    assert len(said(s)) == 1
    s.edit("content/d.md", "story:", related("https://e.example/1") + "story:")  # now its name is shown
    assert said(s) == []


def test_many_names_used_once_are_summed_up(site: Make) -> None:
    s = site()
    for number in range(25):
        s.article(f"a{number:02}", story=f"cluster {number * 7919}")
    found = said(s)
    assert len(found) == 21
    assert found[-1].startswith("content/a20.md:5: story: 5 more `story` names are used by one article only;")


def test_a_parent_that_no_topic_has_is_a_warning(site: Make) -> None:
    s = site().article("a", topics="[Rail, Café]")
    s.write("content/_topics/trams.md", "---\nname: Trams\nparent: Rial\n---\n")
    s.write("content/_topics/light-rail.md", f"---\nparent: {unicodedata.normalize('NFD', 'Café')}\n---\n")
    s.write("content/_topics/tram-stops.md", "---\nparent: trams\n---\n")
    assert said(s) == ["content/_topics/trams.md:3: parent: there is no topic 'Rial'; did you mean 'rail'?"]


def test_a_file_about_a_provider_that_no_article_has_is_a_warning(site: Make) -> None:
    s = site().write("site.toml", '[block]\nproviders = ["bad.example"]\n')
    s.article("a", webUrl="https://medium.com/@ann/x", more=related("https://post.example/1"))
    for domain in ("psot.example", "post.example", "bad.example", "news.bad.example", "medium.com", "ann.medium.com",
                   "sun.example", "post.co.uk"):  # fmt: skip
        s.write(f"content/_providers/{domain}.md", "---\nname: N\n---\n")
    assert said(s) == [
        "content/_providers/medium.com.md: the authors on medium.com are providers of their own, such as "
        "ann.medium.com; name the file after one of them, or remove it",
        "content/_providers/post.co.uk.md: no article has this provider; did you mean 'post.example'?",
        "content/_providers/psot.example.md: no article has this provider; did you mean 'post.example'?",
        "content/_providers/sun.example.md: no article has this provider; name the file after a provider's domain, or "
        "remove it",
    ]


def test_topics_that_share_a_page_are_a_warning_that_names_both(site: Make) -> None:
    s = site().article("w", topics="[Ferry, climate change, AI]").article("y", topics="[NET]")
    s.article(
        "x", topics='[ferry, climate-change, .NET, net, "A/B testing", A-B testing, Node.js, node js, C, C++, ＡＩ]'
    )
    s.article("z", topics="[node-js]")
    hint = "write them alike if they are one topic, else rename one"
    assert said(s) == [
        f"content/x.md:5: topics: '.NET' and 'net' share the page /topics/net/; {hint}",
        f"content/x.md:5: topics: 'A/B testing' and 'A-B testing' share the page /topics/a-b-testing/; {hint}",
        f"content/x.md:5: topics: 'Node.js' and 'node js' share the page /topics/node-js/; {hint}",
    ]


def test_an_incremental_build_says_the_same(site: Make) -> None:
    s = fire(site, "nothing.md")
    first = s.build().warnings
    assert first
    assert s.build().warnings == first
    s.article("d")
    assert s.build().warnings == first
    s.edit("content/_stories/fire.md", "nothing.md", "c.md")
    assert s.build().warnings == []
