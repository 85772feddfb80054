"""Renders a page to the bytes of its file, with Jinja."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterable, MutableMapping
from datetime import UTC, date, datetime
from functools import lru_cache, partial
from pathlib import Path
from types import BuiltinMethodType
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import jinja2
import markupsafe
import msgspec
from jinja2.bccache import Bucket
from jinja2.nodes import EvalContext
from jinja2.runtime import Context, Macro
from jinja2.utils import missing
from markupsafe import Markup

from newsgen import idn, locales, times, urls
from newsgen.builder import translation
from newsgen.builder.attachments import copied
from newsgen.builder.cache import Cache, CachedValues
from newsgen.builder.theme import SentTheme, Theme
from newsgen.errors import OutputError, PluginError, Problem, TemplateError
from newsgen.locales import WEEKDAYS, Locale
from newsgen.model import Image, Site, Value
from newsgen.pages import AttachmentPage, FilePage, Page
from newsgen.text import MONTHS, digest_bytes

MACRO_CACHE_SIZE = 1 << 13
"""The number of results cached per macro."""

TRIAL_CALLS = 1 << 10
"""Calls after which a macro's cache is switched off for `PAUSE_CALLS` calls if it had few hits."""

PAUSE_CALLS = 1 << 13

_decoder = msgspec.msgpack.Decoder(tuple[bytes, dict[str, bytes]])


class Renderer:
    """Renders the templates of one theme for one site. `cache` keeps compiled templates between builds."""

    def __init__(self, theme: Theme | SentTheme, site: Site, cache: Cache | CachedValues | None = None) -> None:
        self._theme = theme
        self._site = site
        locale = locales.locale(site.language, site.phrases)
        self._env = _Environment(
            **translation.SYNTAX,
            loader=theme.loader,
            autoescape=lambda name: not (name or "").endswith((".txt", ".json", ".css")),
            undefined=jinja2.StrictUndefined,
            auto_reload=False,
            cache_size=-1,
            bytecode_cache=_TemplateCache(cache, theme, site) if cache else None,
        )
        self._env.locale = locale
        self._env.take_tree = theme.take_tree
        self._env.globals |= translation.functions(locale)
        self._env.filters |= filters(site, theme.asset, locale) | {"form_of": locales.form_of}
        if taken := sorted(self._env.filters.keys() & theme.plugins.filters.keys()):
            raise PluginError(
                *(f"a plugin has a filter {name!r}, and so has newsgen or Jinja; rename it" for name in taken)
            )
        self._env.filters |= theme.plugins.filters
        self._env.policies |= {"json.dumps_function": _json, "json.dumps_kwargs": {}} | translation.POLICIES

    def compile(self, names: Iterable[str]) -> None:
        """Compiles these templates into the cache."""
        with contextlib.suppress(jinja2.TemplateError, TemplateError):  # rendering reports the error
            for name in names:
                self._env.get_template(name)

    def __call__(self, page: Page) -> bytes:
        """The bytes of a page's file. Raises TemplateError, or OutputError for an unreadable static file."""
        if isinstance(page, FilePage):
            try:
                return self._theme.static[page.source].read_bytes()
            except OSError as error:
                raise OutputError(f"static/{page.source}: cannot be read: {error.strerror}") from None
        if isinstance(page, AttachmentPage):
            return copied(page, self._theme.content, self._theme.site)
        try:
            return self._env.get_template(page.template).render(page=page, site=self._site).encode()
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(f"templates/{error.name or page.template}:{error.lineno}: {error.message}") from None
        except jinja2.TemplateNotFound as error:
            raise TemplateError(f"templates/{error.name}: template not found; create it or correct the name") from None
        except PluginError as error:
            (problem,) = error.problems
            what = f"{problem.what} ({problem.path}:{problem.line})" if isinstance(problem, Problem) else problem
            raise TemplateError(f"{self._place(error, page)}: {what} (while rendering {page.path})") from error
        except Exception as error:
            raise TemplateError(
                f"{self._place(error, page)}: {type(error).__name__}: {error} (while rendering {page.path})"
            ) from error

    def _place(self, error: Exception, page: Page) -> str:
        """The template and line of an error: the innermost frame of its traceback that belongs to a template."""
        place = f"templates/{page.template}"
        trace = error.__traceback__
        while trace:
            template = trace.tb_frame.f_globals.get("__jinja_template__") or trace.tb_frame.f_globals.get("__file__")
            if "__jinja_template__" in trace.tb_frame.f_globals or str(template).endswith(
                (".html", ".xml", ".txt", ".json", ".css")
            ):
                place = f"templates/{'/'.join(Path(trace.tb_frame.f_code.co_filename).parts[-2:])}:{trace.tb_lineno}"
            trace = trace.tb_next
        return place


class _Macro(Macro):
    """A macro that is called without Jinja's checks if it gets only its own arguments, by position."""

    @jinja2.pass_eval_context
    def __call__(self, *args: Any, **kwargs: Any) -> str:
        left = self._argument_count + 1 - len(args)
        is_plain = not kwargs and left >= 0 and self._func.__code__.co_argcount == self._argument_count
        if not (is_plain and args and type(args[0]) is EvalContext):
            return super().__call__(*args, **kwargs)
        text = self._func(*args[1:], *(missing,) * left)
        return _markup(text) if args[0].autoescape else text


