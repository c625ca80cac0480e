"""[FILTER] lua in a running towline: a script of Fluent Bit's, from file to document."""

import json
import signal

from harness.wait import until_equal

SCRIPT = """
local seen = 0

function shape_it(tag, timestamp, record)
    local log = record["log"]
    if log == nil then
        return 0, timestamp, record
    end
    if log:find("GET /health", 1, true) then
        return -1, timestamp, record
    end
    if log == "broken" then
        return 2, timestamp, record.kubernetes.no_such.member
    end
    if log == "endless" then
        while true do end
    end
    seen = seen + 1
    record["cluster"] = "VERSION"
    record["severity"] = log:match("^(%u+) ") or "NONE"
    record["pod"] = record.kubernetes.pod_name
    record.kubernetes = nil
    return 1, timestamp, record
end
"""

LINES = ["ERROR one", "GET /health 200", "broken", "endless", "two"]


def script(folder, version):
    (folder / "shape.lua").write_text(SCRIPT.replace("VERSION", version))


def documents(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_a_script_changes_and_drops_and_fails(node, config, run, tmp_path):
    out = tmp_path / "out"
    under = {"under": ("sh", "-c", f'exec "$@" > {out}', "sh")}
    container = node.container()
    script(tmp_path, "a")
    settings = config({"Name": "stdout"})
    settings.filters.append(
        {
            "Name": "lua",
            "Match": "*",
            "script": "/fluent-bit/scripts/shape.lua",
            "call": "shape_it",
        }
    )
    towline = run(settings, **under)
    container.write(*LINES)
    towline.until_delivered(4)
    first, broken, endless, last = documents(out)
    assert (first["severity"], last["severity"]) == ("ERROR", "NONE")
    assert first["cluster"] == "a" and first["pod"] and "kubernetes" not in first
    assert first["@timestamp"] == first["time"] and first["stream"] == "stdout"
    assert broken["log"] == "broken" and broken["kubernetes"]["pod_name"]
    assert endless["log"] == "endless" and "cluster" not in endless
    towline.until_metric("towline_parse_failures_total", 2, kind="script")
    said = towline.said()
    assert "shape.lua:13: attempt to index field 'no_such'" in said
    assert "shape.lua:16: more than Max_Instructions (1000000)" in said

    # The script is read again from where it was found, behind Landlock, too.
    script(tmp_path, "b")
    towline.process.send_signal(signal.SIGHUP)
    towline.until_said("the configuration was read again and is right")
    container.write("three")
    until_equal(lambda: len(documents(out)), 5)
    assert documents(out)[-1]["cluster"] == "b"
    towline.stop()
