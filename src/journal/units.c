/* Streams by tag.  All of one journal share its log and cursors: they differ in filters and outputs. */
#include "units.h"

#include <stdlib.h>

#include "memory.h"

/* As Fluent Bit has it. */
#define NO_UNIT SLICE("unknown")

static char *
tag_of(const struct units *u, struct slice name)
{
	const char *tag = u->conf->input.tag, *star = strchr(tag, '*');

	if (star == NULL)
		return xstrdup(tag);
	return xprintf("%.*s%.*s%s", (int)(star - tag), tag, (int)name.len, name.at, star + 1);
}

static bool
is_tag(const struct units *u, const char *tag, struct slice name)
{
	const char *format = u->conf->input.tag, *star = strchr(format, '*');
	size_t before = (size_t)(star - format);

	return strlen(tag) == strlen(format) - 1 + name.len &&
	       memcmp(tag + before, name.at, name.len) == 0;
}

static void
unit_end(struct units *u, struct unit *unit)
{
	for (int side = 0; side < SIDES; side++)
		unit->stream.counted[side] = u->counted;
	u->on_stream(u->arg, &unit->stream, false);
	TAILQ_REMOVE(&u->all, unit, in_units);
	u->n--;
	free(unit->stream.path);
	free(unit->stream.tag);
	free(unit);
}

static struct unit *
unit_new(struct units *u, struct slice name)
{
	struct unit *unit = xcalloc(1, sizeof(*unit));

	if (u->n >= (size_t)u->conf->max_units)
		unit_end(u, TAILQ_LAST(&u->all, unit_list));
	unit->stream = (struct stream){ .log = u->log,
		.conf = u->shown,
		.path = xstrdup(u->path),
		.tag = tag_of(u, name),
		.cursors = u->cursors };
	for (int side = 0; side < SIDES; side++)
		unit->stream.counted[side] = u->counted;
	TAILQ_INSERT_HEAD(&u->all, unit, in_units);
	u->n++;
	u->on_stream(u->arg, &unit->stream, true);
	return unit;
}

struct stream *
units_of(struct units *u, struct slice name)
{
	bool is_one = strchr(u->conf->input.tag, '*') == NULL;
	struct unit *unit;

	name = name.len > 0 ? name : NO_UNIT;
	TAILQ_FOREACH (unit, &u->all, in_units) {
		if (is_one || is_tag(u, unit->stream.tag, name))
			break;
	}
	if (unit == NULL)
		return &unit_new(u, name)->stream;
	if (unit != TAILQ_FIRST(&u->all)) {
		TAILQ_REMOVE(&u->all, unit, in_units);
		TAILQ_INSERT_HEAD(&u->all, unit, in_units);
	}
	return &unit->stream;
}

void
units_end(struct units *u)
{
	while (!TAILQ_EMPTY(&u->all))
		unit_end(u, TAILQ_FIRST(&u->all));
}

void
units_follow(struct units *u)
{
	struct unit *unit;

	TAILQ_FOREACH (unit, &u->all, in_units) {
		for (int side = 0; side < SIDES; side++) {
			unit->stream.followed |= unit->stream.counted[side] != u->counted;
			unit->stream.counted[side] = u->counted;
		}
	}
}
