"""Decompresses the bodies of answers piece by piece, so that a small body cannot become a huge one."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import cache
from typing import Any

_PIECE = 1 << 16
_MAX_MEMBERS = 1000
"""Members of one gzip file. Each costs time even if it is empty."""

_UNSUPPORTED = ("br", "zstd", "compress", "x-compress", "dcb", "dcz")


class Undecodable(Exception):  # noqa: N818  a result, not an error
    """A body cannot be decompressed. The message is the reason, as a sentence without a full stop."""


@cache
def _brotli() -> Any:
    """The brotli module if it is installed and can limit its output, which it can since 1.2; otherwise None."""
    try:
        brotli = __import__("brotli")
        brotli.Decompressor().process(b"", output_buffer_limit=1)
    except (ImportError, AttributeError, TypeError):
        return None
    return brotli


def accepted() -> str:
    """The value of the Accept-Encoding header."""
    return "gzip, deflate, br" if _brotli() else "gzip, deflate"


def decoded(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """The decompressed body in pieces of bounded size. `encoding` is the value of the Content-Encoding header.

    Raises Undecodable. Only one encoding is accepted: each further one would multiply the work that a byte can cause.
    A value that names no compression, such as the "utf-8" of some servers, has no effect, as in browsers.
    """
    encoding = encoding.strip().lower()
    if encoding in ("gzip", "x-gzip"):
        return _inflated(pieces, 16 + zlib.MAX_WBITS)
    if encoding == "deflate":
        return _deflated(pieces)
    if encoding == "br" and _brotli():
        return _unbrotlied(pieces)
    if encoding in _UNSUPPORTED or "," in encoding:
        raise Undecodable(f"the answer is compressed in a way that was not asked for: {encoding[:40]!r}")
    return pieces


def _inflated(pieces: Iterator[bytes], window_bits: int) -> Iterator[bytes]:
    """What was compressed with zlib. A gzip file may have several members (RFC 1952, 2.2)."""
    inflate = zlib.decompressobj(window_bits)
    members = 1
    empty = True
    try:
        for piece in pieces:
            empty = empty and not piece
            while piece:
                if inflate.eof:
                    if window_bits <= zlib.MAX_WBITS or piece[0] != 0x1F:
                        return  # padding, which other programs ignore too
                    if members == _MAX_MEMBERS:
                        raise Undecodable(f"the answer is compressed in more than {_MAX_MEMBERS:,} parts")
                    inflate = zlib.decompressobj(window_bits)
                    members += 1
                yield inflate.decompress(piece, _PIECE)
                piece = inflate.unused_data if inflate.eof else inflate.unconsumed_tail  # noqa: PLW2901
        yield inflate.flush()
    except zlib.error:
        raise Undecodable("the answer is not compressed as it says") from None
    if not inflate.eof and not empty:
        raise Undecodable("the answer ends too early")


def _deflated(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """What is called deflate: zlib's format (RFC 9110, 8.4.1.2), or without its header, as some servers send it."""
    first = b""
    for piece in pieces:
        first += piece
        if len(first) > 1:
            break
    has_header = len(first) > 1 and first[0] & 0x0F == 8 and int.from_bytes(first[:2]) % 31 == 0

    def all_pieces() -> Iterator[bytes]:
        yield first
        yield from pieces

    return _inflated(all_pieces(), zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS)


def _unbrotlied(pieces: Iterator[bytes]) -> Iterator[bytes]:
    brotli = _brotli()
    decompressor = brotli.Decompressor()
    empty = True
    try:
        for piece in pieces:
            empty = empty and not piece
            output = decompressor.process(piece, output_buffer_limit=_PIECE)
            # Not `while not can_accept_more_data()`: that is true when all input is read, though output may be left.
            while output:
                yield output
                output = decompressor.process(b"", output_buffer_limit=_PIECE)
    except brotli.error:
        raise Undecodable("the answer is not compressed as it says") from None
    if not decompressor.is_finished() and not empty:
        raise Undecodable("the answer ends too early")
