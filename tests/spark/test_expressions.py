"""What an expression means: asked of DuckDB and of Spark over values at the edges, the answers are equal."""

from __future__ import annotations

import ibis
import pytest

from adapter.tables import columns, drug_codes, drug_list
from adapter.tables.beneficiaries import _last
from adapter.tables.claims import V2, _amount, _in_cents
from adapter.tables.code_systems import condition_code, system_name
from adapter.tables.coverages import CONTRACT

DAYS = ("2023", "2023-02", "2023-02-28", "2023-02-30", "2024-02-29", "2023-13", "2023-00-01", "0001-01-01", "9999-12-31",
        "2023-2-3", "2023-02-03T", "2023-02-03T1", "2023-02-28T23:59:59+14:00", "2023-02-28\n", " 2023-02-28", "20230203",
        "2023-02-28T10:00:00Z\n", "2023-", "Feb 2023")  # fmt: skip
INSTANTS = ("2023-02-03T10:00:00Z", "2023-02-03T10:00:00.5Z", "2023-02-03T10:00:00.123456789+02:00", "2023-02-03T10:00:00",
            "2023-02-03 10:00:00Z", "2023-02-03T10:00:00+14:00", "2023-02-03T10:00:00-05:00", "2023-02-03T23:59:60Z",
            "2023-02-03T25:00:00Z")  # fmt: skip
NUMBERS = ("0", "-0", "1.005", "1.004999", "-1.005", "1e3", "1E+2", "+5", ".5", "5.", " 7 ", "1,000", "0.1", "4935.01", "NaN", "inf",
           "1.5d", "9999999999.99", "9999999999999999.99", "99999999999999999", "1e400", "--1", "1 2", "5e-3", "5.7", "007", "2.5",
           "9223372036854775807", "9223372036854775808", "30", "-30", "٣")  # fmt: skip
CODES = ("E11.9", " e11.9 ", "e 11\t9", "E11.9\n", "00093-1048-01", "0093-1048-01", "00093-1048-1", "00093104801", "0009310480", "A-B-C",
         "*00093-1048-01", "Patient/a", "http://x/Patient/a.b-c/_history/3", "Patient/a/b", "XPatient/a", "Patient/", "Patient/a\n",
         "H1234-003", "H1234", "H1234 003-001", "Z1234", "fluticasone 50 MCG/ACTUAT Metered Dose Nasal Spray [Flonase]",
         "Oral tablet", "METFORMIN", "ORALE", "a'b\\c\"d", "é\u00a0ü", "\u000b\u000cvf\u000b", "", " ", "a|b;c", "$x", "(?i)x")  # fmt: skip
URIS = (
    "http://snomed.info/sct",
    "http://snomed.info/sct/731000124108",
    " urn:oid:2.16.840.1.113883.6.90 ",
    V2 + "ptdcntrct01",
)
TEXTS = (None, *DAYS, *INSTANTS, *NUMBERS, *CODES, *URIS)
LISTS = (None, [], [None], [None, None], ["b", "a", "b"], ["a", None, "", "c"], [""], ["Z", "a", "é", "_"])
CODINGS = (None, [], [None], [("s", "a", None)], [("s", "a", "x")], [("s", None, "x"), ("s", "a", "x")], [("s", "a", "x"), None],
           [(None, None, None)], [("s", "a", "x"), ("s", "a", None)], [("s", "a", "x"), ("s", "a", "w")])  # fmt: skip
SCHEMA = {
    "n": "int64",
    "s": "string",
    "l": "array<string>",
    "c": "array<struct<system: string, code: string, display: string>>",
}
ONE = "struct<system: string, code: string, display: string>"


def rows():
    return [
        {"n": n, "s": text, "l": LISTS[n % len(LISTS)], "c": coded(CODINGS[n % len(CODINGS)])}
        for n, text in enumerate(TEXTS)
    ]


def coded(codings):
    names = ("system", "code", "display")
    return codings and [one and dict(zip(names, one, strict=True)) for one in codings]


def good_day(t, of):
    return ibis.ifelse(columns.is_bad_date(t.s), ibis.null("date"), of(t.s))


