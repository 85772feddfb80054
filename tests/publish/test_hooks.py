"""The hook before publishing: when it runs, and how it stops a publish."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import pytest
from click.testing import CliRunner
from sites import NOW, Site

from newsgen.commands import publishing
from newsgen.commands.cli import cli

Make = Callable[..., Site]


@pytest.fixture
def hooked(site: Make, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Site]:
    """A site whose hook is a Python program."""

    def make(program: str) -> Site:
        command = json.dumps([sys.executable, "hook.py", "a b"])
        s = site().write("site.toml", f'[publish.live]\nto = "www"\n\n[hooks]\nbefore_publish = {command}\n')
        monkeypatch.chdir(s.root)
        return s.article("a").write("hook.py", "import os, sys\nfrom pathlib import Path\n" + program)

    return make


def publish(*more: str, input: str | None = None) -> tuple[int, str, str]:
    done = CliRunner().invoke(cli, ["publish", "--now", NOW.isoformat(), *more], input=input)
    return done.exit_code, done.stdout, done.stderr


def is_published(s: Site) -> bool:
    return (s.root / "www/current/index.html").exists()


def test_a_hook_runs_with_the_built_site_and_without_a_shell(hooked: Callable[[str], Site]) -> None:
    s = hooked(
        "page = Path(os.environ['NEWSGEN_OUTPUT'], 'index.html').read_bytes()\n"
        "print('to stderr')\nPath('seen.txt').write_text(f'{len(page) > 99} {sys.argv[1:]} {os.listdir(\".\").count(\"site.toml\")}')\n"
    )
    code, out, err = publish("--hooks", "--json")
    assert code == 0, err
    assert json.loads(out)["done"] is True
    assert (s.root / "seen.txt").read_text() == "True ['a b'] 1"
    assert is_published(s)


def test_a_hook_does_not_run_unless_it_is_allowed(
    hooked: Callable[[str], Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    s = hooked("Path('seen.txt').write_text('')")
    code, _, err = publish()
    assert code == 3
    assert err.startswith("error: hooks.before_publish has not run: ")
    assert err.endswith("'a b'; allow it with --hooks\n")
    code, _, err = publish("--dry-run")
    assert code == 0
    assert "a publish would first run " in err
    assert not is_published(s)
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(publishing, "_is_allowed", lambda command: bool(asked.append(command)))
    assert publish()[0] == 3
    assert asked == [(sys.executable, "hook.py", "a b")]
    assert not (s.root / "seen.txt").exists()


def test_on_a_terminal_the_program_is_shown_before_it_may_run(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(publishing, "print_message", shown.append)
    monkeypatch.setattr(publishing.click, "confirm", lambda *_, **__: True)
    assert not publishing._is_allowed(("check",)), "there is no terminal"
    for stream in (publishing.sys.stdin, publishing.sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    assert publishing._is_allowed(("check", "a b"))
    assert shown == ["site.toml runs this program before publishing: check 'a b'"]


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("sys.exit(7)", "ended with exit code 7; nothing was published"),
        ("raise ValueError", "ended with exit code 1; nothing was published"),
        ("Path(os.environ['NEWSGEN_OUTPUT'], 'index.html').write_text('x')", "altered built files, so nothing was published: index.html;"),
        ("Path(os.environ['NEWSGEN_OUTPUT'], 'new.html').write_text('x')", "nothing was published: new.html; change content"),
        ("[p.unlink() for p in Path(os.environ['NEWSGEN_OUTPUT']).rglob('*.html')]", " more; change content"),
        ("os.utime(Path(os.environ['NEWSGEN_OUTPUT'], '404.html'))", "nothing was published: 404.html; "),
    ],
)  # fmt: skip
def test_a_hook_that_fails_or_alters_files_stops_the_publish(
    hooked: Callable[[str], Site], program: str, said: str
) -> None:
    s = hooked(program)
    code, _, err = publish("--hooks")
    assert code == 3
    assert said in err
    assert not is_published(s)


def test_a_program_that_does_not_exist_stops_the_publish(hooked: Callable[[str], Site]) -> None:
    s = hooked("")
    s.write("site.toml", '[publish.live]\nto = "www"\n[hooks]\nbefore_publish = ["no-such-program", "x; rm -rf ."]\n')
    code, _, err = publish("--hooks")
    assert code == 3
    assert "hooks.before_publish (no-such-program 'x; rm -rf .') cannot be run: No such file or directory" in err
    assert not is_published(s)
