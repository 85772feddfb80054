#!/bin/sh
# Pillow 13.0.0 (PyPI) writes other bytes for one picture as AVIF with one encoder thread than with two. Without the option
# `max_threads` it takes as many threads as the machine has processors, so the same picture, version and quality give
# different files on a machine with one processor and on others. Builds that name files by their digest, or compare them
# with an earlier build, then see a change where there is none.
#
# - The two files decode to pictures of the same size; JPEG, PNG and WebP are not concerned.
# - `max_threads=1` makes the bytes the same everywhere, whatever the machine is.
#
# Output seen:
#   1 and 1 threads: the same bytes
#   1 and 2 threads: other bytes
#   the same size: True
#
# Exits with 0 as long as this is so, with 1 if the behaviour has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check pillow==13.0.0
cat > encode.py <<'PY'
import io

from PIL import Image

picture = Image.radial_gradient("L").resize((1600, 1000)).convert("RGB")


def encoded(threads):
    out = io.BytesIO()
    picture.save(out, "AVIF", quality=60, max_threads=threads)
    return out.getvalue()


one, again, two = encoded(1), encoded(1), encoded(2)
print("1 and 1 threads:", "the same bytes" if one == again else "other bytes")
print("1 and 2 threads:", "the same bytes" if one == two else "other bytes")
print("the same size:", Image.open(io.BytesIO(one)).size == Image.open(io.BytesIO(two)).size)
PY
venv/bin/python encode.py > seen
cat seen
cat > expected <<'END2'
1 and 1 threads: the same bytes
1 and 2 threads: other bytes
the same size: True
END2
cmp -s seen expected
