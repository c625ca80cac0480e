"""A week in the life of five agents, made by a seed: their logs, and what follows from
them, the truth: each series as a function of time.

The history of a Prometheus is made of these functions (harness/history.py), its newest
samples come from a towline that has read the logs: the two must be one series."""

import bisect
import math
import random
import time
from collections import namedtuple

from .node import cri

MINUTE, HOUR, DAY = 60, 3600, 86400
LONG = 8 * DAY  # what is asked of a week ago
SHORT = 26 * HOUR
TASK_LE = 0.1, 0.5, 1, 5, 15, 60, 300, 600, 1800, 3600, 10800
REQUEST_LE = 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60
GIB = 2**30

# value(at): None where there is no sample.  span: how long before the end it is known.
Series = namedtuple("Series", "name labels value span job")


class Steps:
    """A value that changes at some times, and between them stays."""

    def __init__(self, first=0.0):
        self.times, self.values = [-math.inf], [first]

    def set(self, at, value):
        assert at >= self.times[-1]
        self.times.append(at)
        self.values.append(value)

    def add(self, at, by):
        self.set(at, self.values[-1] + by)

    def __call__(self, at):
        return self.values[bisect.bisect_right(self.times, at) - 1]


def stays(value):
    return lambda at: value


class Agent:
    """tell() takes one event at its time, and returns the line that the log has of it."""

    def __init__(self, story, namespace, pod, version):
        self.story, self.version = story, version
        self.labels = {"namespace": namespace, "pod": pod, "container": "agent"}
        self.events, self.steps, self.running = [], {}, {}
        self.means = [], []  # of completed tasks: when, execution time
        self.is_polled = False  # its answers tell its version alone
        self.gone = None  # when its last heartbeat was too long ago
        for name in "completed", "failed":
            self.of(f"app_{name}_tasks_total")
        for name in "app_task_timeouts_total", "app_new_failures_total":
            self.of(name)
        self.of("app_task_errors_total", error_type="UNKNOWN")
        self.histogram("app_task_execution_seconds", TASK_LE)
        self.histogram("app_request_duration_seconds", REQUEST_LE)
        for name in "active_task_count", "active_request_count", "open_sessions":
            self.of(f"app_{name}")
        self.of("app_oldest_task_start_timestamp", None)
        self.of("app_last_heartbeat_timestamp", None)

    def of(self, name, first=0.0, **labels):
        return self.steps.setdefault((name, *labels.items()), Steps(first))

    def histogram(self, name, bounds, at=None, value=0, **labels):
        for le in [*map(float, bounds), math.inf]:
            bucket = self.of(
                f"{name}_bucket", **labels, le=str(le).replace("inf", "+Inf")
            )
            if at is not None and value <= le:
                bucket.add(at, 1)
        for part, by in ("count", 1), ("sum", value):
            counter = self.of(f"{name}_{part}", **labels)
            if at is not None:
                counter.add(at, by)

    # ---- events

    def banner(self, at):
        return (
            f"Matillion agent version={self.version} commit=abc123"
            " build_timestamp=2024-01-15T10:30:00Z"
        )

    def start(self, at, id):
        self.running[id] = at
        self.change(at)
        return f"TASK_STARTED task_id={id}"

    def change(self, at):
        self.of("app_active_task_count").set(at, len(self.running))
        oldest = min(self.running.values(), default=None)
        self.of("app_oldest_task_start_timestamp").set(at, oldest)

    def complete(self, at, id, pipeline, seconds):
        self.running.pop(id, None)
        self.change(at)
        self.of("app_completed_tasks_total").add(at, 1)
        self.histogram(
            "app_task_execution_seconds", TASK_LE, at, seconds, pipeline=pipeline
        )
        self.means[0].append(at)
        self.means[1].append(seconds)
        return (
            f"TASK_COMPLETED task_id={id} pipeline={pipeline} execution_time={seconds}"
        )

    def fail(self, at, id, pipeline):
        self.running.pop(id, None)
        self.change(at)
        self.of("app_failed_tasks_total").add(at, 1)
        self.failure(at, f"failed {pipeline}")
        return f"TASK_FAILED task_id={id} pipeline={pipeline} execution_time=1"

    def error(self, at, kind, text):
        self.of("app_task_errors_total", error_type=kind).add(at, 1)
        self.failure(at, f"{kind} {text}")
        return f"{text} error_type={kind}"

    def failure(self, at, kind):
        """It is new when no agent of the node has logged it before."""
        known = self.story.failures
        self.of("app_new_failures_total").add(at, kind not in known)
        known.add(kind)

    def request(self, at, seconds):
        self.histogram("app_request_duration_seconds", REQUEST_LE, at, seconds)
        return f"REQUEST_COMPLETED duration={seconds}"

    def levels(self, at, sessions, requests):
        self.of("app_open_sessions").set(at, sessions)
        self.of("app_active_request_count").set(at, requests)
        return f"levels: open_sessions={sessions} active_requests={requests}"

    def beat(self, at):
        self.of("app_last_heartbeat_timestamp").set(at, int(at))
        return "HEARTBEAT"

    def give_up(self, at, id):
        """No line tells it."""
        self.running.pop(id)
        self.change(at)
        self.of("app_task_timeouts_total").add(at, 1)

    def tell(self, at, what, *more):
        line = getattr(self, what)(at, *more)
        self.of("app_log_lines_total").add(at, line is not None)
        return line

    # ---- series

    def mean(self, at):
        """Of the tasks completed in five minutes; as it was, while none completes."""
        times, seconds = self.means
        last = bisect.bisect_right(times, at)
        if last == 0:
            return None
        first = min(bisect.bisect_right(times, at - 300), last - 1)
        return sum(seconds[first:last]) / (last - first)

    def series(self):
        for (name, *labels), steps in self.steps.items():
            is_long = name in ("app_completed_tasks_total", "app_failed_tasks_total")
            yield name, dict(labels), steps, LONG if is_long else SHORT
        yield "app_task_duration_seconds", {}, self.mean, SHORT
        since = self.gone or math.inf
        yield "app_agent_status", {}, lambda at: float(at < since), SHORT
        build = {"commit": "abc123", "build_timestamp": "2024-01-15T10:30:00Z"}
        build = {} if self.is_polled else build
        yield "app_build_info", {"version": self.version} | build, stays(1), SHORT
        yield "app_max_task_capacity", {}, stays(20), SHORT
        yield "app_max_connections", {}, stays(170), SHORT


