"""Finds untrusted text on its way into Streamlit calls that render Markdown, over the syntax tree.

Streamlit renders Markdown, and with it remote images, in labels, tooltips, messages and options. What a
reporter wrote may therefore reach those calls only through `ui.hostile.plain`. A text counts as our own
when it is made of

- literals, constants (UPPER_CASE names), our enums, and what is looked up in them;
- f-strings whose every gap is such a text, `plain()`, or a number: `len()`, `int()`, `round()`, or a format
  that a string would refuse (`{n:,}`, `{share:.0%}`, `{day:%d %b}`);
- results of our functions declared `-> LiteralString`, whose returns are checked in the same way;
- parameters declared `LiteralString`, whose arguments are checked at every call.

It reads one file at a time and refuses when in doubt: wrap the text in `plain()`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

_LABELLED = (
    "audio_input", "badge", "button", "camera_input", "checkbox", "color_picker", "date_input",
    "datetime_input", "download_button", "expander", "file_uploader", "form_submit_button", "link_button",
    "multiselect", "number_input", "popover", "selectbox", "slider", "status", "text_area", "text_input",
    "time_input", "toggle",
    "ButtonColumn", "CheckboxColumn", "Column", "DateColumn", "DatetimeColumn", "ListColumn", "NumberColumn",
    "ProgressColumn", "SelectboxColumn", "TextColumn",
)  # fmt: skip
_WITH_OPTIONS = ("menu_button", "pills", "radio", "segmented_control", "select_slider")
_TEXTS = (
    "caption",
    "error",
    "header",
    "info",
    "markdown",
    "subheader",
    "success",
    "title",
    "toast",
    "warning",
)

# Streamlit call -> its leading parameters; those named "_" do not render Markdown.
RENDERS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_LABELLED, ("label",)),
    **dict.fromkeys(_WITH_OPTIONS, ("label", "options")),
    **dict.fromkeys(_TEXTS, ("body",)),
    "Page": ("_", "title"),
    "dialog": ("title",),
    "image": ("_", "caption"),
    "metric": ("label", "value", "delta"),
    "navigation": ("pages",),
    "page_link": ("_", "label"),
    "progress": ("_", "text"),
    "spinner": ("text",),
    "tabs": ("tabs",),
    "text": ("_",),
}
# Rendered as Markdown whatever the call.
ALWAYS = {"captions", "delta_description", "help", "title"}
# These render whatever they are given, or load what it names; there is always a narrower call.
FORBIDDEN = {
    "exception", "html", "iframe", "ImageColumn", "latex", "LinkColumn", "logo", "MarkdownColumn", "table",
    "write", "write_stream",
}  # fmt: skip

# Of Streamlit, but no element: what declares the files of a component, and what tells how a run came about.
NOT_RENDERING = {"streamlit.components.v2.manifest_scanner", "streamlit.runtime.scriptrunner"}
NUMBERS = {"abs", "float", "int", "len", "round", "sum"}
HARMLESS = {"dict", "enumerate", "list", "range", "reversed", "sorted", "tuple", "zip"}
MUTATORS = {"add", "append", "extend", "insert", "setdefault", "update"}
METHODS = {"capitalize", "items", "join", "keys", "lower", "replace", "title", "upper", "values"}
NUMERIC_FORMAT = re.compile(r"[+ ]?0?\d*,?(\.\d+)?[defgn%]|[+ ]?\d*,|%[A-Za-z].*")
OUR_NAME = re.compile(r"_?[A-Z]\w*")  # CONSTANT or Enum, by the naming rules of the house

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(slots=True)
class Signatures:
    """The project's functions that promise a literal text or ask for one, by bare name."""

    returning: set[str] = field(default_factory=set)
    asking: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    @classmethod
    def of(cls, trees: Iterable[ast.Module]) -> Signatures:
        found, others = cls(), set()
        for function in (node for tree in trees for node in ast.walk(tree) if isinstance(node, Function)):
            (found.returning if _is_literal_string(function.returns) else others).add(function.name)
            arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
            for position, argument in enumerate(arguments):
                if _is_literal_string(argument.annotation):
                    found.asking.setdefault(function.name, []).append((position, argument.arg))
        found.returning -= others
        return found


def _is_literal_string(annotation: ast.expr | None) -> bool:
    return annotation is not None and "LiteralString" in ast.unparse(annotation)


def untrusted(tree: ast.Module, signatures: Signatures) -> list[str]:
    """What breaks the rule in one file of pages or ui, as "line: why", in order; empty when nothing does."""
    return [f"{line}: {why}" for line, why in sorted(_Scope(tree, None, signatures).findings())]


