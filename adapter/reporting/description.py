"""A record layout as lines of text, for a person to hold against the HPMS memo."""

from __future__ import annotations

from adapter.reporting.form import Field, Layout
from adapter.reporting.notice import WORDS, notices


def layout_lines(layout: Layout) -> list[str]:
    """The settings of the file, each element with its place, codes, conditions, citation and standing, and the notices."""
    kind = "delimited" if layout.delimited else f"{layout.record_length} bytes a record"
    lines = [
        f"{layout.name}: {layout.title}",
        f"  version {layout.version}, contract year {layout.reporting_year}, {kind}, standing {layout.standing}",
        f"  source: {layout.source}",
        "",
        "The file:",
    ]
    for name, setting in layout.file.named():
        note = f" ({setting.note})" if setting.note else ""
        lines.append(f"  {WORDS[name]}: {setting.value.encode('unicode_escape').decode()} [{setting.standing}]{note}")
    lines += ["", "The elements (standing of the element / of its letter and place):"]
    for number, field in enumerate(layout.fields, start=1):
        lines += _field(field, number, layout)
    return [*lines, "", *notices(layout)]


def _field(field: Field, number: int, layout: Layout) -> list[str]:
    place = f"column {number}" if layout.delimited else f"{field.start}-{field.end}"
    head = f"  {field.element:<3} {place:<9} {field.type:<8} {field.title} ({field.name}) [{field.standing}/{field.position_standing}]"
    lines = [head]
    told = [field.rule] if field.rule else []
    if field.required_when not in ("never", ""):
        told.append(f"required: {field.required_when}")
    if field.only_when != "always":
        told.append(f"only: {field.only_when}")
    lines += [f"        {'; '.join(told)}"] if told else []
    lines += [f"        {code} {meaning}" for code, meaning in field.values.items()]
    lines += [f"        note: {field.note}"] if field.note else []
    return [*lines, f"        {field.citation}"]