def clock(at):
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(at))


def written(at, text, level="INFO"):
    head = f"{clock(at)} {level:>5} 1 --- [agent] [main] c.m.agent.task.TaskRunner"
    return cri(f"{head} : {text}", ns=int(at) * 10**9)


class Story:
    """Until `end`, whole seconds; what comes later is told by later()."""

    def __init__(self, seed, end):
        self.chance, self.end, self.failures = random.Random(seed), end, set()
        self.busy = Agent(self, "m", "a0", "2.1.0")
        self.slow = Agent(self, "m", "a1", "2.2.0")
        self.dead = Agent(self, "other", "a2", "2.1.0")
        self.idle = Agent(self, "idle", "a3", "2.1.0")
        self.quiet = Agent(self, "quiet", "a4", "2.1.0")
        self.agents = [self.busy, self.slow, self.dead, self.idle, self.quiet]
        self.begin = end - LONG
        self.lines, self.bytes, self.delivered = Steps(), Steps(), Steps()
        for agent in self.agents:
            agent.events.append((self.begin, "banner"))
        self.plan_busy()
        self.plan_slow()
        self.plan_dead()
        self.plan_idle()
        self.plan_quiet()
        self.logs = {agent.labels["pod"]: [] for agent in self.agents}
        order = [(*e, a) for a in self.agents for e in a.events]
        for at, what, *more, agent in sorted(order, key=lambda e: e[0]):
            self.tell(agent, at, what, *more)

    def tell(self, agent, at, what, *more):
        text = agent.tell(at, what, *more)
        if text is None:
            return
        level = "ERROR" if what == "error" else "INFO"
        line = written(at, text, level)
        self.logs[agent.labels["pod"]].append(line)
        self.read(at, line)

    def read(self, at, line, is_delivered=True):
        self.lines.add(at, 1)
        self.bytes.add(at, len(line))
        self.delivered.add(at, is_delivered)

    def later(self, at):
        """What the busy agent does while Prometheus looks: (its lines, their times, each of
        its own)."""
        events = []
        for n in range(5):
            events += [("start", f"late-{n}"), ("complete", f"late-{n}", "load", 60)]
        events += [("fail", f"bad-{n}", "load") for n in range(3)]
        events += [("error", "X", "said never before")]
        times = [at + n / 1024 for n in range(len(events) + 1)]
        for when, event in zip(times, [*events, ("beat",)], strict=True):
            self.tell(self.busy, when, *event)
        return self.logs["a0"][-len(times) :], times

    def moved(self, times):
        """Events of these times (old: new) were seen at others."""
        for steps in self.busy.steps.values():
            steps.times = [times.get(at, at) for at in steps.times]
        self.busy.means = (
            [times.get(at, at) for at in self.busy.means[0]],
            (self.busy.means[1]),
        )

    def every(self, agent, seconds, what, *more, until=0, since=LONG):
        for at in range(self.end - since, self.end - until + 1, seconds):
            agent.events.append((at, what, *more))

    def tasks(self, agent, mean, pipelines, last, failing=0.0, until=0):
        """One after another, `mean` seconds between their ends, more or less; all of the
        last quarter of an hour took the same time."""
        at, n = self.begin + 1, 0
        while True:
            takes = self.chance.randint(mean // 2, mean + mean // 2)
            if at + takes > self.end - until:
                return
            pipeline, lasts = self.chance.choice(pipelines)
            agent.events.append((at, "start", f"{n}"))
            at, n = at + takes, n + 1
            if self.chance.random() < failing:
                agent.events.append((at, "fail", f"{n - 1}", "load"))
            else:
                seconds = self.chance.choice(lasts) if at < self.end - 900 else last
                agent.events.append((at, "complete", f"{n - 1}", pipeline, seconds))

    def plan_busy(self):
        pipelines = ("load", [2.5, 4, 12]), ("sync", [20, 30.5])
        self.tasks(self.busy, 40, pipelines, last=60, failing=0.2)
        for n in range(18):  # one more each 20 minutes, and none ends
            at = self.end - 6 * HOUR + 600 + n * 20 * MINUTE
            self.busy.events.append((at, "start", f"long-{n}"))
        self.every(self.busy, 30, "beat")
        self.every(self.busy, 10, "request", 0.25, since=SHORT)
        self.every(self.busy, 5, "error", "X", "no such table", since=SHORT)
        self.every(self.busy, 45, "error", "Y", "timed out", since=SHORT)
        for _ in range(2):
            self.every(self.busy, 1, "error", "Y", "timed out", since=600)
        self.every(self.busy, 600, "levels", 160, 3)

    def plan_slow(self):
        self.slow.is_polled = True
        self.tasks(self.slow, 300, [("slow", [650, 700])], last=700)
        for n in range(15):
            at = self.end - 2 * HOUR + n * MINUTE
            self.slow.events.append((at, "start", f"long-{n}"))
        self.every(self.slow, 60, "beat")
        self.every(self.slow, 20, "request", 40, since=SHORT)
        self.every(self.slow, 600, "levels", 12, 8)

    def plan_dead(self):
        """Its last sign of life was 20 minutes ago, and it has 20 tasks."""
        until = 20 * MINUTE
        self.tasks(self.dead, 120, [("old", [8])], last=8, until=until + 1)
        for n in range(20):
            at = self.end - 13 * HOUR + n
            self.dead.events.append((at, "start", f"stuck-{n}"))
        self.every(self.dead, 60, "beat", until=until)
        self.every(self.dead, 600, "levels", 5, 1, until=until)
        self.dead.gone = self.end - until + 600

    def plan_idle(self):
        self.every(self.idle, 60, "beat")
        for n in range(90):  # one each four minutes, and nobody closes them
            self.idle.events.append((self.end - n * 240, "levels", 90 - n, 0))

    def plan_quiet(self):
        """It writes nothing since 40 minutes, and never told the end of one task."""
        self.quiet.is_polled = True
        self.every(self.quiet, 60, "beat", until=40 * MINUTE)
        start = self.end - 24 * HOUR - 30 * MINUTE
        self.quiet.events.append((start, "start", "endless"))
        self.quiet.events.append((start + 24 * HOUR, "give_up", "endless"))
