"""Publishes to a git branch that a host serves, as GitHub Pages does: one commit per publish, no working tree.

A bare repository below `.newsgen/` holds what was fetched and what is pushed; the user's own repository is not touched.
git finds the files that differ by comparing blob ids. The files that newsgen published are listed in
`.newsgen/manifest.json` on the branch: the list travels with the commit, and the host need not allow custom refs.
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
from newsgen.publish.site import work_folder
from newsgen.publish.target import OnProgress, Sent, locked_error, retried
from newsgen.text import digest_bytes

MANIFEST = ".newsgen/manifest.json"
_NOJEKYLL = ".nojekyll"
_HEAD = "refs/newsgen/head"
_NEW = "refs/newsgen/new"
_RELEASES = "refs/newsgen/releases/"
_TRAILER = "Newsgen-Release: "
_TRANSIENT = re.compile(
    r"could not resolve|timed out|connection (was )?(reset|closed|refused)|early eof|hung up|HTTP 5\d\d|returned error: 5\d\d|RPC failed",
    re.IGNORECASE,
)


class Branch:
    """A branch of a repository."""

    layout = "plain"

    def __init__(self, address: Address, settings: Publish, site: Path) -> None:
        self.name = address.label
        self._ref = f"refs/heads/{address.branch}"
        self._settings = settings
        self._site = site
        self._address = address
        self._git_dir = work_folder(site) / f"git-{digest_bytes(address.label.encode()).hex()[:12]}"
        self._head = ""
        self._tree: dict[str, tuple[str, str]] = {}
        # Drop what git sets for hooks: it would point to the user's repository.
        self._env = {
            n: v for n, v in os.environ.items() if not re.fullmatch(r"GIT_(DIR|WORK_TREE|INDEX_FILE|PREFIX)", n)
        }
        # Never prompt.
        self._env |= {"GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "file:http:https:ssh", "LC_ALL": "C"}

        ssh = self._env.get("GIT_SSH_COMMAND") or self._env.get("GIT_SSH") or self._git_config("core.sshCommand")
        if not ssh:
            self._env["GIT_SSH_COMMAND"] = "ssh -o BatchMode=yes -o ConnectTimeout=20 -o ServerAliveInterval=15"

    def inspect(self, files: Mapping[str, File]) -> State:
        """Fetches the branch and compares it with its manifest."""
        self._fetch()
        release = self._release_at(self._head) if self._head else None
        ours = release.all_files if release else {}
        foreign = self._tree.keys() - ours.keys() - {MANIFEST, _NOJEKYLL}
        altered = dict.fromkeys(ours.keys() & files.keys() - self._tree.keys(), "missing from the branch")
        for path in self._tree.keys() & ours.keys() & files.keys():
            if self._tree[path][1] != _blob_id(Path(files[path].source).read_bytes()):
                altered[path] = "altered on the branch"
        return State(release=release, altered=altered, foreign=frozenset(foreign))

    def _fetch(self, *depth: str) -> None:
        self._repository = self._repository_url()
        # A killed git leaves lock files. Nobody else uses this repository: only one publish runs at a time.
        for lock_file in self._git_dir.rglob("*.lock"):
            lock_file.unlink(missing_ok=True)
        if not (self._git_dir / "HEAD").exists():
            self._git("init", "--quiet", "--bare", str(self._git_dir), bare=False)
        found = self._run_remote("ls-remote", self._repository, self._ref)
        self._head = found.split()[0].decode() if found.strip() else ""
        self._tree = {}
        if self._head:
            # One commit is enough, unless a rollback searches the history.
            depth_args = depth or ("--depth=1",)
            self._run_remote("fetch", "--quiet", "--no-tags", *depth_args, self._repository, f"+{self._ref}:{_HEAD}")
            self._head = self._git("rev-parse", _HEAD).decode().strip()
            self._tree = self._list_files(self._head)

    def _repository_url(self) -> str:
        """The URL or path of the repository. The name of a remote stands for its URL in the site's repository."""
        address = self._address.place
        if "://" in address or re.match(r"[^/]+:", address):
            return address
        place = Path(self._address.base, Path(address).expanduser())
        if place.exists() or "/" in address:
            return str(place)
        found = self._run(["git", "-C", str(self._site), "remote", "get-url", "--push", address])
        if found.returncode:
            raise PublishError(f"{self.name}: no such repository, and no such remote in the site's own repository")
        return found.stdout.decode().strip()

    def _list_files(self, commit: str) -> dict[str, tuple[str, str]]:
        """The files of a commit: mode and blob id by path."""
        rows = self._git("ls-tree", "-r", "-z", "--full-tree", commit).decode("utf-8", "surrogateescape").split("\0")
        split = (row.partition("\t") for row in rows if row)
        return {path: (info.split()[0], info.split()[2]) for info, _, path in split}

    def _release_at(self, commit: str) -> Release | None:
        if MANIFEST not in self._list_files(commit):
            return None
        return Release.unpacked(self._git("cat-file", "blob", f"{commit}:{MANIFEST}"), f"{self.name}: {MANIFEST}")

    def lock(self) -> None:
        """Does nothing: the push names the commit it expects, and fails if another publisher was first."""

    def release(self) -> None:
        """Does nothing."""

    def publish(self, plan: Plan, on_progress: OnProgress) -> Sent:
        to_send = [file for step in plan.steps() for file in step]
        extra = [] if _NOJEKYLL in self._tree or _NOJEKYLL in plan.files else [(_NOJEKYLL, b"")]

        def edits() -> Iterator[bytes]:
            for path in plan.removed:
                if path in self._tree:
                    yield b"D %s\n" % _quote_path(path)
            for file in to_send:
                yield _inline(file.path, Path(file.source).read_bytes())
            for path, data in [*extra, (MANIFEST, _encode_manifest(plan.release))]:
                yield _inline(path, data)

        on_progress("committing", 0, len(to_send))
        self._push(plan.release, edits())
        return Sent(files=len(to_send), bytes=sum(f.size for f in to_send))

    def rollback(self, now: Release) -> None:
        commit = self._find_commit(now.history[0])
        before = self._release_at(commit) if commit else None
        if not before:
            raise PublishError(f"{self.name}: cannot roll back: no commit of the previous release is left")
        tree = self._list_files(commit)
        current, previous = now.all_files, before.all_files
        foreign = self._tree.keys() - current.keys()

        def edits() -> Iterator[bytes]:
            for path in current.keys() - previous.keys():
                if path in self._tree:
                    yield b"D %s\n" % _quote_path(path)
            for path in [*previous, MANIFEST]:
                if path in tree and (path not in foreign or path == MANIFEST):
                    mode, blob = tree[path]
                    yield b"M %s %s %s\n" % (mode.encode(), blob.encode(), _quote_path(path))

        self._push(before, edits(), "Roll back to the previous release")

    def _find_commit(self, id: str) -> str:
        """The commit of an earlier release, "" if there is none."""
        kept = self._git("for-each-ref", "--format=%(objectname)", _RELEASES + id).decode().strip()
        if kept:
            return kept
        if (self._git_dir / "shallow").exists():
            self._fetch("--unshallow")
        pattern = f"--grep=^{_TRAILER}{id}$"
        return self._git("log", "--first-parent", "--format=%H", "-n", "1", pattern, _HEAD).decode().strip()

    def _push(self, release: Release, edits: Iterator[bytes], subject: str = "Publish") -> None:
        message = f"{subject}\n\n{_TRAILER}{release.id}\n".encode()
        seconds = int(datetime.now(UTC).timestamp())
        who = f"{self._git_config('user.name') or 'newsgen'} <{self._git_config('user.email') or 'newsgen@localhost'}>"
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
            self._run_remote("push", "--quiet", lease, self._repository, f"{new}:{self._ref}")
        except PublishError as error:
            # The push may have succeeded although its response was lost.
            found = self._run_remote("ls-remote", self._repository, self._ref)
            there = found.split()[0].decode() if found.strip() else ""
            if there != new:
                if there != self._head:
                    raise locked_error(self.name, ", then run this one again") from None
                raise error from None
        self._git("update-ref", _RELEASES + release.id, new)
        kept = {release.id, *release.history}
        for ref in self._git("for-each-ref", "--format=%(refname)", _RELEASES).decode().split():
            if ref.removeprefix(_RELEASES) not in kept:
                self._git("update-ref", "-d", ref)
        self._run(["git", "--git-dir", str(self._git_dir), "-c", "gc.autoDetach=false", "gc", "--auto", "--quiet"])

    def _git_config(self, key: str) -> str:
        result = self._run(["git", "-C", str(self._site), "config", "--get", key])
        return re.sub(r"[<>\n]", "", result.stdout.decode("utf-8", "replace")).strip()

    def _import(self, stream: Iterator[bytes]) -> None:
        command = ["git", "--git-dir", str(self._git_dir), "fast-import", "--quiet", "--force", "--done"]
        with subprocess.Popen(  # noqa: S603  no shell
            command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=self._env
        ) as process:
            assert process.stdin  # noqa: S101
            assert process.stderr  # noqa: S101
            try:
                for chunk in stream:
                    process.stdin.write(chunk)
                process.stdin.close()
            except BrokenPipeError:
                pass
            except BaseException:
                process.kill()
                raise
            stderr = process.stderr.read()
        if process.returncode:
            raise self._error("fast-import", stderr)

    def _run_remote(self, *args: str) -> bytes:
        """Runs a git command that accesses the repository; retries on network errors."""
        # Fail after a minute without data.
        slow = ("-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=60")
        return retried(lambda: self._git(*slow, *args), lambda error: bool(_TRANSIENT.search(str(error))))

    def _git(self, *args: str, bare: bool = True) -> bytes:
        result = self._run(["git", *(["--git-dir", str(self._git_dir)] if bare else []), *args])
        if result.returncode:
            raise self._error(next(a for a in args if re.fullmatch(r"[a-z][a-z-]+", a)), result.stderr)
        return result.stdout

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(  # noqa: S603  no shell
                command, stdin=subprocess.DEVNULL, capture_output=True, env=self._env, check=False
            )
        except FileNotFoundError:
            raise PublishError(f"{self.name}: there is no git on PATH; install it") from None

    def _error(self, command: str, stderr: bytes) -> PublishError:
        lines = [line.strip() for line in stderr.decode("utf-8", "replace").splitlines() if line.strip()]
        shown = [line for line in lines if not line.startswith("hint:")][-4:]
        return PublishError(f"{self.name}: git {command} failed: {' / '.join(shown) or 'no error message'}")


def _blob_id(data: bytes) -> str:
    """git's id of a blob (https://git-scm.com/book/en/v2/Git-Internals-Git-Objects)."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _inline(path: str, data: bytes) -> bytes:
    return b"M 100644 inline %s\ndata %d\n%s\n" % (_quote_path(path), len(data), data)


def _quote_path(path: str) -> bytes:
    """A path for git-fast-import(1). Only a path that starts with a quotation mark needs quoting."""
    if path.startswith('"'):
        path = '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return path.encode("utf-8", "surrogateescape")


def _encode_manifest(release: Release) -> bytes:
    """A release as indented JSON, so that git deltas between releases are small."""
    return msgspec.json.format(msgspec.json.encode(release), indent=1) + b"\n"
