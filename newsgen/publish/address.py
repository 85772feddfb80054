"""What people write for a place to publish to becomes an Address, or a ConfigError that repeats no secret."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

from newsgen.config import Config, Publish
from newsgen.errors import ConfigError


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where a target is. `shown` is how messages call it.

    `place` is a folder, a repository, a host or a bucket; `base` where a repository's relative path begins; `prefix` the
    part of the bucket, or the folder on the host.
    """

    scheme: str
    shown: str
    place: str
    base: str = ""
    branch: str = ""
    prefix: str = ""
    user: str = ""
    port: int = 0


_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HOST = r"(?:[A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])"
_USER = r"[A-Za-z0-9_][A-Za-z0-9._-]*"
_SSH = re.compile(rf"ssh://(?:(?P<user>{_USER})@)?(?P<host>{_HOST})(?::(?P<port>\d{{1,5}}))?(?P<path>/.*)")
_BUCKET = re.compile(r"//(?P<bucket>[A-Za-z0-9$][A-Za-z0-9._-]{1,253})(?:/(?P<prefix>[^?#]*))?")
_BRANCH = re.compile(r"(?!.*(\.\.|//|@\{|\.lock(/|$)))[A-Za-z0-9_][A-Za-z0-9_./-]*(?<![./])")
KNOWN = "a folder (./public_html or dir:PATH), git:REPOSITORY#BRANCH, gh-pages:REPOSITORY, s3://BUCKET/PREFIX, az://CONTAINER/PREFIX, ssh://USER@HOST:PORT/PATH"


def choose(config: Config, name: str | None, site: Path) -> tuple[str, Publish, Address]:
    """The target with a name or an address: what to call it, its settings, its address. None means the only one.

    Raises ConfigError, which never repeats an address that may hold a secret.
    """
    known = ", ".join(config.publish)
    if name is None:
        if len(config.publish) != 1:
            say = f"site.toml has several: {known}" if known else "site.toml has no [publish.NAME]"
            raise ConfigError(f"say where to publish, by a name or an address; {say}. An address is {KNOWN}")
        name = next(iter(config.publish))
    if name in config.publish:
        place = config.publish[name]
        return name, place, _read(place.to, f"publish.{name}.to", site)
    if re.fullmatch(r"[\w.-]*[\w-][\w.-]*", name):
        say = f"site.toml knows {known}" if known else "site.toml names none"
        raise ConfigError(f"{name!r} is no target: {say}. If it is a folder, write dir:{name}")
    address = _read(name, "TARGET", Path())
    return address.shown, Publish(to=name), address


Refuse = Callable[[str], ConfigError]


def _read(text: str, where: str, base: Path) -> Address:
    """Raises ConfigError, which says what is wrong and never what was written. Relative paths begin at `base`."""

    def refuse(what: str) -> ConfigError:
        return ConfigError(f"{where}: {what}; an address is {KNOWN}")

    if _CONTROL.search(text) or not text.strip():
        raise refuse("is empty or holds a control character")
    scheme, colon, rest = text.partition(":")
    if scheme == "dir" and colon:
        return _folder(rest, base, refuse)
    if not colon or "/" in scheme or len(scheme) == 1:
        return _folder(text, base, refuse)
    if scheme in ("git", "gh-pages"):
        return _git(scheme, rest, base, refuse)
    if scheme == "ssh":
        return _ssh(text, refuse)
    if scheme in ("s3", "az"):
        return _bucket(scheme, rest, refuse)
    if scheme == "gs":
        raise refuse("gs:// is not supported; Google's own tool is: gcloud storage rsync")
    raise refuse("is no address")


def _folder(text: str, base: Path, refuse: Refuse) -> Address:
    path = Path(text).expanduser()
    if not text.strip() or path == Path():
        raise refuse("names no folder")
    return Address(scheme="dir", shown=str(path), place=str(base / path))


def _git(scheme: str, rest: str, base: Path, refuse: Refuse) -> Address:
    repository, _, branch = rest.partition("#")
    branch = "gh-pages" if scheme == "gh-pages" and not branch else branch
    if not repository or repository.startswith("-") or "::" in repository:
        raise refuse("is no repository")
    if not _BRANCH.fullmatch(branch):
        raise refuse("names no branch, as in git:REPOSITORY#BRANCH")
    if "://" in repository:
        parts = urlsplit(repository)
        if parts.scheme not in ("https", "http", "ssh", "file"):
            raise refuse("git repositories are reached by https, ssh or a path")
        if parts.password is not None or ("@" in parts.netloc and parts.scheme != "ssh"):
            raise refuse("secrets do not belong into an address: git has credential helpers")
        if parts.scheme != "file" and not re.fullmatch(rf"({_USER}@)?{_HOST}(:\d+)?", parts.netloc):
            raise refuse("is no repository")
    elif re.match(r"[^/@]*:[^/]*@", repository):
        raise refuse("secrets do not belong into an address: git has credential helpers")
    elif re.match(r"[^/]*@-|[^/]*@[^/:]*:-", repository):
        raise refuse("is no repository")
    return Address(
        scheme="git", shown=f"git:{repository}#{branch}", place=repository, branch=branch, base=str(base.resolve())
    )


def _ssh(text: str, refuse: Refuse) -> Address:
    if re.match(r"ssh://[^/@]*:[^/@]*@", text):
        raise refuse("secrets do not belong into an address: ssh has keys and agents")
    found = _SSH.fullmatch(text)
    if not found or int(found["port"] or 22) not in range(1, 65536):
        raise refuse("is no server, as in ssh://USER@HOST:PORT/PATH")
    # As git has it: /~/www is below the user's own folder.
    path = unquote(found["path"]).rstrip("/").removeprefix("/~/")
    if path in ("", "/~") or _CONTROL.search(path) or ".." in path.split("/"):
        raise refuse("names no folder on the server")
    host, user, port = found["host"].strip("[]"), found["user"] or "", int(found["port"] or 0)
    return Address(scheme="ssh", shown=text, place=host, prefix=path, user=user, port=port)


def _bucket(scheme: str, rest: str, refuse: Refuse) -> Address:
    if "@" in rest:
        raise refuse("secrets do not belong into an address: they come from the environment")
    found = _BUCKET.fullmatch(rest)
    if not found:
        raise refuse(f"is no bucket, as in {scheme}://BUCKET/PREFIX")
    prefix = (found["prefix"] or "").strip("/")
    if prefix and not {"", ".", "..", ".newsgen"}.isdisjoint(prefix.split("/")):
        raise refuse(f"has a prefix that cannot be, in {scheme}://BUCKET/PREFIX")
    return Address(scheme=scheme, shown=f"{scheme}:{rest.rstrip('/')}", place=found["bucket"], prefix=prefix)
