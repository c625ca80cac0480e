"""Cost: who uses the agents' time, and what they are larger than they need to be."""

from .forms import (
    OF_AGENTS,
    OF_ROW,
    ask,
    by_name,
    dashboard,
    heading,
    lines,
    now,
    row,
    stat,
    table,
)

WHO = {
    "name": "who",
    "label": "By",
    "description": "Labels of pods are there when towline's option names them.",
    "type": "custom",
    "query": "namespace,pod,matillion_com_business_unit,matillion_com_cost_centre",
    "multi": False,
    "includeAll": False,
    "current": {"text": "namespace", "value": "namespace"},
}


def price(name, label, value):
    return {
        "name": name,
        "label": label,
        "description": "Your price; this one is an example, of no currency.",
        "type": "textbox",
        "query": value,
        "current": {"text": value, "value": value},
    }


SECONDS = "sum by ({by}) (increase(app_task_execution_seconds_sum{S}[$__range]))"
ALL = "sum(increase(app_task_execution_seconds_sum{S}[$__range]))"
CORES = "sum by ({by}) (increase(app_cpu_usage_seconds_total{S}[$__range])) / 3600"
# By what was there: a pod of one hour counts one hour.
GIB_HOURS = "sum_over_time(app_memory_usage_bytes{S}[$__range:5m]) * 300 / 3600 / 2^30"
GIB = f"sum by ({{by}}) ({GIB_HOURS})"


def by(label, text):
    return text.replace("{by}", label)


def money(label):
    return f"{by(label, CORES)} * $core_hour + {by(label, GIB)} * $gib_hour"


def requested(resource):
    """Of the agents' containers alone."""
    return (
        f'kube_pod_container_resource_requests{{S, resource="{resource}"}}'
        " and on (namespace, pod, container) app_agent_status{S}"
    )


DASHBOARD = dashboard(
    "towline-cost",
    "Agent Cost",
    "Whose tasks the agents' time goes to, what that costs at your prices, and agents "
    "that are larger than they need to be.",
    [
        *OF_AGENTS,
        WHO,
        price("core_hour", "Price of a core and hour", "0.04"),
        price("gib_hour", "Price of a GiB and hour", "0.005"),
    ],
    stat(
        1,
        "Task time",
        "Execution time of all completed tasks in the shown time.",
        now(ALL, "task time"),
        unit="s",
        w=6,
    ),
    stat(
        2,
        "CPU time",
        "What the agents' containers used in the shown time.",
        now("sum(increase(app_cpu_usage_seconds_total{S}[$__range]))", "CPU"),
        unit="s",
        w=6,
    ),
    stat(
        3,
        "CPU time of a task",
        "Mean over the tasks that completed in the shown time, idle time included.",
        now(
            "sum(increase(app_cpu_usage_seconds_total{S}[$__range])) / "
            "(sum(increase(app_completed_tasks_total{S}[$__range])) > 0)",
            "CPU",
        ),
        unit="s",
        w=6,
    ),
    stat(
        4,
        "What it cost",
        "CPU and memory that were used, at the prices above. What is requested and not "
        "used is not in it.",
        now(
            "sum(increase(app_cpu_usage_seconds_total{S}[$__range])) / 3600 * $core_hour"
            f" + sum({GIB_HOURS}) * $gib_hour",
            "cost",
        ),
        unit="none",
        decimals=2,
        w=6,
    ),
    table(
        5,
        "Task time by owner",
        "Share of the execution time of completed tasks; the shares add up to 1.",
        row(by("$who", SECONDS)),
        row(f"{by('$who', SECONDS)} / scalar({ALL} > 0)"),
        row(money("$who")),
        unit="s",
        columns={"$who": "$who", "Value #A": "time", "Value #B": "share"}
        | {"Value #C": "cost of what was used"},
        overrides=[
            by_name("share", unit="percentunit"),
            by_name("cost of what was used", unit="none", decimals=2),
        ],
    ),
    table(
        6,
        "Task time by pipeline",
        "The same by pipeline, where Per_Pipeline is on. Tasks that name no pipeline have "
        "none in the label.",
        row(by("pipeline", SECONDS)),
        row(f"{by('pipeline', SECONDS)} / scalar({ALL} > 0)"),
        unit="s",
        columns={"pipeline": "pipeline", "Value #A": "time", "Value #B": "share"},
        overrides=[by_name("share", unit="percentunit")],
    ),
    lines(
        7,
        "Task time over the days, by owner",
        "Execution seconds a second: as many as tasks ran at once.",
        ask(
            "sum by ($who) (rate(app_task_execution_seconds_sum{S}[1h]))",
            "{{$who}}",
        ),
        unit="suffix: tasks",
        w=24,
        link=None,
        stack=True,
    ),
    heading(8, "Right size"),
    table(
        9,
        "Agents larger than they need",
        "What an agent used nearly always (95 of 100 samples of the shown time), beside "
        "what it requests (of kube-state-metrics, where it is scraped).",
        row(
            "max by {BY} (quantile_over_time(0.95, app_memory_usage_bytes{S}[$__range]))"
        ),
        row(f"sum by {{BY}} ({requested('memory')})"),
        row(
            "max by {BY} (quantile_over_time(0.95, "
            "rate(app_cpu_usage_seconds_total{S}[5m])[$__range:5m]))"
        ),
        row(f"sum by {{BY}} ({requested('cpu')})"),
        row(
            "max by {BY} (avg_over_time((app_active_task_count{S} == bool 0)[$__range:1m]))"
        ),
        unit="bytes",
        w=24,
        columns={
            "cluster": "cluster",
            "namespace": "namespace",
            "pod": "pod",
            "Value #A": "memory, 95th percentile",
            "Value #B": "memory requested",
            "Value #C": "cores, 95th percentile",
            "Value #D": "cores requested",
            "Value #E": "share of time without a task",
        },
        overrides=[
            by_name("pod", OF_ROW),
            by_name("cores, 95th percentile", unit="short", decimals=2),
            by_name("cores requested", unit="short", decimals=2),
            by_name("share of time without a task", unit="percentunit"),
        ],
    ),
    hours=168,
)
