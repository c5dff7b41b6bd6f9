"""What Open MCT is answered: a dictionary, history with its extremes, and rows as they come."""

import math

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from cabinwatch.models.scenario import Scenario
from cabinwatch.web.engine import Engine
from cabinwatch.web.open_mct import router
from cabinwatch.web.sources import Played, as_row

QUIET = Scenario.model_validate(
    {"title": "a cabin", "duration": "2h", "cabin": {"compartments": {"cabin": {"volume": "50 m3"}}}}
)


@pytest.fixture
def engine():
    engine = Engine(Played(QUIET))
    yield engine
    engine.stop()


@pytest.fixture
def client(engine):
    app = FastAPI()
    app.include_router(router(engine))
    with TestClient(app) as client:
        yield client


def test_the_dictionary_names_every_channel_with_its_unit(client, engine):
    told = client.get("/openmct/dictionary").json()
    assert told["name"] == "a cabin"
    assert [one["key"] for one in told["measurements"]] == list(engine.source.channels)
    assert {"key": "tres_s", "name": "T-reserve", "unit": "s"} in told["measurements"]


def test_a_history_keeps_the_one_spike_and_leaves_out_what_is_not_known(client, engine):
    for i in range(100_000):
        pressure = 90_000.0 if i == 54_321 else math.nan if i % 1000 == 7 else 101_325.0
        engine.columns.append(float(i), as_row({"pressure_Pa": pressure}, engine.source.channels))
    got = client.get("/openmct/history/pressure_Pa?start=10000000&end=90000000").json()
    assert len(got) < 10_000
    assert {"utc": 54_321_000.0, "value": 90_000.0} in got
    assert all(10_000_000 <= one["utc"] <= 90_000_000 for one in got)
    assert client.get("/openmct/history/tres_s").json() == []
    assert client.get("/openmct/history/apples").status_code == 404


def test_rows_are_sent_as_they_come_and_only_once(client, engine):
    engine.columns.append(-1.0, as_row({"pressure_Pa": 1.0}, engine.source.channels))
    with client.websocket_connect("/openmct/realtime") as socket:
        engine.columns.append(5.0, as_row({"pressure_Pa": 101_325.0}, engine.source.channels))
        assert socket.receive_json() == {"utc": 5000.0, "pressure_Pa": 101_325.0}
        engine.columns.append(6.0, as_row({"pressure_Pa": 101_324.0}, engine.source.channels))
        assert socket.receive_json()["utc"] == 6000.0


def test_the_page_is_ours_and_asks_no_one_else(client):
    page = client.get("/openmct/").text
    assert "openmct.start()" in page
    assert "https://" not in page
