"""The words of the services of a plan year: kinds, methods, providers, recipients and answers, each code with its display.

The codes are those of the table ``mtm_services`` and of the adapter's own CodeSystems in ``definitions/``; tests tie the two
together. What CMS's beneficiary-level file asks for stands in reference/cms-rules.md section 5; its own two digits are data of
the layouts (mappings/layouts), not of the resources.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from adapter.resources.ids import BASE

ServiceKind = Literal[
    "invitation", "cmr_offer", "cmr", "tmr", "summary_sent", "safe_disposal", "recommendation", "resolution"
]
SERVICE_KINDS: tuple[ServiceKind, ...] = get_args(ServiceKind)
PROCEDURES = ("cmr", "tmr")  # all other kinds are Communications

SERVICE_EXTENSION = f"{BASE}StructureDefinition/mtm-service"
SERVICE = f"{BASE}CodeSystem/service"
REVIEW_METHOD = f"{BASE}CodeSystem/review-method"
CONTACT_METHOD = f"{BASE}CodeSystem/contact-method"
PROVIDER_TYPE = f"{BASE}CodeSystem/provider-type"
RECIPIENT = f"{BASE}CodeSystem/recipient"
OFFER_ANSWER = f"{BASE}CodeSystem/offer-answer"
OPT_OUT_REASON = f"{BASE}CodeSystem/opt-out-reason"

SERVICES: Mapping[str, str] = {  # code of the CodeSystem, which is also the tag of the resource
    "invitation": "Invitation to the MTM program",
    "cmr-offer": "Offer of a Comprehensive Medication Review",
    "cmr": "Comprehensive Medication Review",
    "tmr": "Targeted Medication Review",
    "summary-sent": "Written summary sent",
    "safe-disposal": "Safe-disposal information sent",
    "recommendation": "Recommendation to a prescriber",
    "resolution": "Resolution of a recommendation",
}
REVIEW_METHODS: Mapping[str, str] = {  # CMS, delivery method of the CMR (V)
    "face_to_face": "Face-to-face",
    "telephone": "Telephone",
    "telehealth": "Telehealth consultation",
    "other": "Other",
}
CONTACT_METHODS: Mapping[str, str] = {
    "mail": "Mail",
    "telephone": "Telephone",
    "in_person": "In person",
    "electronic": "Electronic",
    "fax": "Fax",
    "other": "Other",
}
PROVIDER_TYPES: Mapping[str, str] = {  # CMS, provider who performed the CMR; the order is recalled (U)
    "physician": "Physician",
    "registered_nurse": "Registered nurse",
    "licensed_practical_nurse": "Licensed practical nurse",
    "nurse_practitioner": "Nurse practitioner",
    "physician_assistant": "Physician's assistant",
    "local_pharmacist": "Local pharmacist",
    "ltc_consultant_pharmacist": "LTC consultant pharmacist",
    "plan_sponsor_pharmacist": "Plan sponsor pharmacist",
    "pbm_pharmacist": "Plan benefit manager (PBM) pharmacist",
    "mtm_vendor_local_pharmacist": "MTM vendor local pharmacist",
    "mtm_vendor_in_house_pharmacist": "MTM vendor in-house pharmacist",
    "hospital_pharmacist": "Hospital pharmacist",
    "pharmacist_other": "Pharmacist, other",
    "supervised_pharmacy_intern": "Supervised pharmacy intern",
    "other": "Other",
}
RECIPIENTS: Mapping[str, str] = {  # CMS, recipient of the CMR or of its offer
    "beneficiary": "Beneficiary",
    "prescriber": "Beneficiary's prescriber",
    "caregiver": "Caregiver",
    "other_authorized_individual": "Other authorized individual",
}
OFFER_ANSWERS: Mapping[str, str] = {
    "accepted": "Accepted",
    "declined": "Declined",
    "no_answer": "No answer",
    "undeliverable": "Undeliverable",
}
YES_NO_UNKNOWN: Mapping[str, str] = {"Y": "yes", "N": "no", "U": "unknown"}
OPT_OUT_REASONS: Mapping[str, str] = {  # CMS; other is 99 in CMS's research file (V), 04 in plans' files (P)
    "01": "Death",
    "02": "Disenrollment from the plan",
    "03": "Request of the beneficiary",
    "99": "Other",
}
# http://terminology.hl7.org/CodeSystem/v3-ParticipationMode, the example binding of Communication.medium.
PARTICIPATION_MODE = "http://terminology.hl7.org/CodeSystem/v3-ParticipationMode"
PARTICIPATION_MODES: Mapping[str, tuple[str, str]] = {
    "mail": ("MAILWRIT", "mail"),
    "telephone": ("PHONE", "telephone"),
    "in_person": ("FACE", "face-to-face"),
    "electronic": ("ELECTRONIC", "electronic data"),
    "fax": ("FAXWRIT", "telefax"),
}


def code_of(kind: str) -> str:
    """The code of a kind of service in the CodeSystem, and the kind of its resource in tags and ids: cmr_offer is cmr-offer."""
    return kind.replace("_", "-")
