/*
 * agent-events.conf into compiled words: sections [EVENT] (Word, Means) and
 * [KEY] (Name, Field, Unit).  agent.h has the meaning of the words; this file
 * only reads and checks them.
 */
#include "agent_conf.h"

#include <stdlib.h>
#include <strings.h>

#include "agent.h"
#include "service.h"

#define ENTRIES_MAX 3

static const char *const event_keys[] = { "Word", "Means" };
static const char *const key_keys[] = { "Name", "Field", "Unit" };
static const char *const section_names_known[] = { "EVENT", "KEY" };

static const struct {
	const char *name;
	double seconds;
} units[] = {
	{ "s", 1 },
	{ "ms", 0.001 },
	{ "us", 0.000001 },
	{ "ns", 0.000000001 },
	{ "m", 60 },
	{ "h", 3600 },
	{ "d", 86400 },
};

static size_t
count(const char *const *names)
{
	size_t n = 0;

	while (names[n] != NULL)
		n++;
	return n;
}

/* The place of ${word} among ${n} names, or -1 with a finding. */
static int
choose(const struct conf_block *b, const struct conf_entry *e, const char *const *names, size_t n,
    struct findings *findings)
{
	const char *near;

	for (size_t i = 0; i < n; i++)
		if (strcasecmp(names[i], e->value) == 0)
			return (int)i;
	near = findings_nearest(e->value, names, n);
	findings_add(findings, FINDING_ERROR, b->file, e->line, "%s cannot be '%s'%s%s%s", e->key,
	    e->value, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	return -1;
}

/* Sort the entries of ${b} by ${keys} into ${at}; an unknown or repeated entry is a finding. */
static bool
entries_sort(const struct conf_block *b, const char *const *keys, size_t n,
    const struct conf_entry *at[ENTRIES_MAX], struct findings *findings)
{
	bool good = true;

	for (size_t i = 0; i < b->n; i++) {
		const struct conf_entry *e = &b->entries[i];
		size_t k = 0;

		while (k < n && strcasecmp(keys[k], e->key) != 0)
			k++;
		if (k == n) {
			const char *near = findings_nearest(e->key, keys, n);

			findings_add(findings, FINDING_ERROR, b->file, e->line,
			    "no entry '%s' in [%s]%s%s%s", e->key, b->name,
			    near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
			good = false;
		} else if (at[k] != NULL) {
			findings_add(findings, FINDING_ERROR, b->file, e->line,
			    "%s is given twice in this [%s]; begin another [%s] for another word",
			    keys[k], b->name, b->name);
			good = false;
		} else {
			at[k] = e;
		}
	}
	for (size_t k = 0; k < 2; k++) {
		if (at[k] == NULL) {
			findings_add(findings, FINDING_ERROR, b->file, b->line, "[%s] needs %s",
			    b->name, keys[k]);
			good = false;
		}
	}
	return good;
}

static void
refused(const struct conf_block *b, const struct conf_entry *e, struct findings *findings)
{
	findings_add(findings, FINDING_ERROR, b->file, e->line,
	    "'%s' cannot be a word here: letters, digits, _ - . and one space within, at most 63 "
	    "bytes, at most 512 words",
	    e->value);
}

static void
event_read(struct agent_words *w, const struct conf_block *b, struct findings *findings)
{
	const struct conf_entry *at[ENTRIES_MAX] = { NULL };
	int means;

	if (!entries_sort(b, event_keys, 2, at, findings))
		return;
	means = choose(b, at[1], agent_event_names, count(agent_event_names), findings);
	if (means >= 0 && agent_words_event(w, slice_of(at[0]->value), (enum event)means) != 0)
		refused(b, at[0], findings);
}

static void
key_read(struct agent_words *w, const struct conf_block *b, struct findings *findings)
{
	const size_t n = sizeof(units) / sizeof(*units);
	const struct conf_entry *at[ENTRIES_MAX] = { NULL };
	const char *names[sizeof(units) / sizeof(*units)];
	int field, unit = 0;

	if (!entries_sort(b, key_keys, 3, at, findings))
		return;
	for (size_t i = 0; i < n; i++)
		names[i] = units[i].name;
	field = choose(b, at[1], agent_field_names, count(agent_field_names), findings);
	if (at[2] != NULL)
		unit = choose(b, at[2], names, n, findings);
	if (field < 0 || unit < 0)
		return;
	if (at[2] != NULL && field != AGENT_EXECUTION_TIME && field != AGENT_DURATION) {
		findings_add(findings, FINDING_ERROR, b->file, at[2]->line,
		    "Unit means nothing for %s; it is for execution_time and duration",
		    agent_field_names[field]);
		return;
	}
	if (agent_words_key(
		w, slice_of(at[0]->value), (enum agent_field)field, units[unit].seconds) != 0)
		refused(b, at[0], findings);
}

struct agent_words *
agent_conf_read(const char *path, struct findings *findings)
{
	struct agent_words *w = agent_words_new();
	struct conf_blocks *blocks = path == NULL ? NULL : conf_blocks_read(path, findings);

	if (blocks == NULL)
		return w;
	for (size_t i = 0; i < blocks->n; i++) {
		const struct conf_block *b = &blocks->at[i];

		if (strcasecmp(b->name, "EVENT") == 0) {
			event_read(w, b, findings);
		} else if (strcasecmp(b->name, "KEY") == 0) {
			key_read(w, b, findings);
		} else {
			const char *near = findings_nearest(b->name, section_names_known, 2);

			findings_add(findings, FINDING_ERROR, b->file, b->line,
			    "no section [%s] here; there are [EVENT] and [KEY]%s%s%s", b->name,
			    near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
		}
	}
	conf_blocks_free(blocks);
	return w;
}

struct agent_words *
agent_conf_load(const struct service *service, const char *main, struct findings *findings)
{
	const char *name = service->agent_events;
	char *path = conf_find(main, name != NULL ? name : "agent-events.conf");
	struct agent_words *words = agent_conf_read(path, findings);

	if (path == NULL && name != NULL)
		findings_add(findings, FINDING_ERROR, main, 0,
		    "no file '%s' (Agent_Events in [SERVICE])", name);
	free(path);
	return words;
}
