"""Feeds and their entries."""

from __future__ import annotations

import contextlib
import sys
from datetime import UTC, datetime
from time import process_time
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsgen.errors import NewsgenError
from newsgen.fetch.entry import Entry, Feed, Hints
from newsgen.fetch.formats import draft
from newsgen.fetch.formats.parser import MAX_ENTRIES, FeedError, parse
from newsgen.model import Image

URL = "https://post.example/feed.xml"
NAMESPACES = (
    'xmlns:media="http://search.yahoo.com/mrss/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/" '
    'xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0" xmlns:atom="http://www.w3.org/2005/Atom" '
    'xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'
)


def rss(items: str, channel: str = "<link>https://post.example/</link>") -> Feed:
    return parse(f'<rss version="2.0" {NAMESPACES}><channel>{channel}{items}</channel></rss>'.encode(), url=URL)


def item(fields: str) -> Entry:
    (entry,) = rss(f"<item>{fields}</item>").entries
    return entry


def atom(entry: str, feed: str = "") -> Entry:
    source = f'<feed xmlns="http://www.w3.org/2005/Atom" {NAMESPACES}>{feed}<entry>{entry}</entry></feed>'
    (found,) = parse(source.encode(), url=URL).entries
    return found


# The formats


def test_rss() -> None:
    channel = """<title>Harbour Post</title><link>https://post.example/</link><language>en_GB</language><ttl>30</ttl>
      <image><url>/logo.png</url><title>x</title></image><sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>
      <skipHours><hour>2</hour><hour>24</hour><hour>x</hour><hour>25</hour><hour>02</hour></skipHours><skipDays><day>Sunday</day><day>Noday</day></skipDays>"""
    found = rss(
        """<item><title>Ferry fares to rise</title><link>https://post.example/ferry</link><guid isPermaLink="false"> 17 </guid>
        <pubDate>Sat, 28 Nov 2026 14:30:00 CET</pubDate><dc:creator>Ann Lee</dc:creator><author>bo@post.example (Bo Ray)</author>
        <description>&lt;p&gt;Fares rise &lt;b&gt;soon&lt;/b&gt;.&lt;/p&gt;&lt;p&gt;Again.&lt;/p&gt;</description>
        <category>Traffic</category><category>traffic</category><category>City</category><category>Uncategorized</category></item>""",
        channel,
    )
    assert found == Feed(
        title="Harbour Post",
        home="https://post.example/",
        lang="en-GB",
        image="https://post.example/logo.png",
        format="rss",
        hints=Hints(every=1800, skip_hours=(0, 2), skip_days=(6,)),
        entries=(
            Entry(
                guid="17",
                url="https://post.example/ferry",
                title="Ferry fares to rise",
                excerpt="Fares rise soon. Again.",
                published=datetime(2026, 11, 28, 13, 30, tzinfo=UTC),
                topics=("Traffic", "City"),
                author="Ann Lee, Bo Ray",
            ),
        ),
    )


