"""What Prometheus must answer: windows, sums and joins of series whose value is known at
any time.  It knows no PromQL: a row of harness/answers.py calls it by hand.

A vector is {labels: value}, labels a frozenset of pairs.  rate() and increase() extrapolate
as Prometheus 2 does: to the ends of the window, no further than half a step beyond the
samples where it begins, and not below 0."""

import bisect
import statistics

from .story import LONG, MINUTE

LOOKBACK = 5 * MINUTE


def labels_of(key, *names):
    return frozenset(pair for pair in key if pair[0] in names)


def by(combine, vector, *names):
    groups = {}
    for key, value in vector.items():
        groups.setdefault(labels_of(key, *names), []).append(value)
    return {key: combine(values) for key, values in groups.items()}


def without(combine, vector, *names):
    groups = {}
    for key, value in vector.items():
        rest = frozenset(pair for pair in key if pair[0] not in names)
        groups.setdefault(rest, []).append(value)
    return {key: combine(values) for key, values in groups.items()}


def joined(combine, left, right, *on):
    """For each of the left the one of the right that has the same labels (all, or on)."""

    def match(key):
        return labels_of(key, *on) if on else key

    right = {match(key): value for key, value in right.items()}
    return {
        key: combine(value, right[match(key)])
        for key, value in left.items()
        if match(key) in right
    }


def div(left, right, *on):
    return joined(
        lambda a, b: a / b if b else float("nan") if a == 0 else float("inf"),
        left,
        right,
        *on,
    )


def plus(left, right, *on):
    return joined(lambda a, b: a + b, left, right, *on)


def keep(vector, wanted):
    return {key: value for key, value in vector.items() if wanted(value)}


def both(left, right, *on):
    return joined(lambda a, _: a, left, right, *on)


def unless(left, right, *on):
    out = {labels_of(key, *on) if on else key for key in right}
    return {
        key: value
        for key, value in left.items()
        if (labels_of(key, *on) if on else key) not in out
    }


def each(vector, change):
    return {key: change(value) for key, value in vector.items()}


def one(value):
    return {frozenset(): value}


def marked(vector, **labels):
    return {key | set(labels.items()): value for key, value in vector.items()}


# ---- of the samples of one window


def extrapolated(samples, low, high, is_counter):
    """The growth within the window, and None of less than two samples."""
    if len(samples) < 2:
        return None
    (first, start), (last, end) = samples[0], samples[-1]
    growth, spread = end - start, last - first
    mean = spread / (len(samples) - 1)
    before, after = first - low, high - last
    if is_counter and growth > 0:
        before = min(before, spread * start / growth)
    whole = spread
    for gap in before, after:
        whole += gap if gap < 1.1 * mean else mean / 2
    return growth * whole / spread


def line(samples, at):
    """(value at `at`, slope) of the straight line through them."""
    if len(samples) < 2:
        return None
    times = [when - at for when, _ in samples]
    values = [value for _, value in samples]
    if len(set(values)) == 1:
        return values[0], 0.0
    slope, value = statistics.linear_regression(times, values)
    return value, slope


def quantile(q, values):
    values = sorted(values)
    rank = q * (len(values) - 1)
    low = int(rank)
    high = min(low + 1, len(values) - 1)
    return values[low] * (1 - rank + low) + values[high] * (rank - low)


def mean(values):
    return sum(values) / len(values)


def of_buckets(q, vector):
    """The quantile of each histogram in a vector of buckets."""
    groups, found = {}, {}
    for key, value in vector.items():
        le = float(dict(key)["le"])
        rest = frozenset(pair for pair in key if pair[0] != "le")
        groups.setdefault(rest, []).append((le, value))
    for key, buckets in groups.items():
        buckets.sort()
        rank = q * buckets[-1][1]
        if not rank:
            found[key] = float("nan")
            continue
        n = next(i for i, (_, value) in enumerate(buckets) if value >= rank)
        low, below = buckets[n - 1] if n else (0, 0)
        high, upto = buckets[n]
        if n == len(buckets) - 1:
            found[key] = low
        else:
            found[key] = low + (high - low) * (rank - below) / (upto - below)
    return found


# ---- the whole


class Truth:
    """grid: times of the history; live: {job: times of the scrapes and evaluations}."""

    def __init__(self, series, grid):
        self.series, self.grid, self.live, self.at = {}, grid, {}, grid[-1]
        for one in series:
            self.put(one)

    def put(self, series):
        self.series.setdefault(series.name, []).append(series)

    def moved(self, at):
        there = Truth([], self.grid)
        there.series, there.live, there.at = self.series, self.live, at
        return there

    def window(self, series, low, high):
        found = []
        for times in self.grid, self.live.get(series.job, []):
            first = bisect.bisect_left(times, low)
            for at in times[first : bisect.bisect_right(times, high)]:
                value = series.value(at)
                if value is not None:
                    found.append((at, value))
        return found

    def chosen(self, name, match):
        for series in self.series.get(name, []):
            labels = series.labels
            if all(w(labels.get(k, "")) for k, w in match.items()):
                yield frozenset(labels.items()), series

    def ranges(self, what, name, within, offset=0, **match):
        """what(samples, begin, end) of each series that has an answer."""
        high = self.at - offset
        low, found = high - within, {}
        for key, series in self.chosen(name, match):
            value = what(self.window(series, low, high), low, high)
            if value is not None:
                found[key] = value
        return found

    def now(self, name, offset=0, **match):
        def newest(samples, low, high):
            return samples[-1][1] if samples else None

        return self.ranges(newest, name, LOOKBACK - 0.0005, offset, **match)

    def increase(self, name, within, **match):
        return self.ranges(
            lambda s, low, high: extrapolated(s, low, high, True), name, within, **match
        )

    def rate(self, name, within, **match):
        return each(self.increase(name, within, **match), lambda v: v / within)

    def delta(self, name, within):
        return self.ranges(
            lambda s, low, high: extrapolated(s, low, high, False), name, within
        )

    def over(self, combine, name, within, offset=0, **match):
        def of(samples, low, high):
            return combine([v for _, v in samples]) if samples else None

        return self.ranges(of, name, within, offset, **match)

    def predicted(self, name, within, ahead):
        def of(samples, low, high):
            found = line(samples, high)
            return found and found[0] + ahead * found[1]

        return self.ranges(of, name, within)

    def slope(self, name, within):
        def of(samples, low, high):
            found = line(samples, high)
            return found and found[1]

        return self.ranges(of, name, within)

    def subquery(self, combine, what, within, step):
        """what(a Truth of an earlier time) at each multiple of the step."""
        first = -int(-(self.at - within) // step) * step
        values = {}
        for at in range(first, int(self.at) + 1, step):
            for key, value in what(self.moved(at)).items():
                values.setdefault(key, []).append(value)
        return each(values, combine)


def made_grid(end):
    """Seconds between samples: 240 a week ago, 150 yesterday, 30 in the last two hours."""
    far = range(end - LONG, end - 26 * 3600, 240)
    day = range(end - 26 * 3600, end - 2 * 3600, 150)
    return [*far, *day, *range(end - 2 * 3600, end + 1, 30)]
