"""A folder on a server: the same releases and the same link as in `directory`, made there by rsync and a POSIX shell.

rsync compares by content and takes what did not change from the releases that are there, an unfinished one included: only
what changed travels. While a publish runs it holds a session open whose end, for whatever reason, frees the lock.
"""

from __future__ import annotations

import contextlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping

from newsgen.errors import PublishError
from newsgen.publish.address import Address
from newsgen.publish.directory import CURRENT, INCOMING, RELEASES
from newsgen.publish.files import File
from newsgen.publish.plan import Plan, Release, State, is_id
from newsgen.publish.target import Sent, Tell, busy, retried

_LOCK = f"{RELEASES}/.lock"
_FOREIGN, _BUSY, _NOTHING = 91, 92, 93
_LINKS = 12
"""Releases that rsync looks for unchanged files in; it takes 20 at most."""

# mv -T is GNU's and busybox's, mv -h BSD's: without either, mv would move the link into the release.
_POINT = f"""\
rm -f .{CURRENT} && ln -s {RELEASES}/"$id" .{CURRENT}
mv -fT .{CURRENT} {CURRENT} 2>/dev/null || mv -fh .{CURRENT} {CURRENT}
"""
_LOOK = f"""\
if [ ! -e {CURRENT} ] && [ ! -L {CURRENT} ]; then exit 0; fi
link=$(readlink {CURRENT}) || exit {_FOREIGN}
case $link in {RELEASES}/*) cat "$link.json.gz" || exit {_FOREIGN};; *) exit {_FOREIGN};; esac
"""
_BEGIN = f"""\
mkdir -p {RELEASES}
mine=
trap '[ -z "$mine" ] || rmdir {_LOCK}' EXIT
trap exit HUP INT PIPE TERM
mkdir {_LOCK} 2>/dev/null || exit {_BUSY}
mine=1
mkdir -p {RELEASES}/.part
echo locked
pwd -P
ls {RELEASES}
echo
cat >/dev/null
"""
_KEEP = f"""\
rsync --recursive --from0 --files-from=- --size-only --ignore-missing-args --link-dest="$PWD/{RELEASES}/$before/" \
  "{RELEASES}/$before/" "{RELEASES}/$incoming/"
"""
_FINISH = f"""\
cat > {RELEASES}/"$id".json.gz
[ -d {RELEASES}/"$id" ] || mv {RELEASES}/"$incoming" {RELEASES}/"$id"
{_POINT}
for old in $gone; do rm -rf {RELEASES}/"$old" {RELEASES}/"$old".json.gz; done
rm -rf {RELEASES}/.part
"""
_BACK = f"""\
[ -d {RELEASES}/"$id" ] || exit {_NOTHING}
{_POINT}"""
# Exit codes of rsync(1) and of ssh(1) that another try may mend.
_PASSING = (10, 12, 23, 24, 30, 35, 255)
_FINAL = re.compile(
    r"permission denied|host key|no such identity|too many authentication|could not resolve|not found|read-only|no space",
    re.IGNORECASE,
)


class _FailedError(Exception):
    def __init__(self, code: int, said: str) -> None:
        self.code = code
        self.said = said
        super().__init__(said)


def _may_pass(error: Exception) -> bool:
    return isinstance(error, _FailedError) and error.code in _PASSING and not _FINAL.search(error.said)


