"""What each rule of conf/prometheus and each expression of the monitoring guide must
answer of the story: a row each, a function of the truth (harness/evaluator.py)."""

import math
import statistics

from .evaluator import (
    both,
    by,
    div,
    each,
    joined,
    keep,
    marked,
    mean,
    of_buckets,
    one,
    plus,
    quantile,
    unless,
    without,
)
from .story import DAY, GIB, HOUR, MINUTE

POD = "namespace", "pod", "container"
NODE = "job", "instance"


def namespaces(vector, combine=sum):
    return by(combine, vector, "namespace")


def pods(vector, combine=sum):
    return by(combine, vector, *POD)


def minus(left, right, *on):
    return joined(lambda a, b: a - b, left, right, *on)


def times(left, right, *on):
    return joined(lambda a, b: a * b, left, right, *on)


def more(limit):
    return lambda value: value > limit


def positive(vector):
    return keep(vector, more(0))


def above(left, right):
    return both(left, positive(minus(left, right)))


def below(left, right):
    return both(left, keep(minus(left, right), lambda value: value < 0))


def is_one_of(*values):
    return lambda value: value in values


# ---- the guide

TASKS, STATUS, SESSIONS = (
    "app_active_task_count",
    "app_agent_status",
    "app_open_sessions",
)
MEAN5 = "app_task_duration_seconds"
TOOK, REQUEST = "app_task_execution_seconds", "app_request_duration_seconds"
MEMORY, CPU = "app_memory_usage_bytes", "app_cpu_usage_seconds_total"
ERRORS, LINES = "app_task_errors_total", "app_log_lines_total"
DONE, FAILED = "app_completed_tasks_total", "app_failed_tasks_total"
PLACES, LIMIT = "app_max_task_capacity", "app_max_connections"
# cAdvisor's, of another stand-in: "others" has it.
USAGE = "container_memory_usage_bytes"


GUIDE = {
    "app_active_task_count > 18": lambda t: keep(t.now(TASKS), more(18)),
    "rate(app_completed_tasks_total[5m])": lambda t: t.rate(DONE, 5 * MINUTE),
    "app_active_task_count / app_max_task_capacity > 0.8": lambda t: keep(
        div(t.now(TASKS), t.now(PLACES)), more(0.8)
    ),
    "app_open_sessions > 100": lambda t: keep(t.now(SESSIONS), more(100)),
    "increase(app_open_sessions[30m]) > 0 and app_active_task_count == 0": lambda t: (
        both(
            positive(t.increase(SESSIONS, 30 * MINUTE)),
            keep(t.now(TASKS), is_one_of(0)),
        )
    ),
    "app_open_sessions / app_max_connections * 100": lambda t: each(
        div(t.now(SESSIONS), t.now(LIMIT)), lambda v: v * 100
    ),
    "avg_over_time(app_task_duration_seconds[1h]) > 300": lambda t: keep(
        t.over(mean, MEAN5, HOUR), more(300)
    ),
    "histogram_quantile(0.95, app_request_duration_seconds_bucket) > 30": lambda t: (
        keep(of_buckets(0.95, t.now(f"{REQUEST}_bucket")), more(30))
    ),
    "sum(app_agent_status)": lambda t: by(sum, t.now(STATUS)),
    "sum(app_active_task_count) by (pod)": lambda t: by(sum, t.now(TASKS), "pod"),
    "avg_over_time(app_task_duration_seconds[1h])": lambda t: t.over(mean, MEAN5, HOUR),
    "container_memory_usage_bytes{pod=~'matillion-agent.*'}": lambda t: t.now(
        USAGE, pod=lambda pod: pod.startswith("matillion-agent")
    ),
    "app_active_task_count * 1000000": lambda t: each(
        t.now(TASKS), lambda v: v * 1_000_000
    ),
    "app_agent_status == 0": lambda t: keep(t.now(STATUS), is_one_of(0)),
    "app_active_task_count > 100": lambda t: {},  # an agent runs 20
    "app_open_sessions > 150": lambda t: keep(t.now(SESSIONS), more(150)),
    "avg_over_time(app_task_duration_seconds[30m]) > 600": lambda t: keep(
        t.over(mean, MEAN5, 30 * MINUTE), more(600)
    ),
    "rate(app_task_errors_total[5m]) > 0.1": lambda t: keep(
        t.rate(ERRORS, 5 * MINUTE), more(0.1)
    ),
    # Its memory grows by 2 GiB, and no label joins cAdvisor's series with the agents'.
    "increase(container_memory_usage_bytes{pod=~'matillion-agent.*'}[1h]) > 1073741824"
    " and app_active_task_count < 5": lambda t: {},
    "count(app_agent_status == 1) == 0": lambda t: {},  # there are some
}


