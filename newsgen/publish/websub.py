"""Notifies a WebSub hub of changed feeds."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Sequence
from urllib.parse import urlencode

from newsgen.publish.target import redacted, retried

_BATCH = 100


def notify(hub: str, feeds: Sequence[str]) -> str:
    """Notifies a hub (https://www.w3.org/TR/websub/#publishing). Returns an error message, "" on success."""
    for at in range(0, len(feeds), _BATCH):
        form = [("hub.mode", "publish"), *(("hub.url", feed) for feed in feeds[at : at + _BATCH])]
        request = urllib.request.Request(  # noqa: S310  the configuration allows http(s) only
            hub, data=urlencode(form).encode(), headers={"User-Agent": "newsgen publish"}
        )
        try:
            retried(lambda request=request: _post(request), _is_transient)  # type: ignore[misc]
        except (OSError, ValueError) as error:
            return redacted(f"cannot notify the WebSub hub: {error}")
    return ""


def _post(request: urllib.request.Request) -> None:
    with urllib.request.urlopen(request, timeout=20):  # noqa: S310
        pass


def _is_transient(error: Exception) -> bool:
    return isinstance(error, OSError) and getattr(error, "code", 500) >= 500
