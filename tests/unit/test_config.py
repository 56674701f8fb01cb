"""Settings reach the client, credentials never reach a text."""

from __future__ import annotations

import pytest

from adapter.config import Config
from adapter.errors import ConfigError
from tests.unit.fhir.scripted import page, reply, serving


@pytest.mark.parametrize(("xml", "accepted"), [(False, "application/fhir+json"), (True, "application/fhir+xml")])
def test_the_client_asks_in_the_chosen_format_and_page_size(xml, accepted):
    with serving(lambda request: reply(page())) as server, Config(xml=xml, page_size=7).client(server.base) as client:
        list(client.search("Flag", {}))
        [request] = server.requests
    assert (request.headers["Accept"], request.query["_count"]) == (accepted, ["7"])


def test_credentials_of_the_environment_are_sent_and_not_shown():
    config = Config(environ={"MTM_FHIR_TOKEN": "very-secret"})
    assert "very-secret" not in repr(config)


@pytest.mark.parametrize(
    "address", ["ftp://host/fhir", "http://", "http://user:pass@host/fhir", "http://host/fhir?x=1"]
)
def test_an_address_that_is_none_is_told_without_its_credentials(address):
    with pytest.raises(ConfigError) as raised:
        Config().client(address)
    assert "pass" not in str(raised.value).replace("password", "")


def test_the_number_of_requests_at_once_is_the_one_that_was_given():
    with Config(max_parallel=3).client("http://127.0.0.1:1/fhir") as client:
        assert client.max_parallel == 3