# ---- recorded


def mean_of(t, family, within, *labels):
    """Of what was counted in that time; none of nothing."""
    total = by(sum, t.rate(f"{family}_sum", within), *labels)
    count = by(sum, t.rate(f"{family}_count", within), *labels)
    return div(total, positive(count))


def quantile_of(t, q, family, within, *labels):
    buckets = by(sum, t.rate(f"{family}_bucket", within), *labels, "le")
    return of_buckets(q, buckets)


def ended(t, name, within):
    return namespaces(t.increase(name, within))


def failed_ratio(within):
    def row(t):
        failed, done = ended(t, FAILED, within), ended(t, DONE, within)
        return div(failed, plus(done, failed))

    return row


def ended_tasks(within):
    return lambda t: plus(ended(t, DONE, within), ended(t, FAILED, within))


def used(name, of):
    return lambda t: div(pods(t.now(name), max), pods(t.now(of), max))


def signal(name, within=15 * MINUTE):
    return lambda t: namespaces(t.rate(name, within))


def named(name, row):
    """anomaly:signal and its bands tell their rules apart by one label."""
    return {f"anomaly:signal {name}": lambda t: marked(row(t), signal=name)}


def hour_before(offset):
    return lambda t: t.over(mean, "anomaly:signal", HOUR, offset)


def now(name):
    return lambda t: t.now(name)


ADAPTIVE = {1: lambda m, s: m + 3 * s, -1: lambda m, s: max(m - 3 * s, 0)}


def band(side, of, factor=None):
    def row(t):
        if of == "adaptive":
            change = ADAPTIVE[1 if side == "upper" else -1]
            found = joined(change, t.now("anomaly:mean1h"), t.now("anomaly:spread1d"))
        else:
            found = each(factor[1](t), lambda v: v * factor[0])
        return marked(found, band=of)

    return {f"anomaly:band_{side} {of}": row}


def bands(side, factor):
    found = band(side, "adaptive")
    for of, row in (
        ("margin", now("anomaly:mean1h")),
        ("day", hour_before(23 * HOUR + 30 * MINUTE)),
        ("week", hour_before(167 * HOUR + 30 * MINUTE)),
    ):
        found |= band(side, of, (factor, row))
    return found


def widest(combine, side):
    return lambda t: without(combine, t.now(f"anomaly:band_{side}"), "band")


def deviation(values):
    middle = mean(values)
    return math.sqrt(mean([(value - middle) ** 2 for value in values]))


def spread(t):
    found = t.over(deviation, "anomaly:signal", HOUR, 15 * MINUTE)
    return above(found, each(t.now("anomaly:mean1h"), lambda v: v / 10))


def dense(t):
    def is_there(earlier):
        return each(earlier.now("anomaly:signal"), lambda v: float(v > 0))

    return keep(t.subquery(sum, is_there, DAY, 5 * MINUTE), lambda value: value >= 144)


def of_agents(vector, t):
    return both(vector, t.now(STATUS), *POD)


def throttled(t):
    part = {
        name: pods(t.rate(f"container_cpu_cfs_{name}_total", 15 * MINUTE))
        for name in ("throttled_periods", "periods")
    }
    return of_agents(div(part["throttled_periods"], part["periods"]), t)


def memory_limit(t):
    return of_agents(pods(positive(t.now("container_spec_memory_limit_bytes")), max), t)


SECONDS = "namespace_pipeline:app_task_execution_seconds:increase1d"
SHARE = "namespace_pipeline:app_cost_share:ratio1d"


def share_of_all(t):
    """No pod here has the label: all is the unit ""."""
    return one(1.0)


