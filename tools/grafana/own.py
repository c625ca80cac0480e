"""towline itself: does it ship all, in time, and within its bounds?"""

from .forms import (
    CLUSTER,
    FROM_PROMETHEUS,
    ask,
    by_name,
    choice,
    dashboard,
    heading,
    lines,
    now,
    row,
    stat,
    steps,
    table,
    values,
)

NODE = choice(
    "node", "Node", values("instance", "towline_build_info", 'cluster=~"$cluster"')
)
# process_* that are towline's, of all that a Prometheus has.
OURS = "and on (cluster, job, instance) towline_build_info{N}"


def own(id, title, about, *queries, unit, **more):
    return lines(id, title, about, *queries, unit=unit, link=None, **more)


DASHBOARD = dashboard(
    "towline-self",
    "towline",
    "Whether each record is shipped, in time, and what that takes.",
    [FROM_PROMETHEUS, CLUSTER, NODE],
    stat(
        1,
        "Nodes",
        "Nodes whose towline answers.",
        now("count(towline_build_info{N})", "nodes"),
        unit="short",
    ),
    stat(
        2,
        "Largest lag",
        "Age of the newest record read, on the node that is furthest behind.",
        now("max(towline_lag_seconds{N})", "lag"),
        unit="s",
        thresholds=steps("green", 60, "orange", 300, "red"),
    ),
    stat(
        3,
        "Lost bytes",
        "Gone before they could be read, in the shown time.",
        now("sum(increase(towline_lost_bytes_total{N}[$__range]))", "lost"),
        unit="bytes",
        thresholds=steps("green", 1, "red"),
    ),
    stat(
        4,
        "Dead letters",
        "Documents that no server takes, kept in a file, in the shown time.",
        now("sum(increase(towline_dead_letters_total{N}[$__range]))", "dead letters"),
        unit="short",
        decimals=0,
        thresholds=steps("green", 1, "red"),
    ),
    stat(
        5,
        "Files not read",
        "Files and directories that are there and not read; towline status names them.",
        now("sum(towline_unread_files{N})", "files"),
        unit="short",
        thresholds=steps("green", 1, "orange"),
    ),
    stat(
        6,
        "Without metadata",
        "Nodes on which pods are not known and watched.",
        now("count(towline_kube_up{N} == 0)", "nodes"),
        unit="short",
        thresholds=steps("green", 1, "orange"),
    ),
    own(
        7,
        "Records",
        "Records made of lines, and documents that servers took, a second.",
        ask("sum(rate(towline_records_total{N}[$__rate_interval]))", "read"),
        ask(
            "sum by (output) (rate(towline_delivered_total{N}[$__rate_interval]))",
            "delivered to {{output}}",
        ),
        unit="suffix: records/s",
    ),
    own(
        8,
        "Lag",
        "Age of the newest record read while bytes wait to be shipped, and how many wait.",
        ask("max by (cluster, instance) (towline_lag_seconds{N})", "{{instance}}"),
        ask(
            "sum by (cluster, instance) (towline_lag_bytes{N})",
            "{{instance}} bytes",
            axis="bytes",
        ),
        unit="s",
    ),
    own(
        9,
        "From the line to the index",
        "95 of 100 documents were in the index within this time of being logged.",
        ask(
            "histogram_quantile(0.95, sum by (le, output) "
            "(rate(towline_delivery_seconds_bucket{N}[$__rate_interval])))",
            "{{output}}",
        ),
        unit="s",
    ),
    own(
        10,
        "Sent again",
        "Requests and documents, by what was in the way.",
        ask(
            "sum by (output, reason) (rate(towline_retries_total{N}[$__rate_interval]))",
            "{{output}} {{reason}}",
        ),
        unit="suffix: /s",
    ),
    own(
        11,
        "Held documents",
        "Documents that wait for the server's state to change (a full disk, a block).",
        ask(
            "sum by (instance, output) (towline_held_documents{N})",
            "{{instance}} {{output}}",
        ),
        unit="short",
    ),
    own(
        12,
        "Documents cut, and dead letters",
        "Documents that the server took only without a part, and those that it refused, "
        "in the hour before.",
        ask("sum(increase(towline_lean_documents_total{N}[1h]))", "without extra"),
        ask(
            "sum(increase(towline_stripped_documents_total{N}[1h]))",
            "without log_parsed",
        ),
        ask(
            "sum by (reason) (increase(towline_dead_letters_total{N}[1h]))",
            "dead letter: {{reason}}",
        ),
        unit="suffix: /h",
    ),
    heading(13, "Reading"),
    own(
        14,
        "Bytes read",
        "A second, from log files.",
        ask(
            "sum by (instance) (rate(towline_read_bytes_total{N}[$__rate_interval]))",
            "{{instance}}",
        ),
        unit="Bps",
    ),
    own(
        15,
        "What could not be read",
        "Reads that failed, parts of records that could not be read, lines cut at "
        "Buffer_Max_Size, records folded into `other`, in the hour before.",
        ask(
            "sum by (reason) (increase(towline_read_errors_total{N}[1h]))",
            "read: {{reason}}",
        ),
        ask(
            "sum by (kind) (increase(towline_parse_failures_total{N}[1h]))",
            "parse: {{kind}}",
        ),
        ask("sum(increase(towline_truncated_lines_total{N}[1h]))", "cut"),
        ask("sum(increase(towline_folded_records_total{N}[1h]))", "folded"),
        unit="suffix: /h",
    ),
    own(
        16,
        "Agents' polls that failed",
        "In the hour before, by reason.",
        ask(
            "sum by (instance, reason) (increase(towline_agent_polls_failed_total{N}[1h]))",
            "{{instance}} {{reason}}",
        ),
        unit="suffix: /h",
    ),
    own(
        17,
        "State that could not be written",
        "For how long. Meanwhile nothing is lost, and a restart sends again.",
        ask(
            "max by (cluster, instance) (towline_state_stale_seconds{N})",
            "{{instance}}",
        ),
        unit="s",
    ),
    heading(18, "The process"),
    own(
        19,
        "Memory",
        "Resident, and the most that the configuration allows, kernel's for it included.",
        ask(f"process_resident_memory_bytes {OURS}", "{{instance}}"),
        ask("max(towline_memory_limit_bytes{N})", "limit"),
        unit="bytes",
    ),
    own(
        20,
        "CPU",
        "Processors in use.",
        ask(
            f"rate(process_cpu_seconds_total[$__rate_interval]) {OURS}", "{{instance}}"
        ),
        unit="suffix: cores",
    ),
    table(
        21,
        "Versions",
        "What runs where, whether its last configuration was taken, and its pods.",
        row("max by (cluster, instance, version) (towline_build_info{N})"),
        row("max by (cluster, instance) (towline_kube_pods{N})"),
        row(
            "max by (cluster, instance) (increase(towline_config_reload_failed_total{N}[1d]))"
        ),
        unit="short",
        w=24,
        columns={
            "cluster": "cluster",
            "instance": "node",
            "version": "version",
            "Value #B": "pods",
            "Value #C": "configurations refused, one day",
        },
        hide=["Value #A"],
        overrides=[by_name("configurations refused, one day", decimals=0)],
    ),
)
