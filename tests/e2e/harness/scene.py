"""The scene of test_expressions.py: the story, the towline that reads it, and the
Prometheus that scrapes it."""

import functools
import re
import signal
import time

from fake_server import FakeServer

from . import answers
from .alerting import PROMETHEUS, RULES, loaded
from .cgroup import fill, v2
from .evaluator import Truth, made_grid
from .fake_agent import METRICS, FakeAgent
from .history import History, found_pod, labelled
from .node import Node
from .story import GIB, LONG, MINUTE, SHORT, Series, Steps, Story, stays
from .towline import Config, Towline
from .wait import until

SEED = 12
HERE = {"job": "matillion-agents", "instance": "node-1"}
OTHERS = {"job": "cadvisor", "instance": "node-1"}
CORES = {"a0": 0.5, "a1": 0.25, "a2": 0.125, "a3": 0.0625, "a4": 0.0625}
STATES = "none", "running", "pending_shutdown", "shutting_down", "unknown"
# Whose value no log tells: they are compared as Prometheus has scraped them.
ITS_OWN = re.compile(
    r"process_\w+|towline_(memory_limit_bytes|output_(lag_bytes|logs_apart)|delivery_seconds_\w+|queue_batches)"
)
LINES, RECORDS = "towline_lines_total", "towline_records_total"
DELIVERED, BYTES = "towline_delivered_total", "towline_read_bytes_total"
POLLS, LETTERS = "towline_agent_polls_failed_total", "towline_dead_letters_total"
RETRIES, HELD = "towline_retries_total", "towline_held_documents"
LAG = "towline_lag_bytes"
REFUSED = "towline_config_reload_failed_total"
UNREAD, UNPARSED = "towline_unread_files", "towline_parse_failures_total"
GARBAGE = ["no line of a runtime\n"] * 50
UNWANTED = ["a document that the server refuses\n"] * 7
WAITING = ["a document that the server does not take yet\n"] * 3
HELD_BYTES = len("".join(WAITING))
# What rules look back for in series that rules make.
RECORDED = {
    "anomaly:signal": LONG,
    "anomaly:spread1h": SHORT,
    "namespace:app_active_tasks:sum": SHORT,
    "namespace:app_active_tasks:max1d": LONG,
    "agent:app_cpu_usage_cores:rate5m": SHORT,
}


# ---- the series that are not the logs'


def memory(pod, end):
    if pod == "a3":  # one and a half more, for 70 minutes
        return lambda at: float(GIB if at < end - 70 * MINUTE else 2.5 * GIB)
    return stays(float(int({"a0": 3.8, "a1": 2, "a2": 1, "a4": 2}[pod] * GIB)))


def grows(by, story):
    """Until the story ends."""
    return lambda at: by * (min(at, story.end) - story.begin)


def of_containers(story):
    """As the control groups tell."""
    for agent in story.agents:
        pod = agent.labels["pod"]
        yield "app_memory_usage_bytes", agent.labels, memory(pod, story.end), LONG
        cpu = grows(CORES[pod], story)
        yield "app_cpu_usage_seconds_total", agent.labels, cpu, SHORT


def of_the_polled(story):
    for agent, is_connected in (story.slow, 0.0), (story.quiet, 1.0):
        yield "app_agent_connected", agent.labels, stays(is_connected), SHORT
        for state in STATES:
            is_it = stays(float(state == "running"))
            yield "app_agent_state", agent.labels | {"state": state}, is_it, SHORT


class Polled(FakeAgent):
    """Its levels stay; refuses() is a page of it, counted."""

    def __init__(self, agent, connected, requests, sessions):
        self.refused = 0
        self.page = (
            "matillion_agent_status_unit 1\n"
            f"matillion_agent_connected_unit {connected}\n"
            f"matillion_agent_task_running_unit {len(agent.running)}\n"
            f"matillion_agent_request_active_unit {requests}\n"
            f"matillion_agent_open_sessions_unit {sessions}\n"
            f'matillion_agent_version_unit{{version="{agent.version}"}} 1\n'
        )
        super().__init__({METRICS: self.page})

    def refuses(self, handler):
        self.refused += 1
        handler.send_response(500)
        handler.end_headers()


def of_the_gone(story):
    """A pod that was deleted 40 minutes ago."""
    labels = {"namespace": "gone", "pod": "g0", "container": "agent"}
    until = story.end - 40 * MINUTE
    yield "app_agent_status", labels, lambda at: 1.0 if at < until else None, SHORT


