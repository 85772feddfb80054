"""A site speaks its language: every word of the interface, its dates, numbers, lists and addresses."""

import html
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner
from jinja2 import nodes
from sites import Site

from newsgen.builder import Renderer, catalogues, messages, translate, translation
from newsgen.builder.theme import Theme
from newsgen.commands.cli import cli
from newsgen.errors import ConfigError, OutputError
from newsgen.files import shipped_catalogues, shipped_site
from newsgen.locales import ENGLISH, locale
from newsgen.model import Phrase
from newsgen.pages import digests

Make = Callable[..., Site]
SHIPPED = sorted(file.stem for file in shipped_catalogues().glob("*.po"))
TEMPLATES = sorted(
    path.relative_to(shipped_site() / "templates") for path in (shipped_site() / "templates").rglob("*.*")
)


# The pseudo-language: content and phrases are Greek, so every Latin word on a page is one that nobody marked.

GREEK = str.maketrans("abcdefghijklmnopqrstuvwxyz", "αβξδεφγηιϊκλμνοπχρστυϋωψζθ")
UNTRANSLATED = {"RSS", "Atom", "JSON", "Feed", "OPML", "JavaScript", "UTC", "log", "el"}


def pseudo(text: str) -> str:
    return re.sub(
        r"%\(\w+\)s|[A-Za-z]", lambda found: found[0] if found[0][0] == "%" else found[0].lower().translate(GREEK), text
    )


def pseudo_catalogue(site: Path) -> str:
    entries = ['msgid ""\nmsgstr ""\n"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n']
    for _, context, texts in dict.fromkeys(messages.found(Theme(site))):
        lines = [f"msgctxt {json.dumps(context)}"] if context else []
        lines += [f"msgid {json.dumps(texts[0], ensure_ascii=False)}"]
        lines += [f"msgid_plural {json.dumps(texts[1], ensure_ascii=False)}"] if len(texts) > 1 else []
        for at, text in enumerate(texts):
            lines.append(f"msgstr{f'[{at}]' if len(texts) > 1 else ''} {json.dumps(pseudo(text), ensure_ascii=False)}")
        entries.append("\n".join(lines) + "\n")
    return "\n".join(dict.fromkeys(entries))


class Words(HTMLParser):
    """Collects what readers see or hear: text, and the attributes that hold text."""

    SHOWN = ("alt", "aria-label", "placeholder", "title", "data-words")

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._in: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in.append(tag)
        values = dict(attrs)
        names = (*self.SHOWN, *(("content",) if values.get("name") == "description" else ()))
        for name in names:
            value = values.get(name) or ""
            self.words.append(" ".join(spoken(json.loads(value))) if name == "data-words" and value else value)

    def handle_data(self, data: str) -> None:
        if self._in[-1:] not in (["script"], ["style"]):
            self.words.append(data)

    def handle_endtag(self, _: str) -> None:
        self._in = self._in[:-1]


