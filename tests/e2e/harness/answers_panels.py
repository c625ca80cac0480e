"""What each query of each dashboard must answer of the story: {dashboard: {panel: a row a
query}}, of all agents in six hours.  The second half of harness/answers.py."""

from .answers import (
    CPU,
    DONE,
    ERRORS,
    FAILED,
    LIMIT,
    LINES,
    MEAN5,
    MEMORY,
    NODE,
    PLACES,
    POD,
    REQUEST,
    SESSIONS,
    STATUS,
    TASKS,
    TOOK,
    is_one_of,
    mean_of,
    positive,
    quantile_of,
)
from .evaluator import both, by, div, each, keep, mean, of_buckets, plus, quantile
from .story import DAY, GIB, HOUR

RANGE, RATE = 6 * HOUR, 300
CORE_HOUR, GIB_HOUR = 0.04, 0.005
OF = "namespace", "pod"
BUCKETS = f"{TOOK}_bucket"


def total(name, *labels, combine=sum):
    return lambda t: by(combine, t.now(name), *labels)


def grown(name, *labels, within=RANGE, combine=sum):
    return lambda t: by(combine, t.increase(name, within), *labels)


def rate(name, *labels, within=RATE):
    return lambda t: by(sum, t.rate(name, within), *labels)


def at_zero(name):
    """How many are; nothing when none is."""
    return lambda t: by(len, keep(t.now(name), is_one_of(0)))


def busy(t):
    return div(t.now(TASKS), t.now(PLACES), *POD)


def age(name, combine):
    return lambda t: each(
        by(combine, positive(t.now(name)), *OF), lambda then: t.at - then
    )


def failed_share(t):
    failed, done = (grown(n, *OF, within=HOUR)(t) for n in (FAILED, DONE))
    return div(failed, positive(plus(failed, done)))


def at_work(t):
    taken, there = (by(sum, t.over(mean, name, RANGE)) for name in (TASKS, PLACES))
    return div(taken, there)


def quantiles(family):
    return [lambda t, q=q: quantile_of(t, q, family, RATE) for q in (0.5, 0.95, 0.99)]


def has_pipeline(t, part, within):
    found = t.increase(f"{TOOK}_{part}", within, pipeline=bool)
    return by(sum, found, "pipeline")


def slowest(t):
    return div(has_pipeline(t, "sum", RANGE), positive(has_pipeline(t, "count", RANGE)))


def slow_pipelines(t):
    rates = t.rate(BUCKETS, HOUR, pipeline=bool)
    return of_buckets(0.95, by(sum, rates, "le", "pipeline"))


def memory_by_task(t):
    return div(total(MEMORY, *OF)(t), positive(total(TASKS, *OF)(t)))


def trend(t):
    found = by(sum, t.predicted(TASKS, RANGE, 4 * HOUR))
    return each(found, lambda tasks: max(tasks, 0))


# ---- cost


def cores(t, *labels):
    return each(grown(CPU, *labels)(t), lambda seconds: seconds / 3600)


def gib_hours(t, *labels):
    sums = t.subquery(sum, lambda earlier: earlier.now(MEMORY), RANGE, 300)
    hours = each(sums, lambda bytes: bytes * 300 / 3600 / GIB)
    return by(sum, hours, *labels)


def money(*labels):
    return lambda t: plus(
        each(cores(t, *labels), lambda v: v * CORE_HOUR),
        each(gib_hours(t, *labels), lambda v: v * GIB_HOUR),
    )


def share(label):
    def row(t):
        (all,) = grown(f"{TOOK}_sum")(t).values()
        return each(grown(f"{TOOK}_sum", label)(t), lambda part: part / all)

    return row


def requested(resource):
    name = "kube_pod_container_resource_requests"

    def row(t):
        found = t.now(name, resource=is_one_of(resource))
        return by(sum, both(found, t.now(STATUS), *POD), *OF)

    return row


def high(values):
    return quantile(0.95, values)


def idle(t):
    def without_task(earlier):
        return each(earlier.now(TASKS), lambda tasks: float(tasks == 0))

    return by(max, t.subquery(mean, without_task, RANGE, 60), *OF)


def cores_high(t):
    found = t.subquery(high, lambda earlier: earlier.rate(CPU, 300), RANGE, 300)
    return by(max, found, *OF)


# ---- towline's own


def of_towline(row):
    return lambda t: both(row(t), t.now("towline_build_info"), *NODE)


