"""Enrollments, persons and services as rows of the tables that the records are made of; all are made up."""

from datetime import date
from itertools import count

ENROLLMENT = {
    "enrollment": "string", "source": "string", "version_id": "string", "beneficiary": "string", "contract": "string",
    "pbp": "string", "plan_year": "int64", "program": "string", "reason_code": "string", "criteria_met_on": "date",
    "enrolled_on": "date", "ends_on": "date", "status": "string", "opted_out_on": "date", "opt_out_reason": "string",
}  # fmt: skip
BENEFICIARY = {
    "beneficiary": "string", "source": "string", "version_id": "string", "mbi": "string", "mbis": "array<string>",
    "current_mbis": "int64", "family": "string", "given": "string", "middle": "string", "birth_date": "string",
    "birth_day": "date", "deceased": "boolean", "deceased_on": "string", "died_by": "date",
}  # fmt: skip
SERVICE = {
    "service": "string", "source": "string", "version": "string", "beneficiary": "string", "contract": "string",
    "plan_year": "int64", "enrollment": "string", "kind": "string", "on_day": "date", "method": "string",
    "provider": "string", "recipient": "string", "cognitively_impaired": "string", "ltc_facility": "string",
    "minutes": "int64", "answer": "string", "changed": "boolean", "about": "string",
    "words": "string",
}  # fmt: skip
NUMBERS = count(1)


def enrollment(number=1, **keys):
    return {
        "enrollment": f"mtm-{number}",
        "source": f"CarePlan/mtm-{number}",
        "version_id": "2",
        "beneficiary": "a",
        "contract": "H1234",
        "pbp": "001",
        "plan_year": 2023,
        "program": "p",
        "reason_code": "01",
        "criteria_met_on": date(2023, 2, 1),
        "enrolled_on": date(2023, 2, 1),
        "ends_on": date(2023, 12, 31),
        "status": "active",
        "opted_out_on": None,
        "opt_out_reason": None,
    } | keys


def person(beneficiary="a", **keys):
    row = {
        "beneficiary": beneficiary,
        "source": f"Patient/{beneficiary}",
        "version_id": None,
        "mbi": "1EG4TE5MK73",
        "current_mbis": 1,
        "family": "Diaz",
        "given": "Ana",
        "middle": None,
        "birth_date": "1950-01-02",
        "birth_day": date(1950, 1, 2),
        "deceased": False,
        "deceased_on": None,
        "died_by": None,
    } | keys
    return {"mbis": [row["mbi"]] if row["mbi"] else [], **row}


def service(kind, on_day=None, name="", **keys):
    """A service of ``kind``; ``on_day`` is a date, or "0301" for 1 March 2023."""
    day = date(2023, int(on_day[:2]), int(on_day[2:])) if isinstance(on_day, str) else on_day
    name = name or f"{kind}-{next(NUMBERS):04}"
    resource_type = "Procedure" if kind in ("cmr", "tmr") else "Communication"
    return dict.fromkeys(SERVICE) | {
        "service": name,
        "source": f"{resource_type}/{name}",
        "version": "1",
        "beneficiary": "a",
        "contract": "H1234",
        "plan_year": 2023,
        "enrollment": "CarePlan/mtm-1",
        "kind": kind,
        "on_day": day,
        **keys,
    }


def reviewed(cmr_on="0301", summary_on="0305", name="cmr-1", **keys):
    """A CMR and its summary."""
    told = {"method": "telephone", "provider": "plan_sponsor_pharmacist", "recipient": "beneficiary"}
    told |= {"cognitively_impaired": "N", "ltc_facility": "N"}
    return [
        service("cmr", cmr_on, name, **(told | keys)),
        service("summary_sent", summary_on, f"sent-{name}", about=f"Procedure/{name}", recipient="beneficiary"),
    ]


BARE = {  # the changes to a good row for somebody for whom nothing was done but a safe-disposal letter
    "cognitively_impaired": "U", "ltc_facility": "U", "cmr_offered": "N", "cmr_offered_on": None,
    "cmr_offer_recipient": None, "cmr_received": "N", "cmr_on": None, "cmr_summary_sent_on": None, "cmr_method": None,
    "cmr_provider": None, "cmr_recipient": None, "tmr_count": 0, "tmr_first_on": None, "recommendations": 0,
    "therapy_changes": 0,
}  # fmt: skip