def share_by_pipeline(t):
    seconds = t.now(SECONDS)
    return div(seconds, positive(namespaces(seconds)), "namespace")


def core_hours(t):
    hours = each(namespaces(t.increase(CPU, DAY)), lambda v: v / 3600)
    return times(t.now(SHARE), hours, "namespace")


def gib_hours(t):
    def memory(earlier):
        return namespaces(earlier.now(MEMORY))

    hours = each(t.subquery(mean, memory, DAY, 300), lambda v: 24 * v / GIB)
    return times(t.now(SHARE), hours, "namespace")


def over_namespaces(name):
    return lambda t: namespaces(t.now(name))


RECORDS = {
    "namespace:app_agents_up:sum": over_namespaces(STATUS),
    "namespace:app_completed_tasks:rate5m": signal(DONE, 5 * MINUTE),
    "namespace:app_failed_tasks:rate5m": signal(FAILED, 5 * MINUTE),
    "agent:app_task_errors:rate5m": lambda t: pods(t.rate(ERRORS, 5 * MINUTE)),
    "agent:app_task_execution_seconds:mean5m": lambda t: mean_of(t, TOOK, 300, *POD),
    "agent:app_task_execution_seconds:p50_5m": lambda t: quantile_of(
        t, 0.5, TOOK, 300, *POD
    ),
    "agent:app_task_execution_seconds:p95_5m": lambda t: quantile_of(
        t, 0.95, TOOK, 300, *POD
    ),
    "agent:app_request_duration_seconds:mean5m": lambda t: mean_of(
        t, REQUEST, 300, *POD
    ),
    "agent:app_request_duration_seconds:p95_5m": lambda t: quantile_of(
        t, 0.95, REQUEST, 300, *POD
    ),
    "agent:app_task_capacity_used:ratio": used(TASKS, PLACES),
    "agent:app_connections_used:ratio": used(SESSIONS, LIMIT),
    "slo:task_failures:budget": lambda t: one(0.01),
    **{
        f"namespace:app_failed_tasks:ratio{name}": failed_ratio(within)
        for name, within in {
            "5m": 5 * MINUTE,
            "30m": 30 * MINUTE,
            "1h": HOUR,
            "2h": 2 * HOUR,
            "6h": 6 * HOUR,
            "1d": DAY,
            "3d": 3 * DAY,
        }.items()
    },
    **{
        f"namespace:app_ended_tasks:increase{name}": ended_tasks(within)
        for name, within in {
            "1h": HOUR,
            "6h": 6 * HOUR,
            "1d": DAY,
            "3d": 3 * DAY,
        }.items()
    },
    **named("active_tasks", over_namespaces(TASKS)),
    **named("completed_tasks", signal(DONE)),
    **named("errors", signal(ERRORS)),
    **named("log_lines", signal(LINES)),
    **named(
        "task_seconds", lambda t: mean_of(t, TOOK, 30 * MINUTE, "namespace", "pipeline")
    ),
    "anomaly:mean1h": hour_before(15 * MINUTE),
    "anomaly:spread1h": spread,
    "anomaly:spread1d": lambda t: t.over(mean, "anomaly:spread1h", DAY, HOUR),
    **bands("upper", 1.5),
    **bands("lower", 0.5),
    "anomaly:upper": widest(max, "upper"),
    "anomaly:lower": widest(min, "lower"),
    "anomaly:dense": dense,
    "namespace:app_active_tasks:sum": over_namespaces(TASKS),
    "namespace:app_task_capacity:sum": over_namespaces(PLACES),
    "namespace:app_active_tasks:max1d": lambda t: t.over(
        max, "namespace:app_active_tasks:sum", DAY
    ),
    "matillion:autoscaler_target_tasks": lambda t: one(15.0),
    "agent:app_memory_usage_bytes:p95_1d": lambda t: t.over(
        lambda values: quantile(0.95, values), MEMORY, DAY
    ),
    "agent:app_memory_usage_bytes:max1d": lambda t: t.over(max, MEMORY, DAY),
    "agent:app_cpu_usage_cores:rate5m": lambda t: t.rate(CPU, 5 * MINUTE),
    "agent:app_cpu_usage_cores:p95_1d": lambda t: t.over(
        lambda values: quantile(0.95, values), "agent:app_cpu_usage_cores:rate5m", DAY
    ),
    "agent:cpu_throttled:ratio15m": throttled,
    "agent:memory_limit_bytes": memory_limit,
    SECONDS: lambda t: by(sum, t.increase(f"{TOOK}_sum", DAY), "namespace", "pipeline"),
    SHARE: share_by_pipeline,
    "business_unit:app_cost_share:ratio1d": share_of_all,
    "cost_centre:app_cost_share:ratio1d": share_of_all,
    "namespace_pipeline:app_cost_core_hours:1d": core_hours,
    "namespace_pipeline:app_cost_gib_hours:1d": gib_hours,
}


