"""The words in which the use of a drug is told, in English and Spanish, by the codes of FHIR's Timing and Dosage.

Codes: https://hl7.org/fhir/R4/valueset-timing-abbreviation.html, https://hl7.org/fhir/R4/valueset-event-timing.html and UCUM.
The Spanish is that of US patient materials (tableta, inhalación); it is written here and is no official CMS text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Language = Literal["en", "es"]
LANGUAGES: tuple[Language, ...] = ("en", "es")
Pair = tuple[str, str]  # singular and plural, or English and Spanish, as the table says

# Timing.code to what FHIR's Timing.repeat would say of it: (frequency, period, unit, when).
TIMING_CODES: Mapping[str, tuple[int, int, str, str]] = {
    "QD": (1, 1, "d", ""),
    "QDAY": (1, 1, "d", ""),
    "DAILY": (1, 1, "d", ""),
    "BID": (2, 1, "d", ""),
    "TID": (3, 1, "d", ""),
    "QID": (4, 1, "d", ""),
    "QOD": (1, 2, "d", ""),
    "WK": (1, 1, "wk", ""),
    "QWK": (1, 1, "wk", ""),
    "MO": (1, 1, "mo", ""),
    "AM": (1, 1, "d", "MORN"),
    "QAM": (1, 1, "d", "MORN"),
    "PM": (1, 1, "d", "EVE"),
    "QPM": (1, 1, "d", "EVE"),
    "BED": (1, 1, "d", "HS"),
    "HS": (1, 1, "d", "HS"),
    "QHS": (1, 1, "d", "HS"),
}  # and Q<n>H: every n hours

WHEN: Mapping[str, Pair] = {  # code to (English, Spanish)
    "MORN": ("in the morning", "por la mañana"),
    "MORN.early": ("early in the morning", "temprano por la mañana"),
    "MORN.late": ("late in the morning", "al final de la mañana"),
    "NOON": ("at noon", "al mediodía"),
    "AFT": ("in the afternoon", "por la tarde"),
    "AFT.early": ("early in the afternoon", "al principio de la tarde"),
    "AFT.late": ("late in the afternoon", "al final de la tarde"),
    "EVE": ("in the evening", "al anochecer"),
    "EVE.early": ("early in the evening", "al principio de la noche"),
    "EVE.late": ("late in the evening", "tarde en la noche"),
    "NIGHT": ("at night", "por la noche"),
    "PHS": ("after going to sleep", "después de dormirse"),
    "HS": ("at bedtime", "al acostarse"),
    "WAKE": ("after waking up", "al despertarse"),
    "C": ("with meals", "con las comidas"),
    "CM": ("with breakfast", "con el desayuno"),
    "CD": ("with lunch", "con el almuerzo"),
    "CV": ("with dinner", "con la cena"),
    "AC": ("before meals", "antes de las comidas"),
    "ACM": ("before breakfast", "antes del desayuno"),
    "ACD": ("before lunch", "antes del almuerzo"),
    "ACV": ("before dinner", "antes de la cena"),
    "PC": ("after meals", "después de las comidas"),
    "PCM": ("after breakfast", "después del desayuno"),
    "PCD": ("after lunch", "después del almuerzo"),
    "PCV": ("after dinner", "después de la cena"),
}
DAYS: Mapping[str, Pair] = {
    "mon": ("Monday", "lunes"),
    "tue": ("Tuesday", "martes"),
    "wed": ("Wednesday", "miércoles"),
    "thu": ("Thursday", "jueves"),
    "fri": ("Friday", "viernes"),
    "sat": ("Saturday", "sábado"),
    "sun": ("Sunday", "domingo"),
}
MONTHS: Mapping[Language, tuple[str, ...]] = {
    "en": (
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
    ),
    "es": (
        "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre",
    ),
}  # fmt: skip
TIMES: Mapping[Language, Mapping[str, Pair]] = {  # units of time: singular and plural
    "en": {
        "s": ("second", "seconds"), "min": ("minute", "minutes"), "h": ("hour", "hours"), "d": ("day", "days"),
        "wk": ("week", "weeks"), "mo": ("month", "months"), "a": ("year", "years"),
    },
    "es": {
        "s": ("segundo", "segundos"), "min": ("minuto", "minutos"), "h": ("hora", "horas"), "d": ("día", "días"),
        "wk": ("semana", "semanas"), "mo": ("mes", "meses"), "a": ("año", "años"),
    },
}  # fmt: skip

# Units of a dose in many spellings (small letters, without plural s) to a name; UCUM annotations stand without their braces.
UNITS: Mapping[str, str] = {
    "tab": "tablet", "tbl": "tablet", "tablet": "tablet", "caplet": "tablet", "cap": "capsule", "capsule": "capsule", "softgel": "softgel",
    "gummy": "gummy", "gummie": "gummy", "puff": "puff", "inhalation": "puff", "actuat": "puff", "actuation": "puff",
    "drop": "drop", "drp": "drop", "[drp]": "drop", "gtt": "drop", "spray": "spray", "sprays": "spray", "patch": "patch", "patche": "patch",
    "ml": "mL", "milliliter": "mL", "l": "L", "mg": "mg", "milligram": "mg", "mcg": "mcg", "ug": "mcg", "microgram": "mcg", "g": "g",
    "gram": "g", "meq": "mEq", "unit": "unit", "u": "unit", "[iu]": "unit", "iu": "unit", "international unit": "unit",
    "application": "application", "suppository": "suppository", "suppositorie": "suppository", "packet": "packet", "sachet": "packet",
    "tsp": "teaspoon", "[tsp_us]": "teaspoon", "teaspoon": "teaspoon", "tbsp": "tablespoon", "[tbs_us]": "tablespoon",
    "tablespoon": "tablespoon", "lozenge": "lozenge", "injection": "injection", "dose": "dose", "vial": "vial", "film": "film",
    "strip": "strip", "each": "", "ea": "", "1": "", "": "",
}  # fmt: skip
# Name to (singular, plural) and, in Spanish, whether it is feminine ("media tableta", "medio parche").
UNIT_WORDS: Mapping[Language, Mapping[str, tuple[str, str, bool]]] = {
    "en": {
        name: (name, plural, False)
        for name, plural in {
            "tablet": "tablets", "capsule": "capsules", "softgel": "softgels", "gummy": "gummies", "puff": "puffs", "drop": "drops",
            "spray": "sprays", "patch": "patches", "unit": "units", "application": "applications", "suppository": "suppositories",
            "packet": "packets", "teaspoon": "teaspoons", "tablespoon": "tablespoons", "lozenge": "lozenges",
            "injection": "injections", "dose": "doses", "vial": "vials", "film": "films", "strip": "strips",
            "mL": "mL", "L": "L", "mg": "mg", "mcg": "mcg", "g": "g", "mEq": "mEq",
        }.items()
    },
    "es": {
        "tablet": ("tableta", "tabletas", True), "capsule": ("cápsula", "cápsulas", True),
        "softgel": ("cápsula blanda", "cápsulas blandas", True), "gummy": ("gomita", "gomitas", True),
        "puff": ("inhalación", "inhalaciones", True), "drop": ("gota", "gotas", True),
        "spray": ("rociada", "rociadas", True), "patch": ("parche", "parches", False),
        "unit": ("unidad", "unidades", True), "application": ("aplicación", "aplicaciones", True),
        "suppository": ("supositorio", "supositorios", False), "packet": ("sobre", "sobres", False),
        "teaspoon": ("cucharadita", "cucharaditas", True), "tablespoon": ("cucharada", "cucharadas", True),
        "lozenge": ("pastilla para chupar", "pastillas para chupar", True), "injection": ("inyección", "inyecciones", True),
        "dose": ("dosis", "dosis", True), "vial": ("vial", "viales", False), "film": ("película", "películas", True),
        "strip": ("tira", "tiras", True), "mL": ("mL", "mL", False), "L": ("L", "L", False), "mg": ("mg", "mg", False),
        "mcg": ("mcg", "mcg", False), "g": ("g", "g", False), "mEq": ("mEq", "mEq", False),
    },
}  # fmt: skip

# A route, found by words in its text or by its code (SNOMED CT, HL7 RouteOfAdministration), to verb and phrase.
ROUTES: Mapping[str, Mapping[Language, Pair]] = {
    "oral": {"en": ("Take", "by mouth"), "es": ("Tome", "por la boca")},
    "sublingual": {"en": ("Place", "under the tongue"), "es": ("Ponga", "debajo de la lengua")},
    "topical": {"en": ("Apply", "to the skin"), "es": ("Aplique", "sobre la piel")},
    "transdermal": {"en": ("Apply", "to the skin"), "es": ("Aplique", "sobre la piel")},
    "inhaled": {"en": ("Inhale", ""), "es": ("Inhale", "")},
    "nasal": {"en": ("Use", "in the nose"), "es": ("Use", "en la nariz")},
    "ophthalmic": {"en": ("Put", "in the eye"), "es": ("Ponga", "en el ojo")},
    "otic": {"en": ("Put", "in the ear"), "es": ("Ponga", "en el oído")},
    "subcutaneous": {"en": ("Inject", "under the skin"), "es": ("Inyecte", "debajo de la piel")},
    "intramuscular": {"en": ("Inject", "into the muscle"), "es": ("Inyecte", "en el músculo")},
    "intravenous": {"en": ("Use", "into a vein"), "es": ("Use", "en una vena")},
    "rectal": {"en": ("Use", "in the rectum"), "es": ("Use", "en el recto")},
    "vaginal": {"en": ("Use", "in the vagina"), "es": ("Use", "en la vagina")},
    "": {"en": ("Take", ""), "es": ("Tome", "")},  # by what the unit says, see dosage.py
    "other": {"en": ("Use", ""), "es": ("Use", "")},
}
ROUTE_CODES: Mapping[str, str] = {
    "26643006": "oral", "PO": "oral", "37839007": "sublingual", "SL": "sublingual", "6064005": "topical", "TOPICAL": "topical",
    "45890007": "transdermal", "TRNSDERM": "transdermal", "18679011000001101": "inhaled", "447694001": "inhaled", "IPINHL": "inhaled",
    "46713006": "nasal", "NASINHL": "nasal", "54485002": "ophthalmic", "OPTHALTA": "ophthalmic", "10547007": "otic", "OTIC": "otic",
    "34206005": "subcutaneous", "SQ": "subcutaneous", "78421000": "intramuscular", "IM": "intramuscular", "47625008": "intravenous",
    "IV": "intravenous", "37161004": "rectal", "PR": "rectal", "16857009": "vaginal", "VAGINS": "vaginal",
}  # fmt: skip
ROUTE_WORDS: tuple[tuple[str, str], ...] = (
    (r"sublingual|under the tongue", "sublingual"),
    (r"transderm|patch", "transdermal"),
    (r"subcut|under the skin", "subcutaneous"),
    (r"intramusc", "intramuscular"),
    (r"intraven", "intravenous"),
    (r"ophth|eye|ocular", "ophthalmic"),
    (r"\botic|\bear", "otic"),
    (r"nasal|nostril|nose", "nasal"),
    (r"inhal|respirat", "inhaled"),
    (r"rect", "rectal"),
    (r"vagin", "vaginal"),
    (r"topical|cutaneous|skin", "topical"),
    (r"\boral|mouth|\bpo\b", "oral"),
)
UNIT_ROUTES: Mapping[str, str] = {
    "puff": "inhaled",
    "patch": "transdermal",
    "spray": "other",
    "drop": "other",
    "application": "topical",
}

PHRASES: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "once": "once {per}", "times": "{n} times {per}", "every": "every {p}", "other_day": "every other day", "a": "a {unit}",
        "n_every": "{n} times every {p}", "to": "{low} to {high}", "up_to": "up to {high}", "half": "half a {unit}", "and": "and",
        "on": "on {days}", "at": "at {times}", "for": "for {time}", "until": "until {day}", "from_until": "from {start} until {day}",
        "as_needed": "as needed", "as_needed_for": "as needed for {why}", "one_dose": "one time only", "doses": "for {n} doses in all",
        "max_period": "No more than {dose} in {time}.", "max_once": "No more than {dose} at a time.",
        "max_life": "No more than {dose} in a lifetime.", "then": "Then", "rate": "at {rate}",
        "before": "{time} {when}", "over": "over {time}", "per": "{dose} per {time}", "on_dates": "on {dates}",
    },
    "es": {
        "once": "una vez {per}", "times": "{n} veces {per}", "every": "cada {p}", "other_day": "un día sí y un día no", "a": "{al} {unit}",
        "n_every": "{n} veces cada {p}", "to": "{low} a {high}", "up_to": "hasta {high}", "half": "{medio} {unit}", "and": "y",
        "on": "los {days}", "at": "a las {times}", "for": "durante {time}", "until": "hasta {day}",
        "from_until": "desde {start} hasta {day}", "as_needed": "si es necesario", "as_needed_for": "si es necesario por {why}",
        "one_dose": "una sola vez", "doses": "{n} dosis en total", "max_period": "No más de {dose} en {time}.",
        "max_once": "No más de {dose} por vez.", "max_life": "No más de {dose} en toda la vida.", "then": "Después", "rate": "a {rate}",
        "before": "{time} {when}", "over": "en {time}", "per": "{dose} por {time}", "on_dates": "{dates}",
    },
}  # fmt: skip
# What sources write most often beside a dose, as (English, Spanish); anything else is told as it is written.
ASIDES: Mapping[str, Pair] = {
    "pain": ("pain", "dolor"), "headache": ("headache", "dolor de cabeza"), "nausea": ("nausea", "náuseas"),
    "chest pain": ("chest pain", "dolor de pecho"), "shortness of breath": ("shortness of breath", "falta de aire"),
    "wheezing": ("wheezing", "silbidos al respirar"), "cough": ("cough", "tos"), "fever": ("fever", "fiebre"),
    "itching": ("itching", "picazón"), "anxiety": ("anxiety", "ansiedad"), "sleep": ("sleep", "dormir"),
    "constipation": ("constipation", "estreñimiento"), "allergies": ("allergies", "alergias"), "heartburn": ("heartburn", "acidez"),
    "with food": ("with food", "con alimentos"), "with or after food": ("with or after food", "con alimentos o después de comer"),
    "with meals": ("with meals", "con las comidas"), "on an empty stomach": ("on an empty stomach", "con el estómago vacío"),
    "with plenty of water": ("with plenty of water", "con mucha agua"), "with water": ("with water", "con agua"),
    "both eyes": ("in both eyes", "en los dos ojos"), "left eye": ("in the left eye", "en el ojo izquierdo"),
    "right eye": ("in the right eye", "en el ojo derecho"), "both ears": ("in both ears", "en los dos oídos"),
    "left ear": ("in the left ear", "en el oído izquierdo"), "right ear": ("in the right ear", "en el oído derecho"),
    "each nostril": ("in each nostril", "en cada fosa nasal"), "abdomen": ("in the abdomen", "en el abdomen"),
    "affected area": ("to the affected area", "en la zona afectada"),
    "may cause drowsiness": ("may cause drowsiness", "puede causar sueño"),
}  # fmt: skip
