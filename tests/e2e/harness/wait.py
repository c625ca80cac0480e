"""Waiting for a condition: generous limits, no sleeping for luck."""

import time

LIMIT = 60


def until(condition, what, limit=LIMIT):
    """Return the first true value of condition(); what(): the state, for the failure."""
    end = time.monotonic() + limit
    while True:
        if value := condition():
            return value
        if time.monotonic() > end:
            raise AssertionError(
                f"not within {limit} s: {what() if callable(what) else what}"
            )
        time.sleep(0.05)


def until_equal(get, want, limit=LIMIT):
    """Wait until get() is want; say what it was instead."""
    last = []

    def same():
        last[:] = [get()]
        return last[0] == want

    until(same, lambda: f"{last[0]!r} is not {want!r}", limit)
