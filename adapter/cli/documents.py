"""mtm-adapter documents KIND: the papers of the program as PDF (and HTML), for one member or for all."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from adapter.cli.options import config_of, connection_options, today
from adapter.errors import EXIT_OK, ConfigError, SourceError
from adapter.jobs import papers

REASONS_SHOWN = 10
ABOUT = {
    "invitation": "Letter: enrolled in MTM, automatically and free, and how to leave.",
    "summary": "Summary of a CMR: cover letter, Recommended To-Do List, Medication List, safe disposal with --sites.",
    "to-do": "Recommended To-Do List by itself.",
    "pml": "Medication List by itself.",
    "safe-disposal": "Information on safe disposal; needs --sites.",
    "prescriber-fax": "Fax with the open recommendations to the prescriber.",
}
FILE = click.Path(path_type=Path, dir_okay=False)


@click.group("documents")
def documents_group() -> None:
    """Make the papers that members and prescribers receive: tagged PDF (PDF/UA-1), and HTML with --html."""


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(
        (
            click.argument("source", default=""),
            click.argument("beneficiary", default=""),
            click.option(
                "--plan", required=True, type=FILE, help="TOML file of the plan: name, logo, phones, hours ..."
            ),
            click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder."),
            click.option(
                "--language",
                type=click.Choice([*papers.IN_LANGUAGES, papers.MEMBER]),
                default=papers.MEMBER,
                show_default=True,
                help="Language; by default the one that the member prefers, else English.",
            ),
            click.option("--large-print", is_flag=True, help="18 points and up."),
            click.option("--html", is_flag=True, help="The same as one accessible HTML file beside each PDF."),
            click.option("--date", "on", type=click.DateTime(["%Y-%m-%d"]), help="Day on the paper; default today."),
            click.option("--sites", type=FILE, help="CSV of take-back sites by beneficiary or ZIP code."),
            click.option("--form", type=FILE, help="JSON form of one member, in place of SOURCE and BENEFICIARY."),
            click.option("--batch", is_flag=True, help="All beneficiaries with an active enrollment at SOURCE."),
            click.option("--beneficiaries", type=FILE, help="File of Patient ids, one a line: a batch of these."),
            click.option(
                "--patients", default="", help="With --batch: only these persons of a server, a Patient search."
            ),
            click.option(
                "--workers", type=click.IntRange(1, 64), help="Papers set at once; default one for each core."
            ),
        )
    ):
        command = option(command)
    return connection_options(command)


def _command(kind: str) -> click.Command:
    def run(on: datetime | None, workers: int | None, form: Path | None, **values: Any) -> None:
        config = config_of(values)
        asked = {name: values.pop(name) for name in ("source", "beneficiary", "batch", "beneficiaries", "patients")}
        day = on.date() if on else today()
        printing = papers.Printing(kind=kind, on=day, workers=workers or 0, **values)
        _check(asked, form)
        if form:
            printed = papers.from_form(printing, form)
        elif asked["beneficiary"]:
            printed = papers.from_source(printing, asked["source"], config, asked["beneficiary"])
        else:
            printed = _batch(printing, config, asked)
        _tell(printed, printing, single=bool(form or asked["beneficiary"]))
        missing = asked["beneficiaries"] and printed.refused  # asked for by name
        click.get_current_context().exit(SourceError.exit_code if missing else EXIT_OK)

    told = f"{ABOUT[kind]} Needs SOURCE BENEFICIARY, SOURCE --batch or --form FILE."
    return click.command(name=kind, help=told)(_options(run))


def _check(asked: dict[str, Any], form: Path | None) -> None:
    """One way of saying for whom, and no other beside it."""
    ways = [bool(form), bool(asked["beneficiary"]), bool(asked["batch"]), bool(asked["beneficiaries"])]
    if sum(ways) != 1 or bool(form) == bool(asked["source"]):
        raise ConfigError(
            "Say for whom in one way: SOURCE BENEFICIARY, SOURCE --batch, SOURCE --beneficiaries FILE, or --form FILE"
        )


def _batch(printing: papers.Printing, config: Any, asked: dict[str, Any]) -> papers.Printed:
    wanted = papers.read_beneficiaries(asked["beneficiaries"]) if asked["beneficiaries"] else None
    with click.progressbar(length=1, label=f"Making {printing.kind}", file=sys.stderr) as bar:

        def told(done: int, whole: int) -> None:
            bar.length = whole
            bar.update(done - bar.pos)

        return papers.batch(printing, asked["source"], config, wanted, asked["patients"], told)


def _tell(printed: papers.Printed, printing: papers.Printing, single: bool) -> None:
    if single:
        for path in (*printed.made, *printed.kept):
            click.echo(path)
    else:
        click.echo(
            f"{printing.out}: {len(printed.made)} files made, {len(printed.kept)} were whole already,"
            f" {len(printed.refused)} persons without this paper"
        )
    for reason, count in Counter(one.reason for one in printed.refused).most_common(REASONS_SHOWN):
        click.echo(f"refused: {count}: {reason}", err=True)
    warn_of_paper(printed, "manifest.ndjson" if single else f"not-shown-{printing.kind}.csv")


def warn_of_paper(printed: papers.Printed, list_of_not_shown: str) -> None:
    """Tells what is to be known of papers beside that they were made: refused lines, missing sites, squares, unofficial wording."""
    if printed.rejected:
        click.echo(
            f"refused: {len(printed.rejected)} lines of the source, the first: {printed.rejected[0].sentence}", err=True
        )
    if printed.without_sites:
        click.echo(
            f"warning: {printed.without_sites} summaries hold no information on safe disposal, as no take-back sites are"
            " known (--sites); each enrollee must receive it once a year (42 CFR 423.153(d)(1)(vii)(E))",
            err=True,
        )
    if printed.not_shown:
        click.echo(
            f"warning: {len(printed.not_shown)} papers hold characters that the fonts cannot show"
            f" ({', '.join(printed.scripts)}), printed as squares: {list_of_not_shown} says which;"
            " add fonts that have them to the plan file (fonts)",
            err=True,
        )
    for language, count in printed.unofficial.items():
        click.echo(
            f"warning: the wording of {count} texts was not read in an official text"
            f" (mappings/documents/{language}.toml says which)",
            err=True,
        )
    for notice in printed.notices:
        click.echo(f"notice: {notice}", err=True)


@documents_group.command("blank-pml")
@click.option("--out", required=True, type=FILE, help="File to make: .pdf or .html.")
@click.option("--language", type=click.Choice(papers.IN_LANGUAGES), default="en", show_default=True, help="Language.")
@click.option("--large-print", is_flag=True, help="18 points and up.")
@click.option("--plan", type=FILE, help="TOML file of the plan, for its number of the material.")
def blank_command(out: Path, language: str, large_print: bool, plan: Path | None) -> None:
    """An empty Personal Medication List to fill in by hand, for download; needs no server."""
    click.echo(papers.blank(language, out, plan, large_print))


for one in papers.KINDS:
    documents_group.add_command(_command(one))
