"""JSON or XML: what the client wants, what it sent, and the answer in that form. https://hl7.org/fhir/R4/http.html#mime-type"""

from __future__ import annotations

from collections.abc import Iterator

from flask import Response, request
from werkzeug.exceptions import BadRequest, NotAcceptable, UnsupportedMediaType
from werkzeug.http import parse_options_header

from adapter.errors import ConformanceError
from adapter.fhir import json
from adapter.fhir.conformance import from_xml, to_xml, validate
from adapter.fhir.json import Resource

JSON = "application/fhir+json"
XML = "application/fhir+xml"
_OFFERED = {
    JSON: JSON, "application/json": JSON, "text/json": JSON, "json": JSON,
    XML: XML, "application/xml": XML, "text/xml": XML, "xml": XML,
    "*/*": JSON, "application/*": JSON,
}  # fmt: skip
_SENT = {name: mime for name, mime in _OFFERED.items() if "/" in name and "*" not in name}
R4 = ("4.0", "4.0.1")


def wanted() -> str:
    """JSON or XML: by ``_format`` if given, else the best of Accept, else JSON. Raises NotAcceptable when neither will do."""
    found = next(filter(None, map(_offered, _ranges())), None)
    if found is None:
        raise NotAcceptable(f"This server answers {JSON} and {XML} of FHIR R4; ask for one of them in Accept")
    return found


def _ranges() -> Iterator[str]:
    """The media ranges that the client takes, the best first."""
    if given := request.args.get("_format"):
        yield given.replace(" ", "+")  # what a plus sign in a query means
        return
    accepted = sorted(request.accept_mimetypes, key=lambda item: -item[1])
    yield from (media for media, quality in accepted if quality > 0)
    if not accepted:
        yield "*/*"


def _offered(media: str) -> str | None:
    name, options = parse_options_header(media)
    return _OFFERED.get(name.lower()) if options.get("fhirversion", R4[0]) in R4 else None


def answer(resource: Resource, mime: str, status: int = 200) -> Response:
    """``resource`` as an HTTP answer in that form."""
    body = to_xml(resource) if mime == XML else json.dump_bytes(resource)
    return Response(body, status, content_type=mime)


def sent() -> Resource | None:
    """The resource in the body, valid FHIR R4, or None when there is no body.

    Raises UnsupportedMediaType for another form than FHIR JSON or XML, and BadRequest for what does not hold a resource.
    """
    body = request.get_data()
    if not body:
        return None
    mime = _SENT.get(request.mimetype)
    if mime is None or request.headers.get("Content-Encoding", "identity") != "identity":
        raise UnsupportedMediaType(
            f"This server reads {JSON} and {XML}, not compressed; say in Content-Type which one it is"
        )
    try:
        resource = from_xml(body) if mime == XML else _from_json(body)
        validate(resource)
    except (ConformanceError, RecursionError) as error:
        said = str(error) if isinstance(error, ConformanceError) else "it is nested too deeply"
        raise BadRequest(f"The body cannot be used: {said}") from None
    return resource


def _from_json(body: bytes) -> Resource:
    try:
        resource = json.loads(body)
    except ValueError as error:
        raise BadRequest(f"The body is {error}; send one FHIR resource") from None
    if not isinstance(resource, dict):
        raise BadRequest("The body is JSON but no object; send one FHIR resource")
    return resource
