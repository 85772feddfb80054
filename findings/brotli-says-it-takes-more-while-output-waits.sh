#!/bin/sh
# brotli 1.2.1 (PyPI): with `output_buffer_limit`, `Decompressor.can_accept_more_data()` returns True while a part of the
# output is still waiting inside, so a loop that feeds data as long as it returns True, and ends with the input, loses the
# end of the text. Only `process(b"", output_buffer_limit=…)`, called until `is_finished()`, returns all of it. The limit
# is not exact either: more than that may come back from one call.
#
# A reader of feeds that limits what an answer may unpack to needs this; without a limit all comes at once.
#
# Output seen, for a text of 140,000 bytes and a limit of 65,536:
#   first call: 98272 bytes; can accept more: True; finished: False
#   with empty calls: 140000 bytes; finished: True
#
# Exits with 0 as long as this is so, with 1 if the behaviour has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check brotli==1.2.1
cat > "$folder/unpack.py" <<'END'
import brotli

packed = brotli.compress(b"The council met on Tuesday. " * 5000)
decompressor = brotli.Decompressor()
first = decompressor.process(packed, output_buffer_limit=65536)
print(
    f"first call: {len(first)} bytes; can accept more: {decompressor.can_accept_more_data()}; "
    f"finished: {decompressor.is_finished()}"
)
total = len(first)
while not decompressor.is_finished():
    total += len(decompressor.process(b"", output_buffer_limit=65536))
print(f"with empty calls: {total} bytes; finished: {decompressor.is_finished()}")
END
"$folder/venv/bin/python" "$folder/unpack.py" > "$folder/seen"
cat "$folder/seen"
cat > "$folder/expected" <<'END'
first call: 98272 bytes; can accept more: True; finished: False
with empty calls: 140000 bytes; finished: True
END
cmp -s "$folder/seen" "$folder/expected"
