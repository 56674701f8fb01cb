"""What a plan's own lists say of a medication: the maintenance flag and the RX/OTC mark that go before the shipped ones.

The nearest code that the plan flagged decides: the NDC, the coded RxNorm product, the product of the NDC, the product without
brand, then form, component, brand, combination, ingredient. Of codes equally near, Y goes before D and D before N.
"""

from __future__ import annotations

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from adapter.tables.drug_codes import candidates, coded
from adapter.tables.drug_list import ingredient_set

OWN = ("medication", "own_maintenance", "own_otc")
# How near a key is. Ranks of drugs/levels (1 product, 2 form, 3 component, 4 form group, 5 brand, 6 MIN, 7 PIN, 8 IN) follow CODED.
NDC, CODED, PRODUCT, BEYOND = 0, 1, 2, 2
GENERIC, FORM, COMPONENT, BRAND, COMBINATION, INGREDIENT = 3, 4, 5, 7, 8, 10
STRENGTH = (
    r"(?i)^.* [0-9][0-9.,]* [A-Z%'\[\]]+(/[0-9.]*[A-Z%]+)? "  # all up to the last strength; the dose form follows
)
LEAD = r"^([0-9.,]+ (hr|ml|actuat) )+"


def own_marks(medications: ir.Table, resolved: ir.Table, lists: Mapping[str, ir.Table]) -> ir.Table:
    """One row per medication with own_maintenance (Y, D, N) and own_otc (rx, otc), NULL where the plan's lists say nothing.

    ``lists`` holds products, ingredients, ndc, brands and, where they are loaded, maintenance, ndc_marks and levels.
    """
    asked = _asked(medications, lists["ndc"])
    every = medications.select("medication").distinct()
    said = {"own_maintenance": _flags, "own_otc": _marks}
    for column, of in said.items():
        found = of(asked, resolved, lists)
        if found is None:
            every = every.mutate(**{column: ibis.null("string")})
        else:
            every = every.left_join(found, "medication").select(*every.columns, column)
    return every.select(*OWN)


def _asked(medications: ir.Table, ndc: ir.Table) -> ir.Table:
    """The codes of each medication: medication, name, key, near. Of ten digits only the readings that the drug list knows."""
    rows = candidates(coded(medications))
    ten = rows.matched_by == "ndc10"
    known = rows.filter(~ten).union(rows.filter(ten).semi_join(ndc, rows.filter(ten).key == ndc.ndc11))
    near = ibis.ifelse(known.name == "ndc", NDC, CODED)
    return known.select("medication", "name", "key", near=near.cast("int64")).distinct()


def _flags(asked: ir.Table, resolved: ir.Table, lists: Mapping[str, ir.Table]) -> ir.Table | None:
    """medication, own_maintenance of each medication for which the plan's list has a flag."""
    if "maintenance" not in lists:
        return None
    codes = asked.union(_of_ndc(asked, lists["ndc"]))
    rxnorm = codes.filter(codes.name == "rxnorm")
    keys = codes.union(_named_levels(resolved, lists))
    if "levels" in lists:
        levels = lists["levels"].select(key="rxcui", broader="broader", rank=lists["levels"]["rank"].cast("int64"))
        up = rxnorm.join(levels, "key")
        keys = keys.union(_keys(up, up.broader, up["rank"] + BEYOND))
    hits = keys.join(lists["maintenance"], ["name", "key"])
    nearest = hits.mutate(first=hits.near.min().over(group_by="medication"))
    nearest = nearest.filter(nearest.near == nearest.first)
    return nearest.group_by("medication").agg(
        own_maintenance=ibis.cases(
            *[((nearest.maintenance == flag).any(), flag) for flag in ("Y", "D", "N")], else_=ibis.null("string")
        )
    )


def _keys(rows: ir.Table, key: ir.StringValue, near: int | ir.IntegerValue) -> ir.Table:
    rank = ibis.literal(near, type="int64") if isinstance(near, int) else near
    return rows.select("medication", name=ibis.literal("rxnorm"), key=key, near=rank).filter(lambda t: t.key != "")


def _of_ndc(asked: ir.Table, ndc: ir.Table) -> ir.Table:
    """The RxNorm product of each NDC."""
    codes = asked.filter(asked.name == "ndc")
    rows = codes.join(ndc.select(key="ndc11", rxcui="rxcui"), "key")
    return _keys(rows, rows.rxcui, PRODUCT)


