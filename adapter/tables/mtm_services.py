"""The adapter's own Procedures and Communications to tidy rows: what was done for whom, when and how, in which plan year.

State lives in FHIR (DESIGN.md): these rows are the adapter's only memory of a service, and any other system may have corrected
the resource since it was written. Resources of others are passed over: a service is known by its tag, its code or its extension.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import ibis
import ibis.expr.types as ir

from adapter.resources.service_codes import (
    CONTACT_METHOD,
    CONTACT_METHODS,
    OFFER_ANSWERS,
    PARTICIPATION_MODE,
    PARTICIPATION_MODES,
    PROCEDURES,
    PROVIDER_TYPE,
    PROVIDER_TYPES,
    RECIPIENTS,
    REVIEW_METHODS,
    SERVICE,
    SERVICE_EXTENSION,
    SERVICE_KINDS,
    YES_NO_UNKNOWN,
    code_of,
)
from adapter.tables.columns import (
    KIND_SYSTEM,
    bad_dates,
    fault_of,
    newest,
    reference_id,
    text_date,
    versioned,
    wrong_type,
)

CONTRACT = "^[HSRE][0-9]{4}$"
CODES = [code_of(kind) for kind in SERVICE_KINDS]
CODED: dict[str, tuple[Collection[str], str]] = {  # what a column may hold, and how a fault names it
    "provider": (PROVIDER_TYPES, "type of provider"),
    "recipient": (RECIPIENTS, "recipient"),
    "cognitively_impaired": (YES_NO_UNKNOWN, "answer to cognitivelyImpaired"),
    "ltc_facility": (YES_NO_UNKNOWN, "answer to ltcFacility"),
    "answer": (OFFER_ANSWERS, "answer to the offer"),
}
COLUMNS = (
    "service", "source", "version", "beneficiary", "contract", "plan_year", "enrollment", "kind", "on_day", "method",
    "provider", "recipient", "cognitively_impaired", "ltc_facility", "minutes", "answer", "changed", "about", "words",
)  # fmt: skip


def services(procedures_read: ir.Table, communications_read: ir.Table) -> ir.Table:
    """One row per service that took place: the newest good version of each own Procedure and Communication that is completed.

    Columns: service (id), source (``Procedure/mtm-...``), version (meta.versionId or NULL), beneficiary, contract, plan_year
    (int64), enrollment (``CarePlan/mtm-...``), kind, on_day (date; NULL when absent or partial), method, provider, recipient,
    cognitively_impaired, ltc_facility, minutes (int64), answer, changed (boolean), about (source of what it is about), words
    (of a Communication, in lower case with single blanks). A fact that is not told is NULL. The codes are those of
    ``adapter/resources/service_codes.py``.
    """
    return standing(procedures(procedures_read), communications(communications_read))


def standing(of_procedures: ir.Table, of_communications: ir.Table) -> ir.Table:
    """The services among the rows of ``procedures`` and ``communications``; see ``services``."""
    return _standing(of_procedures).union(_standing(of_communications))


def procedures(procedure: ir.Table) -> ir.Table:
    """One row per CMR or TMR as received, with the column ``fault`` (NULL when the resource is good)."""
    own = procedure.filter(_is_service(procedure, procedure.code["coding"]))
    parts = _parts(own)
    facts = {
        "kind": _kind(own, own.code["coding"]),
        "performed": ibis.coalesce(own.performedDateTime, own.performedPeriod["start"]),
        "method": _part(parts, "method")["valueCode"],
        "provider": _first_code(own.performer.map(lambda p: p["function"]["coding"]).flatten(), PROVIDER_TYPE),
        "recipient": _part(parts, "recipient")["valueCode"],
        "about": ibis.null("string"),
        "words": ibis.null("string"),
    }
    return _rows(own, "Procedure", "performedDateTime", parts, facts, REVIEW_METHODS, PROCEDURES)


def communications(communication: ir.Table) -> ir.Table:
    """One row per Communication of the adapter as received, with the column ``fault`` (NULL when the resource is good)."""
    categories = communication.category.map(lambda c: c["coding"]).flatten()
    own = communication.filter(_is_service(communication, categories))
    parts = _parts(own)
    facts = {
        "kind": _kind(own, own.category.map(lambda c: c["coding"]).flatten()),
        "performed": own.sent,
        "method": _medium(own.medium.map(lambda m: m["coding"]).flatten()),
        "provider": _part(parts, "providerType")["valueCode"],
        "recipient": _part(parts, "recipient")["valueCode"],
        "about": ibis.coalesce(_first_reference(own.inResponseTo), _first_reference(own.about)),
        "words": own.payload[0]["contentString"].strip().re_replace(r"\s+", " ").lower().nullif(""),
    }
    told = [kind for kind in SERVICE_KINDS if kind not in PROCEDURES]
    return _rows(own, "Communication", "sent", parts, facts, CONTACT_METHODS, told)


def _rows(
    own: ir.Table,
    resource_type: str,
    dated: str,
    parts: ir.ArrayValue,
    facts: dict[str, ir.Value],
    methods: Collection[str],
    kinds: Collection[str],
) -> ir.Table:
    """The rows of one resource type; ``facts`` are those that stand in elements of their own in each type."""
    performed = facts.pop("performed")
    coded = {
        "recipient": facts.pop("recipient"),
        "provider": facts.pop("provider"),
        "cognitively_impaired": _part(parts, "cognitivelyImpaired")["valueCode"],
        "ltc_facility": _part(parts, "ltcFacility")["valueCode"],
        "answer": _part(parts, "answer")["valueCode"],
    }
    coded = {name: value.nullif("") for name, value in coded.items()}
    beneficiary = reference_id(own.subject.reference, "Patient")
    contract = _part(parts, "contract")["valueString"].strip().upper()
    on_day = text_date(performed)
    year = _part(parts, "planYear")["valueInteger"].cast("string").try_cast("int64")
    plan = own.basedOn.filter(lambda r: reference_id(r["reference"], "CarePlan").notnull())[0]["reference"]
    fault = fault_of(
        wrong_type(own, resource_type),
        (own.id.isnull(), f"the {resource_type} of an MTM service has no id"),
        (beneficiary.isnull(), f"the {resource_type} of an MTM service names no Patient as its subject"),
        (
            ~contract.re_search(CONTRACT).fill_null(False),
            f"the {resource_type} names no CMS contract such as H1234 in its extension mtm-service",
        ),
        (~facts["kind"].isin(list(kinds)).fill_null(False), f"the {resource_type} is of no kind of MTM service"),
        *bad_dates(own, **{dated: performed}),
        *_unknown_codes({"method": facts["method"]} | coded, methods, resource_type),
    )
    return own.select(
        "id",
        service=own.id,
        source=ibis.literal(f"{resource_type}/").concat(own.id),
        held_version=own.meta.versionId,
        beneficiary=beneficiary,
        contract=contract,
        plan_year=ibis.coalesce(year, on_day.year().cast("int64")),
        enrollment=ibis.literal("CarePlan/").concat(reference_id(plan, "CarePlan")),
        on_day=on_day,
        minutes=_part(parts, "minutes")["valueInteger"].cast("string").try_cast("int64"),
        changed=_part(parts, "changed")["valueBoolean"],
        standing=own.status,
        fault=fault,
        **facts,
        **coded,
        **versioned(own),
    )


def _standing(rows: ir.Table) -> ir.Table:
    # First the newest version, then its status: what the last version withdrew must not come back by an older one.
    good = newest(rows.filter(rows.fault.isnull()).drop("fault"))
    good = good.filter((good.standing == "completed").fill_null(False))
    return good.rename(version="held_version").select(*COLUMNS)


def _is_service(resource: ir.Table, codings: ir.ArrayValue) -> ir.BooleanValue:
    """By code, tag or extension: some servers keep no tags that they did not set, and another system may have changed a code."""
    tags = resource.meta.tag.filter(lambda t: (t["system"] == KIND_SYSTEM) & t["code"].isin(CODES))
    extensions = resource.extension.filter(lambda e: e["url"] == SERVICE_EXTENSION)
    return (
        (_first_code(codings, SERVICE).isin(CODES)).fill_null(False)
        | (tags.length() > 0).fill_null(False)
        | (extensions.length() > 0).fill_null(False)
    )


def _kind(resource: ir.Table, codings: ir.ArrayValue) -> ir.StringValue:
    tagged = resource.meta.tag.filter(lambda t: (t["system"] == KIND_SYSTEM) & t["code"].isin(CODES))[0]["code"]
    return ibis.coalesce(_first_code(codings, SERVICE), tagged).replace("-", "_")


def _parts(resource: ir.Table) -> ir.ArrayValue:
    return resource.extension.filter(lambda e: e["url"] == SERVICE_EXTENSION)[0]["extension"]


def _part(parts: ir.ArrayValue, name: str) -> ir.StructValue:
    return parts.filter(lambda part: part["url"] == name)[0]


def _first_code(codings: ir.ArrayValue, system: str) -> ir.StringValue:
    return codings.filter(lambda c: c["system"] == system)[0]["code"]


def _first_reference(references: ir.ArrayValue) -> ir.StringValue:
    """``Type/id`` of the first reference, whatever its form."""
    pattern = r"([A-Z][A-Za-z]+/[A-Za-z0-9\-.]+)(/_history/[A-Za-z0-9\-.]+)?$"
    return references[0]["reference"].re_extract(pattern, 1).nullif("")


def _medium(codings: ir.ArrayValue) -> ir.StringValue:
    """The way by the adapter's own code, else by the published one that means the same."""
    published = _first_code(codings, PARTICIPATION_MODE)
    known = ibis.cases(
        *((published == code, method) for method, (code, _) in PARTICIPATION_MODES.items()), else_=ibis.null("string")
    )
    return ibis.coalesce(_first_code(codings, CONTACT_METHOD), known)


def _unknown_codes(
    coded: Mapping[str, ir.StringValue], methods: Collection[str], resource_type: str
) -> list[tuple[ir.BooleanValue, str]]:
    """One rule per column: a code that is not known would be read as none, and the fact would be lost unseen."""
    known: dict[str, tuple[Collection[str], str]] = {"method": (methods, "method"), **CODED}
    return [
        (
            value.notnull() & ~value.isin(list(known[name][0])),
            f"the {resource_type} names a {known[name][1]} that is not known; correct its code",
        )
        for name, value in coded.items()
    ]
