/*
 * The formats of the file output, made of a document's members:
 *
 *	out_file	tag: [SECONDS.NANOSECONDS, {…}]
 *	plain		{…}
 *	csv		SECONDS.NANOSECONDS,"text",12
 *	ltsv		time:SECONDS.NANOSECONDS<tab>log:text<tab>…
 *	template	{time} {log}
 */
#include "file_format.h"

#include <stdio.h>
#include <strings.h>

#include "clock.h"
#include "json.h"

/* ---- pieces of lines */

static void
put(struct buffer *to, struct slice s)
{
	(void)buffer_put(to, s); /* it has no cap */
}

static void
time_put(struct buffer *to, int64_t time, int digits)
{
	int64_t second = time / NS_PER_S, rest = time % NS_PER_S;

	if (rest < 0) {
		second--;
		rest += NS_PER_S;
	}
	buffer_printf(to, "%lld.%0*lld", (long long)second, digits,
	    (long long)(digits == 9 ? rest : rest / 1000));
}

/* The text of a string, of other values their JSON; line breaks and tabs stay escapes. */
static void
text_put(struct buffer *to, const struct json_value *v)
{
	struct slice s = v->text;

	for (size_t i = 0; i < s.len; i++) {
		if (v->kind == JSON_STRING && s.at[i] == '\\' && i + 1 < s.len &&
		    strchr("\"/\\", s.at[i + 1]) != NULL)
			i++;
		put(to, (struct slice){ s.at + i, 1 });
	}
}

/* Quotes are doubled, as readers of CSV have it (RFC 4180). */
static void
csv_put(struct buffer *to, const struct json_value *v)
{
	put(to, SLICE("\""));
	for (size_t i = 0; i < v->text.len; i++) {
		char c = v->text.at[i];

		if (v->kind == JSON_STRING && c == '\\' && i + 1 < v->text.len &&
		    v->text.at[i + 1] == '"')
			continue;
		put(to, c == '"' ? SLICE("\"\"") : (struct slice){ &c, 1 });
	}
	put(to, SLICE("\""));
}

static bool
is_plain(const struct json_value *v)
{
	return v->kind != JSON_STRING && v->kind != JSON_OBJECT && v->kind != JSON_ARRAY;
}

/* ---- templates */

/* A member of this name, or of these names with dots between, one inside of the other. */
static bool
value_find(struct slice object, struct slice name, struct json_value *to)
{
	if (json_member(object, name, to))
		return true;
	for (size_t i = 1; i + 1 < name.len; i++)
		if (name.at[i] == '.' && json_member(object, (struct slice){ name.at, i }, to) &&
		    to->kind == JSON_OBJECT && value_find(to->text, slice_from(name, i + 1), to))
			return true;
	return false;
}

static void
template_write(const struct file_format *f, const struct file_line *line, struct buffer *to)
{
	for (const char *at = f->template; *at != '\0';) {
		size_t plain = strcspn(at, "{"), name = strcspn(at + plain, "}");
		struct slice whole = { at + plain, name + 1 }, inside;
		struct json_value value;

		put(to, (struct slice){ at, plain });
		at += plain;
		if (*at == '\0')
			return;
		if (at[name] == '\0') {
			put(to, slice_of(at));
			return;
		}
		inside = (struct slice){ at + 1, name - 1 };
		if (slice_eq(inside, SLICE("time")))
			time_put(to, line->time, 6);
		else if (value_find(line->document, inside, &value))
			text_put(to, &value);
		else
			put(to, whole); /* as it stands: it may be meant so */
		at += whole.len;
	}
}

/* ---- lines */

static void
members_write(const struct file_format *f, const struct file_line *line, struct buffer *to)
{
	bool ltsv = f->form == FILE_LTSV;
	struct json_walk walk;
	struct json_value value;
	struct slice name;

	if (ltsv) {
		put(to, SLICE("time"));
		put(to, slice_of(f->label_delimiter));
	}
	time_put(to, line->time, 9);
	json_enter(&walk, line->document);
	while (json_next(&walk, &name, &value) == PARSE_OK) {
		/* The runtime's time has the label already, and says the same. */
		if (ltsv && slice_eq(name, SLICE("time")))
			continue;
		put(to, slice_of(f->delimiter));
		if (ltsv) {
			put(to, name);
			put(to, slice_of(f->label_delimiter));
			text_put(to, &value);
		} else if (is_plain(&value)) {
			put(to, value.text);
		} else {
			csv_put(to, &value);
		}
	}
}

void
file_format_write(const struct file_format *f, const struct file_line *line, struct buffer *to)
{
	switch (f->form) {
	case FILE_OUT:
		put(to, line->tag);
		put(to, SLICE(": ["));
		time_put(to, line->time, 9);
		put(to, SLICE(", "));
		put(to, line->document);
		put(to, SLICE("]"));
		break;
	case FILE_PLAIN:
		put(to, line->document);
		break;
	case FILE_CSV:
	case FILE_LTSV:
		members_write(f, line, to);
		break;
	case FILE_TEMPLATE:
		template_write(f, line, to);
	}
	put(to, SLICE("\n"));
}

/* ---- configuration, and names */

bool
file_format_delimiter(const char *text, char to[8])
{
	static const struct {
		const char *name, *is;
	} names[] = { { "tab", "\t" }, { "\\t", "\t" }, { "space", " " }, { "comma", "," } };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcasecmp(names[i].name, text) == 0)
			text = names[i].is;
	snprintf(to, 8, "%s", text);
	return text[0] != '\0' && strlen(text) < 8;
}

void
file_format_name(struct slice tag, char to[FILE_NAME])
{
	size_t n = 0;

	for (; n < tag.len && n < FILE_NAME - 1; n++) {
		unsigned char c = (unsigned char)tag.at[n];

		to[n] = c <= ' ' || c >= 0x7f || c == '/' || c == '\\' ? '_' : (char)c;
	}
	if (n == 0)
		to[n++] = '_';
	if (to[0] == '.')
		to[0] = '_';
	to[n] = '\0';
}
