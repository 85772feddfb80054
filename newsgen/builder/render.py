"""A page in, the bytes of its file out."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import jinja2
import markupsafe
import msgspec
from jinja2.bccache import Bucket
from jinja2.nodes import EvalContext
from jinja2.runtime import Context, Macro
from markupsafe import Markup

from newsgen import urls
from newsgen.builder.cache import Cache, CachedValues
from newsgen.builder.theme import Theme
from newsgen.errors import OutputError, TemplateError
from newsgen.model import Site, Value
from newsgen.pages import FilePage, Page
from newsgen.text import MONTHS, digest_bytes

REMEMBERED = 1 << 13
"""Results that a macro remembers."""

TRIED = 1 << 10
"""Calls after which a macro that was seldom called with the same twice remembers nothing for `RESTS` calls."""

RESTS = 1 << 13

_kept = msgspec.msgpack.Decoder(tuple[bytes, dict[str, bytes]])
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class Renderer:
    """Fills the templates of one theme for one site; `cache` spares compiling them again."""

    def __init__(self, theme: Theme, site: Site, cache: Cache | CachedValues | None = None) -> None:
        self._theme = theme
        self._site = site
        self._env = _Environment(
            loader=theme.loader,
            autoescape=lambda name: not (name or "").endswith((".txt", ".json")),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            auto_reload=False,
            cache_size=-1,
            bytecode_cache=_Compiled(cache, theme, site) if cache else None,
        )
        self._env.filters |= filters(site, theme.asset)
        self._env.policies |= {"json.dumps_function": _json, "json.dumps_kwargs": {}}

    def compile(self) -> None:
        """Compiles all templates, so that the cache has them."""
        with contextlib.suppress(jinja2.TemplateError, TemplateError):  # whoever renders with it says what is wrong
            for name in sorted(self._theme.used()):
                self._env.get_template(name)

    def __call__(self, page: Page) -> bytes:
        """The bytes of a page's file. Raises TemplateError or, for a static file that is gone, OutputError."""
        if isinstance(page, FilePage):
            try:
                return self._theme.static[page.source].read_bytes()
            except OSError as error:
                raise OutputError(f"static/{page.source}: cannot be read: {error.strerror}") from None
        try:
            return self._env.get_template(page.template).render(page=page, site=self._site).encode()
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(f"templates/{error.name or page.template}:{error.lineno}: {error.message}") from None
        except jinja2.TemplateNotFound as error:
            raise TemplateError(f"templates/{error.name}: there is no such template") from None
        except Exception as error:
            raise TemplateError(
                f"{self._place(error, page)}: {type(error).__name__}: {error} (for the page {page.path})"
            ) from error

    def _place(self, error: Exception, page: Page) -> str:
        """The template and line where an error came up: the last frame of its trace that is one of a template."""
        place = f"templates/{page.template}"
        trace = error.__traceback__
        while trace:
            template = trace.tb_frame.f_globals.get("__jinja_template__") or trace.tb_frame.f_globals.get("__file__")
            if "__jinja_template__" in trace.tb_frame.f_globals or str(template).endswith(
                (".html", ".xml", ".txt", ".json")
            ):
                place = f"templates/{'/'.join(Path(trace.tb_frame.f_code.co_filename).parts[-2:])}:{trace.tb_lineno}"
            trace = trace.tb_next
        return place


class _Context(Context):
    """What a template sees, with a shorter way to macros than to all else that can be called."""

    def call(self, called: Any, /, *args: Any, **given: Any) -> Any:
        if type(called) is not Macro and type(called) is not _Once:
            return super().call(called, *args, **given)
        given.pop("_block_vars", None)
        given.pop("_loop_vars", None)
        return called(self.eval_ctx, *args, **given)


class _Template(jinja2.Template):
    """A template that does what Jinja's own does, sooner."""

    @classmethod
    def from_code(cls, environment: Any, code: Any, globals: Any, uptodate: Any = None) -> jinja2.Template:
        template = super().from_code(environment, code, globals, uptodate)
        # What compiled templates call on every value: here, without an object around each result.
        template.root_render_func.__globals__["escape"] = _escape
        return template

    def make_module(self, *args: Any, **given: Any) -> Any:
        """A module of macros, which all are functions of their arguments alone: a card that many lists show is made once."""
        module = super().make_module(*args, **given)
        for name, value in vars(module).items():
            if isinstance(value, Macro):
                setattr(module, name, _Once(value))
        return module


def _escape(value: Any) -> str:
    kind = type(value)
    if kind is str:
        return _escaped(value)
    return value if kind is Markup else markupsafe.escape(value)


try:
    from markupsafe._speedups import _escape_inner as _escaped
except ImportError:
    _escaped = markupsafe.escape


