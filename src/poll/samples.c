/* One pass over the bytes; a line of ours is read when it has ended. */
#include "samples.h"

#include <math.h>
#include <stdlib.h>

#define NAME_BYTES 64    /* no name of ours is longer */
#define NUMBER_MOST 1e15 /* below it a double holds each whole number */

/* The meaning of a sample. */
enum meaning {
	STATE = AGENT_NUMBERS, /* below it: enum agent_number */
	BUILD,
};

/* Names of agents since 2026-05 (matillion_agent_…_unit), since 2026-02, and as the guide has them. */
static const struct known {
	const char *name;
	unsigned meaning;
} known[] = {
	{ "matillion_agent_task_running_unit", AGENT_SAID_TASKS },
	{ "matillion_agent_request_active_unit", AGENT_SAID_REQUESTS },
	{ "matillion_agent_open_sessions_unit", AGENT_SAID_SESSIONS },
	{ "matillion_agent_connected_unit", AGENT_SAID_CONNECTED },
	{ "matillion_agent_status_unit", STATE },
	{ "matillion_agent_version_unit", BUILD },
	{ "app_active_task_count", AGENT_SAID_TASKS },
	{ "app_active_request_count", AGENT_SAID_REQUESTS },
	{ "app_open_sessions_count", AGENT_SAID_SESSIONS },
	{ "app_open_sessions", AGENT_SAID_SESSIONS },
	{ "app_agent_connected", AGENT_SAID_CONNECTED },
	{ "app_agent_status", STATE },
	{ "app_version_info", BUILD },
	{ "app_build_info", BUILD },
};

/* Labels of a build. */
static const struct {
	const char *name;
	enum agent_text text;
} build_labels[] = {
	{ "version", AGENT_SAID_VERSION },
	{ "commit", AGENT_SAID_COMMIT },
	{ "commit_hash", AGENT_SAID_COMMIT },
	{ "commitHash", AGENT_SAID_COMMIT },
	{ "build_timestamp", AGENT_SAID_BUILT },
	{ "buildTimestamp", AGENT_SAID_BUILT },
};

static bool
is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == ':';
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct slice
blanks_pass(struct slice s)
{
	while (s.len > 0 && is_blank(s.at[0]))
		s = slice_from(s, 1);
	return s;
}

/* Cut a name off the begin of *s. */
static struct slice
name_take(struct slice *s)
{
	size_t n = 0;
	struct slice name;

	while (n < s->len && is_name(s->at[n]))
		n++;
	name = slice_cut(*s, n);
	*s = slice_from(*s, n);
	return name;
}

static const struct known *
known_find(struct slice name)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (slice_eq(name, slice_of(known[i].name)))
			return &known[i];
	}
	return NULL;
}

/* ---- labels */

/* The text that a label's value goes to; NULL: none, or it has been said. */
static char *
text_for(struct agent_said *said, struct slice name)
{
	for (size_t i = 0; i < sizeof(build_labels) / sizeof(build_labels[0]); i++) {
		char *text = said->text[build_labels[i].text];

		if (slice_eq(name, slice_of(build_labels[i].name)) && text[0] == '\0')
			return text;
	}
	return NULL;
}

/* Read a value behind its opening quote to ${to} (NULL: nowhere), cut to its size; false: it has no end. */
static bool
value_take(struct slice *s, char *to)
{
	size_t n = 0, i = 0;

	for (; i < s->len && s->at[i] != '"'; i++) {
		char c = s->at[i];

		if (c == '\\' && i + 1 < s->len)
			c = s->at[++i] != 'n' ? s->at[i] : '\n';
		if (to != NULL && n < AGENT_SAID_TEXT - 1 && c != '\0')
			to[n++] = c;
	}
	if (to != NULL)
		to[n] = '\0';
	if (i == s->len)
		return false;
	*s = slice_from(*s, i + 1);
	return true;
}

