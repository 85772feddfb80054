"""Creates the target for an address."""

from __future__ import annotations

from pathlib import Path

from newsgen.config import Publish
from newsgen.publish.address import Address
from newsgen.publish.target import Target


def connect(address: Address, settings: Publish, site: Path) -> Target:
    """The target at an address. Imports only the modules that it needs. `site` is the folder of the site's sources."""
    if address.scheme == "dir":
        from newsgen.publish.directory import Directory

        return Directory(address, settings, site)
    if address.scheme == "git":
        from newsgen.publish.git import Branch

        return Branch(address, settings, site)
    if address.scheme == "ssh":
        from newsgen.publish.ssh import Server

        return Server(address)
    from newsgen.publish.objects import Bucket

    return Bucket(address, settings, site)