VALUES = {
    "bad date": lambda t: columns.is_bad_date(t.s),
    "day": lambda t: good_day(t, columns.text_date),
    "earliest": lambda t: good_day(t, columns.earliest),
    "latest": lambda t: good_day(t, columns.latest),
    "instant": lambda t: t.s.nullif("inf").try_cast("timestamp('UTC')").cast("string").left(19),
    "version": lambda t: t.s.try_cast("int64"),
    "dollars": lambda t: t.s.try_cast("decimal(18,2)"),
    "days supply": lambda t: t.s.try_cast("decimal(9,2)"),
    "dollars as text": lambda t: t.s.try_cast("decimal(18,2)").cast("string"),
    "refused": lambda t: _in_cents(t.s),
    "amount": lambda t: _amount(t.s),
    "rounded": lambda t: (t.s.try_cast("decimal(18,2)") * ibis.literal("1.3370000000").cast("decimal(19,10)")).round(2).cast("string"),
    "reference": lambda t: columns.reference_id(t.s, "Patient"),
    "stripped": lambda t: t.s.strip(),
    "system": lambda t: system_name(t.s),
    "icd": lambda t: condition_code(ibis.literal("icd10cm"), t.s),
    "snomed": lambda t: condition_code(ibis.literal("snomedct"), t.s),
    "ndc": lambda t: drug_codes.normal_form(ibis.literal("http://hl7.org/fhir/sid/ndc"), t.s),
    "other code": lambda t: drug_codes.normal_form(t.s, t.s),
    "route": lambda t: drug_list.route(t.s),
    "brand": lambda t: t.s.re_extract(r"\[([^\]]*)\]", 1),
    "ingredients": lambda t: drug_list.ingredient_set(t.s),
    "contract": lambda t: t.s.re_extract(CONTRACT, 1).nullif("").concat("/", t.s.re_extract(CONTRACT, 3)),
    "split": lambda t: t.s.split("|").join("-"),
    "split at a letter of patterns": lambda t: t.s.split(".")[1],
    "hash": lambda t: t.s.hexdigest("md5"),
    "length": lambda t: t.s.length(),
    "lower": lambda t: t.s.lower().concat("|", t.s.upper()),
    "named": lambda t: ibis.literal("x: ").concat(t.s),
    "one of": lambda t: t.s.isin(["E11.9", "a'b\\c\"d"]),
    "joined": lambda t: t.l.join("+"),
    "sorted": lambda t: t.l.filter(lambda x: x.notnull()).sort().join(","),
    "distinct": lambda t: t.l.unique().length(),
    "first": lambda t: t.l[0],
    "third": lambda t: t.l[2],
    "last": lambda t: _last(t.l),
    "some": lambda t: t.l[:2].join(","),
    "how many": lambda t: t.l.length(),
    "first code": lambda t: t.c[0]["code"],
    "codings or label": lambda t: columns.codings_or_label(ibis.struct({"coding": t.c, "text": t.s})),
    "codings": lambda t: t.c.filter(lambda c: c.notnull()).sort(),
    "has code": lambda t: columns.has_code(t.c, ["a"]),
    "has no code": lambda t: columns.has_code(t.c, []),
    "later": lambda t: ibis.greatest(good_day(t, columns.earliest), ibis.date("2023-02-10")),
    "no nearer": lambda t: ibis.coalesce(t.c, ibis.literal([], type=f"array<{ONE}>")).length(),
}  # fmt: skip


def ranks(t):
    order = [t.c.asc(), t.l.desc(nulls_first=False), t.s.asc()]
    return t.mutate(rank=ibis.row_number().over(order_by=order)).select("n", "rank").order_by("n")


def by_list(t):
    groups = t.mutate(g=t.n % 7)
    return groups.group_by("g").agg(
        texts=groups.s.collect(distinct=True, order_by="s").join(";"), again=groups.s.group_concat(";", order_by="s"),
        some=groups.s.collect(order_by="s", where=groups.n > 20)[:3], different=groups.s.nunique(where=groups.n > 10),
        any=(groups.s == "").any(), all=(groups.s != "").all(), many=(groups.s > "2").sum(), most=groups.s.max(where=groups.n > 3),
        money=groups.s.try_cast("decimal(12,2)").sum(),
    ).order_by("g")  # fmt: skip


def by_beginning(t):
    short, long = t.filter(t.s.length() > 3), t.select(m="n", long="s")
    return short.join(long, long.long.startswith(short.s)).select("n", "m").order_by("n", "m")


TABLES = {
    "sorted by lists": ranks,
    "in groups": by_list,
    "unnested": lambda t: t.mutate(x=t.l.unnest()).select("n", "x").order_by("n", "x"),
    "unnested with places": lambda t: t.mutate(p=ibis.range(0, t.l.length()).unnest()).mutate(x=lambda t: t.l[t.p])
    .select("n", "p", "x").order_by("n", "p"),
    "distinct over a window": lambda t: t.select("n", k=t.l[0].nunique().over(group_by=t.n % 5)).order_by("n"),
    "best of each": lambda t: t.mutate(g=t.n % 5, r=ibis.rank().over(group_by=t.n % 5, order_by=ibis.desc(t.s.length())))
    .filter(lambda t: t.r == 0).select("n", "g").order_by("n"),
    "newest": lambda t: columns.newest(
        t.select("s", "c", "l", id=(t.n % 9).cast("string"), updated=ibis.null("timestamp('UTC')"), version=t.n % 2)
    ).order_by("id"),
    "joined by its beginning": by_beginning,
    "those without": lambda t: t.anti_join(t.filter(t.l.length() > 1).select("s"), "s").select("n").order_by("n"),
}  # fmt: skip


def answered(engine, made):
    return engine.records(made(engine.table(rows(), SCHEMA, "edges")))


def test_values(engine, spark):
    def every(t):
        return t.select("n", "s", **{title: of(t) for title, of in VALUES.items()}).order_by("n")

    expected, found = answered(engine, every), answered(spark, every)
    wrong = [
        (title, one["s"], one[title], other[title])
        for one, other in zip(expected, found, strict=True)
        for title in VALUES
        if one[title] != other[title]
    ]
    assert wrong == []
    assert all(len({str(one[title]) for one in expected}) > 1 for title in VALUES if title != "has no code")


@pytest.mark.parametrize("title", TABLES)
def test_tables(engine, spark, title):
    expected = answered(engine, TABLES[title])
    assert expected
    assert answered(spark, TABLES[title]) == expected
