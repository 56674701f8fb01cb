"""Which facts about a file are not verified, in sentences for the console and the manifest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from adapter.reporting.form import Field, Layout
from adapter.reporting.rules import RULES

WORDS = {
    "kind": "kind of file",
    "line_end": "line end",
    "encoding": "encoding",
    "header": "header",
    "trailer": "trailer",
    "name": "file name",
    "delimiter": "delimiter",
    "quote": "quote",
}


def notices(layout: Layout) -> tuple[str, ...]:
    """Sentences that name what the file rests on that is unverified (U) or known from secondary texts only (P, P+).

    Empty when every fact of the layout is verified (V).
    """
    found = list(_sentences(layout))
    unfilled = [field for field in layout.fields if field.type != "filler" and field.name not in RULES]
    if unfilled:
        names = ", ".join(f"{field.element} ({field.name})" for field in unfilled)
        found.append(
            f"Not filled by this version: {names}; such a file is read and checked, and made with the type filler only"
        )
    if found:
        found.append(
            f"Before the file is sent, compare the layout {layout.name} with the HPMS memo of {layout.reporting_year} "
            f"and correct {layout.name}.toml, or a layout of your own that extends it"
        )
    return tuple(found)


def _sentences(layout: Layout) -> Iterator[str]:
    settings = [WORDS[name] for name, setting in layout.file.named() if setting.standing == "U"]
    if settings:
        yield f"Unverified: {', '.join(settings)}"
    for what, standing in _PARTS:
        if letters := _ranges(layout.fields, lambda field, of=standing: of(field) == "U"):  # type: ignore[misc]
            yield f"Unverified: {what} of the elements {letters}"
    secondary = _ranges(layout.fields, _is_secondary)
    if secondary:
        yield f"From secondary texts only: the elements {secondary}"


_PARTS: tuple[tuple[str, Callable[[Field], str]], ...] = (
    ("letter and position", lambda field: field.position_standing),
    ("meaning or codes", lambda field: field.standing),
)


def _is_secondary(field: Field) -> bool:
    return field.standing in ("P", "P+") or field.position_standing in ("P", "P+")


def _ranges(fields: Sequence[Field], wanted: Callable[[Field], bool]) -> str:
    """The letters of the wanted fields, neighbors drawn together: "A, F to Z"."""
    runs: list[list[str]] = []
    before = False
    for field in fields:
        now = wanted(field)
        if now and before:
            runs[-1].append(field.element)
        elif now:
            runs.append([field.element])
        before = now
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(run) for run in runs)
