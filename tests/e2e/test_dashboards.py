"""conf/grafana: the form of each dashboard, and its PromQL on a real Prometheus.
Grafana itself cannot be had here: what it does with a dashboard is checked against
its types (test_its_types_are_those_of_grafana), and no more."""

import filecmp
import itertools
import json
import pathlib
import re
import shutil
import subprocess

import pytest
import yaml
from harness import grafana
from harness.towline import ROOT

NAMES = [str(file.relative_to(grafana.FOLDER)) for file in grafana.FILES]
KINDS = {"timeseries", "stat", "table", "heatmap", "gauge", "logs"}


@pytest.fixture(params=NAMES)
def file(request):
    return grafana.FOLDER / request.param


@pytest.fixture
def dashboard(file):
    return grafana.load(file)


def test_the_files_are_what_the_generator_makes(tmp_path):
    subprocess.run([ROOT / "tools/dashboards", tmp_path], check=True)
    made = sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file())
    assert made, "nothing was made"
    for name in made:
        same = filecmp.cmp(tmp_path / name, ROOT / "conf" / name, shallow=False)
        assert same, f"conf/{name} is not what the tables say: make dashboards"
    assert {f.relative_to(ROOT / "conf") for f in grafana.FILES} <= set(made)


# ---- form


def test_there_are_the_dashboards_that_were_promised():
    titles = {grafana.load(f)["title"] for f in grafana.FILES}
    assert titles == {
        "Matillion Agent Health",
        "Agent Performance Analytics",
        "Error Explorer",
        "Agent Cost",
        "towline",
    }
    uids = [grafana.load(f)["uid"] for f in grafana.FOLDER.glob("dashboards/*.json")]
    assert len(set(uids)) == len(uids) == 5


def test_it_is_a_dashboard_and_no_envelope(dashboard):
    """`{"dashboard": …}` is what the API is sent, not what a provider reads."""
    assert "dashboard" not in dashboard and dashboard.get("id") is None
    assert dashboard["title"] and dashboard["description"] and dashboard["uid"]
    assert dashboard["schemaVersion"] == 38  # Grafana 10


def test_panels_have_ids_titles_and_places_of_their_own(dashboard):
    every = dashboard["panels"]
    assert len({p["id"] for p in every}) == len(every)
    assert len({p["title"] for p in every}) == len(every)
    taken = set()
    for panel in every:
        at = panel["gridPos"]
        cells = set(
            itertools.product(
                range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"])
            )
        )
        assert cells and not cells & taken, panel["title"]
        assert at["x"] >= 0 and at["x"] + at["w"] <= 24, panel["title"]
        taken |= cells


def test_panels_are_of_current_kinds_and_say_what_they_show(dashboard):
    for panel in grafana.panels(dashboard):
        assert panel["type"] in KINDS, panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        refs = [target["refId"] for target in panel["targets"]]
        assert refs and len(set(refs)) == len(refs), panel["title"]
        for target in panel["targets"]:
            assert target["datasource"]["uid"] in {"${prometheus}", "${logs}"}
        for override in panel["fieldConfig"]["overrides"]:
            if override["matcher"]["id"] == "byFrameRefID":
                assert override["matcher"]["options"] in refs, panel["title"]


def headings(panel):
    (organize,) = [t for t in panel["transformations"] if t["id"] == "organize"]
    options = organize["options"]
    renamed = options["renameByName"]
    return {renamed.get(name, name) for name in options["indexByName"]}


def test_what_is_said_of_a_column_is_said_of_one_that_there_is():
    found = [p for f in grafana.FILES for p in grafana.panels(grafana.load(f))]
    columns = [
        (panel, override["matcher"]["options"])
        for panel in found
        if panel["type"] == "table"
        for override in panel["fieldConfig"]["overrides"]
    ]
    assert len(columns) > 10
    for panel, column in columns:
        assert column in headings(panel), panel["title"]


