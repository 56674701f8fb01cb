"""A program in plain sentences, as a pharmacist or an auditor reads it: who is targeted, how each thing counts, what it rests on."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from adapter.targeting.decision import TITLES
from adapter.targeting.program import Criterion, Entry, Program
from adapter.targeting.service_words import DUTY_TITLES, rules

WIDTH = 100
STANDINGS = {
    "V": "read in the official text",
    "P+": "read in two secondary texts that do not depend on each other, not in the official one",
    "P": "read in one secondary text, not in the official one",
    "U": "not verified",
}
WINDOWS = {
    "plan_year_to_date": "since 1 January of the year of the decision",
    "trailing_12_months": "in the 12 months that end on the day of the decision",
    "trailing_24_months": "in the 24 months that end on the day of the decision",
}
FINDINGS = {
    "condition": "problem lists and encounter diagnoses (Condition)",
    "claim": "diagnoses on medical claims (institutional and professional)",
}
DRUG_SOURCES = {
    "claim": "pharmacy claims (ExplanationOfBenefit)",
    "dispense": "dispenses (MedicationDispense)",
    "request": "orders (MedicationRequest)",
    "statement": "statements (MedicationStatement)",
}
UNITS = {
    "ingredient_set": "One drug is one set of ingredients: every strength, form and brand of metformin is one drug, a tablet of"
    " metformin and sitagliptin is one other.",
    "ingredient": "One drug is one ingredient: a tablet of metformin and sitagliptin is two drugs.",
    "product_family": "One drug is one set of ingredients by one route: estradiol tablets and estradiol patches are two drugs.",
}
METHODS = {
    "year_to_date": "Likely to incur: the cost of the fills since 1 January of the year of the decision, compared as it is.",
    "trailing_12_months": "Likely to incur: the cost of the fills in the 12 months that end on the day of the decision, compared as"
    " it is.",
    "projected": "Likely to incur: the cost of the fills since 1 January, carried on at the same daily cost to 31 December.",
    "quarter": "Likely to incur: the cost of the fills in the 3 months that end on the day of the decision, compared with a"
    " quarter of the threshold ({quarter}).",
}
COMPARATORS = {">": "more than", ">=": "at or above"}
MEASURES = {
    "diabetes": "diabetes drugs other than insulin",
    "ras_antagonists": "RAS antagonists (hypertension)",
    "statins": "statins (cholesterol)",
}


@dataclass(frozen=True)
class Section:
    """One part of the description: a title and its sentences, one paragraph each; a paragraph that begins with "- " is an item."""

    title: str
    paragraphs: tuple[str, ...]


def description(program: Program) -> list[str]:
    """The program as lines of plain text, wrapped to 100 columns; a line is longer only where one word is. Every setting is told."""
    lines: list[str] = []
    for section in sections(program):
        lines += ["", section.title] if lines else [section.title]
        for paragraph in section.paragraphs:
            lines += _wrapped(paragraph)
    return lines


def _wrapped(paragraph: str) -> list[str]:
    item = paragraph.startswith("- ")
    return textwrap.wrap(
        paragraph,
        WIDTH,
        initial_indent="    " if item else "  ",
        subsequent_indent="      " if item else "  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def sections(program: Program) -> list[Section]:
    """The parts of the description in their order."""
    return [
        Section(program.title, _about(program)),
        Section("Who is targeted", _doors(program)),
        Section(f"Chronic diseases: at least {program.chronic_diseases.minimum}", _chronic_diseases(program)),
        Section(f"Part D drugs: at least {program.part_d_drugs.minimum}", _part_d_drugs(program)),
        Section(f"Drug cost: {_cost(program)}", _drug_cost(program)),
        Section("At-risk beneficiary", _at_risk(program)),
        Section("Adherence drug", _adherence_drug(program)),
        Section("Services of the plan year", _services(program)),
        Section("What this rests on", tuple(f"- {one}" for one in reservations(program))),
    ]


def reservations(program: Program) -> list[str]:
    """What in the program is not read in an official text, a sentence for each criterion and one for what was chosen; never empty."""
    titled = {TITLES[name]: table for name, table in program.criteria.items()}
    titled |= {DUTY_TITLES[name]: table for name, table in program.services.deadlines.items()}
    unread = [
        f"{title}: {STANDINGS[table.standing]} ({table.standing}): {table.source}."
        for title, table in titled.items()
        if table.standing != "V"
    ]
    named = program.criteria | {f"services.{name}": table for name, table in program.services.deadlines.items()}
    chosen = [f"{name}.{setting}" for name, table in named.items() for setting in table.chosen]
    told = [f"Chosen by the program, because no official text gives them: {_list(chosen)}."] if chosen else []
    return [*unread, *told] or ["Every setting is read in an official text."]


def notices(program: Program) -> list[str]:
    """What every result of ``program`` rests on beside official texts, in few sentences: for the console and the manifest."""
    told = [
        f"{TITLES[name]}: {STANDINGS[table.standing]} ({table.standing}): {table.source}"
        for name, table in program.criteria.items()
        if table.standing != "V"
    ]
    chosen = sum(len(table.chosen) for table in program.criteria.values())
    if chosen:
        told.append(
            f"{chosen} settings of the criteria are the program's own choice, because no official text gives them"
            f" (mtm-adapter program show {program.name} names them)"
        )
    return told


def _about(program: Program) -> tuple[str, ...]:
    return (
        f"Program {program.name}, version {program.version}, plan year {program.plan_year}: in force from {program.first_day} to"
        f" {program.last_day}.",
        f"Source: {program.source}. Standing {program.standing}: {STANDINGS[program.standing]}.",
    )


def _doors(program: Program) -> tuple[str, ...]:
    diseases, drugs = program.chronic_diseases.minimum, program.part_d_drugs.minimum
    return (
        "Every living person with Part D coverage in force on the day of the decision is asked about. One open door is enough:",
        f"- Core criteria (CMS reason 01; 42 CFR 423.153(d)(2)(i)): at least {diseases} chronic diseases, at least {drugs} covered"
        f" Part D drugs, and a likely yearly drug cost {_cost(program)}: all three.",
        "- At-risk beneficiary (CMS reason 02, with the core criteria 03; 42 CFR 423.153(d)(2)(ii)): alone enough.",
        f"- {_snp_door(program)}",
        "Each criterion is met, not met or unknown. An unknown criterion opens no door and shuts none: who has no open door and one"
        " that the data leave undecided is told as unknown, never as not targeted.",
    )


def _snp_door(program: Program) -> str:
    if not program.snp_plans:
        return "Special Needs Plans: the program names none, so this door is shut."
    plans = _list(program.snp_plans)
    return (
        f"Special Needs Plan (the plan's own door; CMS reason 04 when no other is open): members of {plans} who take an adherence"
        " drug."
    )


def _chronic_diseases(program: Program) -> tuple[str, ...]:
    rule = program.chronic_diseases
    return (
        f"Counted are {len(rule.entries)} entries, each once, however many of its codes a person has; one code may prove two"
        " (I11.0: heart failure and hypertension).",
        *(f"- {_entry(entry)}" for entry in rule.entries),
        f"Codes that the lists hold as related but off (default = N) count {_only_of(rule.with_subgroups)}.",
        f"Looked for in: {_words(FINDINGS, rule.sources)}.{_left_out(FINDINGS, rule.sources)}",
        f"A Condition counts while its clinical status is {_or(rule.clinical_status)}; without a status it counts until it has"
        f" ended. With the verification status {_or(rule.refused_verification)}, or before it begins, it does not count.",
        f"Medical claims prove an entry {_claims(rule.inpatient_claims, rule.outpatient_claims)}, {WINDOWS[rule.claims_window]}.",
        "The criterion is met or not met, never unknown: without a diagnosis that counts there is none.",
        _provenance(rule),
    )


def _entry(entry: Entry) -> str:
    named = [one.partition("/") for one in entry.diseases]
    codes = [
        f"only {subgroup} of {disease}" if slash else f"all codes of {disease}" for disease, slash, subgroup in named
    ]
    return f"{entry.title} [{entry.name}]: {_list(codes)}"


def _only_of(subgroups: Iterable[str]) -> str:
    return f"only for {_list(subgroups)}" if subgroups else "for none"


def _claims(inpatient: int, outpatient: int) -> str:
    """How many claims prove an entry; 0 switches a way off."""
    ways = [f"by {inpatient} inpatient claim{'s' if inpatient > 1 else ''}"] if inpatient else []
    ways += (
        [f"by claims of any kind on {outpatient} different day{'s' if outpatient > 1 else ''}"] if outpatient else []
    )
    return " or ".join(ways) or "by no number of claims"


def _part_d_drugs(program: Program) -> tuple[str, ...]:
    rule = program.part_d_drugs
    return (
        UNITS[rule.count_by],
        _maintenance(program),
        "Over-the-counter drugs and supplements do not count. A drug sold both ways counts when it was prescribed, dispensed or"
        " claimed; in a bare statement it is unknown.",
        f"Looked for in: {_words(DRUG_SOURCES, rule.sources)}.{_left_out(DRUG_SOURCES, rule.sources)}",
        f"Claims and dispenses count {WINDOWS[rule.window]}, by the day of the fill; orders and statements while they are active.",
        f"A drug that no list knows, or of which nothing tells whether it counts, {_may_be(rule.unlisted)}.",
        _provenance(rule),
    )


def _maintenance(program: Program) -> str:
    rule, own = program.part_d_drugs, program.maintenance_list
    depends = "count too" if rule.depends == "counted" else "do not count"
    flags = f"the plan's own list {own}, then the shipped flags" if own else "the shipped flags (mappings/drugs)"
    said = f"Maintenance is told by {flags}; drugs whose use decides it (flag D, such as NSAIDs) {depends}"
    if rule.count == "maintenance":
        return f"Only chronic/maintenance drugs count. {said}."
    return f"Every covered Part D drug counts, for long or short use. ({said} when only maintenance drugs are counted.)"


def _drug_cost(program: Program) -> tuple[str, ...]:
    rule = program.drug_cost
    return (
        f"The threshold is {_dollars(rule.dollars)}; the cost must be {COMPARATORS[rule.comparator]} that.",
        METHODS[rule.method].format(quarter=_dollars(rule.dollars / 4)),
        "Cost is the gross cost of covered Part D drugs on pharmacy claims: ingredient cost, dispensing fee, sales tax and vaccine"
        " administration fee, what the plan paid and what the member paid together.",
        f"A claim without a total cost in US dollars is never $0: it {_leaves(rule.unpriced)} while the priced claims alone do not"
        " reach the threshold. So does one whose date leaves open whether it counts, where its cost would reach it.",
        f"When drugs are taken and no claim tells their cost, this {_leaves(rule.orders_without_claims)}.",
        _provenance(rule),
    )


def _at_risk(program: Program) -> tuple[str, ...]:
    rule = program.at_risk
    return (
        f"Met by the status {_or(rule.statuses)}, in force on the day of the decision in the member's own contract; another"
        " status (such as PAR, potentially at risk) does not count.",
        f"It stands in the file of at-risk beneficiaries that a run is given, or in an active FHIR Flag with the code"
        f" {_or(rule.flag_codes)} or the text {_or(map(_quoted, rule.flag_texts))}.",
        _provenance(rule),
    )


def _adherence_drug(program: Program) -> tuple[str, ...]:
    rule = program.adherence_drug
    return (
        f"Met by a drug of one of the Star adherence measures: {_words(MEASURES, rule.measures)}."
        f"{_left_out(MEASURES, rule.measures)} Sources and window are those of the Part D drugs.",
        f"Products of these brands do not count: {_list(rule.refused_brands)}.",
        f"A drug that no list knows {_may_be(rule.unlisted)}.",
        _provenance(rule),
    )


def _services(program: Program) -> tuple[str, ...]:
    told = rules(program.services)
    return (
        "What is due to an enrolled beneficiary; an opt-out ends it, except for the summary of a CMR that was held.",
        *(
            f"- {DUTY_TITLES[name]}: {told[name]} {_provenance(deadline)}"
            for name, deadline in program.services.deadlines.items()
        ),
    )


def _provenance(rule: Criterion) -> str:
    chosen = f" Chosen, no official text gives it: {_list(rule.chosen)}." if rule.chosen else ""
    return f"Source: {rule.source}. Standing {rule.standing}: {STANDINGS[rule.standing]}.{chosen}"


def _may_be(unlisted: str) -> str:
    if unlisted == "unknown":
        return "may be one more: where it would decide, the criterion is unknown"
    return "does not count"


def _leaves(choice: str) -> str:
    return "leaves the criterion unknown" if choice == "unknown" else "is passed over"


def _cost(program: Program) -> str:
    return f"{COMPARATORS[program.drug_cost.comparator]} {_dollars(program.drug_cost.dollars)}"


def _dollars(amount: Decimal) -> str:
    return f"${amount:,.2f}"


def _words(words: Mapping[str, str], chosen: Iterable[str]) -> str:
    return _list(words[one] for one in chosen)


def _left_out(words: Mapping[str, str], chosen: Iterable[str]) -> str:
    """A sentence about the choices that a program does not take, empty when it takes all."""
    rest = [one for one in words if one not in set(chosen)]
    return f" Not in: {_words(words, rest)}." if rest else ""


def _quoted(text: str) -> str:
    return f'"{text}"'


def _list(items: Iterable[str]) -> str:
    return ", ".join(items) or "none"


def _or(items: Iterable[str]) -> str:
    return " or ".join(items) or "(none)"
