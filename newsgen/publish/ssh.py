"""Publishes to a folder on a server: the same releases and link as in `directory`, made by rsync and a POSIX shell.

rsync compares by content and takes unchanged files from the releases on the server, including an unfinished one, so
only changed files are sent. During a publish an open ssh session holds the lock; when it ends, for any reason, the lock
is free.
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
from newsgen.publish.target import OnProgress, Sent, locked_error, retried

_LOCK = f"{RELEASES}/.lock"
_FOREIGN, _BUSY, _NO_RELEASE = 91, 92, 93
_MAX_LINK_DESTS = 12
"""Releases that rsync searches for unchanged files. rsync allows 20 at most."""

# GNU and busybox have mv -T, BSD has mv -h. Without either, mv would move the link into the release.
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
[ -d {RELEASES}/"$id" ] || exit {_NO_RELEASE}
{_POINT}"""
# Exit codes of rsync(1) and ssh(1) that are worth a retry.
_TRANSIENT = (10, 12, 23, 24, 30, 35, 255)
_PERMANENT = re.compile(
    r"permission denied|host key|no such identity|too many authentication|could not resolve|not found|read-only|no space",
    re.IGNORECASE,
)


class _CommandError(Exception):
    def __init__(self, code: int, output: str) -> None:
        self.code = code
        self.output = output
        super().__init__(output)


def _is_transient(error: Exception) -> bool:
    return isinstance(error, _CommandError) and error.code in _TRANSIENT and not _PERMANENT.search(error.output)


