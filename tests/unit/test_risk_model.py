"""The model's file: what is refused, with the field's name, and how a changed one is taken up."""

import json
from pathlib import Path

import msgspec
import pytest

from pipeline import risk_model
from pipeline.errors import ConfigurationError
from pipeline.model import ContractError
from pipeline.model_file import LOOK_SECONDS, LiveRules, load_model, rules_of
from pipeline.risk_model import decode, default_model, encode
from pipeline.settings import Settings

SCHEMA = Path(risk_model.__file__).parent / "models" / "schema.json"


def changed(path: str, value: object) -> bytes:
    content = json.loads(encode(default_model().model))
    *folders, name = path.split(".")
    place = content
    for folder in folders:
        place = place[folder]
    place[name] = value
    return json.dumps(content).encode()


def test_the_schema_beside_the_models_is_that_of_the_code():
    assert json.loads(SCHEMA.read_text()) == risk_model.schema()


def test_a_model_survives_its_file():
    assert decode(encode(default_model().model)) == default_model().model


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("version", ""),
        ("first_experience", 1.5),
        ("third_experience", 0.1),
        ("population.alpha_days", 0),
        ("population.surprise", 1),
        ("levels", {"medium": 50, "high": 40, "critical": 90}),
        ("signals.COMPLAINT.weight", -1),
        ("signals.RESOLVED.weight", 0.5),
        ("signals.RESOLVED.half_life_days", "soon"),
        ("signals", {}),
        ("calibration", {"factor": -1.0}),
        ("silence.weight", "__import__('os')"),
    ],
)
def test_what_is_no_model_is_refused_by_the_name_of_its_field(path, value):
    with pytest.raises(ContractError) as caught:
        decode(changed(path, value))
    assert path.rpartition(".")[2] in str(caught.value)


def test_what_is_no_json_is_refused():
    with pytest.raises(ContractError):
        decode(b"\x80\x04import os")


def test_a_file_that_is_missing_or_wrong_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"none\.json: the risk model cannot be read"):
        load_model(tmp_path / "none.json")
    wrong = tmp_path / "wrong.json"
    wrong.write_bytes(changed("max_bad", -1))
    with pytest.raises(ConfigurationError, match=r"wrong\.json: .*max_bad"):
        rules_of(Settings(risk_model=wrong))


def test_a_changed_file_counts_without_a_restart_and_a_wrong_one_does_not(tmp_path, caplog):
    file, now = tmp_path / "risk.json", [0.0]
    file.write_bytes(changed("version", "one"))
    rules = LiveRules(Settings(risk_model=file), clock=lambda: now[0])

    def version(content: bytes | None) -> str:
        if content is not None:
            (tmp_path / "part").write_bytes(content)
            (tmp_path / "part").replace(file)
        now[0] += LOOK_SECONDS
        return rules().model.model.version

    assert version(None) == "one"
    assert version(changed("version", "two")) == "two"
    assert version(b"{}") == "two"
    assert "stays in use" in caplog.text
    assert version(changed("version", "three")) == "three"
    file.unlink()
    assert version(None) == "three"


def test_without_a_file_the_shipped_model_is_used():
    assert LiveRules(Settings())().model is default_model()
    assert msgspec.json.decode(encode(default_model().model))["version"] == "default-4"
