import struct

import pytest

from newsgen import pictures

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", 512, 256) + b"\x08\x06\x00\x00\x00"


def webp(kind: bytes, data: bytes) -> bytes:
    return b"RIFF\x00\x00\x00\x00WEBP" + kind + b"\x00\x00\x00\x00" + data + bytes(16)


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (PNG, (512, 256)),
        (webp(b"VP8X", b"\x00\x00\x00\x00\xff\x01\x00\xff\x00\x00"), (512, 256)),
        (webp(b"VP8L", b"\x2f" + (511 | 255 << 14).to_bytes(4, "little")), (512, 256)),
        (webp(b"VP8 ", b"\x00\x00\x00\x9d\x01\x2a\x00\x02\x00\x01"), (512, 256)),
        (b'<?xml version="1.0"?><!-- <b> --><svg width="32" height="16px" viewBox="0 0 1 1">', (32, 16)),
        (b"<svg viewBox='0 0 63.6 32'/>", (64, 32)),
        (b'<svg width="100%" height="100%" viewBox="-1,-1,64,32">', (64, 32)),
        (b'<svg title="a > b" viewBox="0 0 8 4">', (8, 4)),
        (b"<svg>", None),
        (b'<svg width="0" height="1">', None),
        (b'<svg width="999999" height="1">', None),
        (PNG[:20], None),
        (b"RIFF\x00\x00\x00\x00WEBPVP9 " + bytes(30), None),
        (b"GIF89a", None),
        (b"", None),
        (b"<svg " + b"a='" * 50_000, None),
    ],
)
def test_size(data: bytes, size: tuple[int, int] | None) -> None:
    assert pictures.size(data) == size
