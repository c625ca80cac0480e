"""[FILTER] lua in a running towline: a script of Fluent Bit's, from file to document."""

import json
import signal

from harness.towline import towline
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
    record["seen"] = seen
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
    whole, _, _ = file.read_text().rpartition("\n")
    return [json.loads(line) for line in whole.splitlines()]


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
    assert documents(out)[-1]["cluster"] == "b" and documents(out)[-1]["seen"] == 1

    # One that is wrong, or gone, is refused: the one before goes on, with its globals.
    file = tmp_path / "shape.lua"
    for change, said in (
        (lambda: file.write_text("function"), "shape.lua:1: .*expected"),
        (file.unlink, "no shape.lua beside"),
    ):
        change()
        towline.process.send_signal(signal.SIGHUP)
        towline.until_said(f"{said}(.|\n)*going on with the one before")
    container.write("four")
    until_equal(lambda: len(documents(out)), 6)
    assert documents(out)[-1]["cluster"] == "b" and documents(out)[-1]["seen"] == 2
    towline.stop()


SPLIT = """
local called = 0

function split_it(tag, timestamp, record)
    called = called + 1
    local parts = {}
    for word in record["log"]:gmatch("[^,]+") do
        parts[#parts + 1] = { log = word, n = #parts, called = called }
    end
    return 1, timestamp, parts
end
"""


def splitting(settings, folder, *behind):
    (folder / "split.lua").write_text(SPLIT)
    settings.filters.append(
        {"Name": "lua", "Match": "*", "script": "split.lua", "call": "split_it"}
    )
    settings.filters.extend(behind)
    return settings


def words(table):
    return sorted(d["log"] for d in table.documents())


def test_a_script_makes_several_records_of_one(node, settings, run, tmp_path, table):
    """Each is a document, and passes the filters behind; the script is called once."""
    drop = {"Name": "grep", "Match": "*", "Exclude": "log ^drop"}
    keep = {"Name": "rewrite_tag", "Match": "matillion.*", "Rule": "$log ^x x.$TAG on"}
    splitting(settings, tmp_path, drop, keep)
    settings.outputs[0]["Match"] = "*"
    towline = run(settings)
    node.container().write("a,b,c", "drop,x1,d", "alone")
    until_equal(lambda: words(table), ["a", "alone", "b", "c", "d", "x1", "x1"])
    found = {d["log"]: (d["n"], d["called"]) for d in table.documents()}
    assert found["a"] == (0, 1) and found["c"] == (2, 1) and found["b"] == (1, 1)
    assert found["d"][0] == 2
    towline.until_metric("towline_records_total", 3)
    assert towline.metric("towline_parse_failures_total", kind="script") == 0
    towline.stop()


def test_the_parts_of_a_record_are_stored_once_over_kills(
    node, settings, run, tmp_path, table
):
    splitting(settings, tmp_path)
    settings.service["Batch_Size"] = "64K"
    container, want = node.container(), []
    for turn in range(4):
        for line in range(30):
            parts = [f"w{turn}.{line}.{i}" for i in range(1 + line * 7)]
            container.write(",".join(parts))
            want += parts
        towline = run(settings)
        until_equal(lambda: table.count() > len(want) * 2 // 3, True)
        towline.kill()
    towline = run(settings)
    until_equal(lambda: table.count(), len(want))
    assert words(table) == sorted(want)
    towline.until_metric("towline_records_total", 120)
    towline.stop()


def test_a_record_of_too_many_parts_goes_on_as_it_was(
    node, settings, run, tmp_path, table
):
    towline = run(splitting(settings, tmp_path))
    line = ",".join(f"w{i}" for i in range(1001))
    node.container().write(line, "a,b")
    until_equal(lambda: words(table), ["a", "b", line])
    towline.until_metric("towline_parse_failures_total", 1, kind="script")
    assert "returns 1001 records for one; at most 1000 are possible" in towline.said()
    towline.stop()


INLINE = """
pipeline:
  inputs:
    - name: dummy
      tag: a.b
      samples: 1
  filters:
    - name: lua
      match: '*'
      call: shape_it
      code: |
        -- the length # of a tag
        function shape_it(tag, timestamp, record)
            record["length"] = #tag

            record["text"] = "a # b"   -- not a comment of YAML's
            return 2, timestamp, record
        end
  outputs:
    - name: stdout
      match: '*'
"""


def test_code_of_several_lines_is_taken_as_it_is(tmp_path):
    """Marks that begin a comment elsewhere are Lua's; a fault has the script's own line."""
    file = tmp_path / "fluent-bit.yaml"
    service = f"service:\n  state_path: {tmp_path}/state\n  http_server: off\n"
    file.write_text(service + INLINE)
    checked = towline("check", "-c", file)
    assert checked.returncode == 0 and "warning" not in checked.stderr + checked.stdout
    document = json.loads(towline("run", "-c", file, "--exit-on-eof").stdout)
    assert document["length"] == 3 and document["text"] == "a # b"
    file.write_text(service + INLINE.replace("return 2,", "retrun 2,"))
    checked = towline("check", "-c", file)
    assert "(code):6: " in checked.stdout + checked.stderr
    assert checked.returncode == 1
