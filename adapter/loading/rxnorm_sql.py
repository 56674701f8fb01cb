"""The steps from RxNorm files to lists, as SQL over the views rxnconso, rxnrel, rxnsat and rxnatomarchive.

Ids are integers while the work is done, so that the seven million rows of RXNREL stay small; every list is text.
"""

from __future__ import annotations

# One concept per RXCUI: an atom that is not suppressed goes before the others. kind and rank come from the term type.
CONCEPTS = """
CREATE TEMP TABLE concepts AS
SELECT DISTINCT ON (id) id, tty, kind, rank, name, live, archived FROM (
    SELECT TRY_CAST(RXCUI AS INTEGER) AS id, t.tty, t.kind, t.rank, trim(STR) AS name,
           coalesce(SUPPRESS, 'N') = 'N' AS live, false AS archived
    FROM rxnconso JOIN term_types t ON t.tty = rxnconso.TTY WHERE SAB = 'RXNORM'
) WHERE id IS NOT NULL AND name <> '' ORDER BY id, live DESC, rank, name
"""

# A code that is no longer in RXNCONSO, under its last name. RXNATOMARCHIVE also keeps old names of living concepts.
RETIRED = """
INSERT INTO concepts
SELECT DISTINCT ON (id) id, tty, kind, rank, name, false, true FROM (
    SELECT TRY_CAST(RXCUI AS INTEGER) AS id, t.tty, t.kind, t.rank, trim(STR) AS name, LAST_RELEASED AS last
    FROM rxnatomarchive JOIN term_types t ON t.tty = rxnatomarchive.TTY WHERE SAB = 'RXNORM'
) WHERE id NOT IN (SELECT id FROM concepts) AND name <> '' ORDER BY id, last DESC NULLS LAST, rank, name
"""

# Where a retired code went, by its last row; only to a code that is known.
MERGED = """
CREATE TEMP TABLE merged AS
SELECT DISTINCT ON (old) old, new FROM (
    SELECT TRY_CAST(RXCUI AS INTEGER) AS old, TRY_CAST(MERGED_TO_RXCUI AS INTEGER) AS new, LAST_RELEASED AS last
    FROM rxnatomarchive WHERE SAB = 'RXNORM'
) JOIN concepts o ON o.id = old AND o.archived JOIN concepts n ON n.id = new
WHERE new <> old ORDER BY old, last DESC NULLS LAST, new
"""
NOTHING_MERGED = "CREATE TEMP TABLE merged (old INTEGER, new INTEGER)"

# whole is made of, contains, or is a form or trade name of part. A withdrawn relation counts for a withdrawn concept only.
LINKS = """
CREATE TEMP TABLE links AS
SELECT DISTINCT r.whole, r.part, r.rela IN ('consists_of', 'constitutes', 'contains', 'contained_in') AS needed
FROM (
    SELECT TRY_CAST(CASE WHEN d.forward THEN RXCUI2 ELSE RXCUI1 END AS INTEGER) AS whole,
           TRY_CAST(CASE WHEN d.forward THEN RXCUI1 ELSE RXCUI2 END AS INTEGER) AS part,
           d.rela, coalesce(SUPPRESS, 'N') = 'N' AS live
    FROM rxnrel JOIN relations d ON d.rela = rxnrel.RELA WHERE SAB = 'RXNORM'
) r JOIN concepts w ON w.id = r.whole
WHERE r.part IS NOT NULL AND r.part <> r.whole AND (r.live OR NOT w.live)
UNION SELECT old, new, false FROM merged
"""

# From each ingredient upwards. A brand is no way to ingredients here: one brand may stand on several sets.
REACHED = """
CREATE TEMP TABLE reached AS
WITH RECURSIVE up(id, ingredient) AS (
    SELECT id, id FROM concepts WHERE tty = 'IN' AND id NOT IN (SELECT old FROM merged)
    UNION
    SELECT l.whole, up.ingredient FROM up JOIN links l ON l.part = up.id
    JOIN concepts p ON p.id = l.part AND p.kind <> 'brand'
    JOIN concepts w ON w.id = l.whole AND (w.tty <> 'IN' OR w.archived)
) SELECT id, ingredient FROM up
"""

