"""The reports: written however a run ends, true to the exit code, valid, and readable."""

import json
from pathlib import Path

import pytest
from c_nodes import build
from lxml import etree
from test_command import command

SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).with_name("junit.xsd")))
ENDS = {
    "conforms": (("cpython", "--only", "VER-0"), 0),
    "no such program": (("exec:/none/such",), 2),
    "no program": (("exec:",), 2),
    "no such target": (("nowhere",), 2),
    "no such case": (("cpython", "--only", "FOO-1"), 2),
    "no such role": (("cpython", "--role", "cook"), 2),
    "no node": (("exec:sleep 60", "--only", "FRM-01"), 2),
}


@pytest.fixture
def files(tmp_path):
    return {name: tmp_path / name for name in ("junit", "json", "transcript", "html")}


def judged(files, *words):
    """Run the command with every report; its exit code and the reports."""
    code, _ = command("conform", *words, *(w for name, path in files.items() for w in (f"--{name}", path)))
    suite = etree.parse(files["junit"]).getroot()
    SCHEMA.assertValid(suite)
    data = json.loads(files["json"].read_text())
    lines = [json.loads(text) for text in files["transcript"].read_text().splitlines()]
    page = etree.HTML(files["html"].read_text(encoding="utf-8"))
    exit_code = suite.find("properties/property[@name='exit_code']").get("value")
    assert code == data["exit_code"] == lines[-1]["exit_code"] == int(exit_code)
    assert int(suite.get("tests")) == len(suite.findall("testcase"))
    for count, element in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.get(count)) == len(suite.findall(f"testcase/{element}"))
    assert [x["case"] for x in lines if "case" in x] == ["set-up", *(c["id"] for c in data["cases"])]
    return code, suite, data, page


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("end", ENDS)
def test_reports_are_written_however_it_ends(end, files):
    words, wanted = ENDS[end]
    code, suite, data, page = judged(files, *words)
    assert code == wanted
    assert int(suite.get("errors")) == (code == 2)
    assert bool(data["error"]) == (code == 2)
    assert f"exit code {code}" in "".join(page.itertext())
    if code == 2:
        assert data["error"] in suite.find("testcase/error").get("message")


def test_a_failure_is_readable_without_a_terminal(files, tmp_path):
    """The requirement, the field that differs, and the octets decoded; markup of the node's stays text."""
    to = "(uint16_t)get(tc + 9, 2));\n    put(&p, get(tc, 4), 4);"
    wrong = build(tmp_path, (to, "0x3C3E);\n    put(&p, get(tc, 4), 4);"))
    code, suite, data, page = judged(files, wrong, "--only", "VER-05/destination")
    assert code == 1
    (case,) = data["cases"]
    assert "destination ID 0001" in case["expected"]
    assert "destination 3c3e" in case["got"]
    text = "".join(page.itertext())
    assert "[VER-05] Each answer to a telecommand shall carry its source ID" in text
    assert "TM[1,1] accepted" in text
    assert suite.find("testcase/failure").get("type") == "VER-05"


def test_markup_is_escaped(files):
    _, _, _, page = judged(files, "exec:echo <script>alert(1)</script>")
    assert page.find(".//script") is None


def test_several_cases_in_one_word_and_no_more_than_so_many_failures(files, tmp_path):
    code, _, data, _ = judged(files, "cpython", "--only", "FRM-01,TST-01", "--skip", "TST")
    assert (code, [c["id"] for c in data["cases"]]) == (0, ["FRM-01/delimiters"])
    wrong = build(tmp_path, ("tc[6] & ACCEPTANCE", "0"))
    code, _, data, _ = judged(files, wrong, "--only", "VER-01,VER-02,VER-03", "--maxfail", "1")
    assert code == 1
    assert [c["verdict"] for c in data["cases"]] == ["fail", *["not run"] * 2]
