"""summary.html: one file of a contract for a person to look at before it is sent. One page, nothing loaded from elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from html import escape

from adapter import __version__
from adapter.outputs.chart import Bars, bars
from adapter.reporting.checks_files import percent
from adapter.reporting.contract_file import ContractFile
from adapter.reporting.finding import ORDER, Finding
from adapter.reporting.form import Layout
from adapter.reporting.national import National
from adapter.reporting.rates import Rate

STYLE = """
:root { color-scheme: light }
body { font: 16px/1.5 system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; color: #1b1f24; background: #fff;
  max-width: 60rem; margin: 0 auto; padding: 1rem }
h1 { font-size: 1.6rem } h2 { font-size: 1.2rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% } caption { text-align: left; padding: .3rem 0; color: #424a53 }
th, td { border-bottom: 1px solid #d0d7de; padding: .35rem .6rem; text-align: left; vertical-align: top }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
dt { font-weight: 600 } dd { margin: 0 0 .5rem; overflow-wrap: anywhere }
svg { max-width: 100%; height: auto }
.error { font-weight: 700; color: #a40e26 } .warning { font-weight: 700; color: #7a4b00 } .good { color: #116329 }
.verdict { border-left: .4rem solid; padding: .4rem .8rem; background: #f6f8fa }
@media print { body { max-width: none } tr { break-inside: avoid } }
"""


@dataclass(frozen=True)
class About:
    """What the summary says of the file beside its own contents."""

    contract: str
    year: int
    layout: Layout
    national: National
    last_year: Mapping[str, Rate] | None = None


def summary(made: ContractFile, about: About) -> bytes:
    """The page: counts, rates beside last year's and the national figures, CMR status as a picture, findings, standing."""
    title = f"MTM file of {about.contract}, contract year {about.year}"
    parts = [
        f"<h1>{escape(title)}</h1>",
        _verdict(made.findings),
        _facts(made, about),
        "<h2>CMR status</h2>",
        _picture(made, about),
        "<h2>Rates</h2>",
        _rates(made, about),
        "<h2>Findings</h2>",
        _findings(made.findings, about.layout),
        "<h2>Codes in the file</h2>",
        _codes(made),
        "<h2>What is not verified</h2>",
        _list(made.unverified) if made.unverified else "<p>Every fact of the layout is verified.</p>",
    ]
    head = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
    )
    return (head + "\n".join(parts) + "\n</main>\n</body>\n</html>\n").encode()


def _verdict(findings: Sequence[Finding]) -> str:
    """What a person does next."""
    errors, others = (sum(one.severity == kind for one in findings) for kind in ("error", "warning"))
    if errors:
        return f'<p class="verdict error">Do not send this file: {_many(errors, "error")}. It was made with --allow-errors.</p>'
    if others:
        return f'<p class="verdict warning">No errors. Look at {_many(others, "warning")} below before this file is sent.</p>'
    return '<p class="verdict good">No errors and no warnings.</p>'


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def _facts(made: ContractFile, about: About) -> str:
    counted = Counter(finding.severity for finding in made.findings)
    facts = {
        "Beneficiaries": f"{made.rows:,}",
        "File": f"{made.name}, {len(made.data):,} bytes, SHA-256 {sha256(made.data).hexdigest()}",
        "Layout": f"{about.layout.title} ({about.layout.name}, version {about.layout.version}, standing {about.layout.standing})",
        "Findings": ", ".join(_many(counted[severity], severity) for severity in ORDER),
        "Made by": f"mtm-adapter {__version__}",
    }
    return "<dl>\n" + "\n".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in facts.items()) + "\n</dl>"


def _picture(made: ContractFile, about: About) -> str:
    offered, received = (made.rates[name].count if name in made.rates else 0 for name in ("offered", "received"))
    status = {
        "Received": received,
        "Offered, not received": max(offered - received, 0),
        "Not offered": max(made.rows - max(offered, received), 0),
    }
    told = ", ".join(f"{label.lower()} {count:,}" for label, count in status.items())
    return bars(
        f"CMR status of the beneficiaries of {about.contract}, {about.year}",
        f"Horizontal bars: {told}",
        Bars(
            f"Of {made.rows:,} {'beneficiary' if made.rows == 1 else 'beneficiaries'}",
            {label: (count,) for label, count in status.items()},
        ),
        made.rows,
    )


def _rates(made: ContractFile, about: About) -> str:
    before = about.last_year
    heads = ["Rate", "Count", "Share", *([f"{about.year - 1}"] if before is not None else []), "National figure"]
    rows, sources = [], []
    for name, rate in made.rates.items():
        figure = about.national.latest(name)
        if figure:
            sources.append(f"{rate.title}, {figure.year}: {figure.source} (standing {figure.standing})")
        old = [_share(before.get(name))] if before is not None else []
        rows.append(
            [
                rate.title,
                f"{rate.count:,}",
                _share(rate),
                *old,
                f"{percent(figure.share)} in {figure.year}" if figure else "-",
            ]
        )
    table = _table("Of all beneficiaries in the file", heads, rows, numbers=range(1, len(heads)))
    return (
        f"{table}\n<p>National figures, where one was found: {_lowered(escape(about.national.note))}. They are context and no "
        f"target. Sources:</p>\n{_list(sources)}"
    )


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


def _codes(made: ContractFile) -> str:
    """How often each code stands in the file, to be held against what the plan knows."""
    rows = [
        [f"{one.element} {one.title}", one.code or "-", one.meaning, f"{one.count:,}", percent(one.count / made.rows)]
        for one in made.codes
    ]
    last = ""
    for row in rows:  # an element is named once
        row[0], last = ("" if row[0] == last else row[0]), row[0]
    heads = ["Element", "Code", "Meaning", "Count", "Share"]
    return _table("Of all beneficiaries in the file", heads, rows, numbers=(3, 4)) if rows else "<p>None.</p>"


def _share(rate: Rate | None) -> str:
    return "-" if rate is None or rate.share is None else percent(rate.share)


def _findings(findings: Sequence[Finding], layout: Layout) -> str:
    if not findings:
        return "<p>None.</p>"
    counted: Counter[tuple[str, str, str, str, str, str]] = Counter(
        (one.severity, one.element, one.rule, one.remedy, one.citation, one.standing) for one in findings
    )
    first: dict[tuple[str, str, str, str, str, str], int | None] = {}
    for one in findings:
        first.setdefault((one.severity, one.element, one.rule, one.remedy, one.citation, one.standing), one.row)
    titles = {field.element: f"{field.element} {field.title}" for field in layout.fields}
    order = sorted(counted, key=lambda key: (ORDER.index(key[0]), key[1], key[2]))
    rows = [
        [
            key[0],
            f"{counted[key]:,}",
            str(first[key] or "file"),
            titles.get(key[1], ""),
            f"{key[2]}; {key[3]}",
            f"{key[4]} ({key[5]})",
        ]
        for key in order
    ]
    heads = ["Severity", "How many", "First row", "Element", "Rule and remedy", "Citation (standing)"]
    return _table("Each row of findings.csv, drawn together", heads, rows, numbers=(1, 2))


def _table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: Iterable[int] = ()) -> str:
    numeric = set(numbers)
    head = "".join(f'<th scope="col"{_class(at, numeric)}>{escape(text)}</th>' for at, text in enumerate(heads))
    body = "\n".join(_row(row, numeric) for row in rows)
    return f"<table>\n<caption>{escape(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"


def _row(cells: Sequence[str], numeric: set[int]) -> str:
    severity = f' class="{cells[0]}"' if cells[0] in ORDER else ""
    first = f'<th scope="row"{severity}>{escape(cells[0])}</th>'
    rest = "".join(f"<td{_class(at, numeric)}>{escape(text)}</td>" for at, text in enumerate(cells) if at)
    return f"<tr>{first}{rest}</tr>"


def _class(at: int, numeric: set[int]) -> str:
    return ' class="n"' if at in numeric else ""


def _list(items: Iterable[str]) -> str:
    return "<ul>\n" + "\n".join(f"<li>{escape(item)}</li>" for item in items) + "\n</ul>"
