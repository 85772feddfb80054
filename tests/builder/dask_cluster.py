"""A scheduler of `distributed` and its workers, as processes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

_SCHEDULER = "from distributed.cli.dask_scheduler import main; main()"
_WORKER = "from distributed.cli.dask_worker import main; main()"
BLIND = """
import os, sys
stat, hidden = os.stat, {!r}
def is_hidden(path): return isinstance(path, (str, os.PathLike)) and os.fspath(path).startswith(hidden)
def other_stat(path, **options):
    if is_hidden(path): raise FileNotFoundError(path)
    return stat(path, **options)
def hook(event, args):
    if event in ("open", "os.listdir", "os.mkdir", "os.scandir") and is_hidden(args[0]): raise FileNotFoundError(args[0])
os.stat = other_stat
sys.addaudithook(hook)
"""
"""What a worker runs first to hide a folder from itself; format it with the folder."""


class Cluster:
    """A scheduler and workers, as processes."""

    def __init__(self, folder: Path, *options: str) -> None:
        folder.mkdir()
        self._folder, self._options = folder, options
        self._stack = ExitStack()
        place = folder / "scheduler.json"
        scheduler = self._start(_SCHEDULER, "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(place))
        while not (place.exists() and place.read_text().endswith("}")):
            assert scheduler.poll() is None, (folder / "log").read_text()
            time.sleep(0.02)
        self.address: str = json.loads(place.read_text())["address"]

    def start_worker(self, preamble: str = "") -> subprocess.Popen[bytes]:
        where = "--local-directory", str(self._folder), "--nthreads", "2", "--no-nanny"
        return self._start(preamble + _WORKER, self.address, "--host", "127.0.0.1", *where)

    def _start(self, code: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", code, *arguments, "--no-dashboard", *self._options]
        log = self._stack.enter_context((self._folder / "log").open("ab"))
        process = subprocess.Popen(command, stdout=log, stderr=log)
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        return process

    def stop(self) -> None:
        self._stack.close()
