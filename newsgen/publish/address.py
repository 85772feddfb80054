"""Parses the address of a target. Errors never repeat an address that may contain a secret."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

from newsgen.config import Config, Publish
from newsgen.errors import ConfigError


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where a target is. `label` names it in messages.

    `place` is a folder, repository, host or bucket. `base` is the folder that a relative repository path starts from.
    `prefix` is the part of the bucket or the folder on the host.
    """

    scheme: str
    label: str
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
ADDRESS_FORMS = "a folder (./public_html or dir:PATH), git:REPOSITORY#BRANCH, gh-pages:REPOSITORY, s3://BUCKET/PREFIX, az://CONTAINER/PREFIX, ssh://USER@HOST:PORT/PATH"


def resolve_target(config: Config, name: str | None, site: Path) -> tuple[str, Publish, Address]:
    """The label, settings and address of the target that a name or address stands for. None means the only target.

    Raises ConfigError, which never repeats an address that may contain a secret.
    """
    known = ", ".join(config.publish)
    if name is None:
        if len(config.publish) != 1:
            reason = f"site.toml has several: {known}" if known else "site.toml has no [publish.NAME]"
            raise ConfigError(f"no target given, and {reason}; give a name or an address: {ADDRESS_FORMS}")
        name = next(iter(config.publish))
    if name in config.publish:
        place = config.publish[name]
        return name, place, _parse(place.to, f"publish.{name}.to", site)
    if re.fullmatch(r"[\w.-]*[\w-][\w.-]*", name):
        reason = f"its targets are: {known}" if known else "it has no [publish.NAME]"
        raise ConfigError(f"no target named {name!r} in site.toml ({reason}); if it is a folder, write dir:{name}")
    address = _parse(name, "TARGET", Path())
    return address.label, Publish(to=name), address


_KINDS: Mapping[str, str] = {
    "dir": "a folder",
    "git": "a branch",
    "ssh": "a server over ssh",
    "s3": "an S3 bucket",
    "az": "an Azure container",
}


def check_host(config: Config, name: str, address: Address) -> None:
    """Raises ConfigError if no target of this kind leads to the site's host. `name` is the target's name or label."""
    host = config.limits
    if host is None or address.scheme in host.targets:
        return
    where = f"publish.{name}.to" if name in config.publish else "TARGET"
    fitting = " or ".join(f"{kind}:" for kind in _KINDS if kind in host.targets)
    raise ConfigError(
        f'{where}: {_KINDS[address.scheme]} does not lead to {host.title}, and site.toml says host = "{config.host}";'
        f" use a target with {fitting}, or correct `host`"
    )


Refuse = Callable[[str], ConfigError]


def _parse(text: str, where: str, base: Path) -> Address:
    """Parses an address. Relative paths start at `base`. Raises ConfigError, which never repeats `text`."""

    def refuse(what: str) -> ConfigError:
        return ConfigError(f"{where}: {what}; valid addresses are {ADDRESS_FORMS}")

    if _CONTROL.search(text) or not text.strip():
        raise refuse("the address is empty or contains a control character")
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
        raise refuse("gs:// is not supported; use `gcloud storage rsync`")
    raise refuse("not a valid address")


def _folder(text: str, base: Path, refuse: Refuse) -> Address:
    path = Path(text).expanduser()
    if not text.strip() or path == Path():
        raise refuse("the address names no folder")
    return Address(scheme="dir", label=str(path), place=str(base / path))


def _git(scheme: str, rest: str, base: Path, refuse: Refuse) -> Address:
    repository, _, branch = rest.partition("#")
    branch = "gh-pages" if scheme == "gh-pages" and not branch else branch
    if not repository or repository.startswith("-") or "::" in repository:
        raise refuse("not a valid repository")
    if not _BRANCH.fullmatch(branch):
        raise refuse("the branch is missing or its name is not valid; write git:REPOSITORY#BRANCH")
    if "://" in repository:
        parts = urlsplit(repository)
        if parts.scheme not in ("https", "http", "ssh", "file"):
            raise refuse("not a valid git URL; use https, ssh or a path")
        if parts.password is not None or ("@" in parts.netloc and parts.scheme != "ssh"):
            raise refuse("the address contains credentials; use a git credential helper")
        if parts.scheme != "file" and not re.fullmatch(rf"({_USER}@)?{_HOST}(:\d+)?", parts.netloc):
            raise refuse("not a valid repository")
    elif re.match(r"[^/@]*:[^/]*@", repository):
        raise refuse("the address contains credentials; use a git credential helper")
    elif re.match(r"[^/]*@-|[^/]*@[^/:]*:-", repository):
        raise refuse("not a valid repository")
    return Address(
        scheme="git", label=f"git:{repository}#{branch}", place=repository, branch=branch, base=str(base.resolve())
    )


def _ssh(text: str, refuse: Refuse) -> Address:
    if re.match(r"ssh://[^/@]*:[^/@]*@", text):
        raise refuse("the address contains a password; use an ssh key or agent")
    found = _SSH.fullmatch(text)
    if not found or int(found["port"] or 22) not in range(1, 65536):
        raise refuse("not a valid server; write ssh://USER@HOST:PORT/PATH")
    # As in git's URLs, /~/www is relative to the user's home.
    path = unquote(found["path"]).rstrip("/").removeprefix("/~/")
    if path in ("", "/~") or _CONTROL.search(path) or ".." in path.split("/"):
        raise refuse("the address names no folder on the server")
    host, user, port = found["host"].strip("[]"), found["user"] or "", int(found["port"] or 0)
    return Address(scheme="ssh", label=text, place=host, prefix=path, user=user, port=port)


def _bucket(scheme: str, rest: str, refuse: Refuse) -> Address:
    if "@" in rest:
        raise refuse("the address contains credentials; set them in the environment")
    found = _BUCKET.fullmatch(rest)
    if not found:
        raise refuse(f"not a valid bucket; write {scheme}://BUCKET/PREFIX")
    prefix = (found["prefix"] or "").strip("/")
    if prefix and not {"", ".", "..", ".newsgen"}.isdisjoint(prefix.split("/")):
        raise refuse(f"the prefix is not valid; write {scheme}://BUCKET/PREFIX")
    return Address(scheme=scheme, label=f"{scheme}:{rest.rstrip('/')}", place=found["bucket"], prefix=prefix)
