"""JSON that does not damage money: numbers with a point are read as Decimal and written back digit by digit.

FHIR decimals carry their precision ("1.10" is not "1.1", https://hl7.org/fhir/R4/datatypes.html#decimal), and a float
sum of prices differs from run to run. Every reader and writer of FHIR JSON in the adapter uses this module.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

import msgspec

Resource = dict[str, Any]

_BOM = b"\xef\xbb\xbf"  # some servers on .NET send one
_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


def loads(text: str | bytes) -> Any:
    """The value of a JSON text, with every number that has a point or an exponent as Decimal.

    Raises ValueError (position only, never the content) when the text is not JSON.
    """
    try:
        raw = text.encode() if isinstance(text, str) else text
        return _decoder.decode(raw.removeprefix(_BOM))
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as fault:  # the cause may quote the text
        raise ValueError(f"not JSON: {type(fault).__name__}{_position(fault)}") from None


def dumps(value: Any) -> str:
    """The JSON text of a value: keys in their own order, characters unescaped, Decimals exact."""
    return dump_bytes(value).decode()


def dump_bytes(value: Any) -> bytes:
    """The same as dumps(), as UTF-8."""
    return _encoder.encode(value)


def dump_line(resource: Resource) -> bytes:
    """One NDJSON line with its line feed; JSON escapes line feeds in strings, so a line is a resource."""
    return dump_bytes(resource) + b"\n"


def dump_lines(resources: Iterable[Resource]) -> Iterator[bytes]:
    """One NDJSON line per resource."""
    return map(dump_line, resources)


def _position(fault: BaseException) -> str:
    """The "(byte 17)" part of msgspec's message, which names a place and quotes nothing."""
    _, found, rest = str(fault).rpartition("(byte ")
    return f" (byte {rest}" if found else ""