# "inert ingredients" of the placebo tablets in a pack are not a part of the drug.
SETS = """
CREATE TEMP TABLE sets AS
WITH weighed AS (
    SELECT r.id, r.ingredient, lower(c.name) = 'inert ingredients' AS inert,
           bool_and(inert) OVER (PARTITION BY r.id) AS only_inert
    FROM reached r JOIN concepts c ON c.id = r.ingredient
)
SELECT id, string_agg(CAST(ingredient AS VARCHAR), ';' ORDER BY ingredient) AS ids
FROM weighed WHERE only_inert OR NOT inert GROUP BY id
"""

# Drugs that no relation resolves, or not in each part: their name has to tell.
UNTOLD = """
SELECT c.id, c.name, coalesce(s.ids, '') AS ids FROM concepts c LEFT JOIN sets s ON s.id = c.id
WHERE c.kind <> 'brand' AND c.tty <> 'IN' AND (s.ids IS NULL OR c.id IN (
    SELECT l.whole FROM links l LEFT JOIN concepts b ON b.id = l.part LEFT JOIN sets p ON p.id = l.part
    WHERE l.needed AND p.ids IS NULL AND coalesce(b.kind, '') <> 'brand'))
ORDER BY c.id
"""

# named(id, ids, basis): what the names told, together with what the relations told.
RESOLVED = """
CREATE TEMP TABLE resolved AS
SELECT c.id, c.tty, c.kind, c.rank, c.name, c.live, c.archived,
       coalesce(n.ids, s.ids) AS ids, coalesce(n.basis, 'rel') AS basis
FROM concepts c LEFT JOIN sets s ON s.id = c.id LEFT JOIN named n ON n.id = c.id
WHERE c.kind <> 'brand' AND coalesce(n.ids, s.ids) IS NOT NULL
"""

SUBSTANCES = """
CREATE TEMP TABLE release_substances AS
SELECT DISTINCT ON (name) name, rxcui, unii, ids AS ingredient_rxcuis FROM (
    SELECT upper(trim(STR)) AS name, RXCUI AS rxcui,
           CASE WHEN regexp_full_match(CODE, '[0-9A-Z]{10}') THEN CODE ELSE '' END AS unii, r.ids, r.rank
    FROM rxnconso JOIN resolved r ON r.id = TRY_CAST(RXCUI AS INTEGER) AND r.kind = 'ingredient'
    WHERE SAB = 'MTHSPL' AND rxnconso.TTY = 'SU'
) WHERE name <> '' ORDER BY name, rank, rxcui
"""

INGREDIENTS = """
CREATE TEMP TABLE release_ingredients AS
SELECT CAST(r.id AS VARCHAR) AS rxcui, tty, r.name, ids AS ingredient_rxcuis, coalesce(u.unii, '') AS unii,
       CASE WHEN archived THEN 'rxnorm-archive' ELSE 'rxnorm' END AS source
FROM resolved r LEFT JOIN (
    SELECT id, min(unii) AS unii FROM (
        SELECT TRY_CAST(RXCUI AS INTEGER) AS id, ATV AS unii FROM attributes WHERE ATN = 'UNII_CODE'
        UNION ALL SELECT TRY_CAST(rxcui AS INTEGER), unii FROM release_substances
    ) WHERE regexp_full_match(unii, '[0-9A-Z]{10}') GROUP BY id
) u ON u.id = r.id WHERE kind = 'ingredient'
"""

PRODUCTS = """
CREATE TEMP TABLE release_products AS
SELECT CAST(id AS VARCHAR) AS rxcui, tty, name, ids AS ingredient_rxcuis, basis AS link_basis,
       CASE WHEN live THEN 'current' ELSE 'other' END AS status,
       CASE WHEN archived THEN 'rxnorm-archive' ELSE 'rxnorm' END AS source
FROM resolved WHERE kind = 'product'
"""

