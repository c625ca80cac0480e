"""Every expression of the monitoring guide, of every dashboard panel and of every rule,
asked of a real Prometheus and compared with the truth.

A real towline reads the logs that a seed has made (harness/story.py), and is scraped by the
shipped job; it has also a made tree of control groups, and polls two agents whose levels
stay (fakes: the stand-in agent's go up and down).  What Prometheus has of the time before
is the truth's, and continues in what it scrapes: each series is one.  The rules are loaded,
and evaluated each second.  cAdvisor's and kube-state-metrics' series are a stand-in's,
under their true names.

The windows of the expressions are as they stand.  harness/evaluator.py extrapolates as
Prometheus does, from the times of the same samples: answers may differ by a thousandth."""

import socket

import pytest
from harness import answers, grafana, reference
from harness.alerting import newest, rules
from harness.answers_panels import PANELS
from harness.history import labelled
from harness.scene import HERE, Scene
from test_dashboard_queries import EVERY

# One process runs them all: it has the scene.
pytestmark = pytest.mark.xdist_group("expressions")


@pytest.fixture(scope="session", params=["2.42", "3"])
def scene(request, tmp_path_factory):
    program = newest("prometheus") if request.param == "3" else None
    made = Scene(tmp_path_factory.mktemp("scene"), program)
    with socket.socket() as bound:  # nobody listens there
        bound.bind(("127.0.0.1", 0))
        try:
            made.start(bound.getsockname()[1])
            made.live()
            yield made
        finally:
            made.close()


# ---- answers are compared


ASIDE = {"__name__", "job", "container", "commit", "build_timestamp", "resource"}


def shown(labels, aside=()):
    """What tells a series from others of an answer."""
    aside = {*ASIDE, *aside}
    labels = {k: v for k, v in dict(labels).items() if k not in aside and v}
    if "pod" in labels:
        aside = {"namespace", "instance"}
    else:
        aside = {"instance"} if "namespace" in labels else set()
    return " ".join(f"{k}={v}" for k, v in sorted(labels.items()) if k not in aside)


def sorted_labels(labels):
    return dict(sorted(pair for pair in dict(labels).items() if pair[0] != "__name__"))


def compared(scene, expression, row, added=(), none=False):
    answer = scene.prometheus.ask(expression)
    got = {shown(labels): value for labels, value in answer}
    assert len(got) == len(answer), "two series of one name"
    truth = row(scene.truth)
    want = {shown(key, added): value for key, value in truth.items()}
    assert len(want) == len(truth), "two series of one name"
    assert got == pytest.approx(want, rel=1e-3, abs=1e-9, nan_ok=True)
    assert bool(want) != none, "is there an answer?"


def test_what_is_scraped_is_what_the_story_tells(scene):
    """Each series of towline's newest scrape, and none besides."""
    where = 'job="matillion-agents",instance="node-1"'
    newest = max(at for at in scene.truth.live["towline"] if at <= scene.truth.at)

    def scraped(name):
        return [
            (labels, values[newest])
            for labels, values in scene.prometheus.samples(name)
            if newest in values
        ]

    every = scraped(f'{{{where},__name__=~"(app|towline)_.+"}}')
    names = {labels["__name__"] for labels, _ in every}
    names = {name for name in names if not name.endswith("_created")}
    assert len(names) > 50
    for name in names:
        found = {
            labelled(name, sorted_labels(labels)): value
            for labels, value in scraped(f"{name}{{{where}}}")
        }
        truth = {
            labelled(name, sorted_labels(key)): value
            for key, value in scene.truth.now(name).items()
            if HERE.items() <= set(key) and ("pod", "g0") not in key
        }
        assert set(found) == set(truth)
        assert found == pytest.approx(truth, rel=1e-6), name


def id_of(rule):
    labels = rule.get("labels", {}) if "record" in rule else {}
    name = rule.get("record") or rule["alert"]
    return " ".join([name, *labels.values()])


RULE = {id_of(rule): rule for _, rule in rules("expr")}
ROWS = answers.RECORDS | answers.ALERTS


@pytest.mark.parametrize("name", RULE)
def test_a_rule_answers_the_truth(scene, name):
    added = RULE[name].get("labels", ()) if "record" in RULE[name] else ()
    none = name in answers.NONE
    compared(scene, RULE[name]["expr"], ROWS[name], added, none)


@pytest.mark.parametrize("expression", reference.expressions())
def test_an_expression_of_the_guide_answers_the_truth(scene, expression):
    none = expression in answers.NONE
    compared(scene, expression, answers.GUIDE[expression], none=none)


def queries():
    for file in grafana.FILES:
        dashboard = grafana.load(file)
        for panel in grafana.panels(dashboard):
            asked = [t["expr"] for t in panel["targets"] if "expr" in t]
            for n, expression in enumerate(asked):
                yield dashboard["uid"], panel["title"], n, expression


QUERIES = list(queries())


@pytest.mark.parametrize(
    "uid, title, n, expression",
    QUERIES,
    ids=[" ".join(map(str, q[:3])) for q in QUERIES],
)
def test_a_panel_answers_the_truth(scene, uid, title, n, expression):
    compared(scene, grafana.interpolated(expression, **EVERY), PANELS[uid][title][n])


def test_no_row_is_of_nothing():
    assert set(ROWS) == set(RULE)
    assert set(answers.GUIDE) == set(reference.expressions())
    there = {(uid, title, n) for uid, title, n, _ in QUERIES}
    rows = {
        (uid, title, n)
        for uid, panels in PANELS.items()
        for title, every in panels.items()
        for n in range(len(every))
    }
    assert rows == there
