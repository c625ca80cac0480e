/*
 * A configured parser may give a field any name.  One that the runtime, the pod
 * or the record itself has written already, and one whose value the mapping
 * refuses under its name, goes under log_parsed.extra; all others stand at the
 * document's root.  Nothing that was parsed vanishes.
 */
#include "aside.h"

#include <assert.h>

#include "json.h"
#include "pod.h"
#include "timestamp.h"

/* One bit a field. */
static_assert(RECORD_FIELDS <= 64, "a bit for each field of a record");

/* ---- values that the mapping takes */

static bool
is_null(const struct field *f)
{
	return f->kind == VALUE_JSON && (f->value.len == 0 || f->value.at[0] == 'n');
}

/* keyword */
static bool
fits_word(const struct field *f)
{
	return f->kind != VALUE_JSON || f->value.len == 0 ||
	       (f->value.at[0] != '{' && f->value.at[0] != '[');
}

/* date_nanos: RFC 3339, as strictly as servers read it, or milliseconds of 1970 to 2255. */
static bool
fits_time(const struct field *f)
{
	struct slice t = f->value;
	int64_t ns;
	size_t used;

	if (f->kind == VALUE_JSON) {
		for (size_t i = 0; i < t.len; i++)
			if (t.at[i] < '0' || t.at[i] > '9')
				return is_null(f);
		return t.len < 13 || (t.len == 13 && t.at[0] < '9');
	}
	if (timestamp_rfc3339(t, &ns, &used) != PARSE_OK || used != t.len || t.len < 20)
		return false;
	if (t.at[10] != 'T' || t.at[17] == '6')
		return false;
	if (t.at[t.len - 1] == 'Z')
		return true;
	return t.len >= 25 && t.at[t.len - 3] == ':' &&
	       (t.at[t.len - 5] == '0' || (t.at[t.len - 5] == '1' && t.at[t.len - 4] < '8'));
}

static bool
fits_boolean(const struct field *f)
{
	return slice_eq(f->value, SLICE("true")) || slice_eq(f->value, SLICE("false")) ||
	       is_null(f);
}

static bool
fits_object(const struct field *f)
{
	return is_null(f) || (f->kind == VALUE_JSON && f->value.at[0] == '{');
}

static bool
fits_never(const struct field *f)
{
	(void)f;
	return false;
}

/* ---- names that the document has of its own */

enum { ALWAYS = 1, OF_RUNTIME = 2, OF_POD = 4, OF_SPACE = 8, OF_CUT = 16 };

static const struct {
	struct slice name;
	unsigned written; /* by what; bits */
	bool leaf;        /* NAME.x cannot be beside it */
	bool (*fits)(const struct field *f);
} names[] = {
	{ { "@timestamp", 10 }, ALWAYS, true, fits_never },
	{ { "time", 4 }, OF_RUNTIME, true, fits_time },
	{ { "stream", 6 }, OF_RUNTIME, true, fits_word },
	{ { "logtag", 6 }, OF_RUNTIME, true, fits_word },
	{ { "log", 3 }, 0, true, fits_word }, /* the text has it: rules->log_key */
	{ { "log_truncated", 13 }, OF_CUT, true, fits_boolean },
	{ { "kubernetes", 10 }, OF_POD, false, fits_object },
	{ { "kubernetes_namespace", 20 }, OF_SPACE, false, fits_object },
	{ { "log_parsed", 10 }, ALWAYS, true, fits_never },
	{ { "log_parsed_dropped", 18 }, ALWAYS, true, fits_never },
	/* servers' own: a document that has one is refused, by one product or by both */
	{ { "_id", 3 }, ALWAYS, true, fits_never },
	{ { "_index", 6 }, ALWAYS, true, fits_never },
	{ { "_source", 7 }, ALWAYS, true, fits_never },
	{ { "_routing", 8 }, ALWAYS, true, fits_never },
	{ { "_version", 8 }, ALWAYS, true, fits_never },
	{ { "_seq_no", 7 }, ALWAYS, true, fits_never },
	{ { "_primary_term", 13 }, ALWAYS, true, fits_never },
	{ { "_field_names", 12 }, ALWAYS, true, fits_never },
	{ { "_ignored", 8 }, ALWAYS, true, fits_never },
	{ { "_ignored_source", 15 }, ALWAYS, true, fits_never },
	{ { "_nested_path", 12 }, ALWAYS, true, fits_never },
	{ { "_doc_count", 10 }, ALWAYS, true, fits_never },
	{ { "_data_stream_timestamp", 22 }, ALWAYS, true, fits_never },
};

static unsigned
written(const struct record *r)
{
	return ALWAYS | (r->time_text.len > 0 ? OF_RUNTIME : 0) | (r->pod != NULL ? OF_POD : 0) |
	       (r->pod != NULL && r->pod->space != NULL ? OF_SPACE : 0) |
	       (r->truncated ? OF_CUT : 0);
}

/* Servers take no name with a part, between dots, that is empty or blank. */
static bool
has_empty_part(struct slice name)
{
	bool empty = true;

	for (size_t i = 0; i < name.len; i++) {
		if (name.at[i] == '.' && empty)
			return true;
		empty = name.at[i] == '.' || (empty && json_is_blank(name.at[i]));
	}
	return empty;
}

static bool
is_aside(
    const struct field *f, const struct document_rules *rules, const struct record *r, unsigned by)
{
	const char *dot = memchr(f->name.at, '.', f->name.len);
	struct slice first = f->name;

	if (has_empty_part(f->name) || slice_eq(f->name, rules->time_key) ||
	    slice_eq(f->name, rules->tag_key) || slice_eq(f->name, rules->parsed_key) ||
	    (r->has_log && slice_eq(f->name, rules->log_key)))
		return true;
	if (dot != NULL)
		first.len = (size_t)(dot - first.at);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (slice_eq(first, names[i].name))
			return dot != NULL ? names[i].leaf
					   : (names[i].written & by) != 0 || !names[i].fits(f);
	}
	return false;
}

bool
aside_takes(const struct document_rules *rules, const struct record *r, const struct field *f)
{
	const struct record plain = { .truncated = r->truncated };

	if (slice_eq(f->name, rules->log_key) || slice_eq(f->name, SLICE("log")))
		return fits_word(f);
	if (slice_eq(f->name, rules->parsed_key))
		return fits_object(f);
	return !is_aside(f, rules, &plain, written(&plain));
}

struct aside
aside_of(const struct document_rules *rules, const struct record *r)
{
	struct aside aside = { r->fields, 0 };
	unsigned by = r->nfields > 0 ? written(r) : 0;

	for (int i = 0; i < r->nfields; i++)
		aside.which |= (uint64_t)is_aside(&r->fields[i], rules, r, by) << i;
	return aside;
}
