"""mtm-adapter record KIND SOURCE BENEFICIARY: what happened to one beneficiary in the plan year, each contact recorded once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import click

from adapter.cli.options import config_of, connection_options, now, today
from adapter.jobs.record_event import record
from adapter.jobs.recording import Place, Recorded
from adapter.resources.service_codes import (
    CONTACT_METHODS,
    OFFER_ANSWERS,
    OPT_OUT_REASONS,
    PROVIDER_TYPES,
    RECIPIENTS,
    REVIEW_METHODS,
    YES_NO_UNKNOWN,
)

DAY = click.DateTime(["%Y-%m-%d"])
DONE = {
    "created": "Recorded",
    "changed": "Recorded, changing what stood",
    "unchanged": "Already recorded, nothing written",
}
Command = Callable[..., Any]


@click.group("record")
def record_group() -> None:
    """Record what happened to one beneficiary at SOURCE, a FHIR server or a folder: once, and refused when it is impossible."""


def _choice(words: Mapping[str, str]) -> click.Choice[str]:
    return click.Choice(list(words))


def _shared(dated: bool = True) -> Callable[[Command], Command]:
    """SOURCE, BENEFICIARY and the options that every record has."""
    options = [
        click.argument("source"),
        click.argument("beneficiary"),
        *([click.option("--on", "day", type=DAY, help="Day on which it happened; default today.")] if dated else []),
        click.option("--today", "current", type=DAY, help="The current day, if not that of the clock."),
        click.option("--json", "as_json", is_flag=True, help="Print what became of the record as JSON."),
    ]

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return connection_options(command)

    return decorate


CONTRACT = click.option("--contract", default="", help="CMS contract such as H1234, if the beneficiary is in several.")
FACTS = {
    "contact": click.option("--method", type=_choice(CONTACT_METHODS), help="Way of the contact."),
    "review": click.option("--method", type=_choice(REVIEW_METHODS), help="How it was delivered."),
    "provider": click.option("--provider", type=_choice(PROVIDER_TYPES), help="Type of provider who did it."),
    "recipient": click.option("--recipient", type=_choice(RECIPIENTS), help="With whom, or to whom."),
    "impaired": click.option(
        "--cognitively-impaired", type=_choice(YES_NO_UNKNOWN), help="Cognitively impaired at the time: Y, N or U."
    ),
    "ltc": click.option(
        "--ltc-facility", type=_choice(YES_NO_UNKNOWN), help="In a long-term care facility at the time: Y, N or U."
    ),
    "minutes": click.option("--minutes", type=int, help="How long it took."),
    "answer": click.option("--answer", type=_choice(OFFER_ANSWERS), help="What became of the offer."),
    "changed": click.option("--changed/--not-changed", default=None, help="Whether the drug therapy was changed."),
    "about": click.option("--about", default="", help="Reference of what it is about, such as Procedure/mtm-..."),
    "text": click.option("--text", default="", help="The words of it."),
}  # fmt: skip


def _service_command(name: str, told: str, *facts: str) -> click.Command:
    """The subcommand that records one kind of service with the options of these facts."""

    def run(**values: Any) -> None:
        _record(name, values)

    for option in reversed([*(FACTS[fact] for fact in facts), CONTRACT]):
        run = option(run)
    run = click.option("--note", default="", help="A remark, kept with the record.")(run)
    run = click.option("--performer", default="", help="Reference of the person who did it, such as Practitioner/1.")(
        run
    )
    run = click.option("--correct", is_flag=True, help="Replace facts that were recorded otherwise.")(run)
    return click.command(name, help=told)(_shared()(run))


def _place(values: dict[str, Any]) -> Place:
    current: datetime | None = values.pop("current")
    return Place(values.pop("source"), values.pop("beneficiary"), current.date() if current else today(), now())


def _record(kind: str, values: dict[str, Any], told_as: str = "") -> None:
    config, as_json, day = config_of(values), values.pop("as_json"), values.pop("day", None)
    place = _place(values)
    _tell(record(place, kind, values | {"on": day.date() if day else None}, config), told_as or kind, as_json)


def _tell(made: Recorded, name: str, as_json: bool) -> None:
    if as_json:
        told = {**vars(made), "day": made.day.isoformat() if made.day else None, "notices": list(made.notices)}
        click.echo(json.dumps(told, indent=2))
    else:
        when = f" of {made.day}" if made.day else ""
        click.echo(f"{DONE[made.what]}: {name}{when} in {made.contract}, {made.reference}")
        for notice in made.notices:
            click.echo(f"notice: {notice}", err=True)


SERVICE_COMMANDS = (
    ("invitation", "Record that the invitation letter went out.", "contact", "recipient", "provider"),
    (
        "cmr-offer", "Record an offer of the CMR, and its answer when there is one.",
        "contact", "recipient", "answer", "provider", "impaired", "ltc",
    ),
    (
        "cmr", "Record a Comprehensive Medication Review that was held.",
        "review", "provider", "recipient", "impaired", "ltc", "minutes",
    ),
    ("tmr", "Record a Targeted Medication Review that was held.", "review", "provider", "recipient", "minutes"),
    (
        "summary-sent", "Record that the written summary of a CMR was sent.",
        "contact", "recipient", "about", "provider",
    ),
    (
        "safe-disposal", "Record that information on the safe disposal of drugs was given.",
        "contact", "recipient", "about", "provider",
    ),
    (
        "recommendation", "Record a recommendation to a prescriber, in its words (--text).",
        "text", "contact", "recipient", "about", "provider",
    ),
    (
        "resolution", "Record what became of a recommendation.",
        "changed", "about", "text", "contact", "recipient", "provider",
    ),
)  # fmt: skip

for _name, _told, *_facts in SERVICE_COMMANDS:
    record_group.add_command(_service_command(_name, _told, *_facts))


@record_group.command("opt-out")
@_shared()
@click.option(
    "--reason",
    type=_choice(OPT_OUT_REASONS),
    required=True,
    help="; ".join(f"{code} {told}" for code, told in OPT_OUT_REASONS.items()) + ".",
)
@CONTRACT
def opt_out_command(**values: Any) -> None:
    """Record that the beneficiary leaves the program. Declining a CMR is not an opt-out: record the answer to its offer."""
    _record("opt-out", values)


@record_group.command("re-enroll")
@_shared()
@CONTRACT
def re_enroll_command(**values: Any) -> None:
    """Record that the beneficiary comes back in the same plan year, on request after an opt-out."""
    _record("re-enroll", values, "re-enrollment")


@record_group.command("withdraw")
@_shared(dated=False)
@click.argument("reference")
def withdraw_command(**values: Any) -> None:
    """Take back the record REFERENCE (Procedure/..., Communication/..., or the CarePlan of an opt-out), which was a mistake."""
    _record("withdraw", values, "withdrawal")
