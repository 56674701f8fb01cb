"""The socket, and what waitress says and logs on its own."""

import logging
import socket

import pytest

from adapter.errors import ConfigError
from adapter.web.server import _Channel, _ErrorTask, listener, origin


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "10.1.2.3", "example.com", "", "127.0.0.1.example.com", "::ffff:10.0.0.1"]
)
def test_a_host_that_others_can_reach_is_refused_with_the_reason(host):
    with pytest.raises(ConfigError, match="no authentication yet"):
        listener(host, 0)


@pytest.mark.parametrize(
    ("host", "start"),
    [("127.0.0.1", "http://127.0.0.1:"), ("localhost", "http://127.0.0.1:"), ("127.9.9.9", "http://127.9.9.9:")],
)
def test_port_0_takes_a_free_one(host, start):
    with listener(host, 0) as opened:
        assert origin(opened).startswith(start)
        assert not origin(opened).endswith(":0")


@pytest.mark.skipif(not socket.has_ipv6, reason="this Python has no IPv6")
def test_an_ipv6_origin_has_brackets():
    try:
        opened = listener("::1", 0)
    except ConfigError:
        pytest.skip("this machine has no IPv6 loopback")
    with opened:
        assert origin(opened).startswith("http://[::1]:")


def test_a_port_in_use_is_told_with_the_remedy():
    with listener("127.0.0.1", 0) as opened:
        opened.listen()
        with pytest.raises(ConfigError, match="--port"):
            listener("127.0.0.1", opened.getsockname()[1])


def test_the_log_of_waitress_has_neither_path_nor_message(caplog):
    caplog.set_level(logging.DEBUG)
    _Channel.logger.info("Client disconnected while serving /fhir/Patient/secret-id/$mtm-targeting")
    said = "100%s of secret-id"
    try:
        raise ValueError(said)
    except ValueError:
        _Channel.logger.exception("Exception while serving /fhir/Patient/secret-id/$mtm-targeting")
    assert [record.getMessage().splitlines()[0] for record in caplog.records] == ["Client disconnected", "Exception"]
    assert "ValueError" in caplog.text and "test_server.py" in caplog.text
    assert "secret-id" not in caplog.text


def test_waitress_still_takes_the_classes_that_are_put_into_it():
    assert _Channel.error_task_class is _ErrorTask