def test_atom() -> None:
    source = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de" xml:base="https://post.example/a/">
      <title type="html">Harbour &amp;amp; Post</title><link rel="self" href="feed"/><link href="/"/><logo>l.png</logo><id>f</id>
      <author><name>Desk</name></author>
      <entry xml:base="b/"><id>tag:post.example,2026:1</id><title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">Fares <b>rise</b></div></title>
        <link rel="replies" href="c"/><link rel="alternate" type="text/plain" href="t"/><link rel="alternate" type="text/html" href="h"/>
        <published>2026-11-28</published><updated>2026-11-28T15:00:00Z</updated><category term="x" label="Traffic"/>
        <summary>Fares &lt; fines</summary><content type="html">&lt;img src="p.jpg" width="640" height="480" alt="A ferry">&lt;p>Text</content></entry></feed>"""
    assert parse(source.encode(), url=URL) == Feed(
        title="Harbour & Post",
        home="https://post.example/",
        lang="de",
        image="https://post.example/a/l.png",
        format="atom",
        entries=(
            Entry(
                guid="tag:post.example,2026:1",
                url="https://post.example/a/b/h",
                title="Fares rise",
                excerpt="Fares < fines",
                published=datetime(2026, 11, 28, tzinfo=UTC),
                all_day=True,
                updated=datetime(2026, 11, 28, 15, tzinfo=UTC),
                image=Image(url="https://post.example/a/b/p.jpg", width=640, height=480, title="A ferry"),
                topics=("Traffic",),
                author="Desk",
            ),
        ),
    )


def test_json_feed() -> None:
    source = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Harbour Post",
        "home_page_url": "/",
        "language": "en",
        "items": [
            {
                "id": 7,
                "url": "/ferry",
                "title": "Use <b> & co",
                "content_html": "<p>Fares <em>rise</em></p>",
                "image": "/i.jpg",
                "date_published": "2026-11-28T14:30:00+01:00",
                "tags": ["Traffic", 5],
                "authors": [{"name": "Ann Lee"}],
            },
            "none",
            {"content_text": "A post <without> a title"},
        ],
    }
    found = parse(msgspec.json.encode(source), url=URL)
    assert found == Feed(
        title="Harbour Post",
        home="https://post.example/",
        lang="en",
        format="json",
        entries=(
            Entry(
                guid="7",
                url="https://post.example/ferry",
                title="Use <b> & co",
                excerpt="Fares rise",
                published=datetime(2026, 11, 28, 13, 30, tzinfo=UTC),
                image=Image(url="https://post.example/i.jpg"),
                topics=("Traffic",),
                author="Ann Lee",
            ),
            Entry(title="A post <without> a title"),
        ),
    )


@pytest.mark.parametrize(
    "root",
    [
        '<rss version="0.91"><channel>{}</channel></rss>',
        '<rss version="2.0" xmlns="http://backend.userland.com/rss2"><channel>{}</channel></rss>',
        '<RSS><Channel>{}</Channel></RSS>',
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"><channel/>{}</rdf:RDF>',
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://my.netscape.com/rdf/simple/0.9/"><channel/>{}</rdf:RDF>',
    ],
)  # fmt: skip
def test_every_kind_of_rss(root: str) -> None:
    source = root.format("<item><title>Fares</title><link>https://post.example/1</link></item>")
    (entry,) = parse(source.encode(), url=URL).entries
    assert (entry.title, entry.url) == ("Fares", "https://post.example/1")


def test_atom_03() -> None:
    source = """<feed version="0.3" xmlns="http://purl.org/atom/ns#"><entry><title mode="escaped" type="text/html">A &amp;lt;b></title>
      <link rel="alternate" type="text/html" href="https://post.example/1"/><issued>2026-11-28T14:30:00Z</issued>
      <content mode="base64">PHA+VGV4dDwvcD4=</content></entry></feed>"""
    (entry,) = parse(source.encode(), url=URL).entries
    assert (entry.title, entry.excerpt, entry.published) == (
        "A <b>",
        "Text",
        datetime(2026, 11, 28, 14, 30, tzinfo=UTC),
    )


# Titles and excerpts


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("Tom &amp;amp; Jerry", "Tom & Jerry"),  # HTML in XML
        ("Tom &amp; Jerry", "Tom & Jerry"),
        ("<![CDATA[Tom &amp; <b>Jerry</b>]]>", "Tom & Jerry"),
        ("It&#146;s &amp;#8217;", "It’s ’"),
        ("Option&lt;T&gt; is &amp;lt;b&amp;gt;", "Option<T> is <b>"),
        ("Fish & Chips &nbsp;&eacute; &unknown; R&D <3", "Fish & Chips é &unknown; R&D <3"),
        ("  a \n b\t", "a b"),
        ("Fares <em>rise</em>", "Fares rise"),
    ],
)
def test_titles_are_plain_text(written: str, title: str) -> None:
    assert item(f"<title>{written}</title>").title == title


@pytest.mark.parametrize(
    ("written", "excerpt"),
    [
        ("<![CDATA[<p>One</p><p>two<br>three</p><script>x()</script><style>p{}</style><!-- c -->]]>", "One two three"),
        ("<![CDATA[<ul><li>a</li><li>b</li></ul><table><tr><td>c</td><td>d</td></tr></table>]]>", "a b c d"),
        ("&amp;lt;p&amp;gt;Encoded &amp;lt;b&amp;gt;twice&amp;lt;/b&amp;gt;&amp;lt;/p&amp;gt;", "Encoded twice"),
        ("<![CDATA[<code>&lt;p&gt;</code> is a tag]]>", "<p> is a tag"),
        ("Use &amp;lt;dialog&amp;gt; or &amp;lt;br&amp;gt; now", "Use <dialog> or <br> now"),
        ("3 &lt; 4 &amp;amp; 5", "3 < 4 & 5"),
        ("<p>Naked <b>markup", "Naked markup"),
        ("<![CDATA[Hello <img class='wp-smiley' alt='🙂' src='x'> you]]>", "Hello 🙂 you"),
        ("<![CDATA[<p>Text.</p><p>The post <a>Fares</a> appeared first on <a>Post</a>.</p>]]>", "Text."),
        ("<![CDATA[<p>Text.</p><p>Der Beitrag <a>Fares</a> erschien zuerst auf <a>Post</a>.</p>]]>", "Text."),
        ("Text and [&amp;hellip;]", "Text and…"),
        (
            "<![CDATA[<p>Text.</p> submitted by <a>/u/ann</a> to <a>r/harbour</a> <a>[link]</a> <a>[comments]</a>]]>",
            "Text.",
        ),
        ("<![CDATA[submitted by &#32; <a>/u/ann</a> <br/> <a>[link]</a> &#32; <a>[comments]</a>]]>", ""),
        ("<![CDATA[<p>Text</p><p><a>Continue reading on Harbour Notes »</a></p>]]>", "Text"),
        ("<![CDATA[<p>]]>", ""),
        ("Fares", ""),  # the title again
    ],
)
def test_excerpts_are_what_a_reader_sees(written: str, excerpt: str) -> None:
    assert item(f"<title>Fares</title><description>{written}</description>").excerpt == excerpt


def test_the_content_gives_the_excerpt_only_if_nothing_else_does() -> None:
    content = "<content:encoded>&lt;p>All of it&lt;/p></content:encoded>"
    assert item(f"<title>Fares</title>{content}<description>In short</description>").excerpt == "In short"
    assert item(f"<title>Fares</title>{content}<description>&lt;img src='x'></description>").excerpt == "All of it"


def test_an_entry_without_a_title_begins_with_one() -> None:
    assert item("<description>Short.</description>").title == "Short."
    long = item(f"<description>{'word ' * 100}</description>")
    assert long.title.endswith("…")
    assert long.excerpt


def test_texts_of_json_feed_are_literal_unless_they_are_encoded_twice_or_html() -> None:
    source = {
        "version": "https://jsonfeed.org/version/1",
        "title": "Harbour &#8211; Post",
        "items": [
            {"id": "1", "title": "Tom &amp; Jerry&#8217;s", "summary": "<p>Fares <b>rise</b></p>"},
            {"id": "2", "title": "Write &amp; in HTML", "summary": "The <b> tag"},
        ],
    }
    found = parse(msgspec.json.encode(source), url=URL)
    assert found.title == "Harbour – Post"
    assert [(e.title, e.excerpt) for e in found.entries] == [
        ("Tom & Jerry’s", "Fares rise"), ("Write &amp; in HTML", "The <b> tag"),
    ]  # fmt: skip


def test_markup_beside_html_as_text_is_both_html() -> None:
    assert (
        item(
            "<title>x</title><description><img src='/a.png'/>&lt;p>Fares &lt;a href='/'>rise&lt;/a>&lt;/p></description>"
        ).excerpt
        == "Fares rise"
    )
    assert (
        atom(
            '<title>x</title><summary type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">Write <code>&lt;b>a&lt;/b></code></div></summary>'
        ).excerpt
        == "Write <b>a</b>"
    )


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ('<enclosure url="/a.png" type="image/png"/><enclosure url="/a" type="audio/mpeg"/>', "https://post.example/a"),
        ('<enclosure url="https://cdn.example/a.mp3?x=1"/>', "https://cdn.example/a.mp3?x=1"),
        ('<media:content url="/a.mp4" medium="video"/>', "https://post.example/a.mp4"),
        ('<link>/page</link><enclosure url="/a.mp3" type="audio/mpeg"/>', "https://post.example/page"),
        ('<enclosure url="/a.pdf" type="application/pdf"/><media:content url="/b"/>', ""),
    ],
)
def test_an_episode_without_a_page_leads_to_its_recording(fields: str, url: str) -> None:
    assert item(f"<title>Episode</title>{fields}").url == url


def test_rare_places_of_addresses_ids_and_dates() -> None:
    assert item('<title>x</title><link xml:base="https://other.example/a/">b</link>').url == "https://other.example/a/b"
    assert atom("<title>x</title><dc:identifier>7</dc:identifier>").guid == "7"
    created = item('<title>x</title><a:created xmlns:a="http://purl.org/atom/ns#">2026-11-08T07:30:00Z</a:created>')
    assert created.published == datetime(2026, 11, 8, 7, 30, tzinfo=UTC)


def test_a_time_may_be_the_element_of_a_page() -> None:
    element = '<time datetime="2026-11-08T07:30:00Z">Sun, 11/08/2026 - 08:30</time>'
    when = datetime(2026, 11, 8, 7, 30, tzinfo=UTC)
    assert item(f"<title>x</title><pubDate>\n  {element}\n</pubDate>").published == when
    assert item(f"<title>x</title><pubDate><![CDATA[{element}]]></pubDate>").published == when
    assert atom(f"<title>x</title><updated>{element}</updated>").published == when


def test_a_time_without_a_zone_is_in_that_of_the_site() -> None:
    fields = "<item><title>x</title><pubDate>{}</pubDate></item>"
    for written, moment, all_day in (
        ("2026-11-08 07:30:00", datetime(2026, 11, 7, 22, 30, tzinfo=UTC), False),
        ("2026-11-08T07:30:00Z", datetime(2026, 11, 8, 7, 30, tzinfo=UTC), False),
        ("2026-11-08", datetime(2026, 11, 8, tzinfo=UTC), True),
    ):
        source = f"<rss><channel>{fields.format(written)}</channel></rss>"
        (entry,) = parse(source.encode(), url=URL, zone=ZoneInfo("Asia/Seoul")).entries
        assert (entry.published, entry.all_day) == (moment, all_day)
    source = '{"items": [{"id": "1", "title": "x", "date_published": "2026-11-08T07:30:00"}]}'
    (entry,) = parse(source.encode(), url=URL, zone=ZoneInfo("Asia/Seoul")).entries
    assert entry.published == datetime(2026, 11, 7, 22, 30, tzinfo=UTC)


def test_items_in_an_element_that_is_not_closed_are_found() -> None:
    found = rss("<category>News<item><title>One</title></item><item><title>Two</title></item>")
    assert [entry.title for entry in found.entries] == ["One", "Two"]
    assert atom("<title>One</title>", "<subtitle>News").title == "One"


def test_headlines_of_others_are_no_excerpt() -> None:
    rows = (
        "<li><a>Fares rise</a> <font>Harbour Post</font></li><li><a>Anger over fares</a> <font>Ledgerline</font></li>"
    )
    fields = "<title>Fares rise - Harbour Post</title><source url='https://post.example'>Harbour Post</source>"
    entry = item(f"{fields}<description><![CDATA[<ol>{rows}</ol>]]></description>")
    assert (entry.title, entry.excerpt) == ("Fares rise", "")


def test_a_forum_names_no_publisher() -> None:
    text = "<![CDATA[<p>It is the new one.</p><p><small>5 posts - 3 participants</small></p><p><a>Read full topic</a></p>]]>"
    entry = item(
        "<title>Which ferry is fastest?</title><dc:creator><![CDATA[@ann Ann Lee]]></dc:creator>"
        f"<description>{text}</description><source url='https://forum.example/t/12.rss'>Which ferry is fastest?</source>"
    )
    assert (entry.title, entry.excerpt, entry.author) == ("Which ferry is fastest?", "It is the new one.", "Ann Lee")
    assert (entry.provider, entry.provider_url) == ("", "")
    assert item("<title>x</title><dc:creator>@ann</dc:creator>").author == "@ann"


def test_the_fields_of_drupal_are_no_excerpt() -> None:
    time = '<time datetime="2026-11-08T07:30:00+01:00">Sun, 11/08/2026 - 07:30</time>'
    text = "<span>Tolls fall</span> <span><span>ann</span></span> <span>{}</span> <div><p>{}</p></div>"
    fields = "<title>Tolls fall</title><dc:creator>ann</dc:creator><description><![CDATA[{}]]></description>"
    assert item(fields.format(text.format(time, "A tenth less."))).excerpt == "A tenth less."
    assert item(fields.format(text.format(time, ""))).excerpt == ""
    assert item(fields.format("Tolls fall again.")).excerpt == "Tolls fall again."


def test_hidden_parts_of_an_address_are_no_words() -> None:
    hidden = '<span class="invisible">{}</span>'
    link = f"<a>{hidden.format('https://www.')}<span class='ellipsis'>post.example/fa</span>{hidden.format('res')}</a>"
    assert item(f"<description><![CDATA[<p>See {link} now</p>]]></description>").title == "See post.example/fa now"


def test_a_name_of_a_language_is_no_tag() -> None:
    found = rss("<item><title>x</title><dc:language>Hindi</dc:language></item>", "<language>hi</language>")
    assert (found.lang, found.entries[0].lang) == ("hi", "")


def test_a_text_that_only_leads_to_the_comments_is_no_excerpt() -> None:
    link = '&lt;a href="https://forum.example/item?id=1&amp;amp;p=2">{}&lt;/a>'
    fields = "<title>x</title><link>https://post.example/1</link><comments>https://forum.example/item?id=1&amp;p=2</comments><description>{}</description>"
    assert item(fields.format(link.format("Comments"))).excerpt == ""
    assert item(fields.format("&lt;p>" + link.format("12 Kommentare") + "&lt;/p>")).excerpt == ""
    assert item(fields.format("Fares rise")).excerpt == "Fares rise"
    assert item(fields.format(link.format("What readers say about higher fares"))).excerpt.startswith("What")


def test_texts_of_atom_are_literal_unless_they_are_encoded_twice_or_html() -> None:
    assert atom("<title>The &lt;b> tag</title>").title == "The <b> tag"
    assert atom('<title type="html">The &lt;b>new&lt;/b> tag</title>').title == "The new tag"
    assert atom('<title type="html">&lt;iframe>x&lt;/iframe>Fares&lt;p></title>').title == "Fares"
    assert atom("<title>Fares &lt;b>rise&lt;/b></title>").title == "Fares rise"
    assert atom("<title>Write &amp;amp; in HTML</title>").title == "Write &amp; in HTML"
    assert atom("<title>Tom &amp;amp; Jerry&amp;#8217;s</title>").title == "Tom & Jerry’s"
    assert atom("<title>A &amp;ldquo;caf&amp;eacute;&amp;rdquo; &amp;amp; more</title>").title == "A “café” & more"
    assert atom("<title>x</title><summary>The &lt;b> tag</summary>").excerpt == "The <b> tag"
    assert atom("<title>x</title><summary>&lt;p>Text&lt;/p></summary>").excerpt == "Text"


def test_a_search_feed_gives_the_provider() -> None:
    entry = item('<title>Fares rise - Harbour Post</title><source url="https://post.example">Harbour Post</source>')
    assert (entry.title, entry.provider, entry.provider_url) == ("Fares rise", "Harbour Post", "https://post.example")
    other = atom(
        "<title>Fares</title><source><id>x</id><title>Times</title><link href='https://times.example/'/></source>"
    )
    assert (other.provider, other.provider_url) == ("Times", "https://times.example/")
    bing = '<n:Source xmlns:n="https://www.bing.com/news/search?q=fares&amp;format=rss">Harbour Post</n:Source>'
    assert item(f"<title>Fares rise</title>{bing}").provider == "Harbour Post"
    own = atom("<title>Fares</title><source><id>f</id><title>Post</title></source>", "<id>f</id>")
    assert own.provider == ""


@pytest.mark.parametrize(
    ("written", "author"),
    [
        ("<author>ann@post.example (Ann Lee)</author>", "Ann Lee"),
        ("<author>Ann Lee &lt;ann@post.example&gt;</author>", "Ann Lee"),
        ("<author>ann@post.example</author>", ""),
        ("<dc:creator>Ann Lee</dc:creator><dc:creator>ann lee</dc:creator><dc:creator>Bo</dc:creator>", "ann lee, Bo"),
        ("<author><name>Ann</name><email>a@b.example</email></author>", "Ann"),
    ],
)
def test_bylines_have_no_mail_addresses(written: str, author: str) -> None:
    assert item(written).author == author


# Addresses


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ("<link>/1</link>", "https://post.example/1"),
        ("<link> https://post.example/1\n</link>", "https://post.example/1"),
        ("<link>https://feeds.example/~r/1</link><feedburner:origLink>https://post.example/1</feedburner:origLink>", "https://post.example/1"),
        ("<guid>https://post.example/1</guid>", "https://post.example/1"),
        ("<link>https://feeds.example/~r/post/1</link><guid>https://post.example/1</guid>", "https://post.example/1"),
        ("<link>https://feeds.example/~r/post/1</link><guid>1</guid>", "https://feeds.example/~r/post/1"),
        ('<guid isPermaLink="false">https://post.example/1</guid>', ""),
        ('<atom:link rel="self" href="/s"/><atom:link rel="alternate" href="/1"/>', "https://post.example/1"),
        ("<link>javascript:alert(1)</link>", ""),
        ("<link>https://a@post.example/</link>", ""),
        ("<link>https://post.example/" + "x" * 3000 + "</link>", ""),
        ("<link>https://www.google.com/url?rct=j&amp;url=https://post.example/1&amp;ct=ga</link>", "https://post.example/1"),
        ("<link>http://www.bing.com/news/apiclick.aspx?url=https%3a%2f%2fpost.example%2f1&amp;c=2</link>", "https://post.example/1"),
        ("<link>http://[::1</link><guid>https://post.example/1</guid>", "https://post.example/1"),
    ],
)  # fmt: skip
def test_the_address_is_where_the_feed_says_it_best(fields: str, url: str) -> None:
    assert item(fields).url == url


def test_whether_a_guid_is_an_address() -> None:
    assert item("<guid>https://post.example/1</guid>").guid_is_url
    assert not item('<guid ispermalink="FALSE">https://post.example/1</guid>').guid_is_url
    assert not item("<guid>post-1</guid>").guid_is_url
    assert atom("<id>https://post.example/1</id>").guid_is_url


def test_relative_addresses_in_rss_belong_to_the_site_or_to_a_base() -> None:
    site = "<link>https://site.example/en/</link>"
    assert rss("<item><link>1</link></item>", site).entries[0].url == "https://site.example/en/1"
    assert (
        rss('<item xml:base="https://b.example/x/"><link>1</link></item>', site).entries[0].url
        == "https://b.example/x/1"
    )
    assert rss("<item><link>/1</link></item>", "").entries[0].url == "https://post.example/1"


# Pictures

CONTENT = '<media:content url="/c{}.jpg" medium="image" width="{}" height="100"/>'
IMG = '<content:encoded>&lt;img src="/pixel.gif">&lt;img src="/p.jpg" width="1">&lt;img src="data:x">&lt;img data-src="/i.jpg" src="data:y"></content:encoded>'


@pytest.mark.parametrize(
    ("fields", "picture"),
    [
        (CONTENT.format(1, 100) + CONTENT.format(2, 900) + CONTENT.format(3, 500) + '<media:thumbnail url="/t.jpg"/>', "/c2.jpg"),
        ("<media:group>" + CONTENT.format(4, 90) + '</media:group><media:thumbnail url="/t.jpg"/>', "/c4.jpg"),
        ('<media:content url="/v.mp4" type="video/mp4"><media:thumbnail url="/t.jpg"/></media:content>', "/t.jpg"),
        ('<enclosure url="/a.mp3" type="audio/mpeg"/><enclosure url="/e.png" type="image/png"/><itunes:image href="/n.jpg"/>', "/e.png"),
        ('<itunes:image href="/n.jpg"/>' + IMG, "/n.jpg"),
        (IMG, "/i.jpg"),
        ('<media:thumbnail url="/author.png" width="30" height="30"/>' + IMG, "/i.jpg"),
        ('<media:content url="https://0.gravatar.com/avatar/a1?s=96" medium="image"><media:title>ann</media:title></media:content>' + IMG, "/i.jpg"),
        ('<description>&lt;img src="/d.jpg"></description>', "/d.jpg"),
        ('<media:content url="javascript:x" medium="image"/><media:thumbnail url="/t.jpg"/>', "/t.jpg"),
    ],
)  # fmt: skip
def test_the_order_of_pictures(fields: str, picture: str) -> None:
    image = item(fields).image
    assert image is not None
    assert image.url == "https://post.example" + picture


def test_a_picture_has_its_size_and_credit() -> None:
    fields = '<media:content url="/c.jpg" medium="image" width="900px" height="9999999"><media:title>A &amp;amp; B</media:title><media:credit>Lee</media:credit></media:content>'
    assert item(fields).image == Image(url="https://post.example/c.jpg", width=900, title="A & B", attribution="Lee")


# Charsets

FEED = "<rss><channel><item><title>Grüße – Привет</title></item></channel></rss>"


@pytest.mark.parametrize(
    ("data", "content_type", "title"),
    [
        (FEED.encode(), "text/xml; charset=iso-8859-1", "Grüße – Привет"),
        (b'<?xml version="1.0" encoding="ISO-8859-1"?>' + FEED.encode(), "", "Grüße – Привет"),
        (b"\xef\xbb\xbf" + FEED.encode(), "text/xml; charset=us-ascii", "Grüße – Привет"),
        (FEED.encode("utf-16"), "", "Grüße – Привет"),
        (FEED.encode("utf-16-le"), "", "Grüße – Привет"),
        (FEED.encode("utf-32"), "", "Grüße – Привет"),
        (b'<?xml version="1.0" encoding="utf-16"?>' + FEED.encode(), "", "Grüße – Привет"),
        ("<rss><channel><item><title>Привет</title></item></channel></rss>".encode("cp1251"), 'text/xml; charset="windows-1251"', "Привет"),
        ('<?xml version="1.0" encoding="koi8-r"?><rss><channel><item><title>Привет</title></item></channel></rss>'.encode("koi8-r"), "text/xml", "Привет"),
        ("<rss><channel><item><title>Grüße – “ok”</title></item></channel></rss>".encode("cp1252"), "text/xml; charset=utf-8", "Grüße – “ok”"),
        ("<rss><channel><item><title>東京</title></item></channel></rss>".encode("iso-2022-jp"), "text/xml; charset=iso-2022-jp", "東京"),
        (FEED.encode(), "text/xml; charset=utf-7", "Grüße – Привет"),
        (FEED.encode(), "text/xml; charset=unicode_escape", "Grüße – Привет"),
    ],
)  # fmt: skip
def test_charsets(data: bytes, content_type: str, title: str) -> None:
    assert parse(data, url=URL, content_type=content_type).entries[0].title == title


# Broken and hostile feeds


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"Not found", "is neither XML nor JSON"),
        (b"\x89PNG\r\n\x1a\n\0\0", "is neither XML nor JSON"),
        (b"<!DOCTYPE html><html><body>x<br></html>", "is a web page, not a feed"),
        (b"<opml/>", "is a list of feeds (OPML); use newsgen import opml"),
        (b"<urlset/>", "is a sitemap, not a feed"),
        (b"<note/>", "is XML, but not a feed: its root element is <note>"),
        (b"<<<", "is not XML"),
        (b"{}", "is JSON, but no JSON Feed"),
        (b'{"items":', "is JSON with a syntax error"),
        (b"[" * 100_000, "is JSON with a syntax error"),
    ],
)
def test_what_is_no_feed_is_refused_with_the_reason(data: bytes, message: str) -> None:
    with pytest.raises(FeedError) as raised:
        parse(data, url=URL)
    assert str(raised.value) == message


def test_a_broken_feed_keeps_its_entries() -> None:
    found = rss(
        """<item><title>A & B</title><description><p>One<br>two <li>three<img src="/i.jpg"></description><link>/1?a=1&b=2</link></item>
        <item><title>\x0bSecond</title><itunes2:x>y</itunes2:x><link>/2</link></item><item><title>Third</title><link>/3"""
    )
    assert [(entry.title, entry.excerpt, entry.url.partition("example")[2]) for entry in found.entries][:2] == [
        ("A & B", "One two three", "/1?a=1&b=2"),
        ("Second", "", "/2"),
    ]


def test_warnings_of_a_server_before_the_feed_are_skipped() -> None:
    source = b'Warning: x in <b>y.php</b>\n\n<?xml version="1.0"?><rss><channel><item><title>A</title></item></channel></rss>'
    assert parse(source, url=URL).entries[0].title == "A"


def test_a_comment_before_the_feed_is_no_junk() -> None:
    source = b"<!-- <rss > --><rss><channel><item><title>A</title></item></channel></rss>"
    assert parse(source, url=URL).entries[0].title == "A"


def test_without_lxml_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lxml", None)
    with pytest.raises(NewsgenError, match=r'feeds need lxml; run pip install "newsgen\[fetch\]"'):
        parse(b"<rss/>", url=URL)


@pytest.mark.parametrize("title", ["&a;", "&b;", "x<![CDATA[&a;]]>"])
def test_entities_that_a_feed_declares_are_never_expanded(title: str) -> None:
    source = f'<!DOCTYPE rss [<!ENTITY a "secret"><!ENTITY b SYSTEM "file:///dev/null">]><rss><channel><item><title>{title}</title><link>https://post.example/&a;</link></item></channel></rss>'
    (entry,) = parse(source.encode(), url=URL).entries
    assert "secret" not in f"{entry.title} {entry.url}"


def test_a_document_type_is_read_over() -> None:
    source = '<?xml version="1.0"?><!-- x --><!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://netscape.example/rss-0.91.dtd"><rss><channel><item><title>caf&eacute;</title></item></channel></rss>'
    assert parse(source.encode(), url=URL).entries[0].title == "café"


def test_only_the_newest_entries_are_taken_in_their_order() -> None:
    items = "".join(
        f"<item><guid>{at}</guid><pubDate>2026-11-{1 + at % 28:02}T00:00:00Z</pubDate></item>" for at in range(28 * 100)
    )
    found = rss("<item><guid>undated</guid></item>" + items).entries
    assert len(found) == MAX_ENTRIES
    days = [entry.published.day for entry in found if entry.published]
    assert min(days) >= 18
    assert [int(entry.guid) for entry in found] == sorted(int(entry.guid) for entry in found)


def test_values_are_not_longer_than_a_file_may_hold() -> None:
    entry = item(
        f"<title>{'t' * 5000}</title><description>{'d ' * 5000}</description><guid>{'g' * 5000}</guid><dc:creator>{'a' * 5000}</dc:creator>"
        f"{''.join(f'<category>c{at}</category>' for at in range(500))}<category>{'c' * 500}</category>"
    )
    assert len(entry.title) <= draft.MAX_TITLE
    assert len(entry.excerpt) <= draft.MAX_EXCERPT
    assert len(entry.guid) == 32
    assert len(entry.author) <= draft.MAX_NAME
    assert len(entry.topics) == draft.MAX_TOPICS


@pytest.mark.parametrize(
    "part",
    ["&", "&a", "<", "<img ", "<![CDATA[", "<!DOCTYPE ", "<!DOCTYPE x [] ", "<?", "<!--", "<br ", "<title>", "<a>", "&lt;p&gt;", "] ", "<outline a='\"", "\n<outline ", "The post "],
)  # fmt: skip
def test_repeated_parts_take_linear_time(part: str) -> None:
    for template in (
        "{}",
        "<rss><channel><item><title>{0}</title><description>{0}</description></item></channel></rss>",
    ):
        started = process_time()
        with contextlib.suppress(FeedError):
            parse(template.format(part * (500_000 // len(part))).encode(), url=URL)
        assert process_time() - started < 5


PIECES = (
    *(
        "<rss>",
        "</rss>",
        "<channel>",
        "<item>",
        "</item>",
        "<title>",
        "</title>",
        "<link>",
        "<description>",
        "<![CDATA[",
        "]]>",
    ),
    *(
        "<feed xmlns='http://www.w3.org/2005/Atom'>",
        "<entry>",
        "<content type='xhtml'>",
        "<link href='/x'/>",
        "&amp;",
        "&",
        "<",
        ">",
    ),
    *(
        '{"items":[',
        '{"url":',
        '"',
        "]",
        "}",
        "https://a.example/",
        "2026-11-28",
        "\0",
        "\ud800",
        "é",
        "<p>",
        "<!DOCTYPE a [",
        "<?xml ?>",
    ),
)


@given(st.lists(st.sampled_from(PIECES), max_size=30))
def test_any_document_is_a_feed_or_refused(pieces: list[str]) -> None:
    with contextlib.suppress(FeedError):
        msgspec.msgpack.encode(parse("".join(pieces).encode("utf-8", "surrogatepass"), url=URL))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_feed_or_refused(data: bytes) -> None:
    for source in (data, b"<rss><channel><item><title>" + data):
        with contextlib.suppress(FeedError):
            parse(source, url=URL, content_type="text/xml; charset=utf-8")


@given(st.text(), st.text())
def test_a_text_that_is_encoded_properly_is_read_back(title: str, guid: str) -> None:
    source = {"version": "https://jsonfeed.org/version/1", "items": [{"title": title, "id": guid}]}
    (entry,) = parse(msgspec.json.encode(source), url=URL).entries
    assert len(entry.title) <= draft.MAX_TITLE
    assert entry.title == " ".join(entry.title.split())
