"""What happened to one beneficiary in one contract, drawn at random, and the cells that the file must hold of it.

Written from the texts of CMS (reference/cms-rules.md 5) and the layout alone; nothing of the adapter is imported.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

FIRST, LAST = date(2023, 1, 1), date(2023, 12, 31)
CONTRACTS = ("H1234", "H5678")
METHODS = {"face_to_face": "01", "telephone": "02", "telehealth": "03", "other": "04"}
PROVIDERS = {
    "physician": "01", "registered_nurse": "02", "licensed_practical_nurse": "03", "nurse_practitioner": "04",
    "physician_assistant": "05", "local_pharmacist": "06", "ltc_consultant_pharmacist": "07", "plan_sponsor_pharmacist": "08",
    "pbm_pharmacist": "09", "mtm_vendor_local_pharmacist": "10", "mtm_vendor_in_house_pharmacist": "11",
    "hospital_pharmacist": "12", "pharmacist_other": "13", "supervised_pharmacy_intern": "14", "other": "15",
}  # fmt: skip
RECIPIENTS = {"beneficiary": "01", "prescriber": "02", "caregiver": "03", "other_authorized_individual": "04"}
FLAGS = ("Y", "N", "U")


@dataclass(frozen=True)
class Event:
    """One service: kind, day, what is told of it, and its name, by which another may be about it."""

    kind: str
    on: date
    name: str = ""
    about: str = ""
    told: dict[str, str | bool] = field(default_factory=dict)


@dataclass
class Stay:
    """One enrollment in one contract: what was drawn, and ``cells``, what the file must hold from element F on."""

    contract: str
    start: date
    end: date
    reason: str
    met_on: date | None
    opt_out: tuple[date, str] | None
    back_on: date | None  # enrolled again after an opt-out
    events: list[Event]
    cells: dict[str, str]


def stays(random: Random) -> list[Stay]:
    """One enrollment, or two in the two contracts one after the other."""
    contract = random.choice(CONTRACTS)
    start = FIRST + timedelta(days=random.randint(0, 250))
    if random.random() < 0.15 and start < date(2023, 8, 1):
        moved = start + timedelta(days=random.randint(20, 100))
        other = CONTRACTS[1 - CONTRACTS.index(contract)]
        return [_stay(random, contract, start, (moved, "02")), _stay(random, other, moved + timedelta(days=1))]
    return [_stay(random, contract, start)]


def _stay(random: Random, contract: str, start: date, left: tuple[date, str] | None = None) -> Stay:
    opt_out, back_on = left, None
    if opt_out is None and random.random() < 0.2:
        reason = random.choice(["01", "03", "99"])
        opt_out = (_between(random, start, LAST), reason)
        if reason == "03" and random.random() < 0.3 and opt_out[0] < date(2023, 12, 1):
            back_on = _between(random, opt_out[0] + timedelta(days=1), LAST)
    elif opt_out is None and random.random() < 0.05:
        opt_out = (LAST, random.choice(["01", "02"]))  # 02 on 31 December is the end of the year
    stands = opt_out if opt_out and not back_on and opt_out != (LAST, "02") else None
    end = stands[0] if stands else LAST
    reason = random.choice(["01"] * 6 + ["02", "03", "04"])
    met_on = None if reason == "04" else _between(random, max(FIRST, start - timedelta(days=30)), start)
    events, cells = _services(random, start, end)
    cells |= {
        "met_criteria": reason, "enrolled_on": _text(start), "criteria_met_on": _text(met_on) if met_on else "",
        "opted_out_on": _text(stands[0]) if stands else "",
        "opt_out_reason": {"99": "04"}.get(stands[1], stands[1]) if stands else "",
    }  # fmt: skip
    return Stay(contract, start, end, reason, met_on, opt_out, back_on, events, cells)


def _services(random: Random, start: date, end: date) -> tuple[list[Event], dict[str, str]]:
    events, cells = _reviews(random, start, end)
    tmrs = sorted({_between(random, start, end) for _ in range(random.randint(0, 4))})
    events += [Event("tmr", on, told={"provider": "pbm_pharmacist"}) for on in tmrs]
    cells |= {"tmr_count": f"{len(tmrs):03}", "tmr_first_on": _text(tmrs[0]) if tmrs else ""}
    disposal = random.random() < 0.8
    events += [Event("safe_disposal", _between(random, start, end))] if disposal else []
    cells["safe_disposal"] = "Y" if disposal else "N"
    more, counted = _recommendations(random, start, end)
    return [*events, *more, *_outside(random, start, end)], cells | counted


def _reviews(random: Random, start: date, end: date) -> tuple[list[Event], dict[str, str]]:
    """Offers and CMRs: the first offer, the first CMR with a summary."""
    events: list[Event] = []
    cells = dict.fromkeys(("cmr_offered_on", "cmr_offer_recipient", "cmr_on", "cmr_summary_sent_on"), "")
    cells |= dict.fromkeys(("cmr_method", "cmr_provider", "cmr_recipient"), "")
    cells |= {"cmr_offered": "N", "cmr_received": "N", "cognitively_impaired": "U", "ltc_facility": "U"}
    if random.random() < 0.1:
        told = {"answer": "undeliverable", "recipient": "beneficiary", "method": "mail"}
        events.append(Event("cmr_offer", start, told=told))
    first: list[tuple[date, int, str, str]] = []  # day, offer before CMR, recipient, impaired
    if random.random() < 0.9:
        on = min(end, start + timedelta(days=random.randint(1, 55)))
        recipient, impaired = random.choice(list(RECIPIENTS)), random.choice(FLAGS)
        answer = random.choice(["accepted", "declined", "no_answer"])
        told = {"answer": answer, "recipient": recipient, "method": "telephone", "cognitively_impaired": impaired}
        events.append(Event("cmr_offer", on, told=told))
        first.append((on, 0, recipient, impaired))
    days = sorted({_between(random, start, end) for _ in range(random.choice([0, 0, 1, 1, 2]))})
    for number, on in enumerate(days):
        told = {
            "method": random.choice(list(METHODS)), "provider": random.choice(list(PROVIDERS)),
            "recipient": random.choice(list(RECIPIENTS)), "cognitively_impaired": random.choice(FLAGS),
            "ltc_facility": random.choice(FLAGS),
        }  # fmt: skip
        events.append(Event("cmr", on, f"cmr{number}", told=dict(told)))
        first.append((on, 1, told["recipient"], told["cognitively_impaired"]))
        if random.random() < 0.8:
            sent = on + timedelta(days=random.randint(0, 14))
            events.append(Event("summary_sent", sent, about=f"cmr{number}", told={"recipient": "beneficiary"}))
            if cells["cmr_received"] == "N":
                cells |= {
                    "cmr_received": "Y", "cmr_on": _text(on), "cmr_summary_sent_on": _text(sent),
                    "cmr_method": METHODS[told["method"]], "cmr_provider": PROVIDERS[told["provider"]],
                    "cmr_recipient": RECIPIENTS[told["recipient"]], "ltc_facility": told["ltc_facility"],
                    "cognitively_impaired": told["cognitively_impaired"],
                }  # fmt: skip
    if first:
        on, _, recipient, impaired = min(first)
        cells |= {"cmr_offered": "Y", "cmr_offered_on": _text(on), "cmr_offer_recipient": RECIPIENTS[recipient]}
        if cells["cmr_received"] == "N":
            cells["cognitively_impaired"] = impaired
    return events, cells


def _recommendations(random: Random, start: date, end: date) -> tuple[list[Event], dict[str, str]]:
    events, changes = [], 0
    made = random.choice([0, 0, 1, 2, 5])
    for number in range(made):
        on = _between(random, start, end)
        told: dict[str, str | bool] = {"recipient": "prescriber", "method": "fax", "text": f"Recommendation {number}"}
        events.append(Event("recommendation", on, f"rec{number}", told=told))
        if random.random() < 0.5:
            changed = random.random() < 0.5
            events.append(
                Event("resolution", _between(random, on, end), about=f"rec{number}", told={"changed": changed})
            )
            changes += changed
    return events, {"recommendations": f"{made:02}", "therapy_changes": f"{changes:02}"}


def _outside(random: Random, start: date, end: date) -> list[Event]:
    """Services that do not count: before the enrollment, or after its end."""
    events = []
    if start > FIRST and random.random() < 0.1:
        events.append(Event("tmr", _between(random, FIRST, start - timedelta(days=1))))
    if end < LAST and random.random() < 0.3:
        events.append(Event("cmr", _between(random, end + timedelta(days=1), LAST), told={"method": "telephone"}))
    return events


def _between(random: Random, first: date, last: date) -> date:
    return first + timedelta(days=random.randint(0, (last - first).days))


def _text(day: date) -> str:
    return day.strftime("%Y%m%d")
