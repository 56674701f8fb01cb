"""Every list of codings that occurs, resolved to a drug: its set of ingredients and what follows from them.

The order is fixed (reference/terminology-loading.md): RxNorm, NDC with 11 digits, NDC with 10 digits when all readings agree,
the labeler and product part of an NDC, and the name as a last resort. What hit is kept in ``matched_by``.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from adapter.tables.code_systems import system_name
from adapter.tables.drug_list import ingredient_set, known_codes, route, traits

RANK = {"rxcui": 0, "ndc11": 1, "ndc10": 2, "ndc9": 3}


def with_medication(uses: ir.Table) -> ir.Table:
    """``uses`` with the column ``medication``: one key per distinct list of codings and label."""
    codings = uses.codings.map(
        lambda c: _word(c["part"]).concat("|", _word(c["system"]), "|", _word(c["code"]), "|", _word(c["display"]))
    )
    return uses.mutate(medication=codings.join(";").concat("#", _word(uses.label)))


def _word(text: ir.StringValue) -> ir.StringValue:
    return ibis.coalesce(text, "")


def distinct_medications(uses: ir.Table) -> ir.Table:
    """One row per key: ``medication``, ``codings``, ``label``."""
    return uses.group_by("medication").agg(codings=uses.codings.first(), label=uses.label.first())


def coded(medications: ir.Table) -> ir.Table:
    """One row per coding: medication, part, place, system (short name or NULL), uri, code, display."""
    rows = medications.mutate(place=ibis.range(0, medications.codings.length()).unnest())
    rows = rows.mutate(coding=rows.codings[rows.place])
    uri = rows.coding["system"]
    return rows.select(
        "medication",
        "place",
        part=rows.coding["part"],
        uri=uri,
        system=system_name(uri),
        code=rows.coding["code"],
        display=rows.coding["display"],
    )


def candidates(codings: ir.Table) -> ir.Table:
    """The keys under which each coding may stand in the drug list: medication, part, place, name, key, matched_by."""
    rxnorm = codings.filter(codings.system == "rxnorm")
    found = rxnorm.select(
        "medication",
        "part",
        "place",
        name=ibis.literal("rxnorm"),
        key=rxnorm.code.strip(),
        matched_by=ibis.literal("rxcui"),
    )
    ndc = codings.filter(codings.system == "ndc").mutate(code=lambda t: t.code.re_replace(r"[\s*]", ""))
    ndc = ndc.mutate(
        digits=ndc.code.replace("-", ""),
        first=_segment(ndc.code, 0),
        second=_segment(ndc.code, 1),
        third=_segment(ndc.code, 2),
    )
    for when, key, how in _ndc_forms(ndc):
        rows = ndc.filter(when)
        found = found.union(
            rows.select("medication", "part", "place", name=ibis.literal("ndc"), key=key, matched_by=ibis.literal(how))
        )
    return found


def _ndc_forms(ndc: ir.Table) -> list[tuple[ir.BooleanValue, ir.StringValue, str]]:
    """(when, 11-digit key, how) of every written form of an NDC: 11 digits; hyphens 5-4-2, 4-4-2, 5-3-2, 5-4-1; 10 bare digits."""
    dashed = ndc.code.re_search(DASHED)
    padded = ndc["first"].lpad(5, "0").concat(ndc.second.lpad(4, "0"), ndc.third.lpad(2, "0"))
    bare = ndc.code.re_search(r"^[0-9]+$")
    ten = bare & (ndc.digits.length() == 10)
    whole = ndc.digits
    return [
        (bare & (ndc.digits.length() == 11), whole, "ndc11"),
        (dashed, padded, "ndc11"),
        (ten, ibis.literal("0").concat(whole), "ndc10"),
        (ten, whole.left(5).concat("0", whole.right(5)), "ndc10"),
        (ten, whole.left(9).concat("0", whole.right(1)), "ndc10"),
    ]


def normal_form(system: ir.StringValue, code: ir.StringValue) -> ir.StringValue:
    """One text for one code in whatever form it is written: an unlisted code in two forms is still one possible drug."""
    name = system_name(system)
    ndc = code.re_replace(r"[\s*]", "")
    dashed = ndc.re_search(DASHED)
    padded = _segment(ndc, 0).lpad(5, "0").concat(_segment(ndc, 1).lpad(4, "0"), _segment(ndc, 2).lpad(2, "0"))
    digits = ibis.ifelse(dashed, padded, ndc.replace("-", ""))
    return ibis.coalesce(name, system, "").concat("|", ibis.ifelse(name == "ndc", digits, code.strip()))


DASHED = r"^[0-9]{4,5}-[0-9]{3,4}-[0-9]{1,2}$"


def _segment(code: ir.StringValue, place: int) -> ir.StringValue:
    return ibis.coalesce(code.split("-")[place], "")


def resolve_codes(medications: ir.Table, lists: dict[str, ir.Table]) -> ir.Table:
    """One row per medication that a code resolves: medication, drug, label, matched_by. Parts of a compound are put together."""
    asked = candidates(coded(medications))
    known = known_codes(lists, asked.select("name", "key").distinct())
    hits = asked.inner_join(known, ["name", "key"])
    short = asked.filter((asked.name == "ndc") & (asked.matched_by != "ndc10"))
    short = short.mutate(key=short.key.left(9)).drop("matched_by").distinct().mutate(matched_by=ibis.literal("ndc9"))
    nine = _by_product(lists["ndc"], lists["products"], short.select("key").distinct())
    hits = hits.select(*_HIT).union(short.inner_join(nine, "key").select(*_HIT))
    return _best(_unambiguous(hits))


_HIT = ("medication", "part", "place", "drug", "label", "matched_by")


def _by_product(ndc: ir.Table, products: ir.Table, wanted: ir.Table) -> ir.Table:
    """Labeler and product (first nine digits) to drug and name, where all packages of it agree on the ingredients."""
    asked = ndc.filter(ndc.ingredient_rxcuis != "").mutate(key=lambda t: t.ndc11.left(9)).semi_join(wanted, "key")
    names = products.select(product="rxcui", product_name="name")
    named = asked.left_join(names, asked.rxcui == names.product)
    label = ibis.coalesce(named.product_name, named.label_name)
    rows = named.select("key", drug=ingredient_set(named.ingredient_rxcuis), label=label)
    grouped = rows.group_by("key").agg(drug=rows.drug.max(), label=rows.label.max(), kinds=rows.drug.nunique())
    return grouped.filter(grouped.kinds == 1).drop("kinds")


def _unambiguous(hits: ir.Table) -> ir.Table:
    """Without the ten-digit NDCs whose readings name different ingredients."""
    kinds = hits.mutate(kinds=hits.drug.nunique().over(group_by=["medication", "place", "matched_by"]))
    return kinds.filter((kinds.matched_by != "ndc10") | (kinds.kinds == 1)).drop("kinds")


def _best(hits: ir.Table) -> ir.Table:
    rank = ibis.cases(*[(hits.matched_by == how, rank) for how, rank in RANK.items()], else_=9)
    ranked = hits.mutate(
        _n=ibis.row_number().over(group_by=["medication", "part"], order_by=[rank, hits.place, hits.drug, hits.label])
    )
    best = ranked.filter(ranked._n == 0)
    whole = best.group_by("medication").agg(
        drug=best.drug.group_concat(";"), label=best.label.min(), matched_by=best.matched_by.min(), parts=best.count()
    )
    return whole.select("medication", "label", "matched_by", drug=ingredient_set(whole.drug))


def drugs(resolved: ir.Table, classes: ir.Table) -> ir.Table:
    """``resolved`` with what the drug is: maintenance, otc, supplement, measures, brand."""
    rows = resolved.mutate(route=route(resolved.label), brand=resolved.label.re_extract(r"\[([^\]]*)\]", 1))
    marks = traits(rows.select("drug", "route").distinct(), classes)
    return rows.left_join(marks, ["drug", "route"]).select(
        "medication", "drug", "label", "matched_by", "brand", "route", "maintenance", "otc", "supplement", "measures"
    )


NAME_LISTS = ("ingredients", "synonyms", "brands", "otc_supplements")
BY_NAME = {"medication": "string", "drug": "string", "label": "string", "matched_by": "string", "kind": "string"}
# What a name of otc_supplements.csv is: sold over the counter, never a maintenance drug of Part D.
SUPPLEMENT_KINDS = ("vitamin", "mineral", "herbal", "other_supplement")


def texts(unresolved: ir.Table) -> ir.Table:
    """The texts that may name each medication, best first: medication, place, text."""
    displays = coded(unresolved).select("medication", place=ibis._.place + 1, text="display")
    labels = unresolved.select("medication", place=ibis.literal(0, type="int64"), text="label")
    return (
        labels.union(displays.mutate(place=displays.place.cast("int64"))).filter(lambda t: t.text.notnull()).distinct()
    )


def with_kind(drugs: ir.Table, by_name: ir.Table) -> ir.Table:
    """``drugs`` where a name of the OTC and supplement list is marked as sold over the counter, with its kind."""
    kinds = by_name.filter(by_name.kind != "").select(medication_named="medication", named_kind="kind")
    joined = drugs.left_join(kinds, drugs.medication == kinds.medication_named)
    named = joined.named_kind.notnull()
    return joined.mutate(
        maintenance=ibis.ifelse(named, "N", joined.maintenance),
        otc=ibis.ifelse(named, "otc", joined.otc),
        supplement=ibis.ifelse(joined.named_kind.isin(SUPPLEMENT_KINDS), joined.named_kind, joined.supplement),
    ).drop("named_kind", "medication_named")
