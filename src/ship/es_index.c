/*
 * The index that a record goes to: constant, or named by the record's own
 * time, in UTC, so that an id is always looked for where it was written.
 */
#include "es_index.h"

#include <stdio.h>
#include <time.h>

#include "clock.h"

const char *
es_index_fixed(const struct es_conf *conf)
{
	return conf->logstash_format || strchr(conf->index, '%') != NULL ? NULL : conf->index;
}

/* The format is the configuration's. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static size_t
index_format(const struct es_conf *conf, const struct tm *tm, char *to)
{
	int n;

	if (!conf->logstash_format)
		return strftime(to, 256, conf->index, tm);
	n = snprintf(to, 200, "%s%s", conf->logstash_prefix, conf->logstash_prefix_separator);
	if (n < 0 || n >= 200)
		n = 0;
	return (size_t)n + strftime(to + n, 256 - (size_t)n, conf->logstash_dateformat, tm);
}

#pragma GCC diagnostic pop

/* Servers take no capital letters in an index's name. */
static size_t
index_make(const struct es_conf *conf, const struct tm *tm, char *to)
{
	size_t len = index_format(conf, tm, to);

	for (size_t i = 0; i < len; i++) {
		if (to[i] >= 'A' && to[i] <= 'Z')
			to[i] = (char)(to[i] - 'A' + 'a');
	}
	return len;
}

/* The servers' rules for names; NULL: the name is right. */
static const char *
name_fault(struct slice name)
{
	if (name.len == 0)
		return "it is empty, or longer than 255 bytes";
	if (strchr("-_+", name.at[0]) != NULL)
		return "it begins with -, _ or +";
	if (slice_eq(name, SLICE(".")) || slice_eq(name, SLICE("..")))
		return "it is a directory's";
	for (size_t i = 0; i < name.len; i++) {
		if (name.at[i] >= 'A' && name.at[i] <= 'Z')
			return "it has a capital letter";
		if (strchr("\\/*?\"<>| ,#:", name.at[i]) != NULL)
			return "it has a blank or one of \\ / * ? \" < > | , # :";
	}
	return NULL;
}

bool
es_index_example(const struct es_conf *conf, char *name, char *why, size_t size)
{
	const struct tm tm = { .tm_year = 126, .tm_mon = 10, .tm_mday = 22, .tm_yday = 325 };
	const char *fixed = es_index_fixed(conf), *fault;
	size_t len;

	if (fixed == NULL)
		len = index_make(conf, &tm, name);
	else
		len = strlen(fixed) < 256 ? (size_t)snprintf(name, 256, "%s", fixed) : 0;
	name[len] = '\0';
	fault = name_fault((struct slice){ name, len });
	if (fault != NULL)
		snprintf(why, size, "%s", fault);
	return fault == NULL;
}

/*
 * How often outputs were made, before any thread runs: after a reload another
 * configuration may lie where the one of before lay.
 */
static unsigned made;

/* The last name is kept: many records of one second follow each other. */
size_t
es_index_write(const void *of, const struct record *r, char *to)
{
	static _Thread_local struct {
		const void *conf;
		unsigned made;
		time_t second;
		size_t len;
		char text[256];
	} last;
	const struct es_conf *conf = of;
	int64_t time = conf->current_time_index ? clock_wall() : r->time;
	time_t second = (time_t)(time / NS_PER_S - (time % NS_PER_S < 0));
	struct tm tm;

	if (last.conf != conf || last.made != made || last.second != second) {
		last.conf = conf;
		last.made = made;
		last.second = second;
		last.len = 0;
		if (gmtime_r(&second, &tm) != NULL)
			last.len = index_make(conf, &tm, last.text);
	}
	memcpy(to, last.text, last.len);
	return last.len;
}

void
es_index_rules(const struct section *output, struct document_rules *rules)
{
	const struct es_conf *conf = es_options_of(output);

	made++;
	rules->keeps_tag = output->plugin == &file_plugin;
	if (conf == NULL)
		return;
	rules->time_key = slice_of(conf->time_key);
	rules->time_digits = conf->time_key_nanos ? 9 : 3;
	rules->tag_key = slice_of(conf->include_tag_key ? conf->tag_key : "");
	rules->operation = slice_of(es_options_operations[conf->operation]);
	rules->index_fixed = slice_of(es_index_fixed(conf));
	rules->index = rules->index_fixed.len == 0 ? es_index_write : NULL;
	rules->action = es_keys_any(&conf->keys) ? es_keys_action : NULL;
	rules->conf = conf;
}