# A brand stands on the sets of its branded drugs, forms and packs; of the current ones when there are any.
BRANDS = """
CREATE TEMP TABLE release_brands AS
WITH branded AS (
    SELECT l.part AS brand, r.id, r.ids, r.live, r.tty IN ('SBD', 'BPCK') AS sold FROM links l
    JOIN resolved r ON r.id = l.whole AND r.tty IN ('SBD', 'SBDF', 'BPCK') JOIN concepts b ON b.id = l.part AND b.tty = 'BN'
    UNION
    SELECT b.id, r.id, r.ids, r.live, true FROM resolved r JOIN concepts b ON b.tty = 'BN'
    AND lower(b.name) = lower(regexp_extract(r.name, '\\[([^\\]]*)\\]$', 1)) WHERE r.tty IN ('SBD', 'BPCK')
    UNION
    SELECT s.id, NULL, s.ids, NULL, false FROM sets s JOIN concepts b ON b.id = s.id AND b.tty = 'BN'
), best AS (
    SELECT *, max(coalesce(CAST(live AS INTEGER), -1)) OVER (PARTITION BY brand) AS top FROM branded
), rows AS (
    SELECT b.name AS brand, b.id, best.ids, best.id AS product, best.sold FROM best JOIN concepts b ON b.id = best.brand
    WHERE coalesce(CAST(best.live AS INTEGER), -1) = best.top
), grouped AS (
    SELECT brand, string_agg(DISTINCT CAST(id AS VARCHAR), ';' ORDER BY CAST(id AS VARCHAR)) AS bn_rxcui, ids,
           greatest(count(DISTINCT product) FILTER (WHERE sold), 1) AS n FROM rows GROUP BY brand, ids
)
SELECT brand, bn_rxcui, ids AS ingredient_rxcuis, CAST(n AS VARCHAR) AS n_products,
       CAST(count(*) OVER (PARTITION BY brand) AS VARCHAR) AS n_ingredient_sets FROM grouped
"""

ATTRIBUTES = """
CREATE TEMP TABLE attributes AS
SELECT RXCUI, ATN, SAB, ATV, coalesce(SUPPRESS, 'N') = 'N' AS live FROM rxnsat WHERE ATN IN ('NDC', 'UNII_CODE')
"""

# The product of each NDC: RxNorm's own row first, living rows and products first. When rows of one standing name
# different ingredients, the code decides nothing and is left out.
NDC = """
CREATE TEMP TABLE release_ndc AS
WITH coded AS (
    SELECT ndc11(ATV) AS ndc11, r.id, r.ids,
           (CASE WHEN SAB = 'RXNORM' THEN 0 ELSE 4 END) + (CASE WHEN a.live THEN 0 ELSE 2 END)
           + (CASE WHEN r.live THEN 0 ELSE 1 END) AS place
    FROM attributes a JOIN resolved r ON r.id = TRY_CAST(a.RXCUI AS INTEGER) AND r.kind = 'product'
    WHERE ATN = 'NDC' AND ndc11(ATV) IS NOT NULL
), best AS (SELECT *, min(place) OVER (PARTITION BY ndc11) AS first FROM coded)
SELECT ndc11, CAST(min(id) AS VARCHAR) AS rxcui, min(ids) AS ingredient_rxcuis, '' AS label_name, 'R' AS source
FROM best WHERE place = first GROUP BY ndc11 HAVING count(DISTINCT ids) = 1
"""

# A flag on ``broader`` holds for ``rxcui``; the smaller the rank, the nearer. Not beyond a brand: its ingredients are
# those of all its drugs. A retired code and the code that took its place stand for each other.
LEVELS = """
CREATE TEMP TABLE levels AS
WITH RECURSIVE up(id, broader) AS (
    SELECT whole, part FROM links JOIN concepts w ON w.id = whole AND w.kind = 'product'
    UNION
    SELECT up.id, l.part FROM up JOIN links l ON l.whole = up.broader JOIN concepts b ON b.id = up.broader AND b.kind <> 'brand'
), every AS (
    SELECT id, broader FROM up UNION SELECT r.id, r.ingredient FROM reached r JOIN concepts c ON c.id = r.id AND c.kind = 'product'
    UNION SELECT new, old FROM merged
)
SELECT CAST(e.id AS VARCHAR) AS rxcui, CAST(e.broader AS VARCHAR) AS broader, CAST(b.rank AS VARCHAR) AS rank
FROM every e JOIN concepts w ON w.id = e.id AND w.kind = 'product' JOIN concepts b ON b.id = e.broader
WHERE e.id <> e.broader AND lower(b.name) NOT LIKE 'inert ingredients%'
"""

# An NDC as 11 digits: written so, with 12 digits and a leading zero, or with hyphens (5-4-2, 4-4-2, 5-3-2, 5-4-1).
NDC11 = """
CREATE MACRO ndc11(written) AS (
    CASE WHEN regexp_full_match(regexp_replace(written, '[\\s*-]', '', 'g'), '0?[0-9]{11}')
              THEN right(regexp_replace(written, '[\\s*-]', '', 'g'), 11)
         WHEN regexp_full_match(regexp_replace(written, '[\\s*]', '', 'g'), '[0-9]{4,5}-[0-9]{3,4}-[0-9]{1,2}')
              THEN lpad(string_split(regexp_replace(written, '[\\s*]', '', 'g'), '-')[1], 5, '0')
                || lpad(string_split(regexp_replace(written, '[\\s*]', '', 'g'), '-')[2], 4, '0')
                || lpad(string_split(regexp_replace(written, '[\\s*]', '', 'g'), '-')[3], 2, '0') END)
"""

