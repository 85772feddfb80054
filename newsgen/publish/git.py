"""A branch that a host serves (GitHub, GitLab, Codeberg Pages): one publish is one commit, made without a working tree.

A bare repository below `.newsgen/` holds what was fetched and what is sent; the user's own repository is not touched.
git itself tells which files differ, by the ids of their blobs. What newsgen brought is listed in `.newsgen/manifest.json`
on the branch: there it goes wherever the commit goes, and no host has to allow refs of another kind.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from newsgen.config import Publish
from newsgen.errors import PublishError
from newsgen.publish.address import Address
from newsgen.publish.files import File
from newsgen.publish.plan import Plan, Release, State
from newsgen.publish.site import own
from newsgen.publish.target import Sent, Tell, busy, retried
from newsgen.text import digest_bytes

MANIFEST = ".newsgen/manifest.json"
_NOJEKYLL = ".nojekyll"
_HEAD = "refs/newsgen/head"
_NEW = "refs/newsgen/new"
_RELEASES = "refs/newsgen/releases/"
_TRAILER = "Newsgen-Release: "
_PASSING = re.compile(
    r"could not resolve|timed out|connection (was )?(reset|closed|refused)|early eof|hung up|HTTP 5\d\d|returned error: 5\d\d|RPC failed",
    re.IGNORECASE,
)


class Branch:
    """A branch of a repository."""

    form = "plain"

    def __init__(self, address: Address, settings: Publish, site: Path) -> None:
        self.name = address.shown
        self._ref = f"refs/heads/{address.branch}"
        self._settings = settings
        self._site = site
        self._address = address
        self._own = own(site) / f"git-{digest_bytes(address.shown.encode()).hex()[:12]}"
        self._head = ""
        self._tree: dict[str, tuple[str, str]] = {}
        # Not those that a hook sets: they would lead to the user's repository.
        self._env = {
            n: v for n, v in os.environ.items() if not re.fullmatch(r"GIT_(DIR|WORK_TREE|INDEX_FILE|PREFIX)", n)
        }
        # It never asks, and gives up where nothing moves for a minute.
        self._env |= {"GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "file:http:https:ssh", "LC_ALL": "C"}

        ssh = self._env.get("GIT_SSH_COMMAND") or self._env.get("GIT_SSH") or self._asked("core.sshCommand")
        if not ssh:
            self._env["GIT_SSH_COMMAND"] = "ssh -o BatchMode=yes -o ConnectTimeout=20 -o ServerAliveInterval=15"

    def look(self, files: Mapping[str, File]) -> State:
        """The branch as it is now, fetched."""
        self._fetch()
        release = self._release(self._head) if self._head else None
        ours = release.every if release else {}
        foreign = self._tree.keys() - ours.keys() - {MANIFEST, _NOJEKYLL}
        astray = dict.fromkeys(ours.keys() & files.keys() - self._tree.keys(), "it is gone from the branch")
        for path in self._tree.keys() & ours.keys() & files.keys():
            if self._tree[path][1] != _blob(Path(files[path].source).read_bytes()):
                astray[path] = "the branch has another content"
        return State(release=release, astray=astray, foreign=frozenset(foreign))

    def _fetch(self, *depth: str) -> None:
        self._repository = self._resolved()
        # A git that was killed leaves its locks; nobody else works here, as one publishes at a time.
        for left in self._own.rglob("*.lock"):
            left.unlink(missing_ok=True)
        if not (self._own / "HEAD").exists():
            self._git("init", "--quiet", "--bare", str(self._own), bare=False)
        found = self._remote("ls-remote", self._repository, self._ref)
        self._head = found.split()[0].decode() if found.strip() else ""
        self._tree = {}
        if self._head:
            # The whole history where the last release is to be looked for in it, else one commit.
            much = depth or ("--depth=1",)
            self._remote("fetch", "--quiet", "--no-tags", *much, self._repository, f"+{self._ref}:{_HEAD}")
            self._head = self._git("rev-parse", _HEAD).decode().strip()
            self._tree = self._listed(self._head)

    def _resolved(self) -> str:
        """The repository's address; the name of a remote stands for the one that it has in the site's repository."""
        written = self._address.place
        if "://" in written or re.match(r"[^/]+:", written):
            return written
        place = Path(self._address.base, Path(written).expanduser())
        if place.exists() or "/" in written:
            return str(place)
        found = self._run(["git", "-C", str(self._site), "remote", "get-url", "--push", written])
        if found.returncode:
            raise PublishError(f"{self.name}: is neither a repository nor a remote of the site's own")
        return found.stdout.decode().strip()

    def _listed(self, commit: str) -> dict[str, tuple[str, str]]:
        """The files of a commit: mode and id of each, by path."""
        rows = self._git("ls-tree", "-r", "-z", "--full-tree", commit).decode("utf-8", "surrogateescape").split("\0")
        split = (row.partition("\t") for row in rows if row)
        return {path: (about.split()[0], about.split()[2]) for about, _, path in split}

    def _release(self, commit: str) -> Release | None:
        if MANIFEST not in self._listed(commit):
            return None
        return Release.unpacked(self._git("cat-file", "blob", f"{commit}:{MANIFEST}"), f"{self.name}: {MANIFEST}")

    def lock(self) -> None:
        """Nothing to do: the push says which commit it expects, and fails where another publisher came first."""

    def release(self) -> None:
        """Nothing to do."""

    def publish(self, plan: Plan, tell: Tell) -> Sent:
        sends = [file for step in plan.steps() for file in step]
        extra = [] if _NOJEKYLL in self._tree or _NOJEKYLL in plan.files else [(_NOJEKYLL, b"")]

        def edits() -> Iterator[bytes]:
            for path in plan.removed:
                if path in self._tree:
                    yield b"D %s\n" % _quoted(path)
            for file in sends:
                yield _inline(file.path, Path(file.source).read_bytes())
            for path, data in [*extra, (MANIFEST, _listed(plan.release))]:
                yield _inline(path, data)

        tell("committing", 0, len(sends))
        self._push(plan.release, edits())
        return Sent(files=len(sends), bytes=sum(f.size for f in sends))

    def rollback(self, now: Release) -> None:
        commit = self._past(now.history[0])
        before = self._release(commit) if commit else None
        if not before:
            raise PublishError(f"{self.name}: the release before is in no commit that is kept: there is no way back")
        tree = self._listed(commit)
        stands, stood = now.every, before.every
        foreign = self._tree.keys() - stands.keys()

        def edits() -> Iterator[bytes]:
            for path in stands.keys() - stood.keys():
                if path in self._tree:
                    yield b"D %s\n" % _quoted(path)
            for path in [*stood, MANIFEST]:
                if path in tree and (path not in foreign or path == MANIFEST):
                    mode, blob = tree[path]
                    yield b"M %s %s %s\n" % (mode.encode(), blob.encode(), _quoted(path))

        self._push(before, edits(), "Go back to the release before")

    def _past(self, id: str) -> str:
        """The commit of an earlier release, "" where it is nowhere."""
        kept = self._git("for-each-ref", "--format=%(objectname)", _RELEASES + id).decode().strip()
        if kept:
            return kept
        if (self._own / "shallow").exists():
            self._fetch("--unshallow")
        pattern = f"--grep=^{_TRAILER}{id}$"
        return self._git("log", "--first-parent", "--format=%H", "-n", "1", pattern, _HEAD).decode().strip()

    def _push(self, release: Release, edits: Iterator[bytes], subject: str = "Publish") -> None:
        message = f"{subject}\n\n{_TRAILER}{release.id}\n".encode()
        seconds = int(datetime.now(UTC).timestamp())
        who = f"{self._asked('user.name') or 'newsgen'} <{self._asked('user.email') or 'newsgen@localhost'}>"
        begin = f"commit {_NEW}\ncommitter {who} {seconds} +0000\ndata {len(message)}\n"
        head = begin.encode() + message
        if self._head and self._settings.single_commit:
            tree = self._git("rev-parse", f"{self._head}^{{tree}}").strip()
            head += b'M 040000 %s ""\n' % tree
        elif self._head:
            head += b"from %s\n" % self._head.encode()

        def stream() -> Iterator[bytes]:
            yield b"reset %s\n\n" % _NEW.encode()
            yield head
            yield from edits
            yield b"\ndone\n"

        self._import(stream())
        new = self._git("rev-parse", _NEW).decode().strip()
        lease = f"--force-with-lease={self._ref}:{self._head}"
        try:
            self._remote("push", "--quiet", lease, self._repository, f"{new}:{self._ref}")
        except PublishError as error:
            # The answer may have been lost on its way, not the push.
            found = self._remote("ls-remote", self._repository, self._ref)
            there = found.split()[0].decode() if found.strip() else ""
            if there != new:
                if there != self._head:
                    raise busy(self.name, ", then run this one again") from None
                raise error from None
        self._git("update-ref", _RELEASES + release.id, new)
        kept = {release.id, *release.history}
        for ref in self._git("for-each-ref", "--format=%(refname)", _RELEASES).decode().split():
            if ref.removeprefix(_RELEASES) not in kept:
                self._git("update-ref", "-d", ref)
        self._run(["git", "--git-dir", str(self._own), "-c", "gc.autoDetach=false", "gc", "--auto", "--quiet"])

    def _asked(self, key: str) -> str:
        done = self._run(["git", "-C", str(self._site), "config", "--get", key])
        return re.sub(r"[<>\n]", "", done.stdout.decode("utf-8", "replace")).strip()

    def _import(self, stream: Iterator[bytes]) -> None:
        command = ["git", "--git-dir", str(self._own), "fast-import", "--quiet", "--force", "--done"]
        with subprocess.Popen(  # noqa: S603  no shell
            command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=self._env
        ) as process:
            assert process.stdin  # noqa: S101
            assert process.stderr  # noqa: S101
            try:
                for piece in stream:
                    process.stdin.write(piece)
                process.stdin.close()
            except BrokenPipeError:
                pass
            except BaseException:
                process.kill()
                raise
            said = process.stderr.read()
        if process.returncode:
            raise self._error("fast-import", said)

    def _remote(self, *args: str) -> bytes:
        """A git command that talks to the repository, again where the network is to blame."""
        slow = ("-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=60")
        return retried(lambda: self._git(*slow, *args), lambda error: bool(_PASSING.search(str(error))))

    def _git(self, *args: str, bare: bool = True) -> bytes:
        done = self._run(["git", *(["--git-dir", str(self._own)] if bare else []), *args])
        if done.returncode:
            raise self._error(next(a for a in args if re.fullmatch(r"[a-z][a-z-]+", a)), done.stderr)
        return done.stdout

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(  # noqa: S603  no shell
                command, stdin=subprocess.DEVNULL, capture_output=True, env=self._env, check=False
            )
        except FileNotFoundError:
            raise PublishError(f"{self.name}: there is no git on PATH; install it") from None

    def _error(self, what: str, said: bytes) -> PublishError:
        lines = [line.strip() for line in said.decode("utf-8", "replace").splitlines() if line.strip()]
        shown = [line for line in lines if not line.startswith("hint:")][-4:]
        return PublishError(f"{self.name}: git {what} failed: {' / '.join(shown) or 'without a word'}")


def _blob(data: bytes) -> str:
    """The id that git gives a file's bytes (https://git-scm.com/book/en/v2/Git-Internals-Git-Objects)."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _inline(path: str, data: bytes) -> bytes:
    return b"M 100644 inline %s\ndata %d\n%s\n" % (_quoted(path), len(data), data)


def _quoted(path: str) -> bytes:
    """As git-fast-import(1) wants a path: only a quotation mark at its beginning would mean something else."""
    if path.startswith('"'):
        path = '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return path.encode("utf-8", "surrogateescape")


def _listed(release: Release) -> bytes:
    """A release a line a file, so that git stores what differs."""
    return msgspec.json.format(msgspec.json.encode(release), indent=1) + b"\n"
