"""Changed feeds become a word to a WebSub hub, which tells those who subscribed."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Sequence
from urllib.parse import urlencode

from newsgen.publish.target import redacted, retried

_AT_ONCE = 100


def tell(hub: str, feeds: Sequence[str]) -> str:
    """Tells a hub which feeds changed (https://www.w3.org/TR/websub/#publishing); what went wrong, "" where nothing did."""
    for at in range(0, len(feeds), _AT_ONCE):
        form = [("hub.mode", "publish"), *(("hub.url", feed) for feed in feeds[at : at + _AT_ONCE])]
        request = urllib.request.Request(  # noqa: S310  http(s), as the configuration has seen to
            hub, data=urlencode(form).encode(), headers={"User-Agent": "newsgen publish"}
        )
        try:
            retried(lambda request=request: _post(request), _passing)  # type: ignore[misc]
        except (OSError, ValueError) as error:
            return redacted(f"the WebSub hub was not told: {error}")
    return ""


def _post(request: urllib.request.Request) -> None:
    with urllib.request.urlopen(request, timeout=20):  # noqa: S310
        pass


def _passing(error: Exception) -> bool:
    return isinstance(error, OSError) and getattr(error, "code", 500) >= 500
