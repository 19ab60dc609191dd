"""`define` and `frozen` of attrs, whose reprs also work before `__init__` is through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._redaction import careful

if TYPE_CHECKING:
    from attrs import define as define
    from attrs import frozen as frozen
else:
    import functools

    import attrs

    def _with_careful_repr(make):
        def decorate(cls=None, **options):
            if cls is None:
                return functools.partial(decorate, **options)
            made = make(cls, **options)
            made.__repr__ = careful(made.__repr__)
            return made

        return decorate

    define, frozen = map(_with_careful_repr, (attrs.define, attrs.frozen))
