"""The fleet as Compose file and as Kubernetes manifests: each name in them exists."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from typing import Any

import kubernetes_validate
import pytest
import yaml

from server.config import SITE_NAME
from tests.support.cli import twogaps
from tests.support.proxies import DEPLOY

FLEET = DEPLOY / "fleet"
KUBERNETES = ("1.28", kubernetes_validate.latest_version())
SECRETS = {"twogaps", "twogaps-addresses", "twogaps-sites", "gaps-tls"}
"""The secrets that docs/fleet.md makes."""

COMPOSE_KEYS = {
    "cap_drop", "command", "configs", "depends_on", "entrypoint", "environment",
    "healthcheck", "hostname", "image", "ports", "read_only", "restart", "secrets",
    "shm_size", "stop_grace_period", "sysctls", "tmpfs", "user", "volumes",
}  # fmt: skip


class Strict(yaml.SafeLoader):
    """Refuses a key that is given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:
        keys = [key.value for key, _ in node.value if key.value != "<<"]
        assert len(keys) == len(set(keys)), f"twice in {node.start_mark}: {keys}"
        return super().construct_mapping(node, deep)


def documents(name: str) -> list[dict[str, Any]]:
    with (FLEET / name).open() as file:
        return list(yaml.load_all(file, Strict))


COMPOSE = documents("compose.yaml")[0]
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
MANIFESTS = documents("kubernetes.yaml")


def name_of(manifest: dict[str, Any]) -> str:
    return f"{manifest['kind']}/{manifest['metadata']['name']}"


def of_kind(*kinds: str) -> list[dict[str, Any]]:
    return [manifest for manifest in MANIFESTS if manifest["kind"] in kinds]


def check_script(script: str) -> None:
    """Check a shell script's syntax, and the commands of ours in it."""
    subprocess.run(["sh", "-n"], input=script, text=True, check=True)
    commands = re.findall(r"exec twogaps (.*)", script)
    for command in commands:
        words = re.findall(r"[^\s\"]+", command)
        nouns = [word for word in words[:2] if re.fullmatch("[a-z]+", word)]
        helped = twogaps(*nouns, "--help")
        assert helped.exit_code == 0, command
        for option in re.findall(r"--[a-z-]+", script):
            if option in command or "peer" in option:
                assert option in helped.output, (command, option)


def settings() -> set[str]:
    """Return the variables that ``twogaps serve`` reads."""
    page = (DEPLOY.parent / "docs" / "settings.md").read_text()
    return set(re.findall(r"TWOGAPS_\w+", page))


# --- Compose -------------------------------------------------------------------------


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_of_compose_names_only_what_there_is(name: str) -> None:
    service = SERVICES[name]
    assert set(service) <= COMPOSE_KEYS
    assert service["restart"] == "unless-stopped"
    assert set(service.get("depends_on", ())) <= set(SERVICES)
    for kind in ("secrets", "configs"):
        for used in service.get(kind, ()):
            source = used if isinstance(used, str) else used["source"]
            assert source in COMPOSE[kind], (name, source)
    for volume in service.get("volumes", ()):
        assert volume.partition(":")[0] in COMPOSE["volumes"]
    conditions = service.get("depends_on", {})
    if isinstance(conditions, dict):
        for other, what in conditions.items():
            assert (
                what["condition"] != "service_healthy" or SERVICES[other]["healthcheck"]
            )
    ours = {key for key in service.get("environment", {}) if key.startswith("TWOGAPS")}
    assert ours <= settings()
    if name != "proxy":
        assert "ports" not in service, "the proxy alone is reached from outside"
        assert service["hostname"] == name


@pytest.mark.parametrize("name", [n for n in SERVICES if n != "proxy"])
def test_a_script_of_compose_is_one(name: str) -> None:
    for script in SERVICES[name].get("command", ()):
        check_script(script.replace("$$", "$"))


