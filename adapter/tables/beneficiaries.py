"""Patient to one row per beneficiary: identification and death, nothing else of the person."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from adapter.tables.columns import bad_dates, earliest, fault_of, has_code, newest, text_date, versioned, wrong_type

MBI_SYSTEMS = ("http://hl7.org/fhir/sid/us-mbi", "https://hl7.org/fhir/sid/us-mbi", "urn:oid:2.16.840.1.113883.4.927")
MBI_FORM = (
    "^[1-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y][0-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y][0-9][AC-HJKMNP-RT-Y]{2}[0-9]{2}$"
)


def patients(patient: ir.Table) -> ir.Table:
    """One row per Patient as received, with the column ``fault`` (NULL when the resource is good)."""
    return patient.select(
        "id",
        beneficiary=patient.id,
        source=ibis.literal("Patient/").concat(patient.id),
        version_id=patient.meta.versionId,
        mbi=_mbi(patient.identifier),
        mbis=_mbis(patient.identifier).map(lambda i: _normal(i["value"])).unique(),
        current_mbis=_current_mbis(patient.identifier),
        family=_name(patient.name)["family"],
        given=_name(patient.name)["given"][0],
        middle=_name(patient.name)["given"][1],
        birth_date=patient.birthDate,
        birth_day=text_date(patient.birthDate),
        gender=patient.gender,
        deceased=(patient.deceasedBoolean.fill_null(False) | patient.deceasedDateTime.notnull()),
        deceased_on=patient.deceasedDateTime,
        fault=fault_of(
            wrong_type(patient, "Patient"),
            (patient.id.isnull(), "the Patient has no id"),
            *bad_dates(patient, birthDate=patient.birthDate, deceasedDateTime=patient.deceasedDateTime),
        ),
        **versioned(patient),
    )


def beneficiaries(rows: ir.Table) -> ir.Table:
    """One row per beneficiary: the newest good version of each Patient.

    Columns: beneficiary, source, version_id (meta.versionId or NULL), mbi, mbis (all that were ever given), current_mbis (how many
    different ones are current), family, given, middle, birth_date (as FHIR gave it), birth_day (NULL when partial), gender,
    deceased, deceased_on (as FHIR gave it),
    died_by (the first day that the death can mean; NULL when alive or undated).
    """
    good = newest(rows.filter(rows.fault.isnull()).drop("fault"))
    return good.mutate(died_by=earliest(good.deceased_on)).drop("id")


def _mbi(identifiers: ir.ArrayValue) -> ir.StringValue:
    """The current Medicare Beneficiary Identifier: not marked old or historic, its period open, else the last that ended."""
    mbis = _mbis(identifiers)
    ends = mbis.map(lambda i: i["period"]["end"])
    ended_last = mbis.filter(lambda i: i["period"]["end"] == ends.maxs())
    return _normal(ibis.coalesce(_last(_current(mbis))["value"], _last(ended_last)["value"], _last(mbis)["value"]))


def _current_mbis(identifiers: ir.ArrayValue) -> ir.IntegerValue:
    return _current(_mbis(identifiers)).map(lambda i: _normal(i["value"])).unique().length()


def _mbis(identifiers: ir.ArrayValue) -> ir.ArrayValue:
    """The identifiers that are MBIs by their system, or by the type MC (v2-0203) and their form where a plan has a system of its own."""
    return identifiers.filter(
        lambda i: (
            (
                i["system"].isin(MBI_SYSTEMS).fill_null(False)
                | (has_code(i["type"]["coding"], ["MC"]) & _normal(i["value"]).re_search(MBI_FORM).fill_null(False))
            )
            & i["value"].notnull()
        )
    )


def _current(mbis: ir.ArrayValue) -> ir.ArrayValue:
    return mbis.filter(lambda i: i["period"]["end"].isnull() & ~_is_historic(i))


def _normal(mbi: ir.StringValue) -> ir.StringValue:
    return mbi.upper().re_replace(r"[\s-]", "")


def _is_historic(identifier: ir.StructValue) -> ir.BooleanValue:
    """FHIR marks an earlier identifier by ``use`` old; BFD v2 by the extension identifier-currency with the code ``historic``."""
    marked = identifier["type"]["coding"].filter(
        lambda c: (c["extension"].filter(lambda e: e["valueCoding"]["code"] == "historic").length() > 0).fill_null(
            False
        )
    )
    return (marked.length() > 0).fill_null(False) | (identifier["use"] == "old").fill_null(False)


def _last(items: ir.ArrayValue) -> ir.StructValue:
    return items[items.length() - 1]


def _name(names: ir.ArrayValue) -> ir.StructValue:
    """The official name, else the usual one, else any that is not old or maiden, each while its period is open; else the first."""
    borne = names.filter(lambda n: n["period"]["end"].isnull())
    return ibis.coalesce(
        borne.filter(lambda n: n["use"] == "official")[0],
        borne.filter(lambda n: n["use"] == "usual")[0],
        borne.filter(_may_be_current)[0],
        names.filter(lambda n: n["use"] == "official")[0],
        names.filter(_may_be_current)[0],
        names[0],
    )


def _may_be_current(name: ir.StructValue) -> ir.BooleanValue:
    return name["use"].isnull() | ~name["use"].isin(["old", "maiden", "nickname", "anonymous"])