# The shipped lists fill what the release lacks: retired codes, older NDCs. Their ingredients follow the release
# where it has them (a precise ingredient or an ingredient that was merged becomes what the release says).
FILLED = """
CREATE TEMP TABLE filled_sets AS
WITH given AS (
    SELECT DISTINCT ingredient_rxcuis AS given FROM (
        SELECT ingredient_rxcuis FROM shipped_ingredients UNION ALL SELECT ingredient_rxcuis FROM shipped_products
        UNION ALL SELECT ingredient_rxcuis FROM shipped_brands UNION ALL SELECT ingredient_rxcuis FROM shipped_ndc)
), parts AS (SELECT given, unnest(string_split(given, ';')) AS part FROM given),
ids AS (
    SELECT given, unnest(string_split(coalesce(r.ingredient_rxcuis, part), ';')) AS id
    FROM parts LEFT JOIN release_ingredients r ON r.rxcui = part
)
SELECT given, array_to_string(list_sort(list(DISTINCT CAST(id AS INTEGER))), ';') AS ids FROM ids GROUP BY given;

CREATE TEMP TABLE ingredients AS
SELECT * FROM release_ingredients UNION ALL
SELECT s.rxcui, s.tty, s.name, f.ids, s.unii, s.source FROM shipped_ingredients s
JOIN filled_sets f ON f.given = s.ingredient_rxcuis WHERE s.rxcui NOT IN (SELECT rxcui FROM release_ingredients);

CREATE TEMP TABLE products AS
SELECT * FROM release_products UNION ALL
SELECT s.rxcui, s.tty, s.name, f.ids, s.link_basis, 'other', s.source FROM shipped_products s
JOIN filled_sets f ON f.given = s.ingredient_rxcuis WHERE s.rxcui NOT IN (SELECT rxcui FROM release_products);

CREATE TEMP TABLE brands AS
SELECT * FROM release_brands UNION ALL
SELECT brand, bn_rxcui, ids, n_products, CAST(count(*) OVER (PARTITION BY brand) AS VARCHAR) FROM (
    SELECT DISTINCT ON (s.brand, f.ids) s.brand, s.bn_rxcui, f.ids, s.n_products
    FROM shipped_brands s JOIN filled_sets f ON f.given = s.ingredient_rxcuis ORDER BY s.brand, f.ids, s.bn_rxcui
) WHERE lower(brand) NOT IN (SELECT lower(brand) FROM release_brands);

CREATE TEMP TABLE ndc AS
SELECT * FROM release_ndc UNION ALL
SELECT s.ndc11, s.rxcui, coalesce(p.ingredient_rxcuis, f.ids), s.label_name, s.source FROM shipped_ndc s
JOIN filled_sets f ON f.given = s.ingredient_rxcuis LEFT JOIN products p ON p.rxcui = s.rxcui
WHERE s.ndc11 NOT IN (SELECT ndc11 FROM release_ndc);
"""

ALONE = """
CREATE VIEW ingredients AS SELECT * FROM release_ingredients;
CREATE VIEW products AS SELECT * FROM release_products;
CREATE VIEW brands AS SELECT * FROM release_brands;
CREATE VIEW ndc AS SELECT * FROM release_ndc;
"""

# What the person at the console is told, and what makes a release one that cannot be whole.
COUNTS = """
SELECT (SELECT count(*) FROM concepts) AS concepts,
       (SELECT count(*) FROM concepts WHERE archived) AS retired,
       (SELECT count(*) FROM links) AS links,
       (SELECT count(*) FROM attributes WHERE ATN = 'NDC') AS ndc_rows,
       (SELECT count(*) FROM resolved WHERE kind = 'product' AND basis = 'rel') AS by_relation,
       (SELECT count(*) FROM resolved WHERE kind = 'product' AND basis <> 'rel') AS by_name,
       (SELECT count(*) FROM concepts WHERE kind <> 'brand') - (SELECT count(*) FROM resolved) AS without_ingredients,
       (SELECT count(*) FROM concepts WHERE live AND rank = 1) AS current_drugs,
       (SELECT count(*) FROM concepts c LEFT JOIN sets s ON s.id = c.id WHERE live AND rank = 1 AND ids IS NULL) AS unrelated
"""
