"""Credentials go to one origin only, and never show."""

from __future__ import annotations

import pytest
import requests

from adapter.errors import ConfigError
from adapter.fhir.auth import BasicAuth, BearerAuth, NoAuth, auth_from_environment, build_auth, is_loopback

BASE = "https://x.org/fhir"


def header(auth, url):
    return requests.Request("GET", url, auth=auth).prepare().headers.get("Authorization")


def test_bearer():
    assert header(BearerAuth(BASE, "secret\n"), f"{BASE}/Patient") == "Bearer secret"


def test_basic_is_utf8():
    assert header(BasicAuth(BASE, "ü", "pass"), f"{BASE}/Patient") == "Basic w7w6cGFzcw=="


@pytest.mark.parametrize("url", ["https://y.org/fhir", "https://x.org:8443/fhir", "http://x.org/fhir"])
def test_no_other_origin_gets_credentials(url):
    assert header(BearerAuth(BASE, "secret"), url) is None


def test_the_default_port_is_the_same_origin():
    assert header(BearerAuth(BASE, "secret"), "https://X.org:443/other") == "Bearer secret"


def test_plain_http_is_refused_except_to_this_machine():
    with pytest.raises(ConfigError, match="unencrypted"):
        BearerAuth("http://x.org/fhir", "secret")
    for base in ("http://localhost:8080/fhir", "http://127.0.0.1/fhir", "http://[::1]:80/fhir"):
        assert header(BearerAuth(base, "secret"), base) == "Bearer secret"
    assert header(BearerAuth("http://x.org/fhir", "secret", allow_http=True), "http://x.org/a") == "Bearer secret"


def test_a_name_that_looks_local_is_not():
    assert not is_loopback("http://localhost.x.org/fhir")


def test_values_never_show():
    assert "secret" not in repr(BearerAuth(BASE, "secret")) + str(BasicAuth(BASE, "secret", "secret"))


def test_a_line_break_inside_is_refused_without_the_value():
    with pytest.raises(ConfigError) as raised:
        BearerAuth(BASE, "sec\r\nret")
    assert "sec" not in str(raised.value).replace("separate", "")


def test_from_environment():
    assert auth_from_environment(BASE, {}) is None
    assert header(auth_from_environment(BASE, {"MTM_ADAPTER_TOKEN": "t"}), BASE) == "Bearer t"
    both = {"MTM_ADAPTER_USER": "u", "MTM_ADAPTER_PASSWORD": "p"}
    assert header(auth_from_environment(BASE, both), BASE) == "Basic dTpw"


def test_ambiguous_or_half_credentials_are_refused():
    with pytest.raises(ConfigError, match="Both a token and a user"):
        build_auth(BASE, token="t", user="u", password="p")
    with pytest.raises(ConfigError, match="needs a password"):
        build_auth(BASE, user="u")


def test_no_auth_adds_nothing():
    assert header(NoAuth(), BASE) is None
