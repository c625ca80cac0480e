/*
 * A script's file is looked for where the configuration says, and, as ConfigMaps are
 * mounted elsewhere than charts name them, by its last name beside the configuration.
 */
#include "lua_script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "lua_box.h"
#include "memory.h"

#define SCRIPT_MAX (1 << 20) /* bytes: those are written by hand */

struct lua_script {
	struct buffer source;
	char *name;
	struct list env, integers, lists;
	struct lua_box *box;
};

/* ---- the file */

static const char *
last_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* The path of the script, as the caller's string; ${*moved}: it is not where it is named. */
static char *
script_find(const char *name, const char *main, bool *moved)
{
	char *path = conf_find(main, name);

	*moved = false;
	if (path != NULL || name[0] != '/')
		return path;
	*moved = true;
	return conf_find(main, last_name(name));
}

static bool
file_read(const char *path, struct buffer *to)
{
	FILE *file = fopen(path, "re");
	char piece[4096];
	size_t n;
	bool read;

	if (file == NULL)
		return false;
	while ((n = fread(piece, 1, sizeof(piece), file)) > 0 &&
	       buffer_put(to, (struct slice){ piece, n }) == 0)
		;
	read = !ferror(file) && feof(file);
	if (!read && errno == 0)
		errno = EFBIG;
	fclose(file);
	return read;
}

/* ---- the script */

static void
words_add(struct list *words, const char *text)
{
	while (*text != '\0') {
		size_t n = strcspn(text, " \t");

		if (n > 0) {
			words->at = xrealloc(words->at, (words->n + 1) * sizeof(*words->at));
			words->at[words->n++] = xslicedup((struct slice){ text, n });
		}
		text += n + (text[n] != '\0');
	}
}

/* Words with blanks or commas between. */
static struct list
words_of(const struct list *texts)
{
	struct list words = { .n = 0 };

	for (size_t i = 0; i < texts->n; i++)
		words_add(&words, texts->at[i]);
	return words;
}

static void
words_free(struct list *words)
{
	for (size_t i = 0; i < words->n; i++)
		free(words->at[i]);
	free(words->at);
}

/* The source and its name in messages; false after writing ${why}. */
static bool
source_take(
    struct lua_script *s, const struct section *section, const char *main, char *why, size_t size)
{
	const struct lua_conf *conf = section->values;
	bool moved;

	if (conf->script == NULL) {
		s->name = xprintf("%s:%u (code)", section->file, conf_given(section, "code"));
		for (size_t i = 0; i < conf->code.n; i++) {
			buffer_put(&s->source, slice_of(conf->code.at[i]));
			buffer_put(&s->source, SLICE("\n"));
		}
		return true;
	}
	s->name = script_find(conf->script, main, &moved);
	if (s->name == NULL) {
		snprintf(why, size, "script '%s' is not there, and no %s beside %s", conf->script,
		    last_name(conf->script), main);
		return false;
	}
	errno = 0;
	if (!file_read(s->name, &s->source)) {
		snprintf(why, size, "script %s cannot be read: %s", s->name, strerror(errno));
		return false;
	}
	return true;
}

struct lua_script *
lua_script_new(const struct section *section, const char *main, char *why, size_t size)
{
	const struct lua_conf *conf = section->values;
	struct lua_script *s = xcalloc(1, sizeof(*s));

	buffer_init(&s->source, SCRIPT_MAX);
	s->env = words_of(&conf->env);
	s->integers = words_of(&conf->type_int_key);
	s->lists = words_of(&conf->type_array_key);
	if (source_take(s, section, main, why, size)) {
		struct lua_box_conf box = { .name = s->name,
			.source = buffer_slice(&s->source),
			.call = conf->call,
			.memory = conf->max_memory,
			.instructions = (uint64_t)conf->max_instructions,
			.env = (const char *const *)s->env.at,
			.nenv = s->env.n };

		s->box = lua_box_new(&box, why, size);
	}
	if (s->box != NULL)
		return s;
	lua_script_free(s);
	return NULL;
}

void
lua_script_free(struct lua_script *s)
{
	if (s == NULL)
		return;
	lua_box_free(s->box);
	words_free(&s->env);
	words_free(&s->integers);
	words_free(&s->lists);
	buffer_fini(&s->source);
	free(s->name);
	free(s);
}

struct lua_box *
lua_script_box(const struct lua_script *s)
{
	return s->box;
}

const struct list *
lua_script_integers(const struct lua_script *s)
{
	return &s->integers;
}

const struct list *
lua_script_lists(const struct lua_script *s)
{
	return &s->lists;
}

/* ---- check */

void
lua_script_check(const struct section *section, const char *main, struct findings *findings)
{
	const struct lua_conf *conf = section->values;
	unsigned line = conf_given(section, conf->script != NULL ? "script" : "code");
	struct lua_script *s;
	char why[512], *found;
	bool moved = false;

	if ((conf->script == NULL) == (conf->code.n == 0)) {
		findings_add(findings, FINDING_ERROR, section->file, section->line,
		    conf->script == NULL
			? "[FILTER] lua has no script; it needs one, or code"
			: "[FILTER] lua has script and code; one of them has to go");
		return;
	}
	if (conf->call == NULL)
		return; /* the table has refused that */
	found = conf->script != NULL ? script_find(conf->script, main, &moved) : NULL;
	if (found != NULL && moved)
		findings_add(findings, FINDING_WARNING, section->file, line,
		    "script '%s' is not there: %s is taken", conf->script, found);
	free(found);
	s = lua_script_new(section, main, why, sizeof(why));
	if (s == NULL)
		findings_add(findings, FINDING_ERROR, section->file, line, "%s", why);
	else if (conf->env.n == 0 && s->source.len > 0 &&
		 memmem(s->source.at, s->source.len, "os.getenv", 9) != NULL)
		findings_add(findings, FINDING_WARNING, section->file, line,
		    "os.getenv gives nil: the option Env names the variables that a script may have");
	lua_script_free(s);
}