def _named_levels(resolved: ir.Table, lists: Mapping[str, ir.Table]) -> ir.Table:
    """The broader codes that the RxNorm name and the ingredients of a medication tell, without any relation of RxNorm."""
    rows = resolved.select("medication", "drug", label=resolved.label.lower()).mutate(
        plain=lambda t: t.label.re_replace(r"\s*\[[^\]]*\]$", ""),
        brand=lambda t: t.label.re_extract(r"\[([^\]]*)\]$", 1),
    )
    each = rows.mutate(ingredient=rows.drug.split(";").unnest())
    products = lists["products"].select("tty", "rxcui", text=lists["products"]["name"].lower())
    return (
        _of_texts(_plain(rows), products, ("SCD", "GPCK"), GENERIC)
        .union(_of_texts(_forms(each, lists["ingredients"]), products, ("SCDF", "SBDF"), FORM))
        .union(_of_components(rows, products))
        .union(_of_brands(rows, lists["brands"]))
        .union(_of_combinations(rows, lists["ingredients"]))
        .union(_keys(each, each.ingredient, INGREDIENT))
    )


def _plain(rows: ir.Table) -> ir.Table:
    return rows.select("medication", text="plain")


def _of_texts(texts: ir.Table, products: ir.Table, term_types: tuple[str, ...], near: int) -> ir.Table:
    rows = texts.join(products.filter(products.tty.isin(term_types)), "text")
    return _keys(rows, rows.rxcui, near)


def _forms(each: ir.Table, ingredients: ir.Table) -> ir.Table:
    """The names of form and branded form: "hydrochlorothiazide / lisinopril Oral Tablet", the same with " [Zestoretic]"."""
    singles = ingredients.filter(ingredients.tty == "IN").select(ingredient="rxcui", of=ingredients["name"].lower())
    named = each.join(singles, "ingredient").group_by("medication", "plain", "brand")
    named = named.agg(names=lambda t: t.of.group_concat(" / ", order_by=t.of))
    text = named.names.concat(" ", named.plain.re_replace(STRENGTH, ""))
    branded = named.filter(named.brand != "").mutate(text=text.concat(" [", named.brand, "]"))
    return named.mutate(text=text).union(branded).select("medication", "text")


def _of_components(rows: ir.Table, products: ir.Table) -> ir.Table:
    """The components: each part of the name up to its strength, "lisinopril 10 MG" of "lisinopril 10 MG Oral Tablet"."""
    parts = rows.mutate(part=rows.plain.split(" / ").unnest())
    parts = parts.select("medication", part=parts.part.re_replace(LEAD, "").concat(" "))
    components = products.filter(products.tty == "SCDC").mutate(start=products.text.concat(" "))
    found = parts.join(components, parts.part.startswith(components.start))
    return _keys(found, found.rxcui, COMPONENT)


def _of_brands(rows: ir.Table, brands: ir.Table) -> ir.Table:
    found = rows.join(brands.select(brand=brands.brand.lower(), bn=brands.bn_rxcui.split(";")), "brand")
    found = found.mutate(bn=found.bn.unnest())
    return _keys(found, found.bn, BRAND)


def _of_combinations(rows: ir.Table, ingredients: ir.Table) -> ir.Table:
    whole = ingredients.filter(ingredients.tty == "MIN")
    found = rows.join(whole.select("rxcui", drug=ingredient_set(whole.ingredient_rxcuis)), "drug")
    return _keys(found, found.rxcui, COMBINATION)


def _marks(asked: ir.Table, resolved: ir.Table, lists: Mapping[str, ir.Table]) -> ir.Table | None:
    """medication, own_otc of each medication with an NDC that the FDA marks; labeler and product decide when the package is not there."""
    if "ndc_marks" not in lists:
        return None
    marks = lists["ndc_marks"]
    codes = asked.filter(asked.name == "ndc")
    exact = codes.join(marks.select(key="ndc11", mark="rx_otc"), "key").select(
        "medication", "mark", near=ibis.literal(0)
    )
    products = marks.group_by(product=marks.ndc11.left(9)).agg(mark=marks.rx_otc.min(), last=marks.rx_otc.max())
    products = products.filter(products.mark == products.last)
    nine = codes.mutate(product=codes.key.left(9)).join(products, "product")
    every = exact.union(nine.select("medication", "mark", near=ibis.literal(1)))
    nearest = every.mutate(first=every.near.min().over(group_by="medication"))
    nearest = nearest.filter(nearest.near == nearest.first)
    found = nearest.group_by("medication").agg(own_otc=nearest.mark.min(), other=nearest.mark.max())
    return found.filter(found.own_otc == found.other).drop("other")


def with_own(drugs: ir.Table, own: ir.Table) -> ir.Table:
    """``drugs`` where what the plan's lists say stands in place of the shipped flag and mark."""
    rows = drugs.left_join(own, "medication")
    own_first = {name: ibis.coalesce(rows[f"own_{name}"], rows[name]) for name in ("maintenance", "otc")}
    return rows.select(**{column: own_first.get(column, rows[column]) for column in drugs.columns})