PANELS = {
    "towline-health": {
        "Agent Status": [total(STATUS)],
        "Agents down": [at_zero(STATUS)],
        "Agents cut off": [at_zero("app_agent_connected")],
        "Busiest agent": [lambda t: by(max, busy(t))],
        "Failed tasks": [grown(FAILED)],
        "New failures": [grown("app_new_failures_total")],
        "Active Tasks Over Time": [total(TASKS, *OF), total(PLACES, combine=max)],
        "Task Completion Rate": [rate(DONE, *OF)],
        "Failed share": [failed_share],
        "Errors by type": [rate(ERRORS, "error_type")],
        "Age of the last heartbeat": [age("app_last_heartbeat_timestamp", max)],
        "Oldest running task": [age("app_oldest_task_start_timestamp", min)],
        "Log lines": [rate(LINES, *OF)],
        "Tasks without an end": [grown("app_task_timeouts_total", *OF, within=HOUR)],
        "Requests under way": [total("app_active_request_count", *OF)],
        "Open sessions": [total(SESSIONS, *OF), total(LIMIT, combine=max)],
        "Agents": [
            total(STATUS, *OF, combine=max),
            total("app_agent_connected", *OF, combine=min),
            lambda t: by(
                max, keep(t.now("app_agent_state"), is_one_of(1)), *OF, "state"
            ),
            total(TASKS, *OF),
            lambda t: by(max, busy(t), *OF),
            total(SESSIONS, *OF),
            total("app_build_info", *OF, "version", combine=max),
        ],
    },
    "towline-performance": {
        "Tasks completed": [grown(DONE)],
        "Task duration, 95th percentile": [lambda t: quantile_of(t, 0.95, TOOK, HOUR)],
        "Request duration, 95th percentile": [
            lambda t: quantile_of(t, 0.95, REQUEST, HOUR)
        ],
        "Share of time at work": [at_work],
        "Average Task Duration": [lambda t: t.over(mean, MEAN5, HOUR)],
        "Mean duration of the tasks of an hour": [
            lambda t: mean_of(t, TOOK, HOUR, *OF)
        ],
        "Task duration, quantiles": quantiles(TOOK),
        "Task durations": [grown(BUCKETS, "le", within=RATE)],
        "Request duration, quantiles": quantiles(REQUEST),
        "Share of places taken": [lambda t: by(max, busy(t), *OF)],
        "Slowest pipelines": [slowest, lambda t: has_pipeline(t, "count", RANGE)],
        "Task duration by pipeline, 95th percentile": [slow_pipelines],
        "Memory Usage vs Task Count": [total(MEMORY, *OF), total(TASKS, *OF)],
        "CPU": [rate(CPU, *OF)],
        "Memory by running task": [memory_by_task],
        "Tasks in four hours, by the trend of six": [trend, total(PLACES)],
    },
    "towline-cost": {
        "Task time": [grown(f"{TOOK}_sum")],
        "CPU time": [grown(CPU)],
        "CPU time of a task": [lambda t: div(grown(CPU)(t), grown(DONE)(t))],
        "What it cost": [money()],
        "Task time by owner": [
            grown(f"{TOOK}_sum", "namespace"),
            share("namespace"),
            money("namespace"),
        ],
        "Task time by pipeline": [grown(f"{TOOK}_sum", "pipeline"), share("pipeline")],
        "Task time over the days, by owner": [
            rate(f"{TOOK}_sum", "namespace", within=HOUR)
        ],
        "Agents larger than they need": [
            lambda t: by(max, t.over(high, MEMORY, RANGE), *OF),
            requested("memory"),
            cores_high,
            requested("cpu"),
            idle,
        ],
    },
    "towline-self": {
        "Nodes": [total("towline_build_info", combine=len)],
        "Largest lag": [total("towline_lag_seconds", combine=max)],
        "Lost bytes": [grown("towline_lost_bytes_total")],
        "Dead letters": [grown("towline_dead_letters_total")],
        "Files not read": [total("towline_unread_files")],
        "Without metadata": [at_zero("towline_kube_up")],
        "Records": [
            rate("towline_records_total"),
            rate("towline_delivered_total", "output"),
        ],
        "Lag": [
            total("towline_lag_seconds", "instance", combine=max),
            total("towline_lag_bytes", "instance"),
        ],
        "From the line to the index": [
            lambda t: quantile_of(t, 0.95, "towline_delivery_seconds", RATE, "output")
        ],
        "Sent again": [rate("towline_retries_total", "output", "reason")],
        "Held documents": [total("towline_held_documents", "instance", "output")],
        "Documents cut, and dead letters": [
            grown("towline_lean_documents_total", within=HOUR),
            grown("towline_stripped_documents_total", within=HOUR),
            grown("towline_dead_letters_total", "reason", within=HOUR),
        ],
        "Bytes read": [rate("towline_read_bytes_total", "instance")],
        "What could not be read": [
            grown("towline_read_errors_total", "reason", within=HOUR),
            grown("towline_parse_failures_total", "kind", within=HOUR),
            grown("towline_truncated_lines_total", within=HOUR),
            grown("towline_folded_records_total", within=HOUR),
        ],
        "Agents' polls that failed": [
            grown("towline_agent_polls_failed_total", "instance", "reason", within=HOUR)
        ],
        "State that could not be written": [
            total("towline_state_stale_seconds", "instance", combine=max)
        ],
        "Memory": [
            of_towline(lambda t: t.now("process_resident_memory_bytes")),
            total("towline_memory_limit_bytes", combine=max),
        ],
        "CPU": [of_towline(lambda t: t.rate("process_cpu_seconds_total", RATE))],
        "Versions": [
            total("towline_build_info", "instance", "version", combine=max),
            total("towline_kube_pods", "instance", combine=max),
            grown(
                "towline_config_reload_failed_total",
                "instance",
                within=DAY,
                combine=max,
            ),
        ],
    },
}
