"""JSON into a form, piece by piece: a value that does not fit is left out and named, all others are read.

Knows forms in general and no field in particular. What does not fit is a `Fault` with the path of the field.
"""

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

import msgspec
from msgspec import inspect

from l7lb.translator.serviceconfig_form import ALIASES, Part

P = TypeVar("P", bound=Part)

FAULTS_MAX: Final = 20
"""So many are named for one object."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One value that is left out."""

    path: str
    what: str
    """What it must be, such as `must be 2 to 60`."""
    serious: bool = True
    """False: nothing that is asked for is missing because of it (a key that nobody knows)."""


@dataclass(slots=True)
class Reader:
    """Reads one object."""

    faults: list[Fault] = field(default_factory=list)

    def read(self, kind: type[P], value: object, path: str) -> P | None:
        """The form as far as `value` fits it; None when it is none, or lacks what names it."""
        found = self._struct(_structure(kind), value, path)
        return found if isinstance(found, kind) else None

    def _struct(self, form: inspect.StructType, value: object, path: str) -> object:
        if not isinstance(value, dict):
            return self._leave_out(path, "must be an object")
        said = self._known(form, value, path)
        values: dict[str, object] = {}
        for one in form.fields:
            given = said.get(one.encode_name)
            read = None if given is None else self._value(_plain(one.type), given, f"{path}.{one.encode_name}")
            if read is None and one.required:
                if given is None:
                    self.faults.append(Fault(f"{path}.{one.encode_name}", "is missing"))
                return None
            values[one.name] = read
        return form.cls(**values)

    def _known(self, form: inspect.StructType, value: Mapping[object, object], path: str) -> dict[str, object]:
        names = {one.encode_name for one in form.fields}
        said: dict[str, object] = {}
        for key, given in value.items():
            name = str(key)
            meant = name if name in names else ALIASES.get(name, name)
            if meant not in names:
                self.faults.append(Fault(f"{path}.{_cut(name)}", "is not known", serious=False))
            elif given is not None and (name == meant or meant not in value):
                said[meant] = given
        return said

    def _value(self, form: inspect.Type, value: object, path: str) -> object:
        match form:
            case inspect.StructType():
                return self._struct(form, value, path)
            case inspect.VarTupleType():
                return self._entries(form, value, path)
            case _:
                why = unfit(form, value)
                return value if why is None else self._leave_out(path, why)

    def _entries(self, form: inspect.VarTupleType, value: object, path: str) -> object:
        if not isinstance(value, list):
            return self._leave_out(path, "must be a list")
        kind = _plain(form.item_type)
        read = (self._value(kind, entry, f"{path}[{index}]") for index, entry in enumerate(value))
        return tuple(entry for entry in read if entry is not None)

    def _leave_out(self, path: str, what: str) -> object:
        self.faults.append(Fault(path, what))
        return None


def unfit(form: inspect.Type, value: object) -> str | None:
    """Why a single value does not fit, in words for its author; None: it does."""
    match form:
        case inspect.BoolType():
            return None if isinstance(value, bool) else "must be true or false"
        case inspect.LiteralType(values=allowed):
            fits = any(value == one and type(value) is type(one) for one in allowed)
            return None if fits else f"must be {' or '.join(str(one) for one in allowed)}"
        case inspect.IntType(ge=least, le=most):
            fits = isinstance(value, int) and not isinstance(value, bool) and (least or 0) <= value <= (most or value)
            return None if fits else f"must be {least} to {most}"
        case inspect.StrType(min_length=least, max_length=most, pattern=pattern):
            fits = isinstance(value, str) and (least or 0) <= len(value) <= (most or len(value))
            if not fits:
                return f"must be a text of {least or 0} to {most} characters"
            return None if pattern is None or re.search(pattern, str(value), re.ASCII) else f"must fit {pattern}"
        case _:
            raise TypeError(f"a form of {form}")


def decoded(spec: msgspec.Raw) -> object:
    """The JSON of a spec; None when it is none."""
    try:
        return msgspec.json.decode(spec)
    except (msgspec.MsgspecError, RecursionError):
        return None


def fields_of(kind: type[Part]) -> Iterator[tuple[inspect.Field, inspect.Type, str]]:
    """Each field of a form with its plain type and its description: what a definition is made of."""
    for one in _structure(kind).fields:
        yield one, _plain(one.type), _description(one.type)


@functools.cache
def _structure(kind: type[Part]) -> inspect.StructType:
    form = inspect.type_info(kind)
    if not isinstance(form, inspect.StructType):
        raise TypeError(f"{kind} is no form")
    return form


def _plain(form: inspect.Type) -> inspect.Type:
    """Without what is said about it, and without None."""
    match form:
        case inspect.Metadata(type=inner):
            return _plain(inner)
        case inspect.UnionType(types=types):
            return _plain(next(one for one in types if not isinstance(one, inspect.NoneType)))
        case _:
            return form


def _description(form: inspect.Type) -> str:
    match form:
        case inspect.Metadata(extra_json_schema=extra):
            return str((extra or {}).get("description", ""))
        case inspect.UnionType(types=types):
            return next(filter(None, map(_description, types)), "")
        case _:
            return ""


def _cut(name: str) -> str:
    shown = name.encode("ascii", "backslashreplace").decode("ascii").replace("\n", "\\n")
    return shown if len(shown) <= 40 else shown[:40] + "..."
