"""The drug list: what mappings/drugs knows of an RxNorm or NDC code, and what its ingredients make of it.

``drug`` is the key under which a drug is counted: its set of ingredients, so that two strengths, two
NDCs or brand and generic are one drug, and a combination is one drug of its own.
"""

from __future__ import annotations

from collections.abc import Callable

import ibis
import ibis.expr.types as ir

MEASURES = {"PDC-DR": "diabetes", "PDC-RASA": "ras_antagonists", "PDC-STA": "statins"}

# How a product is given, read from the dose form in its RxNorm name; classes.csv has rows that hold for one route only.
ROUTES = {
    "nasal": r"(?i)\bnasal\b",
    "ophthalmic": r"(?i)\bophthalmic\b",
    "inhaled": r"(?i)inhal|metered dose|nebuli|\bactuat\b.*(aerosol|powder)",
    "topical": r"(?i)topical|cream|ointment|lotion|shampoo|medicated (pad|patch)|paste",
    "oral": r"(?i)\boral\b|tablet|capsule|lozenge|chewable",
}


def known_codes(lists: dict[str, ir.Table], wanted: ir.Table) -> ir.Table:
    """The codes of ``wanted`` (columns name, key) that the lists know: name, key, drug, label.

    ``lists`` holds the tables products, ingredients, ndc and brands of mappings/drugs. ``name`` is "rxnorm" or "ndc", ``key`` the
    code (NDC with 11 digits), ``drug`` the ingredient ids joined by ";", ``label`` the RxNorm or label name.
    """
    products, ndc = lists["products"], lists["ndc"]
    rxcui = wanted.filter(wanted.name == "rxnorm").select("key")
    single = lists["brands"].filter(lists["brands"].n_ingredient_sets == "1")
    every = (
        _rows(_asked(products, "rxcui", rxcui), "rxcui", lambda t: t["name"], "rxnorm", 0)
        .union(_rows(_asked(lists["ingredients"], "rxcui", rxcui), "rxcui", lambda t: t["name"], "rxnorm", 1))
        .union(
            _rows(
                _asked(single, "bn_rxcui", rxcui),
                "bn_rxcui",
                lambda t: ibis.literal("[").concat(t.brand, "]"),
                "rxnorm",
                2,
            )
        )
        .union(_ndc_rows(ndc, products, wanted.filter(wanted.name == "ndc").select("key")))
    )
    first = every.mutate(_n=ibis.row_number().over(group_by=["name", "key"], order_by=["rank", "drug", "label"]))
    return first.filter(first._n == 0).drop("rank", "_n")


def _asked(table: ir.Table, column: str, wanted: ir.Table) -> ir.Table:
    """The rows that are asked for and name ingredients, before anything is made of them: the lists have 360,000."""
    named = table.filter(table.ingredient_rxcuis != "")
    return named.semi_join(wanted, named[column] == wanted.key)


def _rows(table: ir.Table, key: str, label: Callable[[ir.Table], ir.StringValue], name: str, rank: int) -> ir.Table:
    return table.select(
        name=ibis.literal(name),
        key=table[key],
        drug=ingredient_set(table.ingredient_rxcuis),
        label=label(table),
        rank=ibis.literal(rank),
    )


def _ndc_rows(ndc: ir.Table, products: ir.Table, wanted: ir.Table) -> ir.Table:
    names = products.select(product="rxcui", product_name="name")
    used = _asked(ndc, "ndc11", wanted)
    named = used.left_join(names, used.rxcui == names.product)
    return _rows(named, "ndc11", lambda t: ibis.coalesce(t.product_name, t.label_name), "ndc", 0)


def ingredient_set(joined: ir.StringValue) -> ir.StringValue:
    """The ids in ``joined`` once each, sorted, joined by ";": the same for every way of writing one set."""
    return joined.split(";").filter(lambda i: i != "").unique().sort().join(";")


def route(label: ir.StringValue) -> ir.StringValue:
    """inhaled, nasal, ophthalmic, topical or oral by the dose form in a product name; "" when it tells none of them."""
    return ibis.cases(
        *[(label.re_search(pattern).fill_null(False), name) for name, pattern in ROUTES.items()], else_=""
    )


def traits(wanted: ir.Table, classes: ir.Table) -> ir.Table:
    """Per set of ingredients and route: maintenance, otc, supplement and measures of its ingredients together."""
    best = class_rows(wanted, classes)
    return best.group_by("drug", "route").agg(
        maintenance=_worst(best.maintenance, ("Y", "D", "N")),
        otc=_worst(best.otc, ("rx", "both", "otc")),
        supplement=ibis.ifelse((best.supplement != "").all(), best.supplement.max(), ""),
        measures=_measures(best.adherence_measure),
    )


def class_rows(wanted: ir.Table, classes: ir.Table) -> ir.Table:
    """The rows of the class list that fit best to each ingredient of ``wanted`` (columns drug, route).

    Columns: drug, route, ingredient, those of the list but its route, and elsewhere (the row holds for another route than the
    product's, which is known).
    """
    parts = wanted.mutate(ingredient=wanted.drug.split(";").unnest())
    listed = classes.rename(given="route")
    rows = parts.join(listed, parts.ingredient == listed.ingredient_rxcui)
    # A row of the product's own route goes before a row of any route; a row of another route only if there is no other.
    rows = rows.mutate(fit=ibis.cases((rows.given == "", 1), (rows.given == rows.route, 0), else_=2))
    best = rows.mutate(best=rows.fit.min().over(group_by=["drug", "route", "ingredient"]))
    best = best.filter(best.fit == best.best)
    return best.mutate(elsewhere=(best.fit == 2) & (best.route != "")).drop("given", "fit", "best")


def _worst(column: ir.StringValue, order: tuple[str, ...]) -> ir.StringValue:
    """The first of ``order`` that any ingredient has: one maintenance ingredient makes the product a maintenance drug."""
    return ibis.cases(*[((column == value).any(), value) for value in order], else_=ibis.null("string"))


def _measures(column: ir.StringValue) -> ir.ArrayValue:
    """The measures with an ingredient in the product and none of that measure's exclusions (insulins; sacubitril)."""
    found = [
        ibis.ifelse((column == code).any() & ~(column == f"{code}-EXCL").any(), name, "")
        for code, name in MEASURES.items()
    ]
    return ibis.array(found).filter(lambda measure: measure != "")