def spoken(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (text for each in value.values() for text in spoken(each))
    elif isinstance(value, list):
        yield from (text for each in value for text in spoken(each))
    elif isinstance(value, str):
        yield re.sub(r"%\(\w+\)s", "", value)


def latin(text: str) -> set[str]:
    """The Latin words in a text, without addresses and domains."""
    text = re.sub(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]+", " ", text)  # RFC 822
    text = re.sub(r"https?://\S+|\S+\.(example|org|xml|json|css|js)\S*|/\S*", " ", text)
    return set(re.findall(r"[A-Za-z]{2,}", text)) - UNTRANSLATED


@pytest.fixture(scope="module")
def greek(tmp_path_factory: pytest.TempPathFactory) -> Site:
    s = Site(tmp_path_factory.mktemp("greek") / "site")
    s.write(
        "site.toml",
        'title = "Νέα"\ndescription = "Όλα"\nlanguage = "el"\nbase_url = "https://νέα.example/"\npage_size = 3\n'.replace(
            "νέα.example", "nea.example"
        )
        + 'enable_kinds = ["api", "llms"]\nshare = [{title = "Δίκτυο", url = "https://d.example/?u={url}"}]\n'
        "[brand]\naccent = '#8c2a1c'\nfooter = 'Εμείς'\n[redirects]\ngone = ['/παλιά/']\n[feeds]\nmin_members = 1\nsections = ['rss', 'atom', 'jsonfeed']\n[pages]\narticles = 'all'\n",
    )
    s.write("locale/el.po", pseudo_catalogue(s.root))
    s.write("content/_pages/a.md", "---\ntitle: Εμείς\n---\nΕδώ.\n")
    s.write("content/_topics/t.md", "---\ntitle: Τρένα\ndescription: Για τρένα.\n---\n")
    s.write("content/_topics/u.md", "---\ntitle: Γέφυρες\nparent: Τρένα\n---\n")
    for n, more in enumerate(
        ("type: Εφημερίδα\ncountry: Ελλάδα\nowner: Όμιλος\n", "owner: Όμιλος\n", "country: Ελλάδα\n", "")
    ):
        s.write(f"content/_providers/p{n}.example.md", f"---\ntitle: Εφημερίδα {n}\n{more}---\n")
    texts = ("Η γέφυρα άνοιξε για το πρώτο πλοίο της", "Η γέφυρα έμεινε ανοιχτή τριάντα ώρες", "Τα τρένα σταμάτησαν στη γέφυρα", "Ο δήμαρχος έκοψε την κορδέλα")  # fmt: skip
    start = datetime(2026, 11, 1, 6, tzinfo=UTC)
    for n in range(24):
        when = start + timedelta(hours=7 * n)
        group, others = n // 4, ""
        if n % 4:
            others = f'related:\n  - title: "Παλιό"\n    webUrl: "https://p{n % 4 - 1}.example/{n - 1}"\n'
        if n % 4 < 3:
            others = (
                others or "related:\n"
            ) + f'  - title: "Νέο"\n    webUrl: "https://p{n % 4 + 1}.example/{n + 1}"\n'
        s.article(
            f"α{n}",
            title=f"{texts[n % 4]} {group} {['άλφα', 'βήτα', 'γάμμα', 'δέλτα'][n % 4]}",
            webUrl=f"https://p{n % 4}.example/{n}" if n else None,
            publishedDateTime=f"{when:%Y-%m-%dT%H:%M:%SZ}",
            excerpt=f"{texts[n % 4]}, λένε {40 + n % 3} άνθρωποι στην Αθήνα.",
            topics="[Τρένα, Γέφυρες]" if n % 2 else "[Τρένα]",
            category="Πόλη",
            quality=n % 3,
            author="[Άννα, Βίκυ]" if n % 4 else "Άννα",
            more=others
            + ("updatedDateTime: 2026-11-20T10:00:00Z\n" if n in (0, 9) else "")
            + ("type: video\n" if n == 5 else ""),
            body="" if n % 5 else "Κείμενο.",
        )
    for n in range(3):
        s.article(f"μόνο{n}", title=f"Ένα άρθρο μόνο του {n}", webUrl=f"https://q{n}.example/", topics="[Άλλα]", publishedDateTime=f"2026-10-2{n}T10:00:00Z", category="Χώρα")  # fmt: skip
    s.article(
        "ίδιο", title="Ένα άλλο άρθρο", webUrl="https://q8.example/", publishedDateTime="2026-11-03", draft="true"
    )
    s.good(show=frozenset(["draft"]))
    return s


def test_no_page_of_a_site_has_words_that_nobody_marked(greek: Site) -> None:
    loaded = greek.load(whole=True, show=frozenset(["draft"]))
    render = Renderer(loaded.theme, loaded.site)
    pages = [*loaded.plan.pages(), *digests(loaded.library, "2026-11-07")]
    rendered = {page.template for page in pages}
    expected = {path.as_posix() for path in TEMPLATES} - {"base.html"}
    assert {name for name in expected if not name.startswith("parts/")} <= rendered
    unmarked: dict[str, set[str]] = {}
    for page in pages:
        if not page.template:
            continue
        text = render(page).decode()
        if page.template.endswith((".html", ".xml")):
            # A feed holds HTML in XML.
            parser = Words()
            parser.feed(html.unescape(text) if page.template.startswith("feeds/") else text)
            words = " ".join(parser.words)
        elif page.template in ("digest/digest.txt", "feeds/llms.txt", "search/names.json"):
            words = text
        elif page.template == "feeds/feed.json":
            words = " ".join(item["content_html"] for item in json.loads(text)["items"])
            words = re.sub("<[^>]*>", " ", words)
        elif page.template == "feeds/list.json":
            words = " ".join(each.get("title", "") for each in json.loads(text)["value"])
        else:
            continue
        if found := latin(words):
            unmarked[page.path] = found
    assert not unmarked


def test_every_phrase_of_templates_is_marked() -> None:
    """Also in branches that no page takes: text between tags, and constants that read like words."""
    unmarked = {}
    for path in TEMPLATES:
        if path.suffix not in (".html", ".xml", ".txt") or path.name in (
            "robots.txt",
            "_headers.txt",
            "_redirects.txt",
        ):
            continue
        tree = translation.parser().parse((shipped_site() / "templates" / path).read_text("utf-8"))
        pieces = [
            node.data if isinstance(node, nodes.TemplateData) else "0"
            for out in tree.find_all(nodes.Output)
            for node in out.nodes
        ]
        text = re.sub(r"<(script|style)\b.*?</\1>", "", "".join(pieces), flags=re.DOTALL)
        parser = Words()
        parser.feed(text)
        words = re.sub(r"<[^>]*>?|&\w+;|\b[\w-]+=[\"'][^\"']*[\"']?", " ", " ".join(parser.words))
        marked = {
            id(arg) for call in tree.find_all(nodes.Call) for arg in call.args if _name(call) in translation.FUNCTIONS
        }
        constants = (
            node.value for node in tree.find_all(nodes.Const) if id(node) not in marked and isinstance(node.value, str)
        )
        words += " ".join(
            text for text in constants if re.search(r"^[A-Z][a-z]+$|[a-z] [a-z]", text) and text not in LANGUAGE_FREE
        )
        if found := set(re.findall(r"[A-Za-z]{2,}", words)) - UNTRANSLATED - MARKUP:
            unmarked[path.as_posix()] = found
    assert not unmarked


LANGUAGE_FREE = {"Atom", "Organization", "Person", "same address", "one side", "when dt-published"}  # fmt: skip
MARKUP = {"article"}  # of og:type


def _name(call: nodes.Call) -> str:
    return call.node.name if isinstance(call.node, nodes.Name) else ""


def test_scripts_have_no_words_but_those_of_the_page() -> None:
    scripts = {file.name: file.read_text("utf-8") for file in (shipped_site() / "static/js").glob("*.js")}
    template = (shipped_site() / "templates/parts/scripts.html").read_text("utf-8")
    reader, search = template.split("search_words")
    for name, words, script in (
        ("reader.js", reader, scripts["reader.js"]),
        ("search.js", search, scripts["search.js"]),
    ):
        keys = set(re.findall(r'^"(\w+)": ', words, re.MULTILINE))
        literals = re.sub(r"//.*", "", script)
        used = set(re.findall(r'say\("(\w+)"', literals))
        assert used <= keys, name
        # What a reader could read begins with a capital, or is several words.
        own = re.search(r"const phrases = \{(.*?)\};", literals, re.DOTALL)
        rest = literals.replace(own[0], "") if own else literals
        strings = re.findall(r'"([^"\n\\]*)"', rest)
        assert not [s for s in strings if re.match(r"[A-Z][a-z]+([ .]|$)|[a-z]+( [a-z]+){2}", s)], name
    # Without words from the page, the script on all pages has those of the template.
    own = re.search(r"const phrases = \{(.*?)\.\.\.JSON", scripts["reader.js"], re.DOTALL)
    assert own
    for text in re.findall(r'"([^"]+)"', own[1]):
        assert f'"{text}"' in reader, text


# Catalogues


@pytest.mark.parametrize("language", SHIPPED)
def test_shipped_catalogues_are_whole(language: str) -> None:
    file = shipped_catalogues() / f"{language}.po"
    phrases, problems = catalogues.read(file, file.name)
    assert not problems
    wanted = {catalogues.id_of(context, texts[0]) for _, context, texts in messages.found(Theme(shipped_site()))}
    assert {phrase.id for phrase in phrases} == wanted
    assert "#~" not in file.read_text("utf-8")


def test_seven_languages_are_shipped() -> None:
    assert SHIPPED == ["ar", "de", "es", "fr", "ja", "pt"]  # and English


def test_plurals_follow_the_language() -> None:
    arabic = catalogues.load(Path("none"), "ar").locale

    def sources(number: int) -> str:
        return arabic.ngettext("%(count)s source", "%(count)s sources", number, count=number)

    assert [sources(n) for n in (0, 1, 2, 3, 11, 100)] == [
        "لا مصادر",
        "مصدر واحد",
        "مصدران",
        "3 مصادر",
        "11 مصدرًا",
        "100 مصدر",
    ]
    forms = arabic.plural_forms("%(count)s source", "%(count)s sources")
    assert list(forms) == ["zero", "one", "two", "few", "many", "other"]
    french = catalogues.load(Path("none"), "fr").locale
    assert [french.ngettext("%(count)s source", "%(count)s sources", n, count=n) for n in (0, 1, 2)] == ["0 source", "1 source", "2 sources"]  # fmt: skip
    assert ENGLISH.plural_forms("%(count)s source", "%(count)s sources").keys() == {"one", "other"}


HEADER = 'msgid ""\nmsgstr ""\n"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'
GOOD = 'msgid "Topics"\nmsgstr "Gut"\n'


@pytest.mark.parametrize(
    ("entry", "line", "what"),
    [
        ('msgid "All of %(day)s"\nmsgstr "Alles vom %(tag)s"', 5, "unknown placeholder %(tag)s"),
        ('msgid "All of %(day)s"\nmsgstr "Alles"', 5, "lacks the placeholder %(day)s"),
        ('msgid "All of %(day)s"\nmsgstr "Alles vom %(day)s, 100 %"', 5, "a % that begins no placeholder"),
        ('msgid "All of %(day)s"\nmsgstr "Alles vom %(day)d"', 5, "a % that begins no placeholder"),
        ('msgid "Latest"\nmsgstr "%s"', 5, "a % that begins no placeholder"),
        ('msgid "Latest"\nmsgstr "<b>Neu</b>"', 5, "HTML"),
        ('msgid "Latest"\nmsgstr "<script src=x>"', 5, "HTML"),
        ('msgid "Latest"\nmsgstr "A &amp; B"', 5, "HTML"),
        ('msgid "Latest"\nmsgstr "Neu\udcff"', 5, "not UTF-8"),
        ('msgid "Latest"\nmsgstr "Neu\x07"', 5, "invisible"),
        ('msgid "%(count)s source"\nmsgid_plural "%(count)s sources"\nmsgstr[0] "%(count)s Quelle"', 5, "plural forms"),
        ('msgid "%(count)s source"\nmsgid_plural "%(count)s sources"\nmsgstr[0] "a"\nmsgstr[1] "b"\nmsgstr[2] "c"', 5, "more translations"),
        ('msgid "Latest"\nmsgstr "Neu', 6, "not a line of a catalogue"),
        ('msgid "Latest"\nmsgtsr "Neu"', 6, "not a line of a catalogue"),
        ('msgid "Latest"\nmsgstr "\\"', 6, "not a line of a catalogue"),
        ('msgid "Latest"\nmsgstr[x] "Neu"', 6, "not a line of a catalogue"),
        ('msgid "Latest"', 5, "missing msgstr"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_catalogue_costs_its_phrase(tmp_path: Path, entry: str, line: int, what: str) -> None:
    file = tmp_path / "de.po"
    file.write_bytes(f"{HEADER}{entry}\n\n{GOOD}".encode("utf-8", "surrogateescape"))
    phrases, (problem,) = catalogues.read(file, "locale/de.po")
    assert [phrase.forms for phrase in phrases] == [("Gut",)]
    assert (problem.path, problem.line, problem.scope) == ("locale/de.po", line, "value")
    assert what in problem.what


@pytest.mark.parametrize("plural", ["nplurals=2; plural=(n != ;", "nplurals=2; plural=n%0;", "nplurals=2; plural=n;", "nplurals=x", "nplurals=9; plural=0"])  # fmt: skip
def test_a_wrong_plural_costs_the_phrases_that_need_it(tmp_path: Path, plural: str) -> None:
    numbered = 'msgid "%(count)s report"\nmsgid_plural "%(count)s reports"\nmsgstr[0] "A"\nmsgstr[1] "B"\n'
    (tmp_path / "de.po").write_text(f'msgid ""\nmsgstr ""\n"Plural-Forms: {plural}\\n"\n\n{numbered}\n{GOOD}')
    phrases, problems = catalogues.read(tmp_path / "de.po", "locale/de.po")
    assert problems
    assert all(problem.line for problem in problems)
    assert ("Gut",) in [phrase.forms for phrase in phrases]


def test_a_site_with_a_wrong_catalogue_is_built(site: Make) -> None:
    s = site().article("a", topics="[X]").write("site.toml", 'language = "de"\n')
    s.write("locale/de.po", f'{HEADER}msgid "Latest"\nmsgstr "<b>Neu</b>"\n\n{GOOD}')
    (problem,) = s.build().problems
    assert str(problem).startswith("locale/de.po:5: 'Latest': has HTML in it")
    page = s.read("index.html")
    assert ">Gut<" in page
    assert ">Zuletzt<" in page  # the shipped phrase


def test_translations_are_escaped(site: Make) -> None:
    s = site().article("a", topics="[X]").write("site.toml", 'language = "de"\nenable_kinds = ["llms"]\n')
    entries = [
        'msgid "Latest"\nmsgstr "A & \\"B\\" < C > \'D\'"',
        'msgid "Sections"\nmsgstr "\\" onmouseover=1 \\""',
        'msgid "Lists"\nmsgstr "A & B"',
        'msgctxt "button"\nmsgid "Follow"\nmsgstr "\' onfocus=1 \'"',
    ]
    s.write("locale/de.po", HEADER + "\n\n".join(entries) + "\n")
    s.good()
    page = s.read("index.html")
    assert "A &amp; &#34;B&#34; &lt; C &gt; &#39;D&#39;" in page
    assert 'aria-label="&#34; onmouseover=1 &#34;"' in page
    assert "\\u0027 onfocus=1 \\u0027" in page
    assert "' onfocus" not in page
    assert "## A & B" in s.read("llms.txt")


def test_a_theme_may_ask_for_phrases_when_rendering(site: Make) -> None:
    s = site().article("a").write("site.toml", 'language = "de"\n')
    s.write("locale/de.po", f'{HEADER}msgid "Hi %(who)s"\nmsgstr "Hallo & %(who)s"\n')
    source = """{% extends "newsgen/pages/404.html" %}{% block main %}{% set words, who = "Hi %(who)s", "<you>" %}
[{{ gettext(words, who=who) }}] [{% trans %}Hi {{ who }}{% endtrans %}] [{{ _("Hi %(who)s", who=who) | upper }}]
[{% trans count=1234 %}{{ count }} report{% pluralize %}{{ count }} reports{% endtrans %}]
[{{ ngettext("%(num)s <i>fish</i>", "%(num)s <i>fish</i>", 1234) }}]{% endblock %}"""
    s.write("templates/pages/404.html", source)
    s.good()
    page = s.read("404.html")
    assert "[Hallo &amp; &lt;you&gt;] [Hallo &amp; &lt;you&gt;] [HALLO &amp; &lt;YOU&gt;]" in page
    assert "[1.234 Berichte]" in page
    assert "[1.234 <i>fish</i>]" in page


def test_a_language_without_a_catalogue_has_dates_and_one_warning(site: Make) -> None:
    s = site().article("a").article("b").write("site.toml", 'language = "fi"\n')
    (warning,) = s.good().warnings
    assert "`newsgen translate fi`" in str(warning)
    assert "Sunnuntai 8. marraskuuta 2026" in s.read("index.html")
    assert ">Latest<" in s.read("index.html")
    s.write("site.toml", 'language = "tlh-x-old"\n')
    (warning,) = s.good().warnings
    assert "CLDR does not know" in str(warning)
    assert "Sunday 8 November 2026" in s.read("index.html")


def test_a_variant_of_a_language_has_the_phrases_of_both(site: Make) -> None:
    s = site().article("a", topics="[X]").write("site.toml", 'language = "de-AT"\n')
    s.write("locale/de.po", HEADER + 'msgid "Topics"\nmsgstr "Sachen"\n\nmsgid "Sources"\nmsgstr "Blätter"\n')
    s.write("locale/de-AT.po", HEADER + 'msgid "Topics"\nmsgstr "Sacherln"\n')
    assert not s.good().warnings
    page = s.read("index.html")
    assert all(f">{words}<" in page for words in ("Sacherln", "Blätter", "Archiv"))
    assert '<html lang="de-AT">' in page


def test_english_phrases_can_be_replaced(site: Make) -> None:
    s = site().article("a").write("locale/en.po", HEADER + 'msgid "Latest"\nmsgstr "Just in"\n')
    s.good()
    assert ">Just in<" in s.read("index.html")
    assert "8 November 2026" in s.read("index.html")


def test_editing_a_catalogue_gives_what_a_clean_build_gives(site: Make) -> None:
    s = site().article("a", topics="[X]").article("b", topics="[X]").write("site.toml", 'language = "de"\n')
    s.write("locale/de.po", HEADER + GOOD)
    s.good()
    assert not s.good().written
    for text in (HEADER + GOOD.replace("Gut", "Besser"), None):
        if text is None:
            (s.root / "locale/de.po").unlink()
        else:
            s.write("locale/de.po", text)
        assert s.good().written
        other = site(name=f"other{len(text or '')}").article("a", topics="[X]").article("b", topics="[X]")
        other.write("site.toml", 'language = "de"\n')
        if text:
            other.write("locale/de.po", text)
        other.good()
        assert s.tree() == other.tree()


def test_a_catalogue_that_is_no_file_is_a_problem(site: Make) -> None:
    s = site().article("a").write("site.toml", 'language = "de"\n')
    (s.root / "locale/de.po").mkdir(parents=True)
    (problem,) = s.build().problems
    assert str(problem).startswith("locale/de.po: is not a file")
    (s.root / "locale/de.po").rmdir()
    (s.root / "locale/de.po").symlink_to("nowhere.po")
    (problem,) = s.build().problems
    assert str(problem).startswith("locale/de.po: cannot be read")


# newsgen translate


def test_translate_writes_all_messages_and_keeps_translations(site: Make) -> None:
    s = site().write(
        "templates/pages/404.html", '{% extends "base.html" %}{% block main %}{{ _("Lost?") }}{% endblock %}'
    )
    written = translate(s.root, "de")
    first = written.file.read_text("utf-8")
    assert (written.missing, 'msgid "Lost?"\nmsgstr ""' in first) == (1, True)
    assert "#. newsgen: Themen\n" in first
    assert '"Plural-Forms: nplurals=2; plural=(n != 1);\\n"' in first
    own = first.replace('msgid "Topics"\nmsgstr ""', 'msgid "Topics"\nmsgstr "Sachen"')
    own += '\n# mine\nmsgid "Gone"\nmsgstr "Fort"\n'
    written.file.write_text(own, "utf-8")
    translate(s.root, "de")
    second = written.file.read_text("utf-8")
    assert 'msgid "Topics"\nmsgstr "Sachen"' in second
    assert '#~ msgid "Gone"\n#~ msgstr "Fort"' in second
    translate(s.root, "de")
    assert written.file.read_text("utf-8") == second
    assert not catalogues.read(written.file, "de.po")[1]
    assert '"Plural-Forms: nplurals=6' in translate(s.root, "ar").file.read_text("utf-8")
    assert translate(s.root, "fi").missing == written.messages


def test_translate_says_what_is_missing(site: Make) -> None:
    s = site()
    done = CliRunner().invoke(cli, ["translate", "fi", "--site", str(s.root)])
    assert re.fullmatch(r"\d+ phrases in .*fi\.po, \d+ of them not translated\n", done.output)
    for arguments, what in (
        (["../x"], "'../x' is not a language"),
        (["fi", "--site", str(s.root / "no")], "there is no folder"),
    ):
        failed = CliRunner().invoke(cli, ["translate", *arguments])
        assert (failed.exit_code, what in failed.output) == (2, True)


def test_translate_does_not_lose_what_it_cannot_read(site: Make) -> None:
    s = site().write("locale/de.po", 'msgid "Topics"\nmsgstr "Sachen\n')
    with pytest.raises(OutputError, match=r"locale/de\.po:2: is not a line of a catalogue"):
        translate(s.root, "de")
    assert (s.root / "locale/de.po").read_text("utf-8").endswith("Sachen\n")


# Dates, numbers and lists


def test_dates_numbers_and_lists_are_those_of_cldr() -> None:
    german, arabic, japanese = locale("de"), locale("ar"), locale("ja")
    when = datetime(2026, 11, 8, 16, 5, tzinfo=UTC)
    assert german.day(when) == "8. November 2026"
    assert german.day_of_week(when) == "Sonntag, 8. November 2026"
    assert german.moment(german.short_day(when), german.clock(when)) == "8. Nov. 2026, 16:05"
    assert german.day_of_year(when) == "8. Nov."
    assert [german.number(n) for n in (7, 1234, 2.5)] == ["7", "1.234", "2,5"]
    assert german.listed(["Anna", "Bea", "Carl"]) == "Anna, Bea und Carl"
    assert german.duration(125) == "2 Std. 5 Min."
    assert arabic.clock(when).startswith("4:05")
    assert japanese.day(when) == "2026年11月8日"
    assert japanese.moment(japanese.short_day(when), japanese.clock(when)) == "2026年11月8日 16:05"
    assert [each.first_weekday for each in (ENGLISH, german, japanese, arabic, locale("pt"))] == [0, 0, 6, 5, 6]
    assert locale("fr").month(date(2026, 8, 1)) == "Août 2026"
    assert locale("pt").day(date(1, 1, 1))
    assert locale("de-AT").month_of_year(date(2026, 1, 1)) == "Jänner"


def test_english_has_patterns_of_its_own() -> None:
    when = datetime(2026, 11, 8, 16, 5, tzinfo=UTC)
    assert ENGLISH.moment(ENGLISH.short_day(when), ENGLISH.clock(when)) == "8 Nov 2026, 16:05"
    assert [ENGLISH.number(n) for n in (1234567, 24.0, 0.5)] == ["1234567", "24", "0.5"]
    assert ENGLISH.listed(["A", "B", "C"]) == "A, B, C"
    assert locale("en-GB").day(when) == "8 November 2026"


@pytest.mark.parametrize(
    ("language", "titles"),
    [
        ("de", "# 2020, A Arzt, A Ärzte, A Aster, O Öl, S Straße, U Uhr"),
        ("es", "# ¿Qué?, E Eco, E Éxito, N niño, N Nube, Ñ Ñandú, O Oso"),
        ("fr", "C cote, C côté, O ode, O Œuf, P pain"),
        ("sv", "A Arv, Z Zebra, Å Åre, Ä Ärlig, Ö Öl"),
        ("ru", "Е Ёж, Е Ель, И Игра, Й Йод"),
        ("ar", "ا أحمد, ا اسم, ب بيت"),
        ("ja", "A AI, か かき, か がっこう, さ サッカー, た データ, た てんき, 漢字 経済, 漢字 東京"),
    ],
)
def test_titles_are_in_the_alphabetical_order_of_the_language(language: str, titles: str) -> None:
    here = locale(language)
    expected = [title.split(" ", 1) for title in titles.split(", ")]
    assert [[here.initial(title), title] for title in sorted((t for _, t in expected), key=here.sort_key)] == expected
    assert [here.initial(title) for title in ("", "İİ", "ß", "\u0301", "🎉 1")] == ["#", "I", "S", "#", "#"]


def test_a_german_site_is_german(site: Make) -> None:
    s = site().write("site.toml", 'language = "de"\nbase_url = "https://x.example/"\n')
    for n in range(12):
        s.article(f"a{n}", topics="[Rad]", publishedDateTime=f"2026-11-0{1 + n % 8}T1{n % 10}:00:00Z")
    s.good()
    page = s.read("index.html")
    assert '<html lang="de">' in page
    assert "Sonntag, 8. November 2026" in page
    assert "All of" not in page
    assert re.search(r"\d Berichte, \d\. November 2026", s.read("topics/rad/index.html"))
    assert "<title>Archiv 2026 · " in s.read("archive/2026/index.html")
    assert "<small>So</small>" in s.read("archive/index.html")
    assert "<language>de</language>" in s.read("feed.xml")


def test_arabic_runs_from_right_to_left_and_weeks_begin_with_its_first_day(site: Make) -> None:
    s = site().article("a").write("site.toml", 'language = "ar"\n')
    s.good()
    assert '<html lang="ar" dir="rtl">' in s.read("index.html")
    assert json.loads(s.read("manifest.webmanifest"))["dir"] == "rtl"
    assert '<ol class="from-1">' in s.read("archive/2026/11/index.html")  # a Sunday, after Saturday
    s.write("site.toml", 'language = "ar"\ndir = "ltr"\n')
    s.good()
    assert '<html lang="ar">' in s.read("index.html")


def test_phrases_know_what_form_a_number_has() -> None:
    found = locale("de", [Phrase(id="%(n)s a", forms=("x %(n)s", "y %(n)s"), plural="n != 1")])
    assert [found.ngettext("%(n)s a", "%(n)s b", n, n=n) for n in (1, 2)] == ["x 1", "y 2"]
    assert [found.ngettext("%(n)s c", "%(n)s d", n, n=n) for n in (1, 2)] == ["1 c", "2 d"]


# Words in addresses


def test_slugs_are_the_words_in_addresses(site: Make) -> None:
    slugs = 'topics = "themen"\nproviders = "medien"\nsources = "quellen"\narchive = "archiv"\nsearch = "suche"\ncategories = "ressorts"\nfollowing = "merkliste"\npage = "seite"\n'  # fmt: skip
    base = 'base_url = "https://x.example/"\npage_size = 2\nenable_kinds = ["api"]\n'
    s = site().write("site.toml", f"{base}[slugs]\n{slugs}")
    s.write("content/_topics/rad.md", "---\ntitle: Rad\naliases: [/alt/]\nsynonyms: [Fahrrad]\n---\n")
    for n in range(5):
        s.article(f"a{n}", topics="[Rad]", category="Sport")
    s.good()
    tree = s.tree()
    for path in ("themen/rad/index.html", "themen/rad/seite/1/index.html", "medien/a0.example/index.html", "ressorts/sport/index.json",
                 "quellen/index.html", "archiv/2026/11/08/index.html", "suche/index.json", "suche/2026-11-08/0.json", "merkliste/index.html"):  # fmt: skip
        assert path in tree, path
    assert "/alt/ /themen/rad/ 301" in s.read("_redirects")
    assert "/themen/fahrrad/ /themen/rad/ 301" in s.read("_redirects")
    assert 'data-index="/suche/"' in s.read("suche/index.html")
    old = re.compile(rb"/(topics|categories|providers|sources|archive|search|following|page)/")
    assert not [path for path, data in tree.items() if not path.startswith(("js/", "css/")) and old.search(data)]
    assert not [path for path in tree if old.search(f"/{path}".encode())]


@pytest.mark.parametrize(
    ("slugs", "what"),
    [
        ('topics = "Meine Themen"', "site.toml:2: slugs.topics: 'Meine Themen' cannot be part of an address; write it as 'meine-themen'"),
        ('topics = "../x"', "slugs.topics: '../x' cannot be part of an address"),
        ('topics = ""', "slugs.topics: '' cannot be part of an address; write a word"),
        ('archive = "topics"', "slugs.archive: 'topics' is that of topics too; choose another word"),
        ('topic = "x"', "slugs.topic: unknown setting; did you mean 'topics'?"),
    ],
)  # fmt: skip
def test_wrong_slugs_are_errors(site: Make, slugs: str, what: str) -> None:
    s = site().article("a").write("site.toml", f"[slugs]\n{slugs}\n")
    with pytest.raises(ConfigError) as error:
        s.build()
    assert what in str(error.value)