def test_variables_that_are_used_are_defined_and_the_other_way_round(dashboard):
    text = json.dumps(
        [dashboard["panels"], dashboard["annotations"], dashboard["templating"]]
    )
    mine = {name for name in grafana.used(text) if not name.startswith("__")}
    assert mine == set(grafana.variables(dashboard))
    known = {"__range", "__range_s", "__rate_interval", "__url_time_range"}
    known |= {"__field", "__data", "__value", "__all"}
    assert {n for n in grafana.used(text) if n.startswith("__")} <= known


def test_variables_choose_a_source_a_namespace_and_an_agent(dashboard):
    found = grafana.variables(dashboard)
    sources = [v for v in found.values() if v["type"] == "datasource"]
    assert len(sources) == 1
    if dashboard["uid"] == "towline-self":
        assert {"cluster", "node"} <= set(found)
    elif dashboard["uid"] == "towline-errors":
        assert {"namespace", "pod", "error_type", "fingerprint"} <= set(found)
    else:
        assert {"cluster", "namespace", "pod"} <= set(found)
    for name, variable in found.items():
        if variable["type"] != "query":
            continue
        # A series without the label is found, too, until something is chosen.
        every = {"prometheus": ".*"}.get(variable["datasource"]["type"], "*")
        assert variable["allValue"] == every, name


def links(dashboard):
    for panel in dashboard["panels"]:
        text = json.dumps(panel)
        for url in re.findall(r'"url": "(/d/[^"]+)"', text):
            yield panel["title"], url


def test_links_lead_to_a_dashboard_that_has_the_variables_they_set():
    every = {d["uid"]: d for d in map(grafana.load, grafana.FILES)}
    count = 0
    for dashboard in every.values():
        for title, url in links(dashboard):
            path, query = url.split("?", 1)
            to = every[path.removeprefix("/d/")]
            assert "${__url_time_range}" in query, title
            for name in re.findall(r"var-(\w+)=", query):
                assert name in grafana.variables(to), (title, name)
            count += 1
    assert count > 10


@pytest.mark.parametrize("uid", ["towline-health", "towline-performance"])
def test_lines_of_agents_lead_to_their_errors(uid):
    (dashboard,) = [d for d in map(grafana.load, grafana.FILES) if d["uid"] == uid]
    for panel in dashboard["panels"]:
        if panel["type"] != "timeseries":
            continue
        if any("{{pod}}" in t["legendFormat"] for t in panel["targets"]):
            (link,) = panel["fieldConfig"]["defaults"]["links"]
            assert link["url"].startswith("/d/towline-errors?"), panel["title"]


def test_the_two_error_explorers_ask_the_same():
    """Elasticsearch's plugin and OpenSearch's differ in their name alone."""
    one = grafana.load(grafana.FOLDER / "dashboards/error-explorer.json")
    other = grafana.load(grafana.FOLDER / "opensearch/error-explorer.json")
    assert one["uid"] == other["uid"]
    for a, b in zip(grafana.panels(one), grafana.panels(other), strict=True):
        for mine, theirs in zip(a["targets"], b["targets"], strict=True):
            assert mine["datasource"]["type"] == "elasticsearch"
            assert theirs["datasource"]["type"] == "grafana-opensearch-datasource"
            assert theirs["queryType"] == "lucene"
            for key in "query", "metrics", "bucketAggs", "timeField":
                assert mine[key] == theirs[key]


# ---- provisioning


def test_provisioning_leads_to_the_sources_and_the_files():
    """A parse check, and that names agree; Grafana is not run."""
    folder = grafana.FOLDER / "provisioning"
    sources = yaml.safe_load((folder / "datasources/towline.yml").read_text())
    assert sources["apiVersion"] == 1
    by = {source["type"]: source for source in sources["datasources"]}
    assert {"prometheus", "alertmanager", "elasticsearch"} <= set(by)
    assert by["prometheus"]["jsonData"]["manageAlerts"] is True
    for source in sources["datasources"]:
        assert source["uid"] and source["access"] == "proxy" and source["url"]
    for kind in "elasticsearch", "grafana-opensearch-datasource":
        data = by[kind]["jsonData"]
        assert data["timeField"] == "@timestamp"
        assert data["logMessageField"] == "log"
        assert data["logLevelField"] == "log_parsed.level"
    provider = yaml.safe_load((folder / "dashboards/towline.yml").read_text())
    (provider,) = provider["providers"]
    assert provider["type"] == "file"
    assert pathlib.PurePath(provider["options"]["path"]).is_absolute()


