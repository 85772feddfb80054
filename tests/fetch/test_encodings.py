from __future__ import annotations

import contextlib
import gzip
import zlib
from collections.abc import Iterator
from unittest.mock import patch

import pytest
from feedserver import compressed
from hypothesis import given
from hypothesis import strategies as st

from newsgen.fetch.network import encodings
from newsgen.fetch.network.encodings import Undecodable, decoded

TEXT = b"The council met on Tuesday. " * 5000


def in_pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def read(data: bytes, encoding: str, size: int = 1 << 16) -> bytes:
    return b"".join(decoded(in_pieces(data, size), encoding))


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "raw-deflate", "br"])
@pytest.mark.parametrize("size", [1, 7, 1 << 16])
def test_round_trip(encoding: str, size: int) -> None:
    for text in (b"", b"x", TEXT):
        data = compressed(text, encoding)
        assert read(data, encoding.removeprefix("raw-"), size) == text


@given(st.binary(max_size=2000), st.sampled_from(["gzip", "deflate", "raw-deflate", "br"]), st.integers(1, 100))
def test_round_trip_of_any_bytes(text: bytes, encoding: str, size: int) -> None:
    assert read(compressed(text, encoding), encoding.removeprefix("raw-"), size) == text


@given(st.binary(max_size=200), st.sampled_from(["gzip", "deflate", "br", "", "x-gzip"]), st.integers(1, 100))
def test_other_bytes_are_refused_or_read(data: bytes, encoding: str, size: int) -> None:
    with contextlib.suppress(Undecodable):
        assert isinstance(read(data, encoding, size), bytes)


@pytest.mark.parametrize("encoding", ["", "identity", "utf-8", "none", "X"])
def test_other_encodings_have_no_effect(encoding: str) -> None:
    assert read(TEXT, encoding) == TEXT


@pytest.mark.parametrize("encoding", ["GZIP", " x-gzip "])
def test_names_of_gzip(encoding: str) -> None:
    assert read(gzip.compress(TEXT), encoding) == TEXT


@pytest.mark.parametrize("encoding", ["zstd", "compress", "gzip, gzip", "gzip,br"])
def test_compressions_that_were_not_asked_for(encoding: str) -> None:
    with pytest.raises(Undecodable, match=f"^the answer is compressed in a way that was not asked for: '{encoding}'$"):
        read(TEXT, encoding)


def test_members_and_padding_of_gzip() -> None:
    assert read(gzip.compress(b"one") + gzip.compress(b"two"), "gzip", 5) == b"onetwo"
    assert read(gzip.compress(b"one") + bytes(100), "gzip", 5) == b"one"
    assert read(zlib.compress(b"one") + b"more", "deflate", 5) == b"one"
    with pytest.raises(Undecodable, match=r"^the answer is compressed in more than 1,000 parts$"):
        read(gzip.compress(b"") * 1001, "gzip")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
def test_a_body_that_ends_too_early(encoding: str) -> None:
    data = compressed(TEXT, encoding)
    with pytest.raises(Undecodable, match=r"^the answer ends too early$"):
        read(data[:-5], encoding)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
def test_no_body(encoding: str) -> None:
    assert read(b"", encoding) == b""


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
def test_a_body_that_is_not_compressed(encoding: str) -> None:
    with pytest.raises(Undecodable, match=r"^the answer is not compressed as it says$"):
        read(b"<rss>" * 100, encoding)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
def test_pieces_are_bounded(encoding: str) -> None:
    zeros = compressed(bytes(20_000_000), encoding)
    assert len(zeros) < 100_000
    pieces = decoded(iter([zeros]), encoding)
    assert max(map(len, pieces)) <= 1 << 18


def test_brotli_is_optional() -> None:
    assert encodings.accepted() == "gzip, deflate, br"
    with patch.object(encodings, "_brotli", lambda: None):
        assert encodings.accepted() == "gzip, deflate"
        with pytest.raises(Undecodable, match="not asked for: 'br'"):
            read(TEXT, "br")
