"""The steps from the FDA NDC Directory to lists, as SQL over the views product, package, base (drugs/ndc) and named."""

from __future__ import annotations

KEPT = ("ndc11", "rx_otc", "marketing_category", "substances", "label_name")

STRANGE = """
SELECT count(*) AS packages, count(*) FILTER (WHERE p.PRODUCTID IS NULL) AS strange
FROM package LEFT JOIN (SELECT DISTINCT PRODUCTID FROM product) p USING (PRODUCTID)
"""

LAST_START = """
SELECT coalesce(max(STARTMARKETINGDATE), '') AS last FROM product
WHERE regexp_full_match(STARTMARKETINGDATE, '[0-9]{8}') AND STARTMARKETINGDATE <= ?
"""

# The label is written so that the adapter can read route and brand from it: "metformin oral tablet [Glucophage]". When
# two listings of one package differ in RX and OTC, the mark is left empty.
DIRECTORY = """
CREATE TEMP TABLE directory AS
WITH listed AS (
    SELECT ndc11(k.NDCPACKAGECODE) AS ndc11, p.PRODUCTID AS product,
           CASE WHEN upper(PRODUCTTYPENAME) LIKE '%OTC%' THEN 'otc'
                WHEN upper(PRODUCTTYPENAME) LIKE '%PRESCRIPTION%' OR upper(PRODUCTTYPENAME) IN
                     ('VACCINE', 'PLASMA DERIVATIVE', 'CELLULAR THERAPY', 'STANDARDIZED ALLERGENIC', 'NON-STANDARDIZED ALLERGENIC')
                     THEN 'rx' ELSE '' END AS rx_otc,
           coalesce(trim(MARKETINGCATEGORYNAME), '') AS marketing_category,
           upper(trim(coalesce(SUBSTANCENAME, NONPROPRIETARYNAME, ''))) AS substances,
           lower(trim(concat_ws(' ', NONPROPRIETARYNAME, ROUTENAME, DOSAGEFORMNAME)))
           || CASE WHEN coalesce(trim(PROPRIETARYNAME), '') = '' OR lower(trim(PROPRIETARYNAME)) = lower(trim(NONPROPRIETARYNAME))
                   THEN '' ELSE ' [' || trim(PROPRIETARYNAME) || ']' END AS label_name
    FROM package k JOIN product p USING (PRODUCTID)
), marked AS (
    SELECT *, CASE WHEN count(DISTINCT rx_otc) OVER (PARTITION BY ndc11) = 1 THEN rx_otc ELSE '' END AS mark FROM listed
    WHERE ndc11 IS NOT NULL
)
SELECT DISTINCT ON (ndc11) ndc11, mark AS rx_otc, marketing_category, substances, label_name
FROM marked ORDER BY ndc11, substances = '', product DESC
"""

ASKED = "SELECT DISTINCT substances FROM directory WHERE substances <> '' AND ndc11 NOT IN (SELECT ndc11 FROM base)"

# An NDC that the base lacks: another package of the same labeler and product that RxNorm knows, else its substances,
# else another package that any list knows. What none of them tells is left out.
COMPOSED = """
CREATE TEMP TABLE siblings AS
SELECT left(ndc11, 9) AS product, source = 'R' AS sure, min(ingredient_rxcuis) AS ids,
       CASE WHEN count(DISTINCT rxcui) = 1 THEN min(rxcui) ELSE '' END AS rxcui
FROM base WHERE ingredient_rxcuis <> '' GROUP BY ALL HAVING count(DISTINCT ingredient_rxcuis) = 1;

CREATE TEMP TABLE added AS
SELECT d.ndc11, coalesce(s.rxcui, '') AS rxcui, coalesce(s.ids, n.ids, o.ids) AS ingredient_rxcuis, d.label_name, 'F' AS source
FROM directory d LEFT JOIN siblings s ON s.product = left(d.ndc11, 9) AND s.sure
LEFT JOIN named n USING (substances) LEFT JOIN siblings o ON o.product = left(d.ndc11, 9) AND NOT o.sure
WHERE d.ndc11 NOT IN (SELECT ndc11 FROM base);

CREATE TEMP TABLE ndc AS
SELECT * FROM base UNION ALL SELECT * FROM added WHERE ingredient_rxcuis IS NOT NULL;

CREATE TEMP TABLE ndc_marks AS SELECT ndc11, rx_otc, marketing_category FROM directory WHERE rx_otc <> '';
"""

COUNTS = """
SELECT (SELECT count(*) FROM directory) AS packages,
       (SELECT count(*) FROM directory WHERE ndc11 IN (SELECT ndc11 FROM base)) AS already_listed,
       (SELECT count(*) FROM added WHERE ingredient_rxcuis IS NOT NULL) AS added,
       (SELECT count(*) FROM added WHERE ingredient_rxcuis IS NULL) AS without_ingredients,
       (SELECT count(*) FROM ndc_marks WHERE rx_otc = 'rx') AS rx, (SELECT count(*) FROM ndc_marks WHERE rx_otc = 'otc') AS otc
"""
