"""Finds the code of the plugins that site.toml names, and reads it. Nothing is imported or run here.

A plugin is a module in the site's folder `plugins/`, or an installed package with an entry point in the group
`newsgen.plugins`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from newsgen import config, files
from newsgen.builder.cache import installed_versions
from newsgen.errors import ConfigError, PluginError, Problem, unreadable
from newsgen.files import Stamp
from newsgen.text import digest_bytes
from newsgen.validation import did_you_mean

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

FOLDER = "plugins"
"""The folder of a site's own plugins, and of the files that plugins read."""

GROUP = "newsgen.plugins"
"""The group of the entry points of installed plugins."""


class Code(NamedTuple):
    """The plugins of a site, before they are loaded; also for other processes.

    `files` are those in the folder `plugins/`, by path. `installed` holds the digest of each installed plugin's files,
    by its name. `digest` covers both, and the versions of all installed packages; it is b"" without plugins.
    """

    names: tuple[str, ...] = ()
    files: Mapping[str, bytes] = {}
    installed: Mapping[str, bytes] = {}
    digest: bytes = b""


def stamps(site: Path) -> dict[str, tuple[str, Stamp | None]]:
    """The path and stamp of each file of the plugins that site.toml names, by a name that is the same on all machines."""
    try:
        names = config.load(site / "site.toml").plugins
    except ConfigError:  # the build reports it
        names = ()
    found = {}
    for name, place in _roots(site, names).items() if names else ():
        for path in code_files(place):
            found[name + path[len(place) :]] = path, files.stamp(path)
    return found


def _roots(site: Path, names: Iterable[str]) -> dict[str, str]:
    """The folders with the code of these plugins, and single modules, each by a name for it."""
    found = {"/own plugins": str(site / FOLDER)}
    for name, entry in entries(names, _own(site, names)).items():
        for number, place in enumerate(places(entry)):
            found[f"/plugin {name} {number}"] = place
    return found


def code_files(place: str) -> list[str]:
    """The files of plugins at a place: a folder, or a module. Compiled and hidden files do not count."""
    if Path(place).is_file():
        return [place]
    return sorted(path for path, _ in files.walk_files(Path(place)) if _is_code(path[len(place) :].split(os.sep)))


def _is_code(parts: list[str]) -> bool:
    hidden = any(part.startswith(".") for part in parts)
    return not hidden and "__pycache__" not in parts and not parts[-1].endswith(("~", ".pyc"))


def find(site: Path, names: tuple[str, ...]) -> Code:
    """Reads the plugins with these names. Raises ConfigError if there are no such plugins."""
    if not names:
        return Code()
    folder, own = site / FOLDER, _own(site, names)
    found = entries(names, own)
    if missing := [name for name in names if name not in own and name not in found]:
        raise ConfigError(*(_missing(site, names.index(name), name, own) for name in missing))
    data = read(str(folder))
    installed = {name: digest_of_installed(entry) for name, entry in sorted(found.items())}
    versions = sorted(installed_versions().items())
    digest = digest_bytes(msgspec.msgpack.encode((names, sorted(data.items()), installed, versions)))
    return Code(names, data, installed, digest)


def _missing(site: Path, index: int, name: str, own: Iterable[str]) -> Problem:
    available = {*own, *(entry.name for entry in _all_entries()), *_modules(site / FOLDER)}
    hint = (
        did_you_mean(name, sorted(available)) or f"create {FOLDER}/{name}.py, or install the package that provides it"
    )
    line = config.line(site / "site.toml", "plugins")
    return Problem(
        path="site.toml", line=line, field=f"plugins[{index}]", what=f"there is no plugin {name!r}", hint=hint
    )


def _modules(folder: Path) -> list[str]:
    """The names of the modules in a folder."""
    with contextlib.suppress(OSError):
        return [
            entry.name.removesuffix(".py")
            for entry in os.scandir(folder)
            if entry.name.endswith(".py") or Path(entry.path, "__init__.py").is_file()
        ]
    return []


def _own(site: Path, names: Iterable[str]) -> set[str]:
    """The names that are modules in the site's folder. They come before installed plugins."""
    return {*names} & {*_modules(site / FOLDER)}


def read(place: str) -> dict[str, bytes]:
    """The files of plugins at a place, by their paths in it. Raises PluginError if one cannot be read."""
    root = Path(place).parent if Path(place).is_file() else Path(place)
    found = {}
    for path in code_files(place):
        name = Path(path).relative_to(root).as_posix()
        try:
            found[name] = Path(path).read_bytes()
        except OSError as error:
            raise PluginError(str(unreadable(f"{root.name}/{name}", error))) from None
    return found


# Installed plugins


def _all_entries() -> Iterable[EntryPoint]:
    from importlib.metadata import entry_points  # imported late: few sites have plugins

    return entry_points(group=GROUP)


def entries(names: Iterable[str], own: Iterable[str]) -> dict[str, EntryPoint]:
    """The entry points of the names that are not the site's own modules."""
    wanted = {*names} - {*own}
    return {entry.name: entry for entry in _all_entries() if entry.name in wanted} if wanted else {}


def places(entry: EntryPoint) -> list[str]:
    """The folders of an entry point's package, or its module. It is not imported."""
    import importlib.util

    importlib.invalidate_caches()
    spec = importlib.util.find_spec(entry.module.partition(".")[0])
    if spec is None:
        return []
    return sorted(spec.submodule_search_locations or []) or ([spec.origin] if spec.origin else [])


def digest_of_installed(entry: EntryPoint) -> bytes:
    """The digest of an installed plugin's files."""
    data = [sorted(read(place).items()) for place in places(entry)]
    return digest_bytes(msgspec.msgpack.encode((entry.value, data)))
