"""Runs a build's work in the workers of a scheduler of `distributed`, on this machine or others.

A task travels as bytes that `pickle.loads` turns into the task's result. So `distributed` sees a call of the standard
library, and a worker without newsgen fails with an ImportError. (A task that a worker cannot unpickle never ends.)
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import pickle
import platform
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future
from functools import cache, partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeVar
from urllib.parse import urlsplit

import newsgen
from newsgen import files
from newsgen.builder.cache import engine
from newsgen.errors import ConfigError, ExecutorError, NewsgenError
from newsgen.files import Stamp

if TYPE_CHECKING:
    from distributed import Client
    from distributed.cfexecutor import ClientExecutor

CONNECT_SECONDS = 10
"""How long a scheduler may take to accept a connection."""

PATIENCE = 120
"""How many seconds all workers together may be silent while tasks wait; also, how long there may be no workers."""

_LOGGERS = ("distributed", "distributed.client", "distributed.core", "tornado.application")

P = ParamSpec("P")
T = TypeVar("T")


class RemoteExecutor(Executor):
    """The workers of the scheduler at an address: `tls://HOST:PORT`, or `tcp://localhost:PORT` on this machine.

    Connects when the first task is submitted. `distributed` takes certificates from its own configuration. Raises
    ConfigError for an address or configuration that cannot be used. Submitting, and futures, raise ExecutorError if
    workers are missing, silent, or not installed as this machine is.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.workers = 0
        """The number of workers when they were last asked."""
        self.last_answer = 0.0
        self._is_encrypted = _is_encrypted(address)
        if find_spec("distributed") is None:
            raise ConfigError('--executor needs distributed; run pip install "newsgen[dask]"')
        self._client: Client | None = None
        self._queue: ClientExecutor
        self._witness: tuple[str, Stamp] | None = None

    @property
    def is_connected(self) -> bool:
        """Whether workers can be given tasks."""
        return self._client is not None and self.workers > 0

    def __str__(self) -> str:
        """The address and the workers, for messages."""
        see = "see" if self._witness else "do not see"
        return f"{self.address}: {self.workers} workers, which {see} this machine's files"

    def sees(self, file: str) -> bool:
        """Whether all workers see this file of this machine, by its stamp. If so, tasks may name the files near it.

        A worker that joins later and does not see it refuses these tasks.
        """
        client = self._connect()
        self._witness = None
        stamp = files.stamp(file)
        if stamp and all(self._ask(client, partial(_sees, file, stamp))):
            self._witness = file, stamp
        return self._witness is not None

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Runs a function in a worker."""
        self._connect()
        return self._send(partial(function, *args, **kwargs))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        """Closes the connection. Tasks that have not begun never will."""
        if self._client:
            self._client.close(timeout=2)
            self._client = None

    def _connect(self) -> Client:
        """Connects and asks the workers whether they fit, unless that is done. Raises ExecutorError, or ConfigError."""
        if self._client:
            return self._client
        import dask
        from distributed import Client, Security
        from distributed.versions import VersionMismatchWarning

        for logger in _LOGGERS:
            logging.getLogger(logger).setLevel(logging.CRITICAL)  # what goes wrong is in our errors
        # `distributed` warns of tasks above 10 MB.
        dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"})
        security = Security(require_encryption=self._is_encrypted)
        if self._is_encrypted and not (security.tls_ca_file and security.tls_client_cert):
            raise ConfigError(
                f"--executor {self.address}: needs certificates; set DASK_DISTRIBUTED__COMM__TLS__CA_FILE,"
                " DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT and DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY to their files"
            )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", VersionMismatchWarning)  # `_check` compares what matters
                # The build contacts the named address only: workers' results come through the scheduler.
                self._client = client = Client(
                    self.address,
                    timeout=CONNECT_SECONDS,
                    security=security,
                    set_as_default=False,
                    direct_to_workers=False,
                )
            theirs = client.sync(client.scheduler.versions, callback_timeout=CONNECT_SECONDS)
        except (OSError, ValueError) as error:
            raise ExecutorError(f"{self.address}: cannot connect to a scheduler: {error}") from None
        if (found := theirs["packages"]["distributed"]) != version("distributed"):
            raise ExecutorError(_differs(f"the scheduler {self.address}", f"distributed {found}", _description()))
        self._queue = client.get_executor(pure=False)  # of equal pure tasks, only one runs
        self._ask(client, bool)
        return client

    def _ask(self, client: Client, call: Callable[[], T]) -> list[T]:
        """The result of one call in each worker."""
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
            workers = tuple(client.nthreads(callback_timeout=PATIENCE))
        except OSError:  # a TimeoutError is one
            raise ExecutorError(
                f"{self.address}: the scheduler has no workers; start some with `dask worker {self.address}`"
            ) from None
        # If a worker has gone meanwhile, another one answers.
        futures = [self._send(call, workers=[worker], allow_other_workers=True) for worker in workers]
        results = [future.result() for future in futures]
        self.workers = len(workers)
        return results

    def _send(self, call: Callable[[], T], **where: Any) -> Future[T]:
        terms = _Terms(_installation(), _description(), str(Path.cwd()), self._witness)
        payload = pickle.dumps(_Call(_run, terms, pickle.dumps(call)))
        answer: _Answer[T] = _Answer(self)
        self._queue.submit(pickle.loads, payload, **where).add_done_callback(partial(self._settle, answer))
        return answer

    def _settle(self, answer: Future[T], result: Future[T]) -> None:
        self.last_answer = time.monotonic()
        try:
            answer.set_result(result.result())
        except NewsgenError as error:
            answer.set_exception(error)
        except ImportError as error:
            what = f"a worker of {self.address} has no newsgen, or another version: {error}"
            answer.set_exception(ExecutorError(f"{what}; install the same version on all machines"))
        except CancelledError:
            answer.set_exception(ExecutorError(f"{self.address}: lost the connection to the scheduler; build again"))
        except Exception as error:  # of our own code or of `distributed`, such as KilledWorker
            answer.set_exception(ExecutorError(f"{self.address}: a task failed: {type(error).__name__}: {error}"))


class _Answer(Future[T]):
    """The result of a task. Waiting for it ends when all workers are silent for too long."""

    def __init__(self, executor: RemoteExecutor) -> None:
        super().__init__()
        self._executor = executor

    def result(self, timeout: float | None = None) -> T:
        if timeout is not None:
            return super().result(timeout)
        began = time.monotonic()
        while not self.done():
            silent = time.monotonic() - max(began, self._executor.last_answer)
            if silent >= PATIENCE:
                raise ExecutorError(
                    f"{self._executor.address}: no worker has answered for {PATIENCE} seconds; see whether workers run,"
                    " or build without --executor"
                )
            with contextlib.suppress(TimeoutError):
                super().result(PATIENCE - silent)
        return super().result()


class _Call:
    """Unpickles to the result of a call."""

    def __init__(self, function: Callable[..., Any], *args: Any) -> None:
        self._call = function, args

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self._call


class _Terms(NamedTuple):
    """What a worker must have so that its result is the one that this process would compute.

    `installation` must equal its own; `description` describes it. Tasks name files relative to `folder`. If they name
    any, the worker must see the file `witness` with this stamp.
    """

    installation: str
    description: str
    folder: str
    witness: tuple[str, Stamp] | None


_turn = threading.Lock()
_fulfilled: set[_Terms] = set()


def _run(terms: _Terms, call: bytes) -> Any:
    """Runs a pickled call in a worker. A worker may have several threads, but readers and renderers serve only one."""
    folder = contextlib.chdir(terms.folder) if Path(terms.folder).is_dir() else contextlib.nullcontext()
    with _turn, folder:
        if terms not in _fulfilled:
            _check(terms)
            _fulfilled.add(terms)
        return pickle.loads(call)()  # noqa: S301 (from the scheduler, which may run anything here)


def _check(terms: _Terms) -> None:
    """Raises ExecutorError if this worker does not fulfil the terms."""
    from distributed import get_worker

    name = f"the worker {get_worker().address}"
    if terms.installation != _installation():
        raise ExecutorError(_differs(name, _description(), terms.description))
    if terms.witness and not _sees(*terms.witness):
        raise ExecutorError(
            f"{name} does not see '{terms.witness[0]}', as the others do; mount its folder there, or stop it"
        )


def _differs(name: str, theirs: str, ours: str) -> str:
    return f"{name} has {theirs}, this machine {ours}; install the same versions, libraries included, on all machines"


@cache
def _installation() -> str:
    """Equal on two machines whose tasks give the same results and can be exchanged."""
    return f"{engine()} {version('distributed')}"


def _description() -> str:
    """The versions that differ most often, and the beginning of a digest of the others."""
    digest = engine()[:6]
    libraries = f"distributed {version('distributed')}, Python {platform.python_version()}"
    return f"newsgen {newsgen.__version__} ({digest}), {libraries}"


def _sees(file: str, stamp: Stamp) -> bool:
    return files.stamp(file) == stamp


def _is_encrypted(address: str) -> bool:
    """Whether an address is `tls://`. Raises ConfigError if it is neither that nor `tcp://` to this machine."""
    try:
        parts = urlsplit(address)
        is_complete = bool(parts.hostname and parts.port and "@" not in address)
        is_complete = is_complete and f"{parts.scheme}://{parts.netloc}" == address
    except ValueError:
        is_complete = False
    if not is_complete or parts.scheme not in ("tls", "tcp"):
        raise ConfigError(f"--executor {address}: write tls://HOST:PORT, or tcp://localhost:PORT for this machine")
    if parts.scheme == "tls":
        return True
    host = parts.hostname or ""
    with contextlib.suppress(ValueError):
        if host == "localhost" or ipaddress.ip_address(host).is_loopback:
            return False
    raise ConfigError(
        f"--executor {address}: tcp:// is for this machine only, because anyone on its way could run code here; use"
        " tls://, or an ssh tunnel to localhost"
    )
