"""The files in deploy/: valid by the schemas of what reads them, and naming only what there is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from pipeline.alert_plan import plan_of
from pipeline.settings import Settings
from tests.deploy.composed import DEPLOY, ROLES, compose, environment, example, filled
from tests.deploy.dashboards import boards, promql, targets
from tests.deploy.registries import names

SPECIFICATION = Path(__file__).parents[1] / "fixtures" / "compose" / "compose-spec.json"
KUBERNETES = DEPLOY / "kubernetes"
RULES: dict[str, Any] = yaml.safe_load((DEPLOY / "prometheus" / "rules.yaml").read_text())
FOREIGN = {"up"}
"""What Prometheus makes itself."""


def manifests() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(KUBERNETES.rglob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            yield f"{path.name}: {document['kind']} {document.get('metadata', {}).get('name', '')}", document


def pods() -> dict[str, dict[str, Any]]:
    """The pods of all deployments and jobs."""
    return {
        document["metadata"]["name"]: document["spec"]["template"]["spec"]
        for _, document in manifests()
        if document["kind"] in {"Deployment", "Job"}
    }


def known_variables() -> set[str]:
    return {f"TOUCHLINE_{name.upper()}" for name in Settings.model_fields}


def test_compose_is_what_its_specification_allows() -> None:
    schema = json.loads(SPECIFICATION.read_text())
    jsonschema.Draft202012Validator(schema).validate(compose(filled({})))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate({"services": {"kafka": {"imagee": "x"}}})


def test_compose_wants_every_secret() -> None:
    for name in ("CLICKHOUSE_PASSWORD", "GRAFANA_ADMIN_PASSWORD", "TOUCHLINE_WRITE_KEYS", "TOUCHLINE_READ_KEY"):
        with pytest.raises(LookupError, match=name):
            compose({key: value for key, value in filled({}).items() if key != name})


def test_the_example_of_secrets_names_what_compose_reads_and_holds_none() -> None:
    read = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text()))
    assert set(example()) == {name for name in read if not name.endswith("_IMAGE")}
    assert not [name for name, value in example().items() if value and re.search("KEY|PASSWORD|SECRET|_ID", name)]


def test_services_start_after_what_they_need_and_say_how_they_are() -> None:
    services = compose(filled({}))["services"]
    assert set(ROLES) <= set(services)
    for name, service in services.items():
        for needed in service.get("depends_on", {}).items():
            condition = "service_completed_successfully" if needed[0] == "migrate" else "service_healthy"
            assert needed[1]["condition"] == condition, name
        assert "healthcheck" in service, name
        assert service["deploy"]["resources"]["limits"]["memory"], name
        assert "container_name" not in service, f"{name} could not be scaled"
    for role in ROLES:
        assert "migrate" in services[role]["depends_on"]
        assert role == "collector" or "ports" not in services[role]


def test_nothing_but_the_collector_can_be_reached_from_elsewhere() -> None:
    ports = [port for service in compose(filled({}))["services"].values() for port in service.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_every_setting_named_in_deploy_exists() -> None:
    services = compose(filled({}))["services"]
    named = {name for service in services.values() for name in environment(service)}
    named |= set(re.findall(r"\bTOUCHLINE_[A-Z_]+[A-Z]", (DEPLOY / "Dockerfile").read_text()))
    for _, document in manifests():
        if document["kind"] == "ConfigMap":
            named |= set(document["data"])
    for pod in pods().values():
        named |= {each["name"] for container in pod["containers"] for each in container.get("env", ())}
    named |= set(re.findall(r"^#? ?(TOUCHLINE_[A-Z_]+)=", (DEPLOY / "touchline.env.example").read_text(), re.M))
    ours = {name for name in named if name.startswith("TOUCHLINE_")}
    assert len(ours) > 10
    assert ours <= known_variables()


@pytest.mark.parametrize(
    ("name", "document"), [each for each in manifests() if each[1]["kind"] not in {"Kustomization", "ScaledObject"}]
)
def test_manifests_are_what_kubernetes_takes(name: str, document: dict[str, Any]) -> None:
    kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)


def test_a_manifest_that_kubernetes_would_refuse_is_refused_here() -> None:
    wrong = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"port": 8480}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, kubernetes_validate.latest_version(), strict=True)


def test_kustomizations_name_every_file() -> None:
    for path in KUBERNETES.rglob("kustomization.yaml"):
        listed = set(yaml.safe_load(path.read_text())["resources"])
        files = {each.name for each in path.parent.glob("*.yaml")} - {"kustomization.yaml", "secret.example.yaml"}
        assert {name for name in listed if not name.startswith("..")} == files, path


def test_pods_may_do_nothing_that_they_need_not() -> None:
    assert set(pods()) == {*ROLES, "migrate"}
    for name, pod in pods().items():
        assert pod["securityContext"]["runAsNonRoot"], name
        assert pod["automountServiceAccountToken"] is False, name
        for container in pod["containers"]:
            allowed = container["securityContext"]
            assert allowed["readOnlyRootFilesystem"], name
            assert allowed["capabilities"] == {"drop": ["ALL"]}, name
            assert allowed["allowPrivilegeEscalation"] is False, name
            assert container["resources"]["limits"]["memory"], name


def test_every_deployment_has_probes_and_a_disruption_budget() -> None:
    budgets = {document["metadata"]["name"] for _, document in manifests() if document["kind"] == "PodDisruptionBudget"}
    assert budgets == set(ROLES)
    for role in ROLES:
        (container,) = pods()[role]["containers"]
        assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
        assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
        ports = {port["name"] for port in container["ports"]}
        assert {container[f"{kind}Probe"]["httpGet"]["port"] for kind in ("startup", "liveness", "readiness")} <= ports


def test_secrets_that_pods_read_are_in_the_template() -> None:
    template = yaml.safe_load((KUBERNETES / "base" / "secret.example.yaml").read_text())["stringData"]
    read = {
        each["valueFrom"]["secretKeyRef"]["key"]
        for pod in pods().values()
        for container in pod["containers"]
        for each in container.get("env", ())
        if "valueFrom" in each
    }
    assert read == set(template)
    assert not any(template.values())


def test_workers_are_scaled_by_the_lag_of_their_own_group() -> None:
    from pipeline.topics import CUSTOMERS_GROUP, LANDING_GROUP

    found = {
        document["metadata"]["name"]: document["spec"]["triggers"][0]["metadata"]["consumerGroup"]
        for _, document in manifests()
        if document["kind"] == "ScaledObject"
    }
    assert found == {"customers": CUSTOMERS_GROUP, "landing": LANDING_GROUP}


@pytest.mark.parametrize("uncommented", [False, True])
def test_the_file_of_alerts_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uncommented: bool) -> None:
    text = (DEPLOY / "config" / "alerts.toml").read_text()
    path = tmp_path / "alerts.toml"
    path.write_text(re.sub(r"^#(?=\S)", "", text, flags=re.M) if uncommented else text)
    monkeypatch.setenv("ALERTS_WEBHOOK_URL", "https://crm.example/alerts" if uncommented else "")
    monkeypatch.setenv("ALERTS_WEBHOOK_SECRET", "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0" if uncommented else "")
    assert bool(plan_of(Settings(alerts=path)).routes) is uncommented


def test_the_file_of_alerts_in_the_manifests_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (data,) = [document["data"] for name, document in manifests() if name.endswith("ConfigMap touchline-alerts")]
    assert tomllib.loads(data["alerts.toml"])["routes"]
    path = tmp_path / "alerts.toml"
    path.write_text(data["alerts.toml"])
    monkeypatch.setenv("ALERTS_WEBHOOK_URL", "https://crm.example/alerts")
    monkeypatch.setenv("ALERTS_WEBHOOK_SECRET", "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0")
    assert plan_of(Settings(alerts=path)).routes


def test_dashboards_are_whole() -> None:
    sources = yaml.safe_load((DEPLOY / "grafana" / "provisioning" / "datasources" / "touchline.yaml").read_text())
    known = {source["uid"]: source["type"] for source in sources["datasources"]}
    assert {board["uid"] for board in boards().values()} == {"touchline-operations", "touchline-business"}
    for name, board in boards().items():
        ids = [panel["id"] for panel in board["panels"]]
        assert len(ids) == len(set(ids)), name
        for panel in board["panels"]:
            if panel["type"] != "row":
                assert panel["description"], (name, panel["title"])
                assert panel["targets"], (name, panel["title"])
                assert known[panel["datasource"]["uid"]] == panel["datasource"]["type"], (name, panel["title"])
    assert len(list(targets())) > 40


async def test_dashboards_and_rules_name_only_metrics_that_exist() -> None:
    exist = frozenset[str]().union(*(await names()).values()) | FOREIGN
    rules = [(rule["alert"], rule["expr"]) for group in RULES["groups"] for rule in group["rules"]]
    for title, expression in [*promql(), *rules]:
        named = set(re.findall(r"\b(?:touchline|process)_\w+|\bup\b", expression))
        assert named, title
        assert named <= exist, title


def test_every_rule_says_how_bad_it_is_and_what_to_do() -> None:
    rules = [rule for group in RULES["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules) > 10
    for rule in rules:
        assert rule["labels"]["severity"] in {"critical", "warning"}, rule["alert"]
        assert len(rule["annotations"]["runbook"]) > 40, rule["alert"]
        assert rule["annotations"]["summary"], rule["alert"]


def test_prometheus_scrapes_every_role_where_it_listens() -> None:
    found = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yaml").read_text())["scrape_configs"]
    ports = {job["job_name"]: job["dns_sd_configs"][0]["port"] for job in found}
    assert ports == {role: 8481 if role == "collector" else 8482 for role in ROLES}
    assert all(job["dns_sd_configs"][0]["names"] == [job["job_name"]] for job in found)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool, of Debian's package prometheus, is not here")
@pytest.mark.parametrize("check", [["rules", "rules.yaml"], ["config", "prometheus.yaml"]])
def test_promtool_takes_rules_and_configuration(check: list[str]) -> None:
    done = subprocess.run(
        ["promtool", "check", *check], cwd=DEPLOY / "prometheus", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool, of Debian's package prometheus, is not here")
def test_rules_fire_when_they_should() -> None:
    command = ["promtool", "test", "rules", str(Path(__file__).with_name("rules_test.yaml"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("lock", ["requirements.lock", "build-requirements.lock"])
def test_the_image_installs_what_the_tests_ran_with(lock: str) -> None:
    pin = re.compile(r"^([a-z0-9._-]+)==(\S+)", re.M)
    here = dict(pin.findall((DEPLOY.parent / "requirements.lock").read_text()))
    image = dict(pin.findall((DEPLOY / lock).read_text()))
    assert image
    assert image.items() <= here.items()
    assert "chdb" not in image
    assert "://" not in (DEPLOY / lock).read_text()


async def test_the_operators_page_names_what_there_is() -> None:
    page = (DEPLOY / "README.md").read_text()
    tests = {"TOUCHLINE_TEST_PYTHON", "TOUCHLINE_TEST_BROKER"}
    assert set(re.findall(r"`(TOUCHLINE_\w+)`", page)) <= known_variables() | tests
    rules = {rule["alert"] for group in RULES["groups"] for rule in group["rules"]}
    assert set(re.findall(r"`(Touchline[A-Z]\w+)`", page)) == rules
    exist = frozenset[str]().union(*(await names()).values())
    assert {f"{name}_sum" for name in re.findall(r"`(touchline_\w+)`", page)} <= exist


def test_what_needs_the_local_stack_says_so_in_an_image_without_it(tmp_path: Path) -> None:
    (tmp_path / "platformdirs.py").write_text("raise ModuleNotFoundError('no', name='platformdirs')")
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", "sql", "SELECT 1"],
        env={"PYTHONPATH": f"{tmp_path}:{DEPLOY.parent}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "TOUCHLINE_CLICKHOUSE_URL" in line
