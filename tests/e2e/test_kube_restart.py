"""What is known of pods survives towline: what is read on after a start needs no
API server, and has the same labels."""

import signal

import pytest
from harness.wait import until
from harness.watched import labels, until_labels, up


def again(towline, how):
    """It ends, as told."""
    if how == "stop":
        towline.stop()
    else:
        towline.kill()


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_what_is_read_on_has_its_labels_without_the_api(
    watched, relay, table, run, how
):
    watched.filter["API_Wait"] = 60
    _, log = watched.running("before", labels={"app": "a"})
    drained, its_log = watched.running("of a deleted pod", labels={"app": "b"})
    towline = up(run(watched.config))
    table.until_count(2)
    drained.delete()
    watched.until_told(table)
    its_log.write("drains")
    assert labels(table, "drains") == {"app": "b"}
    again(towline, how)
    relay.kill()
    log.write("written meanwhile")
    its_log.write("by the deleted pod")
    towline = run(watched.config)
    assert labels(table, "written meanwhile") == {"app": "a"}
    assert labels(table, "by the deleted pod") == {"app": "b"}
    assert towline.metric("towline_unenriched_records_total") == 0
    assert towline.get("/readyz")[0] == 503, "it has not been told of all pods yet"
    relay.start()
    up(towline)
    log.write("after")
    its_log.write("its last")
    assert labels(table, "after") == {"app": "a"}
    assert labels(table, "its last") == {"app": "b"}
    logs = [text for text in table.logs() if not text.startswith("later")]
    assert len(logs) == len(set(logs)) == 7


def test_a_change_from_before_the_end_is_kept(watched, relay, table, run):
    pod, log = watched.running("before", labels={"app": "1"})
    towline = up(run(watched.config))
    pod.label(app="2")
    until_labels(table, log, {"app": "2"})
    towline.stop()
    relay.kill()
    log.write("written meanwhile")
    run(watched.config)
    assert labels(table, "written meanwhile") == {"app": "2"}


def test_a_reload_without_the_api_keeps_what_is_known(watched, relay, table, run):
    watched.filter["API_Wait"] = 60
    _, log = watched.running("before", labels={"app": "a"})
    towline = up(run(watched.config))
    assert labels(table, "before") == {"app": "a"}
    relay.kill()
    towline.process.send_signal(signal.SIGHUP)
    towline.until_said("then going on with it")
    log.write("after")
    assert labels(table, "after") == {"app": "a"}
    relay.start()
    _, its_log = watched.running("of a new pod", labels={"app": "b"})
    until_labels(table, its_log, {"app": "b"})


def test_labels_of_a_namespace_are_kept(watched, relay, table, run):
    watched.account.grant(resources=["namespaces"], verbs=["get"])
    watched.filter |= {"Namespace_Labels": "On", "Pod_Wait": 60}
    _, log = watched.running("before", labels={"app": "1"})
    towline = up(run(watched.config))
    want = table.document("before")["kubernetes_namespace"]
    assert want["labels"] == {"kubernetes_io/metadata_name": watched.namespace}
    towline.stop()
    relay.kill()
    log.write("written meanwhile")
    run(watched.config)
    assert table.document("written meanwhile")["kubernetes_namespace"] == want


def test_kill_9_while_pods_become_known_loses_and_doubles_nothing(
    watched, relay, table, run
):
    """Ten times at once; each line has labels, for the API is there again each time."""
    watched.filter |= {"Pod_Wait": 60, "API_Wait": 60}
    pods = [watched.pod(labels={"app": str(n)}) for n in range(5)]
    logs = [pod.log(watched.node) for pod in pods]
    written = 0
    for turn in range(10):
        for n, log in enumerate(logs):
            log.write(*(f"{n} {turn} {line}" for line in range(100)))
        written += 500
        towline = run(watched.config)
        if turn % 2:
            relay.kill()
            relay.start()
        until(lambda: table.count() > written - 500, towline.said)
        towline.kill()
    run(watched.config)
    table.until_count(written)
    documents = table.documents()
    assert len({document["log"] for document in documents}) == written
    for document in documents:
        assert document["kubernetes"]["labels"] == {"app": document["log"].split()[0]}


def test_what_was_known_is_forgotten_with_a_new_state(watched, relay, table, run):
    """It is the state that keeps it, and nothing else."""
    watched.running("a line", labels={"app": "a"})
    up(run(watched.config)).stop()
    relay.kill()
    watched.config.service["State_Path"] = watched.config.folder / "another"
    watched.filter |= {"Pod_Wait": 0, "API_Wait": 0}
    table.path.unlink()
    run(watched.config)
    assert labels(table, "a line") is None


def test_what_is_not_wanted_any_more_is_not_kept(watched, relay, table, run):
    """Other options: what was kept for the old ones would be of another shape."""
    _, log = watched.running(
        "before", labels={"app.x": "a"}, annotations={"secret": "s"}
    )
    towline = up(run(watched.config))
    before = table.document("before")["kubernetes"]
    towline.stop()
    assert before["labels"] == {"app_x": "a"} and before["annotations"]
    relay.kill()
    watched.filter |= {"Annotations": "Off", "API_Wait": 60}
    log.write("after")
    run(watched.config).until_metric("towline_pod_waits", 1)
    relay.start()
    after = table.document("after")["kubernetes"]
    assert after["labels"] == {"app_x": "a"} and "annotations" not in after
