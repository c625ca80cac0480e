"""What the processes of a run have once: a folder, a thing, the machine."""

import contextlib
import fcntl
import os
import pathlib

HERE = pathlib.Path(__file__).parent


def folder(tmp_path_factory, name):
    """One folder of that name for all of them."""
    base = tmp_path_factory.getbasetemp()
    made = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    made.mkdir(exist_ok=True)
    return made


@contextlib.contextmanager
def held(path, how=fcntl.LOCK_EX):
    """One at a time; the path is there, and is a lock by itself."""
    lock = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, how)
        yield
    finally:
        os.close(lock)


@contextlib.contextmanager
def turn(alone):
    """A test's time: beside others or, alone, when none of them runs."""
    with contextlib.ExitStack() as turn:
        with held(HERE / "__init__.py"):  # nobody passes by one who waits
            turn.enter_context(held(HERE, fcntl.LOCK_EX if alone else fcntl.LOCK_SH))
        yield
