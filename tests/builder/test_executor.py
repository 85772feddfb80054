"""Workers of a scheduler build the same bytes, on a shared file system and without one, or the build says why not."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import trustme
from dask_cluster import BLIND, Cluster
from sites import NOW, Site

from newsgen.builder import executor as remote
from newsgen.builder import pipeline, pool
from newsgen.builder.executor import RemoteExecutor
from newsgen.builder.output import STAGING
from newsgen.errors import ConfigError, ExecutorError, TemplateError

pytest.importorskip("distributed")

Make = Callable[..., Site]

OTHER_VERSION = "import newsgen; newsgen.__version__ = '0.0.9'\n"
PLUGIN = """
from msgspec.structs import replace
from newsgen import Plugin

class Own(Plugin):
    def article(self, article):
        return replace(article, title=f"{article.title} {self.files['mark.txt'].decode()}")
    def filters(self):
        return {"loud": str.upper}
"""
WITHOUT_NEWSGEN = "import sys; sys.modules['newsgen'] = None\n"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Cluster]]:
    """Starts clusters for one test."""
    with ExitStack() as stack:

        def start(*options: str) -> Cluster:
            cluster = Cluster(tmp_path / f"cluster{time.monotonic_ns()}", *options)
            stack.callback(cluster.stop)
            return cluster

        yield start


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two workers that are as this process. Tests leave them as they are."""
    cluster = Cluster(tmp_path_factory.mktemp("two") / "cluster")
    cluster.start_worker()
    cluster.start_worker()
    with RemoteExecutor(cluster.address) as executor:
        executor._connect().wait_for_workers(2, timeout=20)
    yield cluster
    cluster.stop()


@pytest.fixture(autouse=True)
def _small_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "BATCH", 10)
    monkeypatch.setattr(pool, "MIN_ITEMS", 20)


@pytest.fixture
def big(site: Make) -> Site:
    """A site of 60 articles with errors, static files and own posts in it."""
    s = site()
    for number in range(60):
        s.article(f"a{number:02}", title=f"Article {number} of many", topics=f"[Topic {number % 7}]", body="Text. " * 9)
    s.write("content/bad.md", "---\ntitle: [\n---\n").write("static/pictures/a.svg", "<svg/>")
    return s.article("own", webUrl=None, body="# Own\n\nA body.")


def build(s: Site, executor: Executor, output: str, **chosen: Any) -> dict[str, bytes]:
    """Builds from nothing with an executor; the bytes of the output."""
    shutil.rmtree(s.root / ".newsgen", ignore_errors=True)
    report = pipeline.build(s.options(output=s.root / output), executor=executor, **chosen)
    assert len(report.problems) == 1
    return s.tree(s.root / output)


def expected(s: Site) -> dict[str, bytes]:
    s.build(jobs=1)
    return s.tree()


def all_in_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool.Pool, "is_saturated", property(lambda _: False))


