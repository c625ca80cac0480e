/* The files that a configuration consists of or names, and where they are. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"
#include "table.h"

static char *
readable(char *path)
{
	if (path != NULL && access(path, R_OK) == 0)
		return path;
	free(path);
	return NULL;
}

char *
conf_find(const char *main, const char *name)
{
	const char *slash = strrchr(main, '/');
	char program[4096], *path;
	ssize_t len;

	if (name[0] == '/')
		return readable(xstrdup(name));
	path =
	    readable(slash ? xprintf("%.*s/%s", (int)(slash - main), main, name) : xstrdup(name));
	if (path == NULL)
		path = readable(xstrdup(name)); /* the current directory */
	if (path == NULL)
		path = readable(xprintf(TOWLINE_CONF "/%s", name));
	if (path != NULL)
		return path;
	len = readlink("/proc/self/exe", program, sizeof(program) - 1);
	if (len <= 0)
		return NULL;
	program[len] = '\0';
	slash = strrchr(program, '/');
	return readable(xprintf("%.*s/../conf/%s", (int)(slash - program), program, name));
}

static void
file_named(
    const struct conf *conf, const char *name, void (*each)(void *arg, const char *path), void *arg)
{
	char *found = conf_find(conf->file, name);

	each(arg, name);
	if (found != NULL)
		each(arg, found);
	free(found);
}

static void
option_files(const struct conf *conf, const struct section *s, const struct option *o,
    void (*each)(void *arg, const char *path), void *arg)
{
	const char *value = (const char *)s->values + o->where;
	const struct list *list = (const void *)value;
	char *const *name = (const void *)value;

	if (o->type == OPT_STRING && *name != NULL)
		file_named(conf, *name, each, arg);
	for (size_t i = 0; o->type == OPT_LIST && i < list->n; i++)
		file_named(conf, list->at[i], each, arg);
}

void
conf_files(const struct conf *conf, void (*each)(void *arg, const char *path), void *arg)
{
	each(arg, conf->file);
	for (size_t i = 0; i < conf->n; i++) {
		const struct section *s = &conf->sections[i];
		const struct option *o;

		if (s->file != NULL)
			each(arg, s->file);
		for (size_t row = 0; (o = table_row(s->plugin, row)) != NULL; row++) {
			if (o->flags & OPT_FILE)
				option_files(conf, s, o, each, arg);
		}
	}
}