def of_others(story):
    """cAdvisor's and kube-state-metrics'."""
    for agent in story.agents:
        labels = agent.labels
        yield "container_spec_memory_limit_bytes", labels, stays(4.0 * GIB)
        throttled = 4 if labels["pod"] == "a0" else 1
        for name, by in ("periods", 10), ("throttled_periods", throttled):
            yield f"container_cpu_cfs_{name}_total", labels, grows(by, story)
        for resource, value in ("memory", 3 * GIB), ("cpu", 2):
            name = "kube_pod_container_resource_requests"
            yield name, labels | {"resource": resource}, stays(float(value))
    labels = story.busy.labels | {"pod": "matillion-agent-0"}
    yield "container_memory_usage_bytes", labels, memory("a3", story.end)


def own_series(story, towline):
    """All that its page has.  What the logs tell: all lines are read and delivered; of
    the rest the truth is 0, as nothing failed but what live() brings about."""
    told = {
        LINES: story.lines,
        RECORDS: story.lines,
        BYTES: story.bytes,
        (DELIVERED, "null.0"): story.delivered,
        "towline_build_info": stays(1.0),
        REFUSED: Steps(),
        (UNREAD, "refused"): stays(1.0),
        (UNPARSED, "cri"): Steps(),
        (POLLS, "status"): Steps(),
        (LETTERS, "es.0", "rejected"): Steps(),
        (RETRIES, "es.0", "5xx"): Steps(),
        (HELD, "es.1"): Steps(),
        LAG: Steps(),
        ("towline_requests_limit", "es.0"): stays(4.0),  # Workers
        ("towline_requests_limit", "es.1"): stays(4.0),
    }
    for line in towline.metrics_page().splitlines():
        name = re.match(r"(towline_\w+|process_\w+)?", line)[1]
        if name and not ITS_OWN.fullmatch(name):
            labels = dict(re.findall(r'(\w+)="([^"]+)"', line))
            value = told.get(name) or told.get((name, *labels.values())) or stays(0.0)
            yield name, labels, value, SHORT


# ---- the scene