class _Once:
    """A macro that remembers what it made of a noun; where few come twice it does without for a while, and tries again."""

    def __init__(self, macro: Macro) -> None:
        self._macro = macro
        self._remembered = lru_cache(maxsize=REMEMBERED, typed=True)(macro)
        self._left, self._hits = TRIED, 0
        self._rests = False

    @jinja2.pass_eval_context
    def __call__(self, context: EvalContext, *args: Any, **given: Any) -> str:
        if not (args and isinstance(args[0], Value)):
            return self._macro(context, *args, **given)
        self._left -= 1
        if not self._left:
            self._look()
        if self._rests:
            return self._macro(context, *args, **given)
        try:
            made = self._remembered(*args, **given)
        except TypeError:
            return self._macro(context, *args, **given)
        return made if context.autoescape else str(made)

    def _look(self) -> None:
        hits = self._remembered.cache_info().hits
        self._rests = not self._rests and hits - self._hits < TRIED // 5
        if self._rests:
            self._remembered.cache_clear()
            hits = 0
        self._hits, self._left = hits, RESTS if self._rests else TRIED


class _Environment(jinja2.Environment):
    """What templates are compiled and run in."""

    context_class = _Context
    template_class = _Template

    def make_globals(self, own: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """A plain dict: Jinja's own chain of two is searched for all names, for each page and each import."""
        return {**self.globals, **(own or {})}


def _json(value: Any, **given: Any) -> str:
    """What `tojson` makes of a value; `given` is an indentation, where a template asks for one."""
    return json.dumps(value, ensure_ascii=False, **given) if given else _encode(value).decode()


def _text(value: Any) -> str:
    if isinstance(value, str):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be JSON")


_encode = msgspec.json.Encoder(enc_hook=_text).encode


class _Compiled(jinja2.BytecodeCache):
    """Compiled templates, all in one value; of one site alone, as what filters make of constants is compiled in."""

    def __init__(self, cache: Cache | CachedValues, theme: Theme, site: Site) -> None:
        self._cache = cache
        self._scope = digest_bytes(msgspec.msgpack.encode((site, sorted(theme.fingerprints().items()))))
        self._held: dict[str, bytes] = {}
        with contextlib.suppress(msgspec.DecodeError):
            scope, held = _kept.decode(cache.get("templates") or b"")
            self._held = held if scope == self._scope else {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._held:
            bucket.bytecode_from_string(self._held[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._held[bucket.key] = bucket.bytecode_to_string()
        self._cache.put("templates", msgspec.msgpack.encode((self._scope, self._held)))


def filters(site: Site, asset: Callable[[str], str]) -> dict[str, Callable[..., Any]]:
    """What templates can call, beside what Jinja has."""
    zone = ZoneInfo(site.timezone)

    @lru_cache(maxsize=65536)
    def href(address: str) -> str:
        """An address of this site, or an http(s) URL, as a link."""
        return urls.href(address, site.root)

    def absolute(address: str) -> str:
        """An address of this site as a whole URL."""
        return urls.absolute(address, site.base)

    def linked(source: str) -> str:
        """A static file under its fingerprint."""
        return urls.href(asset(source), site.root)

    @lru_cache(maxsize=4096)
    def moment(when: datetime) -> str:
        """A time in the site's zone: 8 Nov 2026, 16:30."""
        here = urls.local(when, zone)
        return f"{here.day} {MONTHS[here.month - 1][:3]} {here.year}, {here.hour:02}:{here.minute:02}"

    def day(when: datetime) -> str:
        """A day in the site's zone: 8 November 2026."""
        here = urls.local(when, zone)
        return f"{here.day} {MONTHS[here.month - 1]} {here.year}"

    def clock(when: datetime) -> str:
        """The hour in the site's zone: 16:30."""
        here = urls.local(when, zone)
        return f"{here.hour:02}:{here.minute:02}"

    def lag(minutes: int) -> str:
        """Minutes as people say them: 25 min, 2 h 5 min, 3 d 1 h."""
        days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
        parts = [(days, "d"), (hours, "h")] if days else [(hours, "h"), (rest, "min")]
        return " ".join(f"{n} {unit}" for n, unit in parts if n) or "0 min"

    return {
        "lag": lag, "href": href, "absolute": absolute, "asset": linked, "moment": moment, "day": day, "clock": clock,
        "iso": iso, "rfc822": rfc822, "host": host,
    }  # fmt: skip


@lru_cache(maxsize=4096)
def iso(when: datetime) -> str:
    """A time in UTC: 2026-11-08T16:30:00Z (RFC 3339)."""
    return when.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def rfc822(when: datetime) -> str:
    """A time as RSS writes it: Sun, 08 Nov 2026 16:30:00 +0000 (RFC 822 with four digits for the year)."""
    here = when.astimezone(UTC)
    return f"{_DAYS[here.weekday()]}, {here.day:02} {MONTHS[here.month - 1][:3]} {here.year:04} {here:%H:%M:%S} +0000"


def host(url: str) -> str:
    """The host of a URL without www."""
    return (urlsplit(url).hostname or "").removeprefix("www.")