class Server:
    """A folder on a server. Keys, host names and jump hosts come from ssh's own configuration."""

    layout = "beside"

    def __init__(self, address: Address) -> None:
        self.name = address.label
        self._path = address.prefix
        self._host = address.place
        options = ["-o", "BatchMode=yes", "-o", "ConnectTimeout=20", "-o", "ServerAliveInterval=15"]
        options += ["-l", address.user] if address.user else []
        options += ["-p", str(address.port)] if address.port else []
        self._ssh = ["ssh", *options]
        self._socket_folder = ""
        self._session: subprocess.Popen[bytes] | None = None
        self._folder = ""
        self._remote_names: list[str] = []

    def inspect(self, files: Mapping[str, File]) -> State:  # noqa: ARG002
        data = self._shell(_LOOK, enter="cd -- {} 2>/dev/null || exit 0")
        return State(release=Release.unpacked(data, self.name) if data else None)

    def lock(self) -> None:
        for tool in ("ssh", "rsync"):
            if not shutil.which(tool):
                raise PublishError(f"{self.name}: there is no {tool} on PATH; install it")
        if sys.platform != "win32":
            # All other commands share the connection that holds the lock. A socket path must be short.
            self._socket_folder = tempfile.mkdtemp(prefix="newsgen-")
            self._ssh += ["-o", f"ControlPath={self._socket_folder}/%C"]
        try:
            self._session = retried(self._open_session, _is_transient)
        except _CommandError as failed:
            raise self._error("the server", failed) from None

    def _open_session(self) -> subprocess.Popen[bytes]:
        share_options = ["-o", "ControlMaster=yes"] if self._socket_folder else []
        command = [
            *self._ssh,
            *share_options,
            "--",
            self._host,
            self._script(_BEGIN, enter="mkdir -p -- {0} && cd -- {0}"),
        ]
        session = subprocess.Popen(  # noqa: S603  no shell here
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert session.stdout  # noqa: S101
        first = session.stdout.readline()
        if first == b"locked\n":
            self._folder = f"{session.stdout.readline().decode().rstrip()}/{RELEASES}"
            self._remote_names = []
            while line := session.stdout.readline().decode("utf-8", "replace").strip():
                self._remote_names.append(line)
            return session
        _, output = session.communicate()
        if session.returncode == _BUSY:
            hint = f"; if none is running, remove {self._path}/{_LOCK} on the server"
            raise locked_error(self.name, hint)
        raise _CommandError(session.returncode, output.decode("utf-8", "replace"))

    def release(self) -> None:
        session, self._session = self._session, None
        if self._socket_folder:
            shutil.rmtree(self._socket_folder, ignore_errors=True)
        if session:
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                session.communicate(timeout=20)
            session.kill()
            session.wait()
            for pipe in (session.stdout, session.stderr):
                if pipe:
                    pipe.close()

    def publish(self, plan: Plan, on_progress: OnProgress) -> Sent:
        # rsync runs once for each local root folder, such as those of texts and of their compressed copies.
        roots: dict[str, list[File]] = {}
        for file in plan.files.values():
            roots.setdefault(file.source.removesuffix(file.path), []).append(file)
        # rsync takes unchanged files from earlier releases, including unfinished ones.
        incoming = f"{INCOMING}-{plan.release.id}"
        before = plan.old.id if plan.old else ""
        complete = sorted((n for n in self._remote_names if is_id(n) and n != before), reverse=True)
        unfinished = [n for n in self._remote_names if is_id(n.removeprefix(f"{INCOMING}-")) and not is_id(n)]
        links = [f"{self._folder}/{n}/" for n in [before, *unfinished, *complete] if n][:_MAX_LINK_DESTS]
        sent = Sent()
        for done, (root, files) in enumerate(roots.items()):
            on_progress("sending", done, len(roots))
            count, size = self._rsync(root, files, incoming, links)
            sent.files += count
            sent.bytes += size
        retained = [path for path in plan.release.leaving if path not in plan.files]
        if retained and before:
            self._shell(_KEEP, "\0".join(retained).encode(), before=before, incoming=incoming)
        if self._session is None or self._session.poll() is not None:
            raise PublishError(
                f"{self.name}: lost the connection that holds the lock; nothing was published, run the publish again"
            )
        kept = {plan.release.id, *plan.release.history}
        ids = {n.removesuffix(".json.gz") for n in self._remote_names}
        gone = [*unfinished, *(n for n in ids if is_id(n) and n not in kept)]
        self._shell(_FINISH, plan.release.packed(), id=plan.release.id, incoming=incoming, gone=" ".join(gone))
        return sent

    def _rsync(self, root: str, files: Iterable[File], incoming: str, links: list[str]) -> tuple[int, int]:
        """Sends files below a local folder. Returns how many were transferred, and their bytes."""
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
            output = retried(send, _is_transient).decode("utf-8", "replace")
        except _CommandError as failed:
            raise self._error("rsync", failed) from None

        def number(label: str) -> int:
            found = re.search(rf"{label}: ([\d,]+)", output)
            return int(found[1].replace(",", "")) if found else 0

        return number("Number of regular files transferred"), number("Total transferred file size")

    def rollback(self, now: Release) -> None:
        self._shell(_BACK, id=now.history[0])

    def _shell(self, script: str, data: bytes = b"", **values: str) -> bytes:
        """Runs a script in the target's folder and returns its output."""
        command = [*self._ssh, "--", self._host, self._script(script, **values)]
        try:
            return retried(lambda: self._run(command, data), _is_transient)
        except _CommandError as failed:
            raise self._error("the server", failed) from None

    def _script(self, script: str, enter: str = "cd -- {}", **values: str) -> str:
        """A command line for the server's login shell, whichever it is: the script is a single argument of sh."""
        assignments = "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())
        return "exec sh -c " + shlex.quote(
            f"set -eu\numask 022\n{enter.format(shlex.quote(self._path))}\n{assignments}{script}"
        )

    def _run(self, command: list[str], data: bytes) -> bytes:
        try:
            done = subprocess.run(command, input=data, capture_output=True, check=False)  # noqa: S603  no shell here
        except FileNotFoundError:
            raise PublishError(f"{self.name}: there is no {command[0]} on PATH; install it") from None
        if done.returncode:
            raise _CommandError(done.returncode, done.stderr.decode("utf-8", "replace"))
        return done.stdout

    def _error(self, source: str, failed: _CommandError) -> PublishError:
        if failed.code == _FOREIGN:
            return PublishError(
                f"{self.name}: {CURRENT} was not created by newsgen; move it away, or publish to another folder"
            )
        if failed.code == _NO_RELEASE:
            return PublishError(f"{self.name}: cannot roll back: the previous release is missing")
        if failed.code == 127 or "command not found" in failed.output:
            return PublishError(f"{self.name}: there is no rsync on the server; install it there")
        lines = [line.strip() for line in failed.output.splitlines() if line.strip()]
        return PublishError(f"{self.name}: {source} reports: {' / '.join(lines[-3:]) or f'exit code {failed.code}'}")