def unnamed(tree: ast.Module, drawing: Iterable[str]) -> list[str]:
    """The calls of one file to these methods of Streamlit that give no words to who cannot see, as "line: why"."""
    return [
        f"{call.lineno}: {_called_name(call)}() has no alt="
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in drawing
        and not any(keyword.arg == "alt" and not _is_empty(keyword.value) for keyword in call.keywords)
    ]  # fmt: skip


def _is_empty(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and not value.value


class _Scope:
    """One module or function: the names bound in it, and the calls that it makes."""

    def __init__(
        self, owner: ast.Module | Function | ast.Lambda, outer: _Scope | None, known: Signatures
    ) -> None:
        self.owner, self.outer, self.known = owner, outer, known
        self.bound: dict[str, list[ast.expr | None]] = {}
        self.trusted: set[str] = set()
        self.modules: set[str] = set()
        self.resolving: set[str] = set()
        if not isinstance(owner, ast.Module):
            self._take_parameters(owner.args)
        self.nodes = list(_own_nodes(owner))
        for node in self.nodes:
            self._take_binding(node)

    def _take_parameters(self, arguments: ast.arguments) -> None:
        for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]:
            if _is_literal_string(argument.annotation):
                self.trusted.add(argument.arg)
            else:
                self.bound[argument.arg] = [None]
        for rest in (arguments.vararg, arguments.kwarg):
            if rest is not None:
                self.bound[rest.arg] = [None]
        if isinstance(self.owner, ast.Lambda) and self.outer is not None:
            # `lambda level, labels=labels: ...` only keeps a value of the loop: Streamlit passes one argument.
            kept = arguments.args[max(1, len(arguments.args) - len(arguments.defaults)) :]
            for argument, value in zip(reversed(kept), reversed(arguments.defaults), strict=False):
                if self.outer.is_ours(value):
                    self.trusted.add(argument.arg)

    def _take_binding(self, node: ast.AST) -> None:
        match node:
            case ast.Assign(targets=targets, value=value):
                pairs = [(target, value) for target in targets]
            case (
                ast.AnnAssign(target=target, value=ast.expr() as value)
                | ast.AugAssign(target=target, value=value)
            ):
                pairs = [(target, value)]
            case ast.NamedExpr(target=target, value=value):
                pairs = [(target, value)]
            case ast.For(target=target, iter=value) | ast.comprehension(target=target, iter=value):
                pairs = [(target, value)]
            case ast.withitem(optional_vars=ast.expr() as target):
                pairs = [(target, None)]
            case ast.ExceptHandler(name=str(name)):
                pairs = [(ast.Name(name), None)]
            case ast.Call(func=ast.Attribute(value=target, attr=name), args=values) if name in MUTATORS:
                pairs = [(target, value) for value in values]
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                self.modules.update(alias.asname or alias.name for alias in names)
                return
            case _:
                return
        for target, value in pairs:
            for name in ast.walk(target):
                if isinstance(name, ast.Name):
                    self.bound.setdefault(name.id, []).append(value)

    def findings(self) -> Iterator[tuple[int, str]]:
        called = {id(node.func) for node in self.nodes if isinstance(node, ast.Call)}
        for node in self.nodes:
            match node:
                case ast.Call():
                    yield from self._check_call(node)
                case ast.Import() | ast.ImportFrom() if _hides_streamlit(node):
                    yield node.lineno, "write `import streamlit as st`, so that its calls can be recognised"
                case ast.Attribute(value=ast.Name(id="st"), attr=name) if (
                    name in {*RENDERS, *FORBIDDEN} and id(node) not in called
                ):
                    yield node.lineno, f"st.{name} under another name cannot be checked"
                case ast.Return(value=ast.expr() as value) if (
                    isinstance(self.owner, Function)
                    and _is_literal_string(self.owner.returns)
                    and not self.is_ours(value)
                ):
                    yield (
                        node.lineno,
                        f"{self.owner.name} promises a literal and returns {ast.unparse(value)}",
                    )
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                    yield from _Scope(node, self, self.known).findings()

    def _check_call(self, call: ast.Call) -> Iterator[tuple[int, str]]:
        name = _called_name(call)
        keywords = {keyword.arg: keyword.value for keyword in call.keywords}
        if name == "getattr" and call.args and ast.unparse(call.args[0]) == "st":
            yield call.lineno, "getattr(st, ...) cannot be checked"
        if "unsafe_allow_html" in keywords:
            yield call.lineno, "unsafe_allow_html lets a text run as HTML"
        on_streamlit = isinstance(call.func, ast.Attribute) and not self._is_other_module(call.func)
        if name in FORBIDDEN and on_streamlit:
            yield call.lineno, f"{name}() renders whatever it is given"
        elif name in RENDERS and on_streamlit:
            yield from self._check_texts(call, RENDERS[name], keywords)
        elif name in self.known.asking:
            for position, parameter in self.known.asking[name]:
                value = call.args[position] if position < len(call.args) else keywords.get(parameter)
                if value is not None and not self.is_ours(value):
                    yield (
                        value.lineno,
                        f"{name}({parameter}=) asks for a literal and gets {ast.unparse(value)}",
                    )

    def _is_other_module(self, function: ast.Attribute) -> bool:
        """True for `queries.status`: a function of an imported module, and not of a Streamlit container."""
        match function.value:
            case ast.Name(id=name) if name != "st":
                return name in self.modules or (
                    self.outer is not None and self.outer._is_other_module(function)
                )
        return False

    def _check_texts(
        self, call: ast.Call, leading: Sequence[str], keywords: dict[str | None, ast.expr]
    ) -> Iterator[tuple[int, str]]:
        if None in keywords or any(isinstance(argument, ast.Starred) for argument in call.args):
            yield call.lineno, f"{_called_name(call)}(*...) hides what it renders"
        rendered = {*leading, *ALWAYS} - {"_"}
        given = dict(zip(leading, call.args, strict=False)) | keywords
        if "options" in rendered and "format_func" in given:  # it alone decides what an option shows
            rendered = rendered - {"options"} | {"format_func"}
        for parameter, value in given.items():
            if parameter in rendered and not self.is_ours(value):
                yield value.lineno, f"{_called_name(call)}({parameter}=) renders {ast.unparse(value)}"

    def is_ours(self, value: ast.expr) -> bool:
        """True when `value` can only be a text of the project's own, or a number."""
        match value:
            case ast.Constant():
                return True
            case ast.JoinedStr(values=parts):
                return all(map(self.is_ours, parts))
            case ast.FormattedValue(
                value=inner, conversion=-1, format_spec=ast.JoinedStr(values=[ast.Constant() as spec])
            ):
                return bool(NUMERIC_FORMAT.fullmatch(str(spec.value))) or self.is_ours(inner)
            case ast.FormattedValue(value=inner) | ast.Starred(value=inner) | ast.NamedExpr(value=inner):
                return self.is_ours(inner)
            case (
                ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts) | ast.BoolOp(values=parts)
            ):
                return all(map(self.is_ours, parts))
            case ast.Dict(keys=keys, values=values):
                return all(part is None or self.is_ours(part) for part in [*keys, *values])
            case ast.IfExp(body=one, orelse=other) | ast.BinOp(left=one, right=other):
                return self.is_ours(one) and self.is_ours(other)
            case ast.ListComp(elt=inner) | ast.GeneratorExp(elt=inner) | ast.Subscript(value=inner):
                return self.is_ours(inner)
            case ast.Lambda(body=inner):
                return _Scope(value, self, self.known).is_ours(inner)
            case ast.Attribute() if _is_door(value):
                return True
            case ast.Attribute(value=inner, attr=name):
                return bool(OUR_NAME.fullmatch(name)) or self.is_ours(inner)
            case ast.Name(id=name):
                return self._is_our_name(name)
            case ast.Call():
                return self._is_our_call(value)
        return False

    def _is_our_name(self, name: str) -> bool:
        if name in self.trusted or name in self.resolving:
            return True
        if name in self.bound:
            self.resolving.add(name)
            ours = all(value is not None and self.is_ours(value) for value in self.bound[name])
            self.resolving.remove(name)
            return ours
        if self.outer is not None:
            return self.outer._is_our_name(name)
        return name in {"plain", *self.known.returning} or bool(OUR_NAME.fullmatch(name))

    def _is_our_call(self, call: ast.Call) -> bool:
        name = _called_name(call)
        if name in NUMBERS or _is_door(call.func) or name in self.known.returning:
            return True
        if ast.unparse(call.func) == "st.Page":  # a value for st.navigation; its title is checked by itself
            return True
        arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
        if isinstance(call.func, ast.Attribute):
            return name in METHODS and all(map(self.is_ours, [call.func.value, *arguments]))
        return name in HARMLESS and all(map(self.is_ours, arguments))


def _called_name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _is_door(function: ast.expr) -> bool:
    return ast.unparse(function) in {"plain", "hostile.plain"}


def _hides_streamlit(node: ast.Import | ast.ImportFrom) -> bool:
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").split(".")[0] == "streamlit" and node.module not in NOT_RENDERING
    return any(alias.name.split(".")[0] == "streamlit" and alias.asname != "st" for alias in node.names)


def _own_nodes(owner: ast.AST) -> Iterator[ast.AST]:
    """Every node of a scope without what stands inside its inner functions; those themselves are included."""
    pending = list(owner.body) if isinstance(owner.body, list) else [owner.body]
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, Function):
            pending += node.decorator_list
        elif not isinstance(node, ast.Lambda):
            pending += ast.iter_child_nodes(node)