class Scene:
    """The story, its towline, its Prometheus; truth: what each must answer.  program: a
    Prometheus 3, else it is Debian's 2.42."""

    def __init__(self, folder, program=None):
        self.folder, self.story = folder, Story(SEED, int(time.time()))
        self.program, self.truth = program, None
        self.node = Node(folder / "log")
        self.closing = []

    def close(self):
        for end in reversed(self.closing):
            end()

    def prepare(self):
        folder, story = self.folder, self.story
        (folder / "cgroup").mkdir()
        (folder / "cgroup/cgroup.controllers").write_text("cpu memory\n")
        self.containers = {}
        for agent in story.agents:
            pod = agent.labels["pod"]
            made = self.node.container(pod, "agent", agent.labels["namespace"])
            made.raw("".join(story.logs[pod]).encode())
            self.containers[pod] = made
            used = memory(pod, story.end)(story.end)
            fill(v2(folder / "cgroup", made.id), int(used), CORES[pod] * LONG, 2)
        link = self.node.root / "containers" / f"a9_m_agent-{'0' * 64}.log"
        link.symlink_to("/etc/hostname")  # leads elsewhere: it is not read
        polled = Polled(story.slow, 0, 8, 12), Polled(story.quiet, 1, 0, 0)
        self.quiet = polled[1]
        # One bulk comes to nothing, and then each document is refused for good; of the
        # other server they wait for another state of it.
        refusing, blocked = (
            FakeServer(lambda n, body: 503 if n == 1 else None),
            FakeServer(),
        )
        refusing.judge = lambda index: (400, "mapper_parsing_exception")
        blocked.judge = lambda index: (403, "cluster_block_exception")
        self.closing += [fake.close for fake in (*polled, refusing, blocked)]
        slow, quiet = (f"127.0.0.1:{agent.port}" for agent in polled)
        outputs, inputs = [{"Name": "null"}], []
        for tag, server in ("refused", refusing), ("held", blocked):
            (folder / tag).mkdir()
            outputs.append(server.output | {"Match": tag, "Template": "Off"})
            path = {"Path": f"{folder}/{tag}/*.log", "Refresh_Interval": 1}
            inputs.append({"Name": "tail", "Tag": tag} | path)
        config = Config.of(folder, self.node, *outputs)
        config.inputs += inputs
        config.service |= {
            "Agent_Pods": "a*",
            "Per_Pipeline": "On",
            "Max_Connections": 170,
            "Heartbeat_Timeout": "600s",
            "Cgroup_Path": folder / "cgroup",
            "Cgroup_Interval": 1,
            "Agent_Gauges": "poll",
            "Agents": f"m/a1/agent={slow}, quiet/a4/agent={quiet}",
            "Agent_Poll_Interval": 1,
            "Agent_Poll_Failures": 1000,
        }
        self.towline = Towline(config)
        self.closing.append(self.towline.end)
        self.towline.start()

    def until_read(self):
        self.towline.until_metric(RECORDS, self.story.lines.values[-1])
        self.towline.until_metric(DELIVERED, self.story.delivered.values[-1])
        self.towline.until_metric(LAG, 0 if self.truth is None else HELD_BYTES)
        until(
            lambda: len(self.towline.samples("app_cpu_usage_seconds_total")) == 5
            and len(self.towline.samples("app_agent_connected")) == 2,
            self.towline.metrics_page,
        )

    def series(self):
        """All of the history and of the present."""
        story, made = self.story, []
        for agent in story.agents:
            made += [(n, agent.labels | m, v, s) for n, m, v, s in agent.series()]
        made += [*of_containers(story), *of_the_polled(story), *of_the_gone(story)]
        made += own_series(story, self.towline)
        series = [Series(n, m | HERE, v, s, "towline") for n, m, v, s in made]
        series += [
            Series(n, m | OTHERS, v, SHORT, "others") for n, m, v in of_others(story)
        ]
        node2 = HERE | {"instance": "node-2"}
        series.append(Series("up", HERE, stays(1.0), SHORT, "towline"))
        series.append(Series("up", OTHERS, stays(1.0), SHORT, "others"))
        series.append(Series("up", node2, stays(0.0), SHORT, "node-2"))
        return series

    def scrapes(self, dead_port):
        """The shipped job, of pods that are found, and the stand-in of others."""
        (job,) = loaded(PROMETHEUS / "scrape.yml")["scrape_configs"]
        del job["kubernetes_sd_configs"]
        host, port = self.towline.address
        label = {"app_kubernetes_io_name": "towline"}
        job["static_configs"] = [
            found_pod(f"{host}:1", port, "node-1", **label),
            found_pod("127.0.0.2:1", dead_port, "node-2", **label),
        ]
        page = "".join(
            f"{labelled(name, labels)} {value(self.story.end):.17g}\n"
            for name, labels, value in of_others(self.story)
        )
        others = FakeAgent({"/metrics": page})
        self.closing.append(others.close)
        cadvisor = {
            "job_name": "cadvisor",
            "honor_labels": True,
            "static_configs": [
                {
                    "targets": [f"127.0.0.1:{others.port}"],
                    "labels": {"instance": "node-1"},
                }
            ],
        }
        if self.program:  # the stand-in's pages do not say what they are
            cadvisor["fallback_scrape_protocol"] = "PrometheusText0.0.4"
        folder = self.folder / "rules"
        folder.mkdir()
        for file in RULES.glob("*.yml"):  # each second, not each minute
            text = re.sub(r"(?m)^    interval: \w+\n", "", file.read_text())
            (folder / file.name).write_text(text)
        seconds = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        return {
            "global": seconds,
            "rule_files": [f"{folder}/*.yml"],
            "scrape_configs": [job, cadvisor],
        }

    def start(self, dead_port):
        self.prepare()
        story = self.story
        self.until_read()
        grid = made_grid(story.end)
        self.truth = Truth(self.series(), grid)
        self.put_recorded()
        text = [
            (s.name, s.labels, within(s.value, story.end - s.span))
            for every in self.truth.series.values()
            for s in every
        ]
        self.prometheus = History(
            self.folder,
            text,
            story.end,
            times=grid,
            config=self.scrapes(dead_port),
            program=self.program,
        )
        self.closing.append(self.prometheus.stop)

    def put_recorded(self):
        """What rules make of the truth."""
        for name in dict.fromkeys(map(of, answers.RECORDS)):
            rows = [row for key, row in answers.RECORDS.items() if of(key) == name]
            self.put_record(name, rows)

    def put_record(self, name, rows):
        cache = {}

        def at_once(at):
            if at not in cache:
                there = self.truth.moved(at)
                cache[at] = {k: v for row in rows for k, v in row(there).items()}
            return cache[at]

        days = self.truth.grid[-1 :: -100 if name in RECORDED else -10_000]
        keys = {key for at in days for key in at_once(at)}
        for key in keys:
            value = functools.partial(lambda key, at: at_once(at).get(key), key)
            span = RECORDED.get(name, 0)
            self.truth.put(Series(name, dict(key), value, span, name))

    # ---- what happens while Prometheus looks

    def newest(self, name):
        self.prometheus.end = time.time()
        return max(
            (max(values) for _, values in self.prometheus.samples(name)), default=0
        )

    def until_scraped(self, since):
        names = ["app_log_lines_total", "container_spec_memory_limit_bytes"]
        until(
            lambda: all(self.newest(name) > since for name in names),
            self.prometheus.log.read_text,
        )

    def live(self):
        """It goes on; a configuration is refused, and lines cannot be parsed."""
        self.until_scraped(self.story.end)
        self.until_scraped(time.time())
        self.towline.file.write_text("[NONE]\n")
        self.towline.process.send_signal(signal.SIGHUP)
        self.quiet.pages[METRICS] = self.quiet.refuses
        self.towline.until_metric(REFUSED, 1)
        until(lambda: self.towline.metric(POLLS) > 2, self.towline.metrics_page)
        self.quiet.pages[METRICS] = self.quiet.page
        lines, times = self.story.later(int(time.time()))
        self.containers["a0"].raw("".join(lines).encode())
        self.node.container("nginx").raw("".join(GARBAGE).encode())
        (self.folder / "refused/a.log").write_text("".join(UNWANTED))
        (self.folder / "held/a.log").write_text("".join(WAITING))
        for line in GARBAGE:
            self.story.read(times[-1], line)
        for line in UNWANTED + WAITING:
            self.story.read(times[-1], line, is_delivered=False)
        self.towline.until_metric(LETTERS, len(UNWANTED))
        self.towline.until_metric(HELD, len(WAITING))
        self.until_read()
        self.towline.until_metric(POLLS, self.quiet.refused)
        for name, by in (
            (REFUSED, 1),
            (UNPARSED, len(GARBAGE)),
            (LETTERS, len(UNWANTED)),
            (RETRIES, 1),
            (POLLS, self.quiet.refused),
            (HELD, len(WAITING)),
            (LAG, HELD_BYTES),
        ):
            (steps,) = {s.value for s in self.truth.series[name] if is_steps(s)}
            steps.add(times[-1], by)
        since = time.time()
        self.until_scraped(since)
        self.until_recorded(since)
        self.put_live(len(lines), times)

    def until_recorded(self, since):
        """Each rule was evaluated of what was scraped since."""
        self.recorded = dict.fromkeys(map(of, answers.RECORDS))

        def are():
            found = {name: self.newest(name) for name in self.recorded}
            late = [name for name, at in found.items() if at <= since + 1]
            self.late = late
            return not late and min(found.values())

        at = until(are, lambda: self.late)
        self.prometheus.end = min(at, self.newest("towline_build_info"))

    def put_live(self, count, times):
        """When each of the last lines was scraped, and what is Prometheus' alone to know."""
        end, ask, live = self.story.end, self.prometheus.samples, {}

        def since(name, **labels):
            for have, values in ask(name):
                if labels.items() <= have.items():
                    return {at: v for at, v in values.items() if at > end}
            return {}

        read = since("app_log_lines_total", pod="a0")
        all = self.story.busy.of("app_log_lines_total").values[-1]
        seen = {
            when: next(at for at, v in read.items() if v >= all - count + n + 1)
            for n, when in enumerate(times)
        }
        self.story.moved(seen)
        live = {
            "towline": list(read),
            "others": list(since("container_spec_memory_limit_bytes")),
            "node-2": list(since("up", instance="node-2")),
        }
        for name in self.recorded:
            live[name] = list(since(name))
        self.truth.live = live
        self.truth.at = self.prometheus.end
        own = [LINES, RECORDS, DELIVERED, BYTES, REFUSED, UNPARSED, LETTERS, RETRIES]
        for name in [*own, POLLS, HELD, LAG, "towline_lag_seconds"]:
            for one in list(self.truth.series[name]):
                before = since(name, **one.labels)
                if not is_restless(one):
                    del before[max(before)]
                self.put_scraped(one, before)
        for one in list(self.truth.series["app_last_heartbeat_timestamp"]):
            if one.labels["pod"] in ("a1", "a4"):  # the last poll
                self.put_scraped(one, since(one.name, pod=one.labels["pod"]))
        for name in self.own_names():
            self.truth.series[name] = [
                Series(name, labels, values.get, 0, "towline")
                for labels, values in ask(name)
            ]

    def put_scraped(self, series, values):
        """As it was scraped, where the truth does not know when it changed."""
        every = self.truth.series[series.name]
        every.remove(series)
        every.append(
            series._replace(
                value=lambda at: values.get(at) if at in values else series.value(at)
            )
        )

    def own_names(self):
        page = self.towline.metrics_page()
        names = re.findall(r"(?m)^(\w+)", page)
        return {name for name in names if ITS_OWN.fullmatch(name)}


def is_restless(series):
    """It goes on while documents are held."""
    is_tried = series.labels.get("reason") == "hold"
    return is_tried or series.name == "towline_lag_seconds"


def is_steps(series):
    return isinstance(series.value, Steps)


def within(value, since):
    return lambda at: value(at) if at >= since else None


def of(key):
    """The name of what a rule records."""
    return key.split()[0]