def test_workers_give_the_bytes_of_a_build_in_one_process(
    big: Site, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RemoteExecutor(cluster.address) as executor:
        assert build(big, executor, "helped") == expected(big)
        all_in_workers(monkeypatch)
        assert build(big, executor, "all") == expected(big)
        assert str(executor) == f"{cluster.address}: 2 workers, which see this machine's files"
    assert not list(big.root.glob("all/.newsgen-staging"))


def test_workers_that_do_not_see_the_files_are_sent_them(
    big: Site, start: Callable[..., Cluster], monkeypatch: pytest.MonkeyPatch
) -> None:
    blind = start()
    for _ in range(2):
        blind.start_worker(BLIND.format(str(big.root)))
    all_in_workers(monkeypatch)
    with RemoteExecutor(blind.address) as executor:
        assert build(big, executor, "sent") == expected(big)
        assert str(executor).endswith("do not see this machine's files")
        # A template of the site's own reaches them as well.
        big.write("templates/pages/404.html", "{% include 'parts/own.html' %}").write("templates/parts/own.html", "Own")
        assert build(big, executor, "sent") == expected(big)
        assert (big.root / "sent/404.html").read_text() == "Own"
        # So do a plugin of the site's own, its data and its filters.
        big.write("site.toml", 'plugins = ["own"]\n').write("plugins/own.py", PLUGIN).write(
            "plugins/mark.txt", "marked"
        )
        big.write("templates/pages/article.html", "{{ page.content.card.title | loud }}")
        assert build(big, executor, "sent") == expected(big)
        assert (big.root / "sent/2026/11/08/a07/index.html").read_text() == "ARTICLE 7 OF MANY MARKED"


def test_a_worker_that_dies_costs_time_only(big: Site, start: Callable[..., Cluster]) -> None:
    two = start()
    workers = [two.start_worker(), two.start_worker()]
    with RemoteExecutor(two.address) as executor:
        executor._connect().wait_for_workers(2, timeout=20)

        def progress(step: str, done: int, total: int) -> None:
            if step == "rendering":
                workers[0].kill()

        assert build(big, executor, "other", progress=progress) == expected(big)


class RunsTwice(Executor):
    """Runs each task twice, as a scheduler does whose worker was lost after the task's last write."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        function(*args, **kwargs)
        future.set_result(function(*args, **kwargs))
        return future


def test_what_a_lost_worker_has_staged_is_staged_again(big: Site) -> None:
    assert build(big, RunsTwice(), "other") == expected(big)
    assert not pipeline.build(big.options(output=big.root / "other", verify=True)).rendered


def test_errors_in_workers_are_those_of_a_build_in_one_process(big: Site, cluster: Cluster) -> None:
    big.write("templates/pages/404.html", "{{ page.nothing }}")
    with pytest.raises(TemplateError, match=r"^templates/pages/404.html:1: UndefinedError") as here:
        big.build(jobs=1)
    with RemoteExecutor(cluster.address) as executor, pytest.raises(TemplateError) as there:
        build(big, executor, "other")
    assert str(there.value) == str(here.value)
    assert {path.split("/")[0] for path in big.tree(big.root / "other")} <= {STAGING}


def test_the_command_uses_workers_where_there_is_enough_to_do(big: Site, cluster: Cluster) -> None:
    small_tasks = "from newsgen.builder import pool; pool.BATCH, pool.MIN_ITEMS = 10, {}; from newsgen.commands import main; main()"

    def command(min_items: int, *options: str) -> tuple[int, str]:
        words = [sys.executable, "-c", small_tasks.format(min_items), "build", "--now", NOW.isoformat(), *options]
        done = subprocess.run(words, cwd=big.root, capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    status, messages = command(1000, "--executor", "tcp://localhost:1")  # nobody listens, and nobody is asked
    assert (status, "workers" in messages) == (1, False)
    for name in (".newsgen", "public"):
        shutil.rmtree(big.root / name)
    status, messages = command(20, "--executor", cluster.address)  # folders relative to the current one
    assert f"built with {cluster.address}: 2 workers, which see this machine's files\n" in messages
    built = big.tree()
    shutil.rmtree(big.output)
    assert built == expected(big)
    status, messages = command(20, "--executor", cluster.address, "--jobs", "2")
    assert (status, "--executor and --jobs exclude each other" in messages) == (2, True)
    status, messages = command(20, "--executor", "tcp://example.org:8786")
    assert (status, "this machine only" in messages) == (2, True)


@pytest.mark.parametrize(
    ("preamble", "message"),
    [
        (OTHER_VERSION, r"worker tcp://\S+ has newsgen 0\.0\.9 .+, this machine newsgen 0\.1\.0 .+; install the same"),
        (WITHOUT_NEWSGEN, r"has no newsgen, or another version: .+; install the same version on all machines"),
    ],
)
def test_workers_that_differ_are_refused(start: Callable[..., Cluster], preamble: str, message: str) -> None:
    cluster = start()
    cluster.start_worker(preamble)
    with RemoteExecutor(cluster.address) as executor, pytest.raises(ExecutorError, match=message):
        executor.submit(len, "ab")


def submit_soon(executor: RemoteExecutor) -> object:
    return executor.submit(len, "ab").result()


def test_a_worker_that_comes_later_is_asked_too(big: Site, start: Callable[..., Cluster]) -> None:
    cluster = start()
    first = cluster.start_worker()
    with RemoteExecutor(cluster.address) as executor:
        assert submit_soon(executor) == 2
        assert executor.sees(str(big.root / "site.toml"))
        first.kill()
        blind = cluster.start_worker(BLIND.format(str(big.root)))
        with pytest.raises(ExecutorError, match=r"does not see '.+site\.toml', as the others do; mount its folder"):
            submit_soon(executor)
        blind.kill()
        cluster.start_worker(OTHER_VERSION)
        with pytest.raises(ExecutorError, match=r"has newsgen 0\.0\.9"):
            submit_soon(executor)


def test_no_wait_is_without_end(start: Callable[..., Cluster], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "CONNECT_SECONDS", 1)
    with pytest.raises(ExecutorError, match=r"^tcp://localhost:1: cannot connect to a scheduler: "):
        submit_soon(RemoteExecutor("tcp://localhost:1"))
    cluster = start()
    with monkeypatch.context() as patch, RemoteExecutor(cluster.address) as executor:
        patch.setattr(remote, "PATIENCE", 1)
        with pytest.raises(ExecutorError, match="the scheduler has no workers; start some with `dask worker tcp://127"):
            submit_soon(executor)
    worker = cluster.start_worker()
    with RemoteExecutor(cluster.address) as executor:
        assert submit_soon(executor) == 2
        monkeypatch.setattr(remote, "PATIENCE", 1)
        worker.send_signal(signal.SIGSTOP)
        with pytest.raises(ExecutorError, match=r"^tcp://127.+: no worker has answered for 1 seconds"):
            submit_soon(executor)
        worker.send_signal(signal.SIGCONT)
        waiting = executor.submit(time.sleep, 20)
        cluster.stop()
        with pytest.raises(ExecutorError, match=r"^tcp://127.+: lost the connection to the scheduler"):
            waiting.result()


def test_after_ctrl_c_no_tasks_are_left_and_the_next_build_is_whole(big: Site, cluster: Cluster) -> None:
    def interrupt(step: str, done: int, total: int) -> None:
        if step == "rendering":
            raise KeyboardInterrupt

    with RemoteExecutor(cluster.address) as executor:
        with pytest.raises(KeyboardInterrupt):
            build(big, executor, "other", progress=interrupt)
        assert {path.split("/")[0] for path in big.tree(big.root / "other")} <= {STAGING}
        for _ in range(9):
            executor.submit(time.sleep, 0.2)
    with RemoteExecutor(cluster.address) as executor:
        assert not any(executor._connect().processing().values())
        assert build(big, executor, "other") == expected(big)


def certificates(folder: Path) -> dict[str, str]:
    """The options of a scheduler and worker whose certificates a new authority has signed."""
    folder.mkdir()
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    authority.issue_cert("cluster.example").private_key_and_cert_chain_pem.write_to_path(folder / "cert.pem")
    return {"ca-file": str(folder / "ca.pem"), "cert": str(folder / "cert.pem"), "key": str(folder / "cert.pem")}


def test_tls_needs_certificates_of_one_authority(
    big: Site, start: Callable[..., Cluster], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, others = certificates(tmp_path / "ours"), certificates(tmp_path / "others")
    cluster = start("--protocol", "tls", *(f"--tls-{name}={file}" for name, file in ours.items()))
    cluster.start_worker()
    assert cluster.address.startswith("tls://")

    def configured(files: dict[str, str]) -> Any:
        import dask

        names = {"ca-file": "ca-file", "client.cert": "cert", "client.key": "key"}
        return dask.config.set({f"distributed.comm.tls.{name}": files[option] for name, option in names.items()})

    with pytest.raises(ConfigError, match="needs certificates; set DASK_DISTRIBUTED__COMM__TLS__CA_FILE"):
        submit_soon(RemoteExecutor(cluster.address))
    with configured(ours), RemoteExecutor(cluster.address) as executor:
        assert build(big, executor, "other") == expected(big)
    monkeypatch.setattr(remote, "CONNECT_SECONDS", 1)
    with configured(others), pytest.raises(ExecutorError, match="cannot connect to a scheduler"):
        submit_soon(RemoteExecutor(cluster.address))


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("tcp://192.0.2.7:8786", "tcp:// is for this machine only"),
        ("tcp://scheduler.example:8786", "tcp:// is for this machine only"),
        ("tcp://localhost.example:8786", "tcp:// is for this machine only"),
        ("tcp://0.0.0.0:8786", "tcp:// is for this machine only"),
        ("tcp://user@127.0.0.1:8786", "write tls://HOST:PORT"),
        ("tcp://127.0.0.1:8786/x", "write tls://HOST:PORT"),
        ("tcp://127.0.0.1", "write tls://HOST:PORT"),
        ("tls://scheduler.example", "write tls://HOST:PORT"),
        ("tls://scheduler.example:99999", "write tls://HOST:PORT"),
        ("ws://127.0.0.1:8786", "write tls://HOST:PORT"),
        ("inproc://127.0.0.1:8786", "write tls://HOST:PORT"),
        ("127.0.0.1:8786", "write tls://HOST:PORT"),
        ("", "write tls://HOST:PORT"),
    ],
)
def test_only_addresses_that_are_safe_are_accepted(address: str, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        RemoteExecutor(address)
    for accepted in ("tcp://127.0.0.1:8786", "tcp://127.9.9.9:1", "tcp://[::1]:8786", "tls://scheduler.example:8786"):
        RemoteExecutor(accepted)


def test_without_distributed_the_command_says_what_to_install(site: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=re.escape('pip install "newsgen[dask]"')):
        RemoteExecutor("tcp://127.0.0.1:8786")