# ---- alerts


def known_before(t, name, offset, within=5 * MINUTE):
    return t.over(len, name, within, offset)


def down(t):
    return both(keep(t.now(STATUS), is_one_of(0)), known_before(t, STATUS, 300))


def all_down(t):
    before = namespaces(known_before(t, STATUS, 300))
    return both(keep(namespaces(t.now(STATUS)), is_one_of(0)), before)


def gone(t):
    """Of a target that is down nothing is said."""
    seen = unless(
        t.over(len, STATUS, HOUR), keep(t.now("up"), is_one_of(0)), "instance"
    )
    return unless(namespaces(seen, len), namespaces(t.now(STATUS), len))


def cut_off(t):
    running = keep(t.now(STATUS), is_one_of(1))
    draining = keep(
        t.now("app_agent_state", state=lambda s: s.lower() != "running"), is_one_of(1)
    )
    found = both(keep(t.now("app_agent_connected"), is_one_of(0)), running, *POD)
    return unless(found, draining, *POD)


def silent(t):
    found = keep(t.increase(LINES, 30 * MINUTE), is_one_of(0))
    found = both(found, keep(t.increase(LINES, DAY), more(1000)))
    return both(found, keep(t.now(STATUS), is_one_of(1)), *POD)


def slow_tasks(within, limit):
    def row(t):
        parts = {
            part: without(sum, t.increase(f"{TOOK}_{part}", within), "pipeline")
            for part in ("sum", "count")
        }
        found = keep(div(parts["sum"], parts["count"]), more(limit))
        return both(found, keep(parts["count"], more(2)))

    return row


def leak_of_sessions(t):
    found = both(
        positive(t.delta(SESSIONS, 30 * MINUTE)), known_before(t, SESSIONS, HOUR)
    )
    none = keep(t.over(max, TASKS, 30 * MINUTE), is_one_of(0))
    return both(found, none, *POD)


def leak_of_memory(t):
    late, early = (t.over(statistics.median, MEMORY, 1800, o) for o in (0, HOUR))
    found = keep(minus(late, early), more(GIB))
    found = both(found, known_before(t, MEMORY, 2 * HOUR))
    few = keep(t.over(max, TASKS, HOUR), lambda value: value < 5)
    return both(found, few, *POD)


def outside(which, side, *signals):
    """Beyond the band, of signals that a band can be of."""

    def row(t):
        found = t.now("anomaly:signal", signal=is_one_of(*signals))
        limit = t.now(f"anomaly:{'upper' if side > 0 else 'lower'}")
        found = (above if side > 0 else below)(found, limit)
        return both(found, t.now("anomaly:dense"))

    return {which: row}


def collapsed(t):
    lines = t.now("anomaly:signal", signal=is_one_of("log_lines"))
    day, week = (
        each(hour_before(h * HOUR + 30 * MINUTE)(t), lambda v: v / 10)
        for h in (23, 167)
    )
    found = below(lines, day)
    found = unless(found, both(lines, keep(minus(lines, week), lambda v: v >= 0)))
    found = both(found, t.now("anomaly:dense"))
    return both(found, positive(namespaces(t.now(STATUS))), "namespace")


def saturated(t):
    up = keep(t.now(STATUS), is_one_of(1))
    tasks = both(t.now(TASKS), up, *POD)
    return keep(namespaces(tasks, mean), more(15))


def exhausted(name, within, ahead, before):
    def row(t):
        found = t.predicted(name, within, ahead)
        found = above(found, t.now("namespace:app_task_capacity:sum"))
        return both(found, t.now(name, before))

    return row


