"""promtool, Debian's: checks of configurations and rules, rule tests, and the labels
that relabelings leave."""

import functools
import json
import pathlib
import subprocess
import tempfile

START = pathlib.Path(__file__).parents[2] / "servers/prometheus"


@functools.cache
def tools():
    """The directory of prometheus and promtool."""
    return pathlib.Path(subprocess.check_output([START], text=True).strip())


def promtool(*arguments, **files):
    """Run it in a folder that has ${files} (name without .yml: an object); the process."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            path = pathlib.Path(folder, f"{name}.yml")
            is_text = isinstance(content, str)
            path.write_text(content if is_text else json.dumps(content))
        command = [tools() / "promtool", *arguments]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def config_errors(config):
    """What is wrong in a configuration (text, or an object); '' when nothing is."""
    done = promtool("check", "config", "config.yml", config=config)
    return (done.stdout + done.stderr) if done.returncode else ""


def rule_errors(rules):
    """What is wrong in a file of rules (text, or an object); '' when nothing is."""
    done = promtool("check", "rules", "rules.yml", rules=rules)
    return (done.stdout + done.stderr) if done.returncode else ""


def failures(series, expressions=(), alerts=(), rules=None):
    """Run one rule test; '' when all is as expected.

    series: {selector: values, a sample a minute}.  expressions: of
    {expr, eval_time, exp_samples}.  alerts: of {alertname, eval_time, exp_alerts}."""
    test = {
        "interval": "1m",
        "input_series": [{"series": s, "values": v} for s, v in series.items()],
        "promql_expr_test": list(expressions),
        "alert_rule_test": list(alerts),
    }
    whole = {"evaluation_interval": "1m", "rule_files": ["rules.yml"], "tests": [test]}
    rules = rules or {"groups": []}
    done = promtool("test", "rules", "test.yml", test=whole, rules=rules)
    return (done.stdout + done.stderr) if done.returncode else ""


def relabelled(labels, rules):
    """The labels of a target after relabelings; {} when they drop it."""
    target = labels.pop("__address__", "10.0.0.1:8080")
    job = {
        "job_name": "job",
        "static_configs": [{"targets": [target], "labels": labels}],
        "relabel_configs": rules,
    }
    config = {"scrape_configs": [job]}
    arguments = "check", "service-discovery", "--timeout=1s", "config.yml", "job"
    done = promtool(*arguments, config=config)
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)
    return found.get("labels") or {}