class Server:
    """A folder on a server that ssh reaches; keys, names and jumps come from ssh's own configuration."""

    form = "beside"

    def __init__(self, address: Address) -> None:
        self.name = address.shown
        self._path = address.prefix
        self._host = address.place
        options = ["-o", "BatchMode=yes", "-o", "ConnectTimeout=20", "-o", "ServerAliveInterval=15"]
        options += ["-l", address.user] if address.user else []
        options += ["-p", str(address.port)] if address.port else []
        self._ssh = ["ssh", *options]
        self._share = ""
        self._session: subprocess.Popen[bytes] | None = None
        self._folder = ""
        self._there: list[str] = []

    def look(self, files: Mapping[str, File]) -> State:  # noqa: ARG002
        data = self._shell(_LOOK, enter="cd -- {} 2>/dev/null || exit 0")
        return State(release=Release.unpacked(data, self.name) if data else None)

    def lock(self) -> None:
        for tool in ("ssh", "rsync"):
            if not shutil.which(tool):
                raise PublishError(f"{self.name}: there is no {tool} on PATH; install it")
        if sys.platform != "win32":
            # All else goes through the connection that holds the lock. The path of its socket has to be short.
            self._share = tempfile.mkdtemp(prefix="newsgen-")
            self._ssh += ["-o", f"ControlPath={self._share}/%C"]
        try:
            self._session = retried(self._begin, _may_pass)
        except _FailedError as failed:
            raise self._error("the server", failed) from None

    def _begin(self) -> subprocess.Popen[bytes]:
        share = ["-o", "ControlMaster=yes"] if self._share else []
        command = [*self._ssh, *share, "--", self._host, self._script(_BEGIN, enter="mkdir -p -- {0} && cd -- {0}")]
        session = subprocess.Popen(  # noqa: S603  no shell here
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert session.stdout  # noqa: S101
        first = session.stdout.readline()
        if first == b"locked\n":
            self._folder = f"{session.stdout.readline().decode().rstrip()}/{RELEASES}"
            self._there = []
            while line := session.stdout.readline().decode("utf-8", "replace").strip():
                self._there.append(line)
            return session
        _, said = session.communicate()
        if session.returncode == _BUSY:
            hint = f". If none is, remove {self._path}/{_LOCK} on the server"
            raise busy(self.name, hint)
        raise _FailedError(session.returncode, said.decode("utf-8", "replace"))

    def release(self) -> None:
        session, self._session = self._session, None
        if self._share:
            shutil.rmtree(self._share, ignore_errors=True)
        if session:
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                session.communicate(timeout=20)
            session.kill()
            session.wait()
            for pipe in (session.stdout, session.stderr):
                if pipe:
                    pipe.close()

    def publish(self, plan: Plan, tell: Tell) -> Sent:
        # Where files lie apart (texts, their compressed copies), rsync is called for each folder.
        roots: dict[str, list[File]] = {}
        for file in plan.files.values():
            roots.setdefault(file.source.removesuffix(file.path), []).append(file)
        # A release that is no more than begun is gone on with where it wants the same, and else taken from.
        incoming = f"{INCOMING}-{plan.release.id}"
        before = plan.old.id if plan.old else ""
        whole = sorted((n for n in self._there if is_id(n) and n != before), reverse=True)
        begun = [n for n in self._there if is_id(n.removeprefix(f"{INCOMING}-")) and not is_id(n)]
        links = [f"{self._folder}/{n}/" for n in [before, *begun, *whole] if n][:_LINKS]
        sent = Sent()
        for done, (root, files) in enumerate(roots.items()):
            tell("sending", done, len(roots))
            count, size = self._rsync(root, files, incoming, links)
            sent.files += count
            sent.bytes += size
        left = [path for path in plan.release.leaving if path not in plan.files]
        if left and before:
            self._shell(_KEEP, "\0".join(left).encode(), before=before, incoming=incoming)
        if self._session is None or self._session.poll() is not None:
            raise PublishError(f"{self.name}: the connection that held the lock broke; nothing was switched: run again")
        kept = {plan.release.id, *plan.release.history}
        ids = {n.removesuffix(".json.gz") for n in self._there}
        gone = [*begun, *(n for n in ids if is_id(n) and n not in kept)]
        self._shell(_FINISH, plan.release.packed(), id=plan.release.id, incoming=incoming, gone=" ".join(gone))
        return sent

    def _rsync(self, root: str, files: Iterable[File], incoming: str, links: list[str]) -> tuple[int, int]:
        """Sends files that lie below a folder here; how many travelled, and their bytes."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        command = [
            "rsync", "--from0", "--files-from=-", "--checksum", "--perms", "--chmod=D755,F644", "--protect-args",
            f"--temp-dir={self._folder}/.part", "--compress", "--stats", "--no-human-readable", f"--rsh={shlex.join(self._ssh)}",
            *(f"--link-dest={link}" for link in links), "--", root, f"{host}:{self._folder}/{incoming}/",
        ]  # fmt: skip
        names = "\0".join(f.path for f in files).encode()

        def send() -> bytes:
            return self._run(command, names)

        try:
            said = retried(send, _may_pass).decode("utf-8", "replace")
        except _FailedError as failed:
            raise self._error("rsync", failed) from None

        def number(label: str) -> int:
            found = re.search(rf"{label}: ([\d,]+)", said)
            return int(found[1].replace(",", "")) if found else 0

        return number("Number of regular files transferred"), number("Total transferred file size")

    def rollback(self, now: Release) -> None:
        self._shell(_BACK, id=now.history[0])

    def _shell(self, script: str, data: bytes = b"", **values: str) -> bytes:
        """What a script says that runs in the target's folder."""
        command = [*self._ssh, "--", self._host, self._script(script, **values)]
        try:
            return retried(lambda: self._run(command, data), _may_pass)
        except _FailedError as failed:
            raise self._error("the server", failed) from None

    def _script(self, script: str, enter: str = "cd -- {}", **values: str) -> str:
        """A script for the server's login shell, whichever it is: all of it is one argument of sh."""
        given = "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())
        return "exec sh -c " + shlex.quote(
            f"set -eu\numask 022\n{enter.format(shlex.quote(self._path))}\n{given}{script}"
        )

    def _run(self, command: list[str], data: bytes) -> bytes:
        try:
            done = subprocess.run(command, input=data, capture_output=True, check=False)  # noqa: S603  no shell here
        except FileNotFoundError:
            raise PublishError(f"{self.name}: there is no {command[0]} on PATH; install it") from None
        if done.returncode:
            raise _FailedError(done.returncode, done.stderr.decode("utf-8", "replace"))
        return done.stdout

    def _error(self, what: str, failed: _FailedError) -> PublishError:
        if failed.code == _FOREIGN:
            return PublishError(
                f"{self.name}: {CURRENT} was not made by newsgen; move it away, or publish to another folder"
            )
        if failed.code == _NOTHING:
            return PublishError(f"{self.name}: the release before is not there any more: there is no way back")
        if failed.code == 127 or "command not found" in failed.said:
            return PublishError(f"{self.name}: the server has no rsync; install it there")
        lines = [line.strip() for line in failed.said.splitlines() if line.strip()]
        return PublishError(f"{self.name}: {what} says: {' / '.join(lines[-3:]) or f'exit code {failed.code}'}")
