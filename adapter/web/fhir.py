"""The FHIR endpoint: what it can do, and the operation Patient/[id]/$mtm-targeting."""

from __future__ import annotations

import re

from flask import Blueprint, Response
from werkzeug.exceptions import BadRequest

from adapter import __version__
from adapter.jobs import targeting
from adapter.resources.capability import capability_statement
from adapter.resources.ids import Resource
from adapter.resources.narrative import clean
from adapter.resources.parameters import targeting_parameters
from adapter.web.formats import JSON, XML, answer, wanted
from adapter.web.inputs import asked
from adapter.web.settings import settings

CAPABILITIES_AS_OF = "2026-11-24"  # the day of the last change to what the endpoint can do
_ID = re.compile(r"[A-Za-z0-9\-._]{1,64}")  # R4's id, and the underscore that some servers put into theirs

blueprint = Blueprint("fhir", __name__, url_prefix="/fhir")


@blueprint.get("/metadata")
def metadata() -> Response:
    """The CapabilityStatement, the same for the same version."""
    mime = wanted()
    statement = capability_statement(__version__, f"{settings().base_url}/fhir", CAPABILITIES_AS_OF)
    return answer({**statement, "format": [JSON, XML]}, mime)


@blueprint.route("/Patient/<beneficiary>/$mtm-targeting", methods=["GET", "POST"])
def mtm_targeting(beneficiary: str) -> Response:
    """The decision for one beneficiary as FHIR Parameters; GET too, since the operation changes nothing."""
    mime, inputs = wanted(), asked(settings())
    if not _ID.fullmatch(beneficiary):
        raise BadRequest("The id of the Patient is no FHIR id; give one of letters, digits, hyphens and dots")
    decision, program, notices = targeting.explain(
        settings().screening(inputs.as_of, inputs.program), settings().config, beneficiary, settings().pool
    )
    return answer(with_notices(targeting_parameters(decision, program), notices), mime)


def with_notices(parameters: Resource, notices: tuple[str, ...]) -> Resource:
    """The Parameters followed by what a person should know who reads the decision."""
    told = [{"name": "notice", "valueString": clean(notice)} for notice in notices]
    return {**parameters, "parameter": [*parameters["parameter"], *told]}
