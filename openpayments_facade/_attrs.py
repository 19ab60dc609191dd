"""`define` and `frozen` of attrs, with reprs that work before `__init__` is through, and what the SDK's values do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, get_args, get_type_hints

import attrs

from ._redaction import careful

if TYPE_CHECKING:
    from attrs import define as define
    from attrs import frozen as frozen
else:
    import functools

    # one for all: attrs would compile one for each class, and take as long for that as for the rest of a small one
    @careful
    def _repr(self):
        shown = [each for each in attrs.fields(type(self)) if each.repr]
        said = (f"{each.name}={(repr if each.repr is True else each.repr)(getattr(self, each.name))}" for each in shown)
        return f"{type(self).__qualname__.rpartition('>.')[2]}({', '.join(said)})"

    def _with_careful_repr(make):
        def decorate(cls=None, *, repr=True, **options):  # noqa: A002 - as attrs calls it
            if cls is None:
                return functools.partial(decorate, repr=repr, **options)
            made = make(cls, repr=False, **options)
            made.__repr__ = _repr if repr and "__repr__" not in vars(cls) else careful(made.__repr__)
            return made

        return decorate

    define, frozen = map(_with_careful_repr, (attrs.define, attrs.frozen))


class Value:
    """What a value of the SDK's own can do, as the models of the API can."""

    __slots__ = ()
    _derived: ClassVar[tuple[str, ...]] = ()
    """The properties that are worth telling a page."""
    _title: ClassVar[str] = ""
    """Its name in a description of an API, where a model has the same name as the class."""

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON can hold it, under the names that it has in Python; the repr hides some.

        Returns:
            A new dict. An absent value is None, a Decimal a text with its digits, a date one in ISO 8601, and a model
            its own `to_dict()`.
        """
        from decimal import Decimal

        from openpayments_client.reading import to_json  # loads httpx, which the command line's help does without

        def plain(value: Any) -> Any:
            if isinstance(value, Decimal):
                return str(value)
            return value.to_dict() if hasattr(value, "to_dict") else to_json(value)

        return {name: plain(getattr(self, name)) for name in (*_names(type(self)), *self._derived)}

    def to_json(self) -> str:
        """The same as a JSON text.

        Returns:
            One line, with sorted names. Characters other than ASCII are as they are.
        """
        from openpayments_client.reading import json_text

        return json_text(self.to_dict())

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from openpayments_client.schemas import schema

        given = get_args(source)
        kinds = dict(zip(getattr(cls, "__parameters__", ()), given, strict=False))
        hints = get_type_hints(cls)
        fields = {name: (_filled(hints[name], kinds), has_no_default) for name, has_no_default in _names(cls).items()}
        derived = {name: (get_type_hints(getattr(cls, name).fget)["return"], False) for name in cls._derived}
        return schema(cls, handler, fields | derived, title=cls._title, given=given)


def _names(cls: Any) -> dict[str, bool]:
    """The public fields of a class, and of each whether it has no default."""
    return {each.name: each.default is attrs.NOTHING for each in attrs.fields(cls) if not each.name.startswith("_")}


def _filled(hint: Any, kinds: dict[Any, Any]) -> Any:
    """A type with the arguments of its class in the place of its parameters."""
    if isinstance(hint, TypeVar):
        return kinds.get(hint, Any)
    parameters = getattr(hint, "__parameters__", ())
    return hint[tuple(kinds.get(each, Any) for each in parameters)] if parameters else hint
