"""Agent Performance: how long tasks and requests take, and with which resources."""

from .forms import (
    OF_AGENTS,
    ask,
    buckets,
    by_name,
    dashboard,
    heading,
    heatmap,
    lines,
    now,
    row,
    stat,
    steps,
    table,
)


def quantile(q, family, within="5m", by=""):
    by = f"le, {by}" if by else "le"
    return (
        f"histogram_quantile({q}, sum by ({by}) (rate({family}_bucket{{S}}[{within}])))"
    )


def quantiles(family):
    return [ask(quantile(q, family), f"{100 * q:g} %") for q in (0.5, 0.95, 0.99)]


# The mean of all tasks of an hour; by pipeline where Per_Pipeline is on.
MEAN = (
    "sum by ({by}) (increase(app_task_execution_seconds_sum{S}[{within}])) / "
    "(sum by ({by}) (increase(app_task_execution_seconds_count{S}[{within}])) > 0)"
)


def mean(by, within):
    return MEAN.replace("{by}", by).replace("{within}", within)


DASHBOARD = dashboard(
    "towline-performance",
    "Agent Performance Analytics",
    "How long tasks and requests take, by agent and by pipeline, and what they need.",
    OF_AGENTS,
    stat(
        1,
        "Tasks completed",
        "In the shown time.",
        now("sum(increase(app_completed_tasks_total{S}[$__range]))", "tasks"),
        unit="short",
        decimals=0,
        w=6,
    ),
    stat(
        2,
        "Task duration, 95th percentile",
        "95 of 100 tasks of the last hour took less.",
        now(quantile(0.95, "app_task_execution_seconds", "1h"), "95 %"),
        unit="s",
        w=6,
        thresholds=steps("green", 300, "orange", 600, "red"),
    ),
    stat(
        3,
        "Request duration, 95th percentile",
        "95 of 100 requests of the last hour took less.",
        now(quantile(0.95, "app_request_duration_seconds", "1h"), "95 %"),
        unit="s",
        w=6,
        thresholds=steps("green", 30, "red"),
    ),
    stat(
        4,
        "Share of time at work",
        "Of all agents' places for tasks, the share that was taken in the shown time.",
        now(
            "sum(avg_over_time(app_active_task_count{S}[$__range])) / "
            "sum(avg_over_time(app_max_task_capacity{S}[$__range]))",
            "at work",
        ),
        unit="percentunit",
        w=6,
    ),
    lines(
        5,
        "Average Task Duration",
        "Mean over the hour before of the five-minute means. It weighs a quiet five "
        "minutes like a busy one; the mean by task is beside it.",
        ask("avg_over_time(app_task_duration_seconds{S}[1h])", "{{pod}}"),
        unit="s",
    ),
    lines(
        6,
        "Mean duration of the tasks of an hour",
        "Execution time of all tasks completed in the hour before, by their number.",
        ask(mean("cluster, namespace, pod", "1h"), "{{pod}}"),
        unit="s",
    ),
    lines(
        7,
        "Task duration, quantiles",
        "Of the tasks completed in the five minutes before, all agents together.",
        *quantiles("app_task_execution_seconds"),
        unit="s",
        link=None,
    ),
    heatmap(
        8,
        "Task durations",
        "Completed tasks by their execution time: one colour for each bucket.",
        buckets(
            "sum by (le) (increase(app_task_execution_seconds_bucket{S}[$__rate_interval]))"
        ),
        unit="s",
    ),
    lines(
        9,
        "Request duration, quantiles",
        "Of the requests completed in the five minutes before, all agents together.",
        *quantiles("app_request_duration_seconds"),
        unit="s",
        link=None,
    ),
    lines(
        10,
        "Share of places taken",
        "Active tasks of those that the agent may run at most.",
        ask(
            "app_active_task_count{S} / on (cluster, namespace, pod, container) "
            "app_max_task_capacity{S}",
            "{{pod}}",
        ),
        unit="percentunit",
        max=1,
    ),
    heading(11, "Pipelines (Per_Pipeline On)"),
    table(
        12,
        "Slowest pipelines",
        "The 20 of the longest mean in the shown time.",
        row(
            f"topk(20, {mean('pipeline', '$__range')})".replace(
                "{S}", '{S, pipeline!=""}'
            )
        ),
        row(
            'sum by (pipeline) (increase(app_task_execution_seconds_count{S, pipeline!=""}[$__range]))'
        ),
        unit="s",
        columns={"pipeline": "pipeline", "Value #A": "mean", "Value #B": "tasks"},
        overrides=[by_name("tasks", unit="short", decimals=0)],
    ),
    lines(
        13,
        "Task duration by pipeline, 95th percentile",
        "Of the tasks completed in the hour before.",
        ask(
            quantile(0.95, "app_task_execution_seconds", "1h", "pipeline").replace(
                "{S}", '{S, pipeline!=""}'
            ),
            "{{pipeline}}",
        ),
        unit="s",
        link=None,
    ),
    heading(14, "Resources"),
    lines(
        15,
        "Memory Usage vs Task Count",
        "Working set, without the page cache that can be given back, on the left; active "
        "tasks on the right. Memory that grows while tasks do not is a leak.",
        ask("sum by {BY} (app_memory_usage_bytes{S})", "{{pod}} memory"),
        ask("sum by {BY} (app_active_task_count{S})", "{{pod}} tasks", axis="short"),
        unit="bytes",
    ),
    lines(
        16,
        "CPU",
        "Processors in use.",
        ask(
            "sum by {BY} (rate(app_cpu_usage_seconds_total{S}[$__rate_interval]))",
            "{{pod}}",
        ),
        unit="suffix: cores",
    ),
    lines(
        17,
        "Memory by running task",
        "Working set by the number of active tasks, while there are any.",
        ask(
            "sum by {BY} (app_memory_usage_bytes{S}) / "
            "(sum by {BY} (app_active_task_count{S}) > 0)",
            "{{pod}}",
        ),
        unit="bytes",
    ),
    lines(
        18,
        "Tasks in four hours, by the trend of six",
        "A straight line through the last six hours, and the places that there are. It "
        "knows nothing of the time of day.",
        ask(
            "clamp_min(sum(predict_linear(app_active_task_count{S}[6h], 4 * 3600)), 0)",
            "tasks",
        ),
        ask("sum(app_max_task_capacity{S})", "places"),
        unit="short",
        link=None,
    ),
)
