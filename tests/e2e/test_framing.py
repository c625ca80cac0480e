"""Options that say how lines become records are changed while records are on
their way: what was cut before is cut so again, what comes is cut anew."""

import signal
import sqlite3

import pytest
from fake_server import FakeServer
from harness.node import cri, info
from harness.wait import until

TRACE = ["java.io.IOException: no", "\tat a.B.c(B.java:1)", "\tat a.B.d(B.java:2)"]


@pytest.fixture
def server():
    """Its `how` says how it answers: None is well."""

    class Ruled(FakeServer):
        how = None

    made = Ruled(lambda n, body: made.how)
    yield made
    made.close()


def failed(n):
    return [info(f"failed {n}", "ERROR"), *TRACE]


class Truth:
    """A container, what was written to it, and what records it must become."""

    def __init__(self, container):
        self.container, self.records = container, []

    def joined(self, first, n):
        """Records that the rules of CRI make: lines and traces."""
        for i in range(first, first + n):
            lines = failed(i) if i % 3 == 0 else [info(f"line {i}")]
            self.container.write(*lines)
            self.records.append("\n".join(lines))

    def alone(self, first, n):
        """Records of an input that takes each line as it stands."""
        for i in range(first, first + n):
            for line in failed(i) if i % 3 == 0 else [info(f"line {i}")]:
                raw = cri(line)
                self.container.raw(raw.encode())
                self.records.append(raw[:-1])

    def size(self):
        return self.container.log.stat().st_size

    def until_there(self, server):
        until(
            lambda: len(server.documents) >= len(self.records),
            lambda: f"{len(server.documents)} of {len(self.records)}",
        )
        assert server.logs() == sorted(self.records)


def take_lines_alone(settings, alone):
    """Another way of cutting; neither parser changes the text."""
    if alone:
        settings.inputs[0].pop("Parser")
        settings.inputs[0]["Parser"] = "raw"
    else:
        settings.inputs[0]["Parser"] = "cri"


@pytest.fixture
def settings(config, server, tmp_path):
    parsers = tmp_path / "parsers.conf"
    parsers.write_text(
        "[PARSER]\n    Name raw\n    Format regex\n    Regex ^(?<log>[\\s\\S]*)$\n"
    )
    made = config(server.output)
    made.service |= {"Parsers_File": parsers, "Grace": 1}
    made.filters = []
    return made


def again_by_a_start(towline, settings, run):
    towline.kill()
    return run(settings)


def again_by_sighup(towline, settings, run):
    settings.write()
    towline.seen = len(towline.said())
    towline.process.send_signal(signal.SIGHUP)
    match = until(towline.listens, towline.said, 30)
    towline.address = match[1].strip("[]"), int(match[2])
    return towline


AGAIN = [again_by_a_start, again_by_sighup]


def changed(towline, again, settings, run, truth, alone):
    """With the other options, when all that was there was read once more."""
    take_lines_alone(settings, alone)
    read = towline.metric("towline_read_bytes_total")
    towline = again(towline, settings, run)
    read = (read if again is again_by_sighup else 0) + truth.size()
    towline.until_metric("towline_read_bytes_total", read)
    return towline


@pytest.mark.parametrize("again", AGAIN)
@pytest.mark.parametrize("how", [503, "cut"])
def test_each_is_cut_as_when_it_was_read_first(server, settings, node, run, again, how):
    """Not sent at all, or taken by a server whose answer was lost; two changes in a row."""
    truth = Truth(node.container())
    server.how = how
    towline = run(settings)
    truth.joined(0, 60)
    towline.until_metric("towline_records_total", 60)
    towline = changed(towline, again, settings, run, truth, True)
    truth.alone(60, 60)
    towline.until_metric("towline_records_total", len(truth.records))
    towline = changed(towline, again, settings, run, truth, False)
    truth.joined(120, 60)
    towline.until_metric("towline_records_total", len(truth.records))
    server.how = None
    truth.until_there(server)
    assert towline.metric("towline_records_total") == len(truth.records)
    assert towline.metric("towline_collisions_total") == 0
    towline.stop()


def test_a_record_that_was_open_ends_where_other_lines_begin(
    server, settings, node, run
):
    """A line is a runtime's or stands for itself from where the option takes force on."""
    container = node.container()
    settings.inputs[0]["Flush_ms"] = 60000
    towline = run(settings)
    first, (head, *trace) = info("first"), failed(1)
    container.write(first, head, trace[0])
    until(lambda: server.documents, "nothing")
    take_lines_alone(settings, True)
    towline.kill()
    towline = run(settings)
    until(lambda: towline.metric("towline_lines_total") >= 2, "not read again")
    alone = [cri(line) for line in [*trace[1:], info("alone")]]
    container.raw("".join(alone).encode())
    expected = [first, f"{head}\n{trace[0]}", *(raw[:-1] for raw in alone)]
    until(lambda: len(server.documents) == len(expected), server.logs)
    assert server.logs() == sorted(expected)
    assert towline.metric("towline_collisions_total") == 0
    towline.stop()


@pytest.mark.parametrize("how", [503, "cut"])
def test_late_bytes_after_a_rotation_are_cut_as_before(
    server, settings, node, run, how
):
    container = node.container()
    server.how = how
    settings.inputs[0] |= {"Flush_ms": 20000, "Rotate_Wait": 1}
    towline = run(settings)
    container.write("before ", "left ", tag="P")
    towline.until_metric("towline_lines_total", 2)
    with open(container.log, "ab"):  # the writer still has it
        renamed = container.rotate()
        container.write("right", '{"after":1}', '{"after":2}')
        towline.until_metric("towline_records_total", 3, 30)
        container.write("late", '{"late":1}', to=renamed)
        towline.until_metric("towline_records_total", 5)
        towline.kill()
        server.how = None
        towline = run(settings)
        until(lambda: len(server.documents) >= 5, server.logs)
        towline.until_metric("towline_records_total", 5)
        towline.stop()
    expected = ["before left right", "late"]
    expected += ['{"after":1}', '{"after":2}', '{"late":1}']
    assert server.logs() == sorted(expected)


def test_rules_of_another_towline_are_said_once(server, settings, node, run):
    container = node.container()
    towline = run(settings)
    container.write(*(info(f"line {i}") for i in range(10)))
    towline.until_delivered(10)
    towline.stop()
    store = sqlite3.connect(f"{settings.service['State_Path']}/state.db")
    store.execute("UPDATE rules SET text = 'framing=99 form=cri'")
    store.commit()
    store.close()
    settings.inputs[0]["Flush_ms"] = 400
    towline = run(settings)
    container.write(info("next"))
    until(lambda: len(server.documents) == 11, server.logs)
    said = towline.stop()
    assert (
        said.count("rules that this towline does not know (framing=99 form=cri)") == 1
    )
