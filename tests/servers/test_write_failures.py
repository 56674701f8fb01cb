"""A sink that refuses some persons: they are told, the others are written whole, and a later run makes up for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.servers.demo_copy import copy_of_demo
from tests.servers.plain import Plain, kind_of, patient_of, screen

TARGETED, STRANGERS = ("01", "18", "36", "42"), ("18", "36")  # the sink does not know the latter


def test_a_person_whom_the_sink_refuses_is_told_and_the_rest_is_written(hapi_server: str, tmp_path: Path) -> None:
    demo, server = copy_of_demo(tmp_path / "demo", only=TARGETED), Plain(hapi_server)
    refused = [demo.person(number) for number in STRANGERS]
    demo.without(*STRANGERS).load(hapi_server)
    first = account(screen(demo.folder, demo, "--sink", hapi_server, "--pml", "--json", code=6))
    assert [failure["beneficiary"] for failure in first["failures"]] == refused
    assert {failure["status"] for failure in first["failures"]} == {400}
    assert all("HAPI-1094" in failure["sentence"] for failure in first["failures"])
    assert first["persons"] == 2

    own = [each for each in server.state(demo.ids()).values() if kind_of(each) and "subject" in each]
    assert {patient_of(each) for each in own} == {demo.person("01"), demo.person("42")}
    assert len(own) == first["resources"]

    told = screen(demo.folder, demo, "--sink", hapi_server, "--pml", code=6)
    assert "Failed          2 persons, of whom nothing was written:" in told
    assert all(f"{patient}: " in told for patient in refused)

    demo.load(hapi_server)
    last = account(screen(demo.folder, demo, "--sink", hapi_server, "--pml", "--json"))
    assert (last["persons"], last["failures"]) == (2, [])
    assert last["unchanged"] == first["resources"]


def account(told: str) -> dict[str, Any]:
    """What the account says of the writing."""
    written: dict[str, Any] = json.loads(told)["written"]
    return written
