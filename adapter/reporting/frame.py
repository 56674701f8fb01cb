"""What stands around the records of a file: its name, its header and its trailer, made from the templates of the layout.

A template is a line of text in which ``{contract}``, ``{year}`` and ``{count}`` (of the records) are filled in;
``{count:8}`` gives eight digits. ``none`` is no line, and ``names`` the names of the fields of a delimited file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from adapter.errors import ReportError
from adapter.reporting.form import Layout

_FILLING = re.compile(r"\{(\w*)(?::([^}]*))?\}")
_KNOWN = ("contract", "year", "count")
_LONGEST = {"contract": 5, "year": 4, "count": 9}


@dataclass(frozen=True)
class Frame:
    """What the templates are filled with."""

    contract: str
    year: int
    count: int


def file_name(layout: Layout, contract: str, year: int) -> str:
    """The name of the file of one contract, by the layout's pattern."""
    return layout.file.name.value.replace("{contract}", contract).replace("{year}", str(year))


def file_contract(layout: Layout, name: str) -> str:
    """The contract in the name of a file of the layout's year, or "" when the file is called otherwise."""
    pattern = re.escape(layout.file.name.value.replace("{year}", str(layout.reporting_year)))
    found = re.fullmatch(
        pattern.replace(r"\{contract\}", r"(?P<of>[HSRE][0-9]{4})", 1).replace(r"\{contract\}", "(?P=of)"), name
    )
    return found["of"] if found else ""


def line_of(layout: Layout, which: str, frame: Frame) -> str | None:
    """The ``header`` or ``trailer`` without its line end, or None when the layout has none; padded to a fixed width."""
    template = getattr(layout.file, which).value
    if template == "none":
        return None
    if template == "names":
        return layout.file.delimiter.value.join(field.name for field in layout.fields)
    line = _FILLING.sub(lambda found: _filled(found, frame), template)
    return line if layout.delimited else line.ljust(layout.record_length)


def _filled(found: re.Match[str], frame: Frame) -> str:
    value = str(getattr(frame, found[1]))
    return value.zfill(int(found[2])) if found[2] else value


def must_be(line: str, layout: Layout, which: str, count: int) -> None:
    """Raises ReportError when ``line`` is not the header or trailer that the template makes for ``count`` records."""
    template = getattr(layout.file, which).value
    if template == "names":
        good = line == line_of(layout, which, Frame("", 0, 0))
    else:
        found = re.fullmatch(_pattern(template), line.rstrip(" "))
        good = found is not None
        told = found.groupdict().get("count") if found else None
        if told is not None and int(told) != count:
            raise ReportError(
                f"the {which} of the file tells {int(told)} records, and {count} are there; get the file anew"
            )
    if not good:
        raise ReportError(
            f"the {which} of the file is not as the layout {layout.name} says; give the layout that the file was made by"
        )


def _pattern(template: str) -> str:
    """The template as a regular expression with the group ``count``."""
    parts, last, named = [], 0, False
    for found in _FILLING.finditer(template):
        parts.append(re.escape(template[last : found.start()]))
        if found[1] == "count" and not named:
            parts.append(r"(?P<count>[0-9]+)")
            named = True
        else:
            parts.append({"contract": "[A-Z0-9]{5}", "year": "[0-9]{4}", "count": "[0-9]+"}[found[1]])
        last = found.end()
    return "".join([*parts, re.escape(template[last:].rstrip(" "))])


def frame_faults(layout: Layout) -> Iterator[tuple[str, str]]:
    """What is wrong with the templates: the key, and a sentence with the remedy."""
    for which in ("header", "trailer"):
        template = getattr(layout.file, which).value
        if template == "names" and (which == "trailer" or not layout.delimited):
            yield (
                f"file.{which}",
                "only the header of a delimited file may be the names of the fields; write none or a line",
            )
            continue
        if not template.isascii() or not template.isprintable() or not template.strip():
            yield f"file.{which}", "the line must be printable ASCII; write none for no line"
        for name, digits in _FILLING.findall(template):
            if name not in _KNOWN or (digits and (name != "count" or not digits.isdigit())):
                told = f"{{{name}{':' + digits if digits else ''}}}"
                yield f"file.{which}", f"{told} is not known; use {{contract}}, {{year}}, {{count}} or {{count:8}}"
                break
        else:
            longest = len(_FILLING.sub(lambda found: "x" * (int(found[2] or 0) or _LONGEST[found[1]]), template))
            if not layout.delimited and longest > layout.record_length:
                yield f"file.{which}", f"the line may have {longest} bytes, more than the record; shorten it"