/* {name="value",…}: its texts go to ${said}, unless it is NULL; false: it is broken. */
static bool
labels_take(struct slice *s, struct agent_said *said)
{
	*s = slice_from(*s, 1);
	for (;;) {
		struct slice name;

		*s = blanks_pass(*s);
		name = name_take(s);
		if (name.len == 0)
			break;
		*s = blanks_pass(*s);
		if (s->len == 0 || s->at[0] != '=')
			return false;
		*s = blanks_pass(slice_from(*s, 1));
		if (s->len == 0 || s->at[0] != '"')
			return false;
		*s = slice_from(*s, 1);
		if (!value_take(s, said != NULL ? text_for(said, name) : NULL))
			return false;
		*s = blanks_pass(*s);
		if (s->len == 0 || s->at[0] != ',')
			break;
		*s = slice_from(*s, 1);
	}
	if (s->len == 0 || s->at[0] != '}')
		return false;
	*s = slice_from(*s, 1);
	return true;
}

/* ---- numbers */

double
samples_number(double value)
{
	return value >= 0 && value <= NUMBER_MOST ? value : NAN;
}

enum agent_state
samples_state(double number)
{
	if (isnan(number))
		return AGENT_STATES;
	return number == floor(number) && number < AGENT_UNKNOWN ? (enum agent_state)number
								 : AGENT_UNKNOWN;
}

/* A decimal number, up to a blank or the end; NAN: there is none. */
static double
number_take(struct slice s)
{
	char text[40], *end;
	size_t n = 0;
	double value;

	while (n < s.len && !is_blank(s.at[n]))
		n++;
	if (n == 0 || n >= sizeof(text))
		return NAN;
	memcpy(text, s.at, n);
	text[n] = '\0';
	if (strspn(text, "0123456789+-.eE") != n)
		return NAN;
	value = strtod(text, &end);
	return *end == '\0' ? samples_number(value) : NAN;
}

/* ---- a line */

static void
sample_take(struct samples *s, unsigned meaning, struct slice rest)
{
	struct agent_said *said = s->said;
	double value = number_take(rest);

	if (isnan(value))
		return;
	if (meaning == STATE) {
		if (said->state == AGENT_STATES)
			said->state = samples_state(value);
	} else if (isnan(said->number[meaning])) {
		said->number[meaning] = meaning == AGENT_SAID_CONNECTED ? value != 0 : value;
	}
	s->known++;
}

/* NAME[{LABELS}] VALUE [TIMESTAMP] [# EXEMPLAR]: a line of ours. */
static void
line_take(struct samples *s)
{
	struct slice line = slice_trim_end((struct slice){ s->line, s->len });
	const struct known *k = known_find(name_take(&line));
	bool build = k != NULL && k->meaning == BUILD;

	if (k == NULL)
		return;
	line = blanks_pass(line);
	if (line.len > 0 && line.at[0] == '{' && !labels_take(&line, build ? s->said : NULL))
		return;
	if (!build)
		sample_take(s, k->meaning, blanks_pass(line));
}

/* A byte that may be of a name. */
static void
name_byte(struct samples *s, char c)
{
	if (is_blank(c) && s->len == 0)
		return;
	if (is_name(c) && s->len < NAME_BYTES) {
		s->line[s->len++] = c;
		return;
	}
	s->place =
	    known_find((struct slice){ s->line, s->len }) != NULL ? SAMPLES_KEEP : SAMPLES_PASS;
	s->line[s->len++] = c;
}

static void
byte(struct samples *s, char c)
{
	if (c == '\n') {
		samples_end(s);
	} else if (s->place == SAMPLES_NAME) {
		name_byte(s, c);
	} else if (s->place == SAMPLES_KEEP) {
		s->line[s->len++] = c;
		if (s->len == SAMPLES_LINE)
			s->place = SAMPLES_PASS;
	}
}

void
samples_begin(struct samples *s, struct agent_said *said)
{
	s->said = said;
	s->known = 0;
	s->place = SAMPLES_NAME;
	s->len = 0;
	agent_polled_clear(said);
}

void
samples_feed(struct samples *s, struct slice piece)
{
	for (size_t i = 0; i < piece.len; i++)
		byte(s, piece.at[i]);
}

void
samples_end(struct samples *s)
{
	if (s->place == SAMPLES_KEEP)
		line_take(s);
	s->place = SAMPLES_NAME;
	s->len = 0;
}
