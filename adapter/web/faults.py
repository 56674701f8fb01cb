"""Every error as an OperationOutcome: expected faults in their own sentence, unexpected ones without a word from inside."""

from __future__ import annotations

import logging

from flask import Flask, Response
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotAcceptable

from adapter.errors import AdapterError, ConfigError, MappingError, SourceError, UnknownBeneficiary
from adapter.resources.ids import Resource
from adapter.resources.operation_outcome import operation_outcome
from adapter.web.formats import JSON, answer, wanted

LOG = logging.getLogger(__name__)

# HTTP status -> code of https://hl7.org/fhir/R4/valueset-issue-type.html
CODES = {
    400: "invalid", 403: "forbidden", 404: "not-found", 405: "not-supported", 406: "not-supported",
    413: "too-long", 415: "not-supported", 431: "too-long", 500: "exception", 501: "not-supported", 502: "transient",
}  # fmt: skip
SENTENCES = {
    400: "The request is malformed; send HTTP/1.1 with one Host and one body",
    404: "There is nothing at this address; /fhir/metadata tells what there is",
    405: "This address does not take that method; Allow tells which it takes",
    413: "The body is too large; the operation takes two small parameters",
    431: "The header of the request is too large; send less in it",
    500: "Something went wrong in the server that should not; its log tells where, without any personal data",
    501: "The server does not take this transfer coding; send the body plain or chunked",
}


def register(app: Flask) -> None:
    """Makes every error of ``app`` an OperationOutcome."""
    app.register_error_handler(AdapterError, expected)
    app.register_error_handler(HTTPException, refused)


def outcome(status: int, sentence: str = "") -> Resource:
    """The OperationOutcome of an HTTP status, in the sentence given or else in that of the status."""
    said = sentence or SENTENCES.get(status, "The request cannot be answered")
    return operation_outcome(said, code=CODES.get(status, "processing"))


def expected(error: AdapterError) -> Response:
    """The answer to an expected fault; what the server's operator has to mend is logged too."""
    status, sentence = _told(error)
    if status >= 500:
        LOG.error("Answered %d: %s", status, sentence)
    return _answer(status, sentence)


def _told(error: AdapterError) -> tuple[int, str]:
    if isinstance(error, UnknownBeneficiary):
        return 404, str(error)
    if isinstance(error, ConfigError):
        return 400, str(error)
    if isinstance(error, MappingError):
        return 500, f"The program or the lists of this server cannot be used, which its operator has to mend: {error}"
    if isinstance(error, SourceError):
        return 502, str(error)
    return 500, str(error)


def refused(error: HTTPException) -> Response:
    """The answer to a request that cannot be served, with Allow where HTTP demands it."""
    status = error.code or 500
    own = error.description != type(error).description
    response = _answer(status, str(error.description) if own and status < 500 else "")
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return response


def _answer(status: int, sentence: str) -> Response:
    """In the form that the client wants, JSON when it wants neither."""
    try:
        mime = wanted()
    except NotAcceptable:
        mime = JSON
    return answer(outcome(status, sentence), mime, status)
