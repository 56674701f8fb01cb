"""A plan's own drug terminology: read from RxNorm, the FDA NDC Directory or a list, kept whole in ``mappings/local/``.

local.py        what is loaded: the manifest ``local.toml`` and the tables it names
store.py        puts tables and manifest in place whole or not at all; takes them away
sources.py      the files that a user gives: found, hashed, proved whole, read as text
names.py        names of drugs and substances to sets of ingredients
rxnorm.py       an RxNorm release to ingredients, products, brands, NDCs and levels
fda.py          the FDA NDC Directory to NDCs and RX/OTC marks
maintenance.py  the plan's own list of maintenance drugs
"""