class _Context(Context):
    """A context that calls macros and built-in methods directly, without Jinja's checks for other callables."""

    def call(self, called: Any, /, *args: Any, _block_vars: Any = None, _loop_vars: Any = None, **kwargs: Any) -> Any:
        if type(called) is _Macro or type(called) is _CachedMacro:
            return called(self.eval_ctx, *args, **kwargs)
        if type(called) is BuiltinMethodType:
            return called(*args, **kwargs)
        return super().call(called, *args, _block_vars=_block_vars, _loop_vars=_loop_vars, **kwargs)


class _Template(jinja2.Template):
    """Jinja's template with faster escaping, and faster and cached macros."""

    @classmethod
    def from_code(cls, environment: Any, code: Any, globals: Any, uptodate: Any = None) -> jinja2.Template:
        template = super().from_code(environment, code, globals, uptodate)
        # Compiled templates escape every value. This version returns plain strings instead of Markup objects.
        template.root_render_func.__globals__.update(escape=_escape, Macro=_Macro)
        return template

    def render(self, *args: Any, **kwargs: Any) -> str:
        """Frees the page afterwards: its context and the template's own macros refer to each other, and builds turn
        the garbage collector off.
        """
        context = self.new_context(dict(*args, **kwargs))
        try:
            return self.environment.concat(self.root_render_func(context))
        except Exception:
            self.environment.handle_exception()
        finally:
            context.vars.clear()
            context.parent.clear()

    def make_module(self, *args: Any, **kwargs: Any) -> Any:
        """Caches macros, which depend on their arguments only: a card that many lists show is rendered once."""
        module = super().make_module(*args, **kwargs)
        for name, value in vars(module).items():
            if isinstance(value, _Macro):
                setattr(module, name, _CachedMacro(value))
        return module


_markup = partial(str.__new__, Markup)
"""Makes a string Markup, without Markup's own checks of its argument."""


def _escape(value: Any) -> str:
    type_ = type(value)
    if type_ is str:
        return _escaped(value)
    if type_ is int:
        return str(value)
    return value if type_ is Markup else markupsafe.escape(value)


try:
    from markupsafe._speedups import _escape_inner as _escaped
except ImportError:
    _escaped = markupsafe.escape


class _CachedMacro:
    """A macro that caches its results if its first argument is a `Value`. The cache pauses while it has few hits."""

    def __init__(self, macro: _Macro) -> None:
        self._macro = macro
        own_context = EvalContext(macro._environment)
        own_context.autoescape = macro._default_autoescape
        self._cached = lru_cache(maxsize=MACRO_CACHE_SIZE, typed=True)(partial(macro, own_context))
        self._calls_left, self._hits_before = TRIAL_CALLS, 0
        self._is_paused = False

    @jinja2.pass_eval_context
    def __call__(self, context: EvalContext, *args: Any, **kwargs: Any) -> str:
        if not (args and isinstance(args[0], Value)):
            return self._macro(context, *args, **kwargs)
        self._calls_left -= 1
        if not self._calls_left:
            self._review()
        if self._is_paused:
            return self._macro(context, *args, **kwargs)
        try:
            rendered = self._cached(*args, **kwargs)
        except TypeError:
            return self._macro(context, *args, **kwargs)
        return rendered if context.autoescape else str(rendered)

    def _review(self) -> None:
        hits = self._cached.cache_info().hits
        self._is_paused = not self._is_paused and hits - self._hits_before < TRIAL_CALLS // 5
        if self._is_paused:
            self._cached.cache_clear()
            hits = 0
        self._hits_before, self._calls_left = hits, PAUSE_CALLS if self._is_paused else TRIAL_CALLS