def near_limit(t):
    high = t.over(lambda values: quantile(0.95, values), MEMORY, HOUR)
    return keep(div(high, t.now("agent:memory_limit_bytes"), *POD), more(0.9))


def oversized(t):
    kinds = "namespace", "container"
    high = t.over(lambda values: quantile(0.95, values), MEMORY, 7 * DAY)
    found = div(
        by(max, high, *kinds), by(max, t.now("agent:memory_limit_bytes"), *kinds)
    )
    found = keep(found, lambda value: value < 0.4)
    return both(found, by(len, known_before(t, MEMORY, 6 * DAY, HOUR), *kinds))


def burn(factor, long, short):
    def row(t):
        name = "namespace:app_failed_tasks:ratio"
        found = keep(t.now(name + long), more(factor * 0.01))
        found = both(found, keep(t.now(name + short), more(factor * 0.01)))
        enough = t.now(f"namespace:app_ended_tasks:increase{long}")
        return both(found, keep(enough, lambda value: value >= 20))

    return row


def own(name, combine=sum, wanted=more(0), labels=()):
    return lambda t: keep(by(combine, t.now(name), *NODE, *labels), wanted)


def grown(name, within, *labels, wanted=more(0)):
    return lambda t: keep(by(sum, t.increase(name, within), *NODE, *labels), wanted)


def towline_down(t):
    """A node's name has no port, an agent's address has one."""
    is_down = keep(t.now("up"), is_one_of(0))
    was = positive(t.over(len, "towline_build_info", DAY))
    of_node = keep(
        t.now("up", job=is_one_of("matillion-agents"), instance=lambda i: ":" not in i),
        is_one_of(0),
    )
    return both(is_down, was, *NODE) | of_node


def part_of_records(name):
    def row(t):
        part, all = (
            by(sum, t.increase(n, 900), *NODE) for n in (name, "towline_records_total")
        )
        return keep(div(part, all), more(0.01))

    return row


def stalled(t):
    none = keep(
        by(sum, t.increase("towline_delivered_total", 600), *NODE), is_one_of(0)
    )
    return both(none, positive(by(max, t.over(min, "towline_lag_bytes", 600), *NODE)))


def changes(values):
    return sum(a != b for a, b in zip(values, values[1:], strict=False))


