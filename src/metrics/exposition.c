/* Families as text 0.0.4 and OpenMetrics 1.0: escaping, numbers, histograms. */
#include "exposition.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "shown.h"

const double metrics_duration_buckets[DELIVERY_BUCKETS] = { 0.1, 0.5, 1, 5, 15, 60, 300, 600, 1800,
	3600 };

/*
 * The bounds are written with a fraction in both formats, as OpenMetrics
 * demands, so that a series has one name in both.
 */
static const char *const bound_names[DELIVERY_BUCKETS + 1] = { "0.1", "0.5", "1.0", "5.0", "15.0",
	"60.0", "300.0", "600.0", "1800.0", "3600.0", "+Inf" };

static const char *const kind_names[] = { "counter", "gauge", "histogram", "info" };

/* ---- labels */

size_t
exposition_label_clean(struct slice value, char *to)
{
	static const char replacement[] = "\xef\xbf\xbd";
	size_t len = 0;

	while (value.len > 0) {
		size_t n = shown_char(value);
		const char *from = n == 0 ? replacement : value.at;
		size_t put = n == 0 ? sizeof(replacement) - 1 : n;

		if (put > LABEL_MAX - len)
			break;
		memcpy(to + len, from, put);
		len += put;
		value = slice_from(value, n == 0 ? 1 : n);
	}
	return len;
}

static void
put(struct buffer *to, const char *text)
{
	buffer_put(to, slice_of(text));
}

/* Escape backslash, newline, and quotes where they end the text. */
static void
put_escaped(struct buffer *to, struct slice text, bool quotes)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (c == '\\' || (c == '"' && quotes))
			put(to, "\\");
		if (c == '\n')
			put(to, "\\n");
		else
			buffer_put(to, (struct slice){ &c, 1 });
	}
}

void
exposition_label(struct buffer *to, const char *name, struct slice value)
{
	if (to->len > 0)
		put(to, ",");
	put(to, name);
	put(to, "=\"");
	put_escaped(to, value, true);
	put(to, "\"");
}

/* ---- samples */

/* OpenMetrics names a family without the suffix that its samples have. */
static struct slice
family_name(const struct exposition *x, const struct family *f)
{
	struct slice name = slice_of(f->name);
	struct slice suffix = f->kind == FAMILY_COUNTER ? SLICE("_total")
			      : f->kind == FAMILY_INFO  ? SLICE("_info")
							: SLICE("");

	if (x->openmetrics && slice_ends(name, suffix))
		name.len -= suffix.len;
	return name;
}

static void
head(struct exposition *x, const struct family *f)
{
	const char *kind = kind_names[f->kind];

	if (f->kind == FAMILY_INFO && !x->openmetrics)
		kind = kind_names[FAMILY_GAUGE];
	put(x->to, "# HELP ");
	buffer_put(x->to, family_name(x, f));
	put(x->to, " ");
	put_escaped(x->to, slice_of(f->help), x->openmetrics);
	put(x->to, "\n# TYPE ");
	buffer_put(x->to, family_name(x, f));
	buffer_printf(x->to, " %s\n", kind);
}

/* NAME[SUFFIX]{LABELS[,le="BOUND"]} and the blank behind it. */
static void
sample(struct exposition *x, const struct family *f, const char *suffix, struct slice labels,
    const char *le)
{
	if (x->headed != f)
		head(x, f);
	x->headed = f;
	put(x->to, f->name);
	put(x->to, suffix);
	if (labels.len > 0 || le != NULL) {
		put(x->to, "{");
		buffer_put(x->to, labels);
		if (le != NULL) {
			put(x->to, labels.len > 0 ? ",le=\"" : "le=\"");
			put(x->to, le);
			put(x->to, "\"");
		}
		put(x->to, "}");
	}
	put(x->to, " ");
}

/* The shortest decimal that reads back as the same number. */
static void
put_value(struct buffer *to, double value)
{
	char text[32];

	if (isinf(value)) {
		put(to, value < 0 ? "-Inf\n" : "+Inf\n");
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	put(to, text);
	put(to, "\n");
}

void
exposition_count(struct exposition *x, const struct family *f, struct slice labels, uint64_t value)
{
	sample(x, f, "", labels, NULL);
	buffer_printf(x->to, "%llu\n", (unsigned long long)value);
}

void
exposition_value(struct exposition *x, const struct family *f, struct slice labels, double value)
{
	sample(x, f, "", labels, NULL);
	put_value(x->to, value);
}

void
exposition_histogram(struct exposition *x, const struct family *f, struct slice labels,
    const uint64_t *buckets, double sum)
{
	uint64_t below = 0;

	for (unsigned i = 0; i <= DELIVERY_BUCKETS; i++) {
		below += buckets[i];
		sample(x, f, "_bucket", labels, bound_names[i]);
		buffer_printf(x->to, "%llu\n", (unsigned long long)below);
	}
	sample(x, f, "_sum", labels, NULL);
	put_value(x->to, sum);
	sample(x, f, "_count", labels, NULL);
	buffer_printf(x->to, "%llu\n", (unsigned long long)below);
}