class _Environment(jinja2.Environment):
    """The environment of all templates."""

    context_class = _Context
    template_class = _Template
    locale = locales.ENGLISH
    newstyle_gettext = True
    take_tree: Callable[[str], jinja2.nodes.Template | None]

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._found: dict[str, jinja2.Template] = {}

    def _parse(self, source: str, name: str | None, filename: str | None) -> jinja2.nodes.Template:
        tree = self.take_tree(source) or super()._parse(source, name, filename)
        return translation.fold(tree, self, self.locale)

    def get_template(self, name: Any, parent: str | None = None, globals: Any = None) -> jinja2.Template:
        """The template with a name. Jinja's own cache checks more than that, for each page and import."""
        if name not in self._found:
            self._found[name] = super().get_template(name, parent, globals)
        return self._found[name]

    def make_globals(self, own: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """A plain dict: Jinja searches its own ChainMap for all names, for each page and import."""
        return {**self.globals, **(own or {})}


def _json(value: Any, **kwargs: Any) -> str:
    """The result of the `tojson` filter; `kwargs` holds the indentation if a template asks for one."""
    return json.dumps(value, ensure_ascii=False, **kwargs) if kwargs else _encode(value).decode()


def _encode_text(value: Any) -> str:
    if isinstance(value, str):
        return str(value)
    raise TypeError(f"cannot encode {type(value).__name__} as JSON")


_encode = msgspec.json.Encoder(enc_hook=_encode_text).encode


class _TemplateCache(jinja2.BytecodeCache):
    """All compiled templates in one cache value, for one site: results of filters on constants are compiled in."""

    def __init__(self, cache: Cache | CachedValues, theme: Theme | SentTheme, site: Site) -> None:
        self._cache = cache
        filters = theme.plugins.digest if theme.plugins.filters else b""
        self._scope = digest_bytes(msgspec.msgpack.encode((site, sorted(theme.fingerprints().items()), filters)))
        self._bytecode: dict[str, bytes] = {}
        with contextlib.suppress(msgspec.DecodeError):
            scope, bytecode = _decoder.decode(cache.get("templates") or b"")
            self._bytecode = bytecode if scope == self._scope else {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._bytecode:
            bucket.bytecode_from_string(self._bytecode[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._bytecode[bucket.key] = bucket.bytecode_to_string()
        self._cache.put("templates", msgspec.msgpack.encode((self._scope, self._bytecode)))


def filters(site: Site, asset: Callable[[str], str], locale: Locale) -> dict[str, Callable[..., Any]]:
    """newsgen's own template filters, by name."""
    zone = ZoneInfo(site.timezone)

    @lru_cache(maxsize=65536)
    def href(address: str) -> str:
        """The link to an address of this site or to an http(s) URL."""
        return urls.href(address, site.root)

    def absolute(address: str) -> str:
        """The absolute URL of an address of this site."""
        return urls.absolute(address, site.base)

    def asset_link(source: str) -> str:
        """The link to a static file, with its fingerprint."""
        return urls.href(urls.address(asset(source)[1:]), site.root)

    @lru_cache(maxsize=4096)
    def moment(when: datetime, all_day: bool = False) -> str:
        """A time in the site's zone: 8 Nov 2026, 16:30. With `all_day`, its day: 8 Nov 2026."""
        local = times.local(when, zone)
        day = locale.short_day(local)
        return day if all_day else locale.moment(day, locale.clock(local))

    def brief(when: datetime, today: str, all_day: bool = False) -> str:
        """A time as a reader needs it on a day of the form 2026-11-08: 16:30, else 7 Nov, else 7 Nov 2025."""
        local = times.local(when, zone)
        if local.date().isoformat() == today and not all_day:
            return locale.clock(local)
        return locale.day_of_year(local) if f"{local.year:04}" == today[:4] else locale.short_day(local)

    def day(when: datetime, with_weekday: bool = False) -> str:
        """A day in the site's zone: 8 November 2026. With `with_weekday`: Sunday 8 November 2026."""
        local = times.local(when, zone)
        return locale.day_of_week(local) if with_weekday else locale.day(local)

    def clock(when: datetime) -> str:
        """A time of day in the site's zone: 16:30."""
        return locale.clock(times.local(when, zone))

    def iso_or_day(when: datetime, all_day: bool = False) -> str:
        """A time in UTC: 2026-11-08T16:30:00Z. With `all_day`, its day in the site's zone: 2026-11-08."""
        return urls.day(when, zone) if all_day else times.iso(when)

    def srcset(image: Image | dict[str, Any], format: str) -> str:
        """The smaller copies of an image in a format, for `srcset`. Plugins' pages have images as plain values."""
        return urls.srcset(image if isinstance(image, Image) else Image(**image), format, site.root)

    def weekday(day: str) -> str:
        """The short name of the weekday of a day of the form 2026-11-08: Sun."""
        return locale.weekday(date.fromisoformat(day))

    def listed(items: Iterable[str]) -> Markup:
        """Items one after the other, as the language joins them: Anna, Bea, Carl, and in German Anna, Bea und Carl."""
        marks = {f"\x00{number}\x00": markupsafe.escape(item) for number, item in enumerate(items)}
        text = markupsafe.escape(locale.listed([*marks]))
        return Markup(re.sub("\x00\\d+\x00", lambda mark: marks[mark[0]], text))  # noqa: S704 (all is escaped)

    return {
        "lag": locale.duration, "href": href, "absolute": absolute, "asset": asset_link, "moment": moment, "brief": brief,
        "day": day, "clock": clock, "weekday": weekday, "number": locale.number, "listed": listed, "iso": iso_or_day, "rfc822": rfc822,
        "host": partial(host, language=site.language), "srcset": srcset,
    }  # fmt: skip


def rfc822(when: datetime) -> str:
    """A time for RSS: Sun, 08 Nov 2026 16:30:00 +0000 (RFC 822 with a four-digit year)."""
    utc = when.astimezone(UTC)
    return f"{WEEKDAYS[utc.weekday()][:3]}, {utc.day:02} {MONTHS[utc.month - 1][:3]} {utc.year:04} {utc:%H:%M:%S} +0000"


def host(url: str, language: str = "") -> str:
    """The host of a URL, without `www.`, in its own script where that fits the site's language."""
    return idn.shown((urlsplit(url).hostname or "").removeprefix("www."), language)
