"""Every written form in which a drug or a condition code may stand, each as prepared JSON of a CodeableConcept."""

from __future__ import annotations

import re
from collections import defaultdict
from random import Random
from typing import Any, NamedTuple

from tests.population.lists import Code, Drug, Pools, Product
from tests.population.templates import compact

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
RXNORM_OTHER = ("urn:oid:2.16.840.1.113883.6.88", "https://www.nlm.nih.gov/research/umls/rxnorm")
NDC = "http://hl7.org/fhir/sid/ndc"
NDC_OID = "urn:oid:2.16.840.1.113883.6.69"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
ICD10_OID = "urn:oid:2.16.840.1.113883.6.90"
SNOMEDCT = "http://snomed.info/sct"
SNOMEDCT_OID = "urn:oid:2.16.840.1.113883.6.96"
PLAIN_LEVELS = ("SCD", "SBD", "GPCK", "BPCK")
PLAIN_SHARE = 0.6  # of written forms
UNLISTED_LABELER = 99990  # labelers from here on are in no list (checked)


class Form(NamedTuple):
    """A concept as JSON and the name of the edge that its form shows ("" for the plain form)."""

    json: str
    edge: str = ""


def _concept(
    system: str, code: str, display: str = "", text: str = "", more: list[dict[str, str]] | None = None
) -> str:
    coding = {"system": system, "code": code} | ({"display": display} if display else {})
    return compact({"coding": [*(more or []), coding]} | ({"text": text} if text else {}))


def ndc_written(ndc: str) -> list[tuple[str, str]]:
    """The hyphenated forms of an NDC-11: 5-4-2, and 4-4-2, 5-3-2, 5-4-1 where a segment begins with 0."""
    labeler, product, package = ndc[:5], ndc[5:9], ndc[9:]
    forms = [(f"{labeler}-{product}-{package}", "5-4-2")]
    if labeler[0] == "0":
        forms.append((f"{labeler[1:]}-{product}-{package}", "4-4-2"))
    if product[0] == "0":
        forms.append((f"{labeler}-{product[1:]}-{package}", "5-3-2"))
    if package[0] == "0":
        forms.append((f"{labeler}-{product}-{package[1:]}", "5-4-1"))
    return forms


