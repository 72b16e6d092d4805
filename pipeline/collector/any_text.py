"""A part of a path that may hold any text: slashes, and line breaks too, which Starlette's own `path` passes over."""

from __future__ import annotations

from starlette.convertors import Convertor, register_url_convertor

NAME = "any_text"


class AnyText(Convertor[str]):
    """`/v1/customers/{customer_id:any_text}`: with `path`, ann%0A would be taken for ann."""

    regex = "(?s:.+)"

    def convert(self, value: str) -> str:
        """The text as it is."""
        return value

    def to_string(self, value: str) -> str:
        """The text as it is."""
        return value


register_url_convertor(NAME, AnyText())
