/* Families as text 0.0.4 and OpenMetrics 1.0: escaping, numbers, histograms. */
#include "exposition.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "shown.h"

static const char *const kind_names[] = { "counter", "gauge", "histogram", "info" };

/* ---- labels */

size_t
exposition_label_clean(struct slice value, char *to)
{
	static const char replacement[] = "\xef\xbf\xbd";
	size_t len = 0;

	while (len < value.len && len < LABEL_MAX && value.at[len] >= ' ' && value.at[len] < 0x7f) {
		to[len] = value.at[len];
		len++;
	}
	value = slice_from(value, len);
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

/* {LABELS[,le="BOUND"]} and the blank behind it. */
static void
put_labels(struct exposition *x, struct slice labels, const char *le)
{
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
	put_labels(x, labels, le);
}

/* The shortest decimal that reads back as the same number. */
static void
decimal(char text[DECIMAL_MAX], double value)
{
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, DECIMAL_MAX, "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
}

static void
put_value(struct buffer *to, double value)
{
	char text[DECIMAL_MAX];

	if (isinf(value)) {
		put(to, value < 0 ? "-Inf" : "+Inf");
		return;
	}
	decimal(text, value);
	put(to, text);
}

/* The time in seconds since the epoch, to the millisecond. */
static void
put_time(struct buffer *to, int64_t ns)
{
	buffer_printf(
	    to, "%lld.%03lld", (long long)(ns / NS_PER_S), (long long)(ns % NS_PER_S / NS_PER_MS));
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
	put(x->to, "\n");
}

void
exposition_created(
    struct exposition *x, const struct family *f, struct slice labels, int64_t created)
{
	if (!x->openmetrics || created <= 0)
		return;
	buffer_put(x->to, family_name(x, f));
	put(x->to, "_created");
	put_labels(x, labels, NULL);
	put_time(x->to, created);
	put(x->to, "\n");
}

/* ---- histograms */

/*
 * Bounds are written with a fraction in both formats, as OpenMetrics demands,
 * so that a series has one name in both.
 */
void
metrics_buckets(struct buckets *b, const double *at, unsigned n)
{
	b->n = n;
	for (unsigned i = 0; i < n; i++) {
		char text[DECIMAL_MAX];

		b->at[i] = at[i];
		decimal(text, at[i]);
		snprintf(b->names[i], sizeof(b->names[i]), "%s%s", text,
		    strpbrk(text, ".e") == NULL ? ".0" : "");
	}
}

static void
put_exemplar(struct exposition *x, const struct exemplar *e)
{
	char clean[LABEL_MAX];
	struct slice id = { e->id, e->len };

	if (!x->openmetrics || e->len == 0)
		return;
	put(x->to, " # {task_id=\"");
	put_escaped(x->to, (struct slice){ clean, exposition_label_clean(id, clean) }, true);
	put(x->to, "\"} ");
	put_value(x->to, e->value);
	if (e->time <= 0)
		return;
	put(x->to, " ");
	put_time(x->to, e->time);
}

void
exposition_histogram(struct exposition *x, const struct family *f, struct slice labels,
    const struct shown_histogram *h)
{
	uint64_t below = 0;

	for (unsigned i = 0; i <= h->bounds->n; i++) {
		below += h->counts[i];
		sample(x, f, "_bucket", labels, i < h->bounds->n ? h->bounds->names[i] : "+Inf");
		buffer_printf(x->to, "%llu", (unsigned long long)below);
		if (h->exemplars != NULL)
			put_exemplar(x, &h->exemplars[i]);
		put(x->to, "\n");
	}
	sample(x, f, "_sum", labels, NULL);
	put_value(x->to, h->sum);
	put(x->to, "\n");
	sample(x, f, "_count", labels, NULL);
	buffer_printf(x->to, "%llu\n", (unsigned long long)below);
}
