/*
 * Helm's templates in the texts of values, as far as the chart's own values have them:
 *
 *	{{ .Values.a.b }}	the value, or the chart's own
 *	{{ .Values.a | default "x" | quote }}
 *	{{ .Release.Name }}	fluent-bit
 *
 * No line is added or taken away, so that findings have theirs.
 */
#include "chart.h"
#include "memory.h"

/* What the chart has where the values have none. */
static const struct {
	const char *name, *value;
} own[] = {
	{ ".Values.logLevel", "info" },
	{ ".Values.metricsPort", "2020" },
	{ ".Values.flush", "1" },
	{ ".Values.service.port", "2020" },
	{ ".Release.Name", "fluent-bit" },
	{ ".Release.Namespace", "default" },
	{ ".Chart.Name", "fluent-bit" },
};

/* The text between blanks or quotes that ${s} begins with, split off it. */
static struct slice
word_take(struct slice *s)
{
	struct slice word = slice_trim(*s);
	char quote = word.len > 0 && (word.at[0] == '"' || word.at[0] == '`') ? word.at[0] : ' ';
	const char *end;

	if (quote != ' ')
		word = slice_from(word, 1);
	end = memchr(word.at, quote, word.len);
	*s = end != NULL ? slice_from(word, (size_t)(end - word.at) + 1)
			 : slice_from(word, word.len);
	return end != NULL ? slice_cut(word, (size_t)(end - word.at)) : word;
}

/* The chart's own value of ${name}; NULL: none. */
static const char *
own_find(struct slice name)
{
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (slice_eq(name, slice_of(own[i].name)))
			return own[i].value;
	return NULL;
}

/* The value that ${name} (.Values.a.b) has; NULL: none of one line. */
static const char *
value_find(const struct yaml_node *values, struct slice name)
{
	static const struct slice begin = { ".Values.", 8 };
	const struct yaml_node *n = values;
	struct slice rest = name;
	char key[128];

	if (slice_starts(name, begin)) {
		rest = slice_from(name, begin.len);
		while (n != NULL && rest.len > 0) {
			const char *dot = memchr(rest.at, '.', rest.len);
			size_t len = dot != NULL ? (size_t)(dot - rest.at) : rest.len;

			if (len >= sizeof(key))
				return NULL;
			memcpy(key, rest.at, len);
			key[len] = '\0';
			n = yaml_doc_find(n, key);
			rest = slice_from(rest, dot != NULL ? len + 1 : len);
		}
		if (n != NULL && n->kind == YAML_DOC_SCALAR && strchr(n->text, '\n') == NULL)
			return n->text;
	}
	return own_find(name);
}

/* The text for what stands between {{ and }}, into ${to}; false: it is not known. */
static bool
action_take(const struct yaml_node *values, struct slice inside, struct buffer *to)
{
	struct slice rest, name, value;
	const char *found;
	bool quoted = false, known;

	if (inside.len > 0 && inside.at[0] == '-')
		inside = slice_from(inside, 1);
	if (inside.len > 0 && inside.at[inside.len - 1] == '-')
		inside.len--;
	rest = slice_trim(inside);
	known = rest.len > 0 && (rest.at[0] == '"' || rest.at[0] == '`');
	name = word_take(&rest);
	found = known ? NULL : value_find(values, name);
	value = found != NULL ? slice_of(found) : known ? name : (struct slice){ "", 0 };
	known |= found != NULL;
	for (rest = slice_trim(rest); rest.len > 0; rest = slice_trim(rest)) {
		struct slice bar = word_take(&rest), verb = word_take(&rest);

		if (!slice_eq(bar, SLICE("|")))
			return false;
		if (slice_eq(verb, SLICE("default"))) {
			struct slice other = word_take(&rest);

			value = value.len > 0 ? value : other;
			known = true;
		} else if (slice_eq(verb, SLICE("quote"))) {
			quoted = true;
		} else if (!slice_eq(verb, SLICE("int")) && !slice_eq(verb, SLICE("toString"))) {
			return false;
		}
	}
	buffer_put(to, quoted ? SLICE("\"") : SLICE(""));
	buffer_put(to, value);
	buffer_put(to, quoted ? SLICE("\"") : SLICE(""));
	return known;
}

static unsigned
line_at(const struct yaml_node *n, const char *at)
{
	unsigned line = n->literal ? n->begins + 1 : n->line;

	for (const char *c = n->text; n->literal && c < at; c++)
		line += *c == '\n';
	return line;
}

/* A value may be a secret: it is shown where it is of the chart's own names. */
static void
action_say(struct manifest *m, unsigned line, struct slice inside, struct slice taken)
{
	struct slice rest = slice_trim(inside), name = word_take(&rest);

	if (own_find(name) != NULL)
		findings_add(m->findings, FINDING_NOTE, m->file, line,
		    "{{ %.*s }} is taken as '%.*s'", (int)name.len, name.at,
		    (int)least(taken.len, 60), taken.at);
	else
		findings_add(m->findings, FINDING_NOTE, m->file, line,
		    "{{ %.*s }} is taken from these values", (int)least(name.len, 60), name.at);
}

/* Replace what stands between {{ and }}; without a line less. */
static void
action_replace(struct manifest *m, const struct yaml_node *values, unsigned line,
    struct slice inside, struct buffer *out)
{
	size_t before = out->len;
	bool known = memchr(inside.at, '\n', inside.len) == NULL;

	known = known && action_take(values, inside, out);
	if (known) {
		action_say(m, line, inside, (struct slice){ out->at + before, out->len - before });
		return;
	}
	findings_add(m->findings, FINDING_ERROR, m->file, line,
	    "the template {{%.*s… is not read: check what `helm template` prints",
	    (int)least(strcspn(inside.at, "\n\"`}"), 60), inside.at);
	for (size_t i = 0; i < inside.len; i++)
		if (inside.at[i] == '\n')
			buffer_put(out, SLICE("\n"));
}

char *
chart_template(struct manifest *m, const struct yaml_node *values, const struct yaml_node *n)
{
	const char *at = n->text, *open, *close;
	struct buffer out;
	char *text;

	buffer_init(&out, 0);
	while ((open = strstr(at, "{{")) != NULL && (close = strstr(open, "}}")) != NULL) {
		struct slice inside = { open + 2, (size_t)(close - open) - 2 };

		buffer_put(&out, (struct slice){ at, (size_t)(open - at) });
		action_replace(m, values, line_at(n, open), inside, &out);
		at = close + 2;
	}
	buffer_put(&out, slice_of(at));
	text = pool_text(m->pool, buffer_slice(&out));
	buffer_fini(&out);
	return text;
}