ALERTS = {
    "AgentDown": down,
    "AgentClusterDown": all_down,
    "AgentsGone": gone,
    "AgentDisconnected": cut_off,
    "AgentSilent": silent,
    "DatabaseConnectionsExhausted": GUIDE["app_open_sessions > 150"],
    "HighErrorRate": lambda t: keep(
        without(sum, t.rate(ERRORS, 300), "error_type"), more(0.1)
    ),
    "StuckTask": lambda t: keep(
        each(positive(t.now("app_oldest_task_start_timestamp")), lambda v: t.at - v),
        more(12 * HOUR),
    ),
    "TasksWithoutEnd": lambda t: positive(t.increase("app_task_timeouts_total", HOUR)),
    "NewFailure": lambda t: positive(t.increase("app_new_failures_total", 900)),
    "VersionSkew": lambda t: keep(
        namespaces(by(len, t.now("app_build_info"), "namespace", "version"), len),
        more(1),
    ),
    "SlowTaskExecution": slow_tasks(30 * MINUTE, 600),
    "PerformanceDegradation": slow_tasks(HOUR, 300),
    "SlowRequests": lambda t: keep(
        of_buckets(0.95, t.rate(f"{REQUEST}_bucket", 300)), more(30)
    ),
    "HighTaskBacklog": lambda t: keep(
        div(namespaces(t.now(TASKS)), namespaces(t.now(PLACES))), more(0.95)
    ),
    "AgentNearCapacity": GUIDE["app_active_task_count / app_max_task_capacity > 0.8"],
    "PeakLoad": GUIDE["app_active_task_count > 18"],
    "OpenSessionsHigh": GUIDE["app_open_sessions > 100"],
    "ConnectionsNearLimit": lambda t: keep(
        div(t.now(SESSIONS), t.now(LIMIT)), more(0.9)
    ),
    "ConnectionLeak": leak_of_sessions,
    "MemoryLeakDetected": leak_of_memory,
    **outside("AnomalyHigh", 1, "active_tasks", "log_lines"),
    **outside("AnomalyLow", -1, "active_tasks", "completed_tasks"),
    **outside("PipelineSlowerThanUsual", 1, "task_seconds"),
    **outside("ErrorsAboveUsual", 1, "errors"),
    "LogVolumeCollapse": collapsed,
    "AutoscalerSaturated": saturated,
    "TaskCapacityExhaustedSoon": exhausted(
        "namespace:app_active_tasks:sum", 6 * HOUR, 4 * HOUR, 6 * HOUR
    ),
    "TaskCapacityExhaustedInAWeek": exhausted(
        "namespace:app_active_tasks:max1d", 7 * DAY, 7 * DAY, 5 * DAY
    ),
    "AgentMemoryNearLimit": near_limit,
    "AgentMemoryOversized": oversized,
    "AgentCpuThrottled": lambda t: keep(
        t.now("agent:cpu_throttled:ratio15m"), more(0.25)
    ),
    "TaskSloBurn1h": burn(14.4, "1h", "5m"),
    "TaskSloBurn6h": burn(6, "6h", "30m"),
    "TaskSloBurn1d": burn(3, "1d", "2h"),
    "TaskSloBurn3d": burn(1, "3d", "6h"),
    "TowlineDown": towline_down,
    "TowlineMissing": lambda t: {},  # there is one
    "TowlineRestarts": lambda t: both(
        keep(t.over(changes, "process_start_time_seconds", HOUR), more(3)),
        t.now("towline_build_info"),
        *NODE,
    ),
    "TowlineReloadFailed": lambda t: positive(
        t.increase("towline_config_reload_failed_total", HOUR)
    ),
    "TowlineLagGrows": lambda t: both(
        own("towline_lag_bytes", wanted=more(32 * 1024 * 1024))(t),
        positive(by(sum, t.slope("towline_lag_bytes", 1800), *NODE)),
    ),
    "TowlineLagOld": own("towline_lag_seconds", max, more(600)),
    "TowlineOutputStalled": stalled,
    "TowlineHolds": own("towline_held_documents", labels=["output"]),
    "TowlineDeadLetters": grown("towline_dead_letters_total", 900, "output", "reason"),
    "TowlineLostBytes": grown("towline_lost_bytes_total", 900, "pod", "reason"),
    "TowlineReadErrors": grown(
        "towline_read_errors_total", 900, "reason", wanted=more(5)
    ),
    "TowlineUnreadFiles": own("towline_unread_files", labels=["reason"]),
    "TowlineStateStale": own("towline_state_stale_seconds", max, more(60)),
    "TowlineParseFailures": part_of_records("towline_parse_failures_total"),
    "TowlineSeriesFolded": grown("towline_folded_records_total", HOUR),
    "TowlineKubeDown": lambda t: both(
        keep(t.now("towline_kube_up"), is_one_of(0)),
        grown("towline_kube_errors_total", 900)(t),
        *NODE,
    ),
    "TowlineUnenriched": part_of_records("towline_unenriched_records_total"),
    "TowlinePodWaits": own("towline_pod_waits", max),
    "AgentPollsFail": lambda t: positive(
        by(sum, t.rate("towline_agent_polls_failed_total", 300), *NODE, "reason")
    ),
}

# What has no answer in the story, and why.
NONE = {
    "app_active_task_count > 100": "an agent runs 20",
    "count(app_agent_status == 1) == 0": "a count of nothing is no 0",
    "increase(container_memory_usage_bytes{pod=~'matillion-agent.*'}[1h]) > 1073741824"
    " and app_active_task_count < 5": "no labels in common",
    "TowlineMissing": "it is there",
    "TowlineRestarts": "it is started once",
    **dict.fromkeys(
        [
            *("TowlineLagGrows", "TowlineLagOld", "TowlineOutputStalled"),
            "TowlineLostBytes",
            *("TowlineReadErrors", "TowlineStateStale", "TowlineSeriesFolded"),
            *("TowlineKubeDown", "TowlineUnenriched", "TowlinePodWaits"),
        ],
        "of its own failures there are few",
    ),
}
