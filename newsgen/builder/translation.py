"""Puts the phrases of a site's language into templates when these are compiled, so that rendering costs no more.

Jinja's own i18n extension reads `{% trans %}`, `_()`, `gettext`, `ngettext`, `pgettext` and `npgettext`. Where the
message is a constant, as in all shipped templates, the call is replaced by what it says: text with values in it. What a
template says itself is markup, as everywhere in it. A translation is text, so it is escaped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jinja2
from jinja2 import nodes
from jinja2.nodes import EvalContext
from markupsafe import Markup

from newsgen.locales import Locale, is_english, pieces

SYNTAX: Mapping[str, Any] = {
    "extensions": ["jinja2.ext.i18n"],
    "trim_blocks": True,
    "lstrip_blocks": True,
    "keep_trailing_newline": True,
}
"""The options of every environment that reads templates, so that each can compile what another one has parsed."""

POLICIES = {"ext.i18n.trimmed": True}
"""What such an environment must have besides `newstyle_gettext`: a message has no line breaks."""

_ARGUMENTS = {"_": 1, "gettext": 1, "ngettext": 3, "pgettext": 2, "npgettext": 4}
"""The functions that name a message, with the number of their arguments."""

FORMS = "plural_forms"
"""The function that has all forms of a message, for scripts."""

FUNCTIONS = (*_ARGUMENTS, FORMS)
"""All functions that name a message."""


class _Message(NamedTuple):
    """A message in a template. `texts` are its singular and plural; `number` decides which of them it is."""

    context: str
    texts: tuple[str, ...]
    number: nodes.Expr | None
    values: Mapping[str, nodes.Expr]


class _Form(NamedTuple):
    """A form of a message: its parts, and the expression that says whether it is used."""

    test: nodes.Expr
    parts: list[nodes.Expr]


def parser(**options: Any) -> jinja2.Environment:
    """An environment that reads templates with messages."""
    environment = jinja2.Environment(**SYNTAX, **options)
    environment.newstyle_gettext = True  # type: ignore[attr-defined]
    environment.policies |= POLICIES
    return environment


def fold(tree: nodes.Template, environment: jinja2.Environment, locale: Locale) -> nodes.Template:
    """A parsed template in which the messages are replaced by their phrases."""
    folded: nodes.Template = _Folding(locale).visit(tree)
    folded.set_environment(environment)
    return folded


_LEAVES = (nodes.TemplateData, nodes.Name, nodes.Const)


class _Folding:
    """Replaces messages in a tree. Jinja's NodeTransformer would take three times as long, a tenth of the compilation."""

    def __init__(self, locale: Locale) -> None:
        self._locale = locale

    def visit(self, node: nodes.Node) -> Any:
        """What takes the place of a node: a node, or a list of statements."""
        if type(node) in _LEAVES:
            return node
        if isinstance(node, nodes.Output):
            return self._output(node)
        return self._call(node) if isinstance(node, nodes.Call) else self._within(node)

    def _within(self, node: nodes.Node) -> nodes.Node:
        """A node in whose parts the messages are replaced."""
        for field in node.fields:
            value = getattr(node, field)
            if isinstance(value, nodes.Node):
                setattr(node, field, self.visit(value))
            elif type(value) is list and value and isinstance(value[0], nodes.Node):
                found = map(self.visit, value)
                value[:] = [part for each in found for part in (each if type(each) is list else (each,))]
        return node

    def _output(self, node: nodes.Output) -> list[nodes.Node]:
        """Replaces messages that are written where they stand. Forms become branches, which cost less than values."""
        out: list[nodes.Node] = []
        line: list[nodes.Expr] = []
        for child in node.nodes:
            message = self._message(child)
            if message is None:
                line.append(self.visit(child))
                continue
            *others, last = self._forms(message, nodes.TemplateData)
            if not others:
                line += last.parts
                continue
            branches: list[nodes.Node] = [nodes.Output(last.parts, lineno=node.lineno)]
            for form in reversed(others):
                branches = [nodes.If(form.test, [nodes.Output(form.parts, lineno=node.lineno)], [], branches)]
            out += [nodes.Output(line, lineno=node.lineno), *branches] if line else branches
            line = []
        if line or not out:
            out.append(nodes.Output(line, lineno=node.lineno))
        return out

    def _call(self, node: nodes.Call) -> nodes.Node:
        """Replaces a message that is part of an expression."""
        message = self._message(node)
        if message is None:
            texts = [arg.value for arg in node.args if isinstance(arg, nodes.Const)]
            if isinstance(node.node, nodes.Name) and node.node.name == FORMS and len(texts) == 2:
                forms = self._locale.plural_forms(*texts).items()
                return nodes.Dict([nodes.Pair(nodes.Const(name), nodes.Const(text)) for name, text in forms])
            return self._within(node)
        *others, last = self._forms(message, nodes.Const)
        value = _joined(last.parts)
        for form in reversed(others):
            value = nodes.CondExpr(form.test, _joined(form.parts), value)
        return value

    def _message(self, node: nodes.Node) -> _Message | None:
        """The message of a call; None if it is another call, or if its message is known only when rendering."""
        if not (isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name)) or node.dyn_args or node.dyn_kwargs:
            return None
        name, args = node.node.name, list(node.args)
        if len(args) != _ARGUMENTS.get(name):
            return None
        number = args.pop() if name.startswith("n") else None
        texts = [arg.value for arg in args if isinstance(arg, nodes.Const) and isinstance(arg.value, str)]
        if len(texts) < len(args):
            return None
        context = texts.pop(0) if "pgettext" in name else ""
        values = {keyword.key: self.visit(keyword.value) for keyword in node.kwargs}
        return _Message(context, tuple(texts), self.visit(number) if number else None, values)

    def _forms(self, message: _Message, text: type[nodes.TemplateData | nodes.Const]) -> list[_Form]:
        """The forms of a message. `text` is the node for what the template says itself."""
        phrase, number = self._locale.phrase(message.texts[0], message.context), message.number
        values = message.values
        if number:
            # The language decides how the number is written.
            written = (
                number if is_english(self._locale.language) else nodes.Filter(number, "number", [], [], None, None)
            )
            values = {"num": written} | {name: written if value == number else value for name, value in values.items()}
        texts = phrase.forms if phrase else message.texts
        forms = []
        for at, form in enumerate(texts if number else texts[:1]):
            test: nodes.Expr = nodes.Const(True)
            if number and phrase:
                place = nodes.Filter(
                    number, "form_of", [nodes.Const(phrase.plural), nodes.Const(len(phrase.forms))], [], None, None
                )
                test = nodes.Compare(place, [nodes.Operand("eq", nodes.Const(at))])
            elif number:
                test = nodes.Compare(number, [nodes.Operand("eq", nodes.Const(1))])
            literal = nodes.Const if phrase else text
            parts = [
                values.get(part, nodes.Const(f"%({part})s")) if is_name else literal(part)
                for is_name, part in pieces(form)
            ]
            forms.append(_Form(test, parts))
        return forms


def _joined(parts: list[nodes.Expr]) -> nodes.Expr:
    return parts[0] if len(parts) == 1 and isinstance(parts[0], nodes.Const) else nodes.Concat(parts)


def functions(locale: Locale) -> dict[str, Callable[..., Any]]:
    """The functions for messages that are known only when rendering, by name."""

    def calling(find: Callable[..., str]) -> Callable[..., str]:
        @jinja2.pass_eval_context
        def call(context: EvalContext, *args: Any, **values: Any) -> str:
            text = find(*args)
            return Markup.escape(text) % values if context.autoescape else text % values

        return call

    def gettext(message: str) -> str:
        return locale.text("", message)

    def ngettext(message: str, plural: str, number: int) -> str:
        return locale.text("", message, plural, number)

    found: dict[str, Callable[..., str]]
    found = {"_": gettext, "gettext": gettext, "ngettext": ngettext, "pgettext": locale.text, "npgettext": locale.text}
    return {FORMS: locale.plural_forms, **{name: calling(function) for name, function in found.items()}}