def test_compose_has_a_fleet() -> None:
    by_kind = {kind: [n for n in SERVICES if n.startswith(kind)] for kind in
               ("db", "broker", "node", "proxy")}  # fmt: skip
    assert [len(names) for names in by_kind.values()] == [2, 3, 3, 1]
    for name in by_kind["node"]:
        assert re.fullmatch(SITE_NAME, name)
        sources = [s if isinstance(s, str) else s["source"] for s in
                   SERVICES[name]["secrets"]]  # fmt: skip
        assert sources == ["database", name], "its own user at the brokers"
        assert not any("/data" in str(v) for v in SERVICES[name].get("volumes", ()))
    for config in COMPOSE["configs"].values():
        file = config.get("file", "secrets/")
        assert file.startswith("secrets/") or (FLEET / file).is_file()
    first = COMPOSE["configs"]["first"]["content"].replace("$$", "$")
    check_script(first)
    assert "synchronous_standby_names" in first


# --- Kubernetes ----------------------------------------------------------------------


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("manifest", MANIFESTS, ids=name_of)
def test_a_manifest_is_what_kubernetes_takes(
    manifest: dict[str, Any], version: str
) -> None:
    kubernetes_validate.validate(manifest, version, strict=True)


def pods() -> Iterator[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]:
    """Yield each StatefulSet, its pods and their one container."""
    for each in of_kind("StatefulSet"):
        pod = each["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        yield each, pod, container


def test_pods_get_no_variables_from_services_and_have_time_to_hand_over() -> None:
    """A Service named twogaps would set TWOGAPS_PORT=tcp://..."""
    assert len(list(pods())) == 2
    for _, pod, container in pods():
        assert pod["enableServiceLinks"] is False
        assert pod["automountServiceAccountToken"] is False
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        paused = container.get("lifecycle", {}).get(
            "preStop", {"exec": {"command": [0]}}
        )
        pause_s = int(paused["exec"]["command"][-1])
        assert pod["terminationGracePeriodSeconds"] >= pause_s + 10


def test_selectors_find_pods_and_names_exist() -> None:
    labels = [each["spec"]["template"]["metadata"]["labels"] for each, *_ in pods()]
    for manifest in of_kind("Service", "PodDisruptionBudget", "StatefulSet"):
        selector = manifest["spec"]["selector"]
        wanted = selector.get("matchLabels", selector)
        found = [one for one in labels if wanted.items() <= one.items()]
        assert len(found) == 1, name_of(manifest)
    services = {each["metadata"]["name"]: each["spec"] for each in of_kind("Service")}
    for each, pod, container in pods():
        assert services[each["spec"]["serviceName"]]["clusterIP"] == "None"
        assert re.fullmatch(SITE_NAME, f"{each['metadata']['name']}-0")
        ports = {port["name"] for port in container["ports"]}
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            found = container.get(probe, {})
            where = found.get("httpGet") or found.get("tcpSocket") or {"port": "mqtt"}
            assert where["port"] in ports | {"mqtt"}
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["volumes"]}
    (budget, _) = of_kind("PodDisruptionBudget")
    assert budget["spec"]["maxUnavailable"] == 1


def test_probes_ask_what_the_server_answers_and_an_outage_kills_no_node() -> None:
    (node,) = [c for _, _, c in pods() if c["name"] == "node"]
    paths = {name: node[f"{name}Probe"]["httpGet"]["path"] for name in
             ("startup", "readiness", "liveness")}  # fmt: skip
    assert paths == {"startup": "/healthz", "readiness": "/readyz", "liveness": "/"}
    ours = {each["name"] for each in node["env"] if each["name"].startswith("TWOGAPS")}
    assert ours <= settings()


def test_scripts_are_ones_and_secrets_are_in_the_documentation() -> None:
    used: set[str] = {"gaps-tls"}
    for _, pod, container in pods():
        check_script(container["args"][0])
        used |= {v["secret"]["secretName"] for v in pod["volumes"] if "secret" in v}
        for each in container["env"]:
            ref = each.get("valueFrom", {}).get("secretKeyRef")
            used |= {ref["name"]} if ref else set()
    assert used == SECRETS
    page = (DEPLOY.parent / "docs" / "fleet.md").read_text()
    for name in SECRETS:
        assert name in page
