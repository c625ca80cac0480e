"""Agent Health: is each agent there, at work, in time, and how near to its limit?"""

from .forms import (
    OF_AGENTS,
    OF_ROW,
    PROMETHEUS,
    ask,
    by_name,
    dashboard,
    gauge,
    heading,
    lines,
    now,
    row,
    stat,
    steps,
    table,
)

ALERTS = {
    "name": "Alerts",
    "datasource": PROMETHEUS,
    "enable": True,
    "iconColor": "red",
    "titleFormat": "{{alertname}} {{pod}}",
    "target": {
        "refId": "alerts",
        "expr": 'ALERTS{alertstate="firing", namespace=~"$namespace|", pod=~"$pod|"}',
    },
}

UP_OR_NOT = {"0": {"text": "down", "color": "red"}, "1": {"text": "up"}}
YES_OR_NO = {"0": {"text": "cut off", "color": "red"}, "1": {"text": "connected"}}


def words(options):
    return [{"type": "value", "options": options}]


BUSY = (
    "app_active_task_count{S} / on (cluster, namespace, pod, container)"
    " app_max_task_capacity{S}"
)

DASHBOARD = dashboard(
    "towline-health",
    "Matillion Agent Health",
    "Whether agents run, are connected, finish their tasks, and have room for more.",
    OF_AGENTS,
    stat(
        1,
        "Agent Status",
        "Agents that run. An agent that drains still runs.",
        now("sum(app_agent_status{S})", "Running Agents"),
        unit="short",
    ),
    stat(
        2,
        "Agents down",
        "Agents that exist and do not run: their last heartbeat is older than the "
        "timeout, polls of them fail, or their container has ended.",
        now("count(app_agent_status{S} == 0)", "down"),
        unit="short",
        thresholds=steps("green", 1, "red"),
    ),
    stat(
        3,
        "Agents cut off",
        "Agents that run and say that they have no connection to their service.",
        now("count(app_agent_connected{S} == 0)", "cut off"),
        unit="short",
        thresholds=steps("green", 1, "orange"),
    ),
    gauge(
        4,
        "Busiest agent",
        "The largest share of its tasks that an agent runs of those that it may run.",
        now(f"max({BUSY})", "busy"),
        unit="percentunit",
        min=0,
        max=1,
        thresholds=steps("green", 0.8, "orange", 0.95, "red"),
    ),
    stat(
        5,
        "Failed tasks",
        "Tasks that failed in the shown time.",
        now("sum(increase(app_failed_tasks_total{S}[$__range]))", "failed"),
        unit="short",
        decimals=0,
        thresholds=steps("green", 1, "orange"),
    ),
    stat(
        6,
        "New failures",
        "Failures of a kind (a fingerprint) not seen in the 30 days before.",
        now("sum(increase(app_new_failures_total{S}[$__range]))", "new"),
        unit="short",
        decimals=0,
        thresholds=steps("green", 1, "red"),
    ),
    lines(
        7,
        "Active Tasks Over Time",
        "Tasks that have started and not ended.",
        ask("sum by {BY} (app_active_task_count{S})", "{{pod}}"),
        ask("max(app_max_task_capacity{S})", "an agent's limit"),
        unit="short",
    ),
    lines(
        8,
        "Task Completion Rate",
        "Tasks completed a second.",
        ask(
            "sum by {BY} (rate(app_completed_tasks_total{S}[$__rate_interval]))",
            "{{pod}}",
        ),
        unit="suffix: tasks/s",
    ),
    lines(
        9,
        "Failed share",
        "Failed tasks of all that ended in the hour before, by agent.",
        ask(
            "sum by {BY} (increase(app_failed_tasks_total{S}[1h])) / (sum by {BY} "
            "(increase(app_failed_tasks_total{S}[1h])) + sum by {BY} "
            "(increase(app_completed_tasks_total{S}[1h])) > 0)",
            "{{pod}}",
        ),
        unit="percentunit",
        max=1,
    ),
    lines(
        10,
        "Errors by type",
        "Records of level ERROR or above, a second.",
        ask(
            "sum by (error_type) (rate(app_task_errors_total{S}[$__rate_interval]))",
            "{{error_type}}",
        ),
        unit="suffix: errors/s",
        link={
            "title": "Its records",
            "url": "/d/towline-errors?${__url_time_range}"
            "&var-error_type=${__field.labels.error_type}",
        },
    ),
    heading(11, "Signs of life"),
    lines(
        12,
        "Age of the last heartbeat",
        "Of the heartbeat in the log, or of the last poll that was answered. Above 90 "
        "seconds an agent counts as down.",
        ask("time() - max by {BY} (app_last_heartbeat_timestamp{S})", "{{pod}}"),
        unit="s",
        custom={"thresholdsStyle": {"mode": "line"}, "showPoints": "never"},
        thresholds=steps("green", 90, "red"),
    ),
    lines(
        13,
        "Oldest running task",
        "How long ago the task that has run longest began. A task without an end is "
        "dropped after 24 hours.",
        ask(
            "time() - (min by {BY} (app_oldest_task_start_timestamp{S}) > 0)", "{{pod}}"
        ),
        unit="s",
    ),
    lines(
        14,
        "Log lines",
        "Lines a second that agents write. None, from an agent at work, is a sign that "
        "it hangs or that its log is not read.",
        ask("sum by {BY} (rate(app_log_lines_total{S}[$__rate_interval]))", "{{pod}}"),
        unit="suffix: lines/s",
    ),
    lines(
        15,
        "Tasks without an end",
        "Tasks dropped from the active ones, as no end was logged for 24 hours.",
        ask("sum by {BY} (increase(app_task_timeouts_total{S}[1h]))", "{{pod}}"),
        unit="suffix: tasks/h",
    ),
    heading(16, "Requests and sessions"),
    lines(
        17,
        "Requests under way",
        "As the agent last stated them.",
        ask("sum by {BY} (app_active_request_count{S})", "{{pod}}"),
        unit="short",
    ),
    lines(
        18,
        "Open sessions",
        "Connections to databases, as the agent last stated them; their limit where "
        "Max_Connections states one.",
        ask("sum by {BY} (app_open_sessions{S})", "{{pod}}"),
        ask("max(app_max_connections{S})", "an agent's limit"),
        unit="short",
    ),
    heading(19, "Each agent"),
    table(
        20,
        "Agents",
        "State, work and version of each agent. Two versions at once are a rollout, or "
        "one that stopped half way.",
        row("max by {BY} (app_agent_status{S})"),
        row("min by {BY} (app_agent_connected{S})"),
        row("max by (cluster, namespace, pod, state) (app_agent_state{S} == 1)"),
        row("sum by {BY} (app_active_task_count{S})"),
        row(f"max by {{BY}} ({BUSY})"),
        row("sum by {BY} (app_open_sessions{S})"),
        row("max by (cluster, namespace, pod, version) (app_build_info{S})"),
        unit="short",
        w=24,
        columns={
            "cluster": "cluster",
            "namespace": "namespace",
            "pod": "pod",
            "Value #A": "status",
            "Value #B": "connected",
            "state": "state",
            "Value #D": "active tasks",
            "Value #E": "busy",
            "Value #F": "open sessions",
            "version": "version",
        },
        hide=["Value #C", "Value #G"],
        overrides=[
            by_name("pod", OF_ROW),
            by_name("status", mappings=words(UP_OR_NOT)),
            by_name("connected", mappings=words(YES_OR_NO)),
            by_name("busy", unit="percentunit"),
        ],
    ),
    annotations=[ALERTS],
)