class DrugForms:
    """The written forms of every drug, made when first asked for."""

    def __init__(self, pools: Pools) -> None:
        self.pools = pools
        self.by_nine: dict[str, set[str]] = defaultdict(set)
        for ndc, key in pools.ndcs.items():
            self.by_nine[ndc[:9]].add(key)
        if any(int(ndc[:5]) >= UNLISTED_LABELER for ndc in pools.ndcs):
            raise SystemExit(f"labelers from {UNLISTED_LABELER} on are listed now")
        self._claims: dict[int, tuple[list[Form], list[Form]]] = {}
        self._orders: dict[int, tuple[list[Form], list[Form]]] = {}

    def on_claim(self, drug: Drug, rng: Random, other: bool = True) -> Form:
        """The drug as claims name it: by NDC."""
        if id(drug) not in self._claims:
            self._claims[id(drug)] = self._made_claims(drug)
        return self._pick(self._claims[id(drug)], rng, other)

    def on_order(self, drug: Drug, rng: Random, other: bool = True) -> Form:
        """The drug as orders, dispenses and statements name it: by RxNorm, NDC or text."""
        return self._pick(self._order_forms(drug), rng, other)

    def at_level(self, drug: Drug, rng: Random) -> Form:
        """The drug by an ingredient, brand, component or dose form code of RxNorm."""
        forms = [f for f in self._order_forms(drug)[1] if f.edge.startswith("rxnorm:")]
        return rng.choice(forms) if forms else self.on_order(drug, rng, False)

    def by_text(self, drug: Drug, rng: Random) -> Form:
        """The drug by its RxNorm name alone."""
        forms = [f for f in self._order_forms(drug)[1] if f.edge == "drug text only"]
        return rng.choice(forms) if forms else self.on_order(drug, rng, False)

    def _order_forms(self, drug: Drug) -> tuple[list[Form], list[Form]]:
        if id(drug) not in self._orders:
            self._orders[id(drug)] = self._made_orders(drug)
        return self._orders[id(drug)]

    @staticmethod
    def _pick(forms: tuple[list[Form], list[Form]], rng: Random, other: bool) -> Form:
        plain, others = forms
        if not other or not others or rng.random() < PLAIN_SHARE:
            return rng.choice(plain)
        return rng.choice(others)

    def _made_claims(self, drug: Drug) -> tuple[list[Form], list[Form]]:
        name = drug.products[0].name
        plain = [Form(_concept(NDC, ndc, name if n % 2 else "")) for n, ndc in enumerate(drug.ndcs)]
        others = []
        for ndc in drug.ndcs:
            others += [Form(_concept(NDC, text), f"ndc {kind}") for text, kind in ndc_written(ndc)]
            others += self._odd_ndcs(drug, ndc)
        return plain, others

    def _odd_ndcs(self, drug: Drug, ndc: str) -> list[Form]:
        forms = [
            Form(_concept(NDC_OID, ndc), "ndc oid"),
            Form(_concept(NDC, f" {ndc} "), "ndc blanks"),
            Form(_concept(RXNORM, drug.products[0].rxcui, more=[{"system": NDC, "code": ndc}]), "ndc and rxnorm"),
        ]
        bare = next((text for text in self._bare_tens(ndc) if self._only(text, ndc)), "")
        if bare:
            forms.append(Form(_concept(NDC, bare), "ndc 10 digits"))
        package = next((f"{n:02d}" for n in range(90, 100) if ndc[:9] + f"{n:02d}" not in self.pools.ndcs), "")
        if package and len(self.by_nine[ndc[:9]]) == 1:
            forms.append(Form(_concept(NDC, ndc[:9] + package), "ndc by its first 9 digits"))
        return forms

    @staticmethod
    def _bare_tens(ndc: str) -> list[str]:
        return [text.replace("-", "") for text, kind in ndc_written(ndc) if kind != "5-4-2"]

    def _only(self, ten: str, ndc: str) -> bool:
        padded = {"0" + ten, ten[:5] + "0" + ten[5:], ten[:9] + "0" + ten[9:]}
        return {p for p in padded if p in self.pools.ndcs} == {ndc}

    def _made_orders(self, drug: Drug) -> tuple[list[Form], list[Form]]:
        products = [p for p in drug.products if p.tty in PLAIN_LEVELS] or drug.products
        step = max(1, len(products) // 16)
        plain = [Form(_concept(RXNORM, p.rxcui, p.name, p.name)) for p in products[::step]]
        others = [Form(_concept(s, products[0].rxcui), "rxnorm system") for s in RXNORM_OTHER]
        others += [Form(_concept(RXNORM, f" {products[0].rxcui} "), "rxnorm blanks")]
        others += [Form(_concept(RXNORM, p.rxcui, p.name), f"rxnorm:{p.tty}") for p in self._levels(drug)]
        others += [Form(_concept(NDC, ndc), "order by ndc") for ndc in drug.ndcs[:3]]
        local = [{"system": "https://plan.example/drugs", "code": "D-17"}, {"system": RXNORM, "code": "9900001"}]
        others += [Form(_concept(RXNORM, products[-1].rxcui, more=local), "listed beside unlisted codes")]
        return plain, others + self._texts(drug)

    @staticmethod
    def _levels(drug: Drug) -> list[Product]:
        found: dict[str, Product] = {}
        for product in drug.levels + drug.products:
            if product.tty not in (*PLAIN_LEVELS, "UNK"):
                found.setdefault(product.tty, product)
        return list(found.values())

    @staticmethod
    def _texts(drug: Drug) -> list[Form]:
        """RxNorm names of tablets whose words before the strength are an ingredient's name as it is listed."""
        names = {p.name.lower() for p in drug.levels if p.tty in ("IN", "PIN")}
        texts = [p.name for p in drug.products if p.tty == "SCD" and p.name.endswith("Oral Tablet")]
        fit = [text for text in texts if re.split(r" [0-9.]+ ", text)[0].lower() in names]
        return [Form(compact({"text": text}), "drug text only") for text in fit[:2]]


def unlisted_ndc(number: int) -> str:
    """An NDC-11 that no list knows."""
    return f"{UNLISTED_LABELER + number % 10}{number % 9999 + 1:04d}{number % 89 + 10:02d}"


def unlisted_forms(rng: Random, number: int, rxcuis: frozenset[str]) -> list[Form]:
    """Two written forms of one code that no list knows, without a display that names a drug."""
    if rng.random() < 0.5:
        ndc = unlisted_ndc(number)
        return [Form(_concept(NDC, ndc)), Form(_concept(NDC, f"{ndc[:5]}-{ndc[5:9]}-{ndc[9:]}"))]
    rxcui = str(9_000_000 + number % 900_000)
    if rxcui in rxcuis:
        raise SystemExit(f"RxNorm code {rxcui} is listed now")
    return [Form(_concept(RXNORM, rxcui)), Form(_concept(RXNORM_OTHER[0], rxcui))]


def classless_form(drug: Drug) -> Form:
    """The one form of a drug of the lists that has no class."""
    return Form(_concept(RXNORM, drug.products[0].rxcui))


# Conditions


def _icd(code: Code, rng: Random) -> tuple[dict[str, str], str]:
    text, bare = code.code, code.code.replace(".", "")
    written = (
        (ICD10CM, bare, "icd without dot"),
        (ICD10, bare, "icd-10 without dot"),
        (ICD10, text, "icd-10 with dot"),
        (ICD10_OID, text, "icd oid"),
        (ICD10CM, text.lower(), "icd lower case"),
        (ICD10CM, f" {text} ", "icd blanks"),
    )
    if rng.random() < PLAIN_SHARE:
        return {"system": ICD10CM, "code": text, "display": code.display}, ""
    system, form, edge = rng.choice(written)
    return {"system": system, "code": form, "display": code.display}, edge


def _snomed(code: Code, rng: Random) -> tuple[dict[str, str], str]:
    if rng.random() < 0.9:
        return {"system": SNOMEDCT, "code": code.code, "display": code.display}, ""
    return {"system": SNOMEDCT_OID, "code": code.code}, "snomed oid"


def condition_coding(code: Code, rng: Random) -> tuple[dict[str, str], str]:
    """The coding of a condition in some written form, and the edge of the form."""
    coding, edge = _icd(code, rng) if code.kind == "icd" else _snomed(code, rng)
    if not edge and not code.billable:
        edge = "icd header"
    return coding, edge


def condition_concept(codings: list[dict[str, Any]]) -> str:
    """The JSON of Condition.code."""
    return compact({"coding": codings, "text": codings[0].get("display", "") or "condition"})