# ---- types


@pytest.fixture(scope="session")
def types():
    """The folder with @grafana/schema and tsc."""
    if shutil.which("npm") is None:
        pytest.skip("no npm here: the types of Grafana cannot be had")
    tool = ROOT / "tests/servers/grafana-types"
    return pathlib.Path(subprocess.check_output([tool], text=True).strip())


def options_of(kind):
    """The module of a panel's options in @grafana/schema."""
    name = {"timeseries": "TimeSeries"}.get(kind, kind.capitalize())
    path = f"raw/composable/{kind}/panelcfg/x/{name}PanelCfg_types.gen"
    return f"@grafana/schema/dist/esm/{path}"


def checked(dashboard):
    """TypeScript that assigns all of it to Grafana's types."""
    used = sorted({p["type"] for p in grafana.panels(dashboard)})
    text = (ROOT / "tests/servers/plain.ts").read_text()
    for kind in used:
        text += f"import type * as {kind} from '{options_of(kind)}';\n"
    text += f"export const all: Plain<Board> = {json.dumps(dashboard)};\n"
    for panel in grafana.panels(dashboard):
        name = f"{panel['type']}{panel['id']}"
        options = json.dumps(panel["options"])
        text += f"export const {name}: Plain<Partial<{panel['type']}.Options>> = {options};\n"
        custom = panel["fieldConfig"]["defaults"].get("custom")
        if custom and panel["type"] in {"timeseries", "table"}:
            kind = f"Plain<Partial<{panel['type']}.FieldConfig>>"
            text += f"export const {name}c: {kind} = {json.dumps(custom)};\n"
    return text


def spoiled(path, value):
    """Agent Health with one mistake."""
    dashboard = grafana.load(grafana.FOLDER / "dashboards/agent-health.json")
    *way, last = path
    at = dashboard
    for key in way:
        at = at[key]
    at[last] = value
    return dashboard


MISTAKES = {
    "key": spoiled(["panels", 0, "gridpos"], {}),
    "option": spoiled(["panels", 0, "options", "colorMode"], "vlaue"),
    "number": spoiled(["graphTooltip"], 3),
    "word": spoiled(["templating", "list", 0, "type"], "datasources"),
}


@pytest.fixture(scope="session")
def said(types, tmp_path_factory):
    """What tsc says of each dashboard, and of the mistakes: {name: its lines}."""
    folder = tmp_path_factory.mktemp("types")
    (folder / "node_modules").symlink_to(types / "node_modules")
    every = dict(zip(NAMES, map(grafana.load, grafana.FILES), strict=True)) | MISTAKES
    files = {name.replace("/", "_") + ".ts": made for name, made in every.items()}
    for file, made in files.items():
        (folder / file).write_text(checked(made))
    done = subprocess.run(
        [types / "node_modules/.bin/tsc", "--noEmit", "--strict", "--skipLibCheck"]
        + ["--module", "esnext", "--moduleResolution", "bundler", *files],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    lines = done.stdout.splitlines()
    found = {
        name: [line for line in lines if line.startswith(file)]
        for name, file in zip(every, files, strict=True)
    }
    assert all(line.startswith((" ", *files)) for line in lines), done.stdout
    return found


@pytest.mark.parametrize("name", NAMES)
def test_its_types_are_those_of_grafana(said, name):
    """@grafana/schema 13: keys, values and options; not the queries, which it calls any."""
    assert said[name] == []


@pytest.mark.parametrize("name", MISTAKES)
def test_the_check_of_types_finds_mistakes(said, name):
    (line,) = said[name]
    assert "error TS2" in line
