"""`make audit`: runs the Nu HTML checker on every page of the demonstration site and follows its internal links.

Needs npm and Java 17, which the tests do not.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from newsgen.builder import Options, loading
from newsgen.builder import pipeline as build
from newsgen.commands import check
from newsgen.files import shipped_site
from newsgen.pages.kinds import HtmlPage

CHECKER = "vnu-jar@26.9.27"
FOLDER = Path(".audit")


def main() -> int:
    """Prints all problems. Returns 1 if there are any, else 0."""
    for tool in ("npm", "java"):
        if not shutil.which(tool):
            sys.exit(f"make audit needs {tool}")
    jar = FOLDER / "node_modules/vnu-jar/build/dist/vnu.jar"
    if not jar.exists():
        FOLDER.mkdir(exist_ok=True)
        subprocess.run(
            ["npm", "install", "--silent", "--no-package-lock", "--prefix", str(FOLDER), CHECKER], check=True
        )
    problem_count = 0
    with tempfile.TemporaryDirectory() as folder:
        options = Options(site=shipped_site(), output=Path(folder, "public"))
        pages = list(loading.load(options).plan.pages())
        build.build(options)
        checked = check.check(options)
        for problem in checked.problems:
            problem_count += 1
            print(problem)
        print(f"{checked.links:,} links followed on {sum(isinstance(p, HtmlPage) for p in pages)} pages")
        html = [str(Path(folder, "public", p.path)) for p in pages if p.path.endswith(".html")]
        css = [str(Path(folder, "public", p.path)) for p in pages if p.path.endswith(".css")]
        for flags, files in (([], html), (["--css"], css)):
            done = subprocess.run(
                ["java", "-jar", str(jar), *flags, "--format", "json", "--exit-zero-always", *files],
                capture_output=True,
                text=True,
                check=True,
            )
            messages = json.loads(done.stderr or done.stdout)["messages"]
            for message in messages:
                place = message.get("url", "").rpartition("/public/")[2]
                print(f"{message['type']}: {place}:{message.get('lastLine', 0)}: {message['message']}")
            problem_count += sum(m["type"] != "info" for m in messages)
            print(f"{len(files)} {'style sheets' if flags else 'pages'} checked: {len(messages)} messages")
    return min(problem_count, 1)


if __name__ == "__main__":
    sys.exit(main())
