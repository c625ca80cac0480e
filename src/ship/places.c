/*
 * An output without an Alias is known to the state by its place (es.0).  Where the
 * outputs were given another order, or one was left out, it is found at its former
 * place by where it goes, and keeps the cursors of that.
 */
#include "places.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "state.h"
#include "voice.h"

#define KEY "output:"

/* By these an output is told from another of its plugin. */
static const char *const tells[] = { "Host", "Cloud_ID", "Index", "Logstash_Prefix",
	"Logstash_Prefix_Key", "Path", "File" };

/* A name, and where the output of that name goes. */
struct place {
	char *name, *to;
	bool taken;
};

struct places {
	struct place at[2 * SHIP_LANES];
	size_t n;
};

static char *
destination(const struct section *s)
{
	const int64_t *port = conf_value(s, "Port");
	struct buffer b;

	buffer_init(&b, 0);
	buffer_printf(&b, "%s %" PRId64, s->plugin->name, port != NULL ? *port : 0);
	for (size_t i = 0; i < sizeof(tells) / sizeof(tells[0]); i++) {
		char *const *value = conf_value(s, tells[i]);

		buffer_printf(&b, "\n%s", value != NULL && *value != NULL ? *value : "");
	}
	buffer_put(&b, (struct slice){ "", 1 });
	return b.at;
}

static void
former_see(void *arg, struct slice key, struct slice value)
{
	struct places *former = arg;

	if (!slice_starts(key, SLICE(KEY)) || value.len == 0 ||
	    former->n == sizeof(former->at) / sizeof(former->at[0]))
		return;
	former->at[former->n++] = (struct place){ .name = xslicedup(slice_from(key, strlen(KEY))),
		.to = xslicedup(value) };
}

static struct place *
place_named(struct places *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++) {
		if (strcmp(p->at[i].name, name) == 0)
			return &p->at[i];
	}
	return NULL;
}

/* Its own place when it went there before, else another one that did; NULL: it is new. */
static struct place *
place_of(struct places *former, const struct place *now)
{
	struct place *own = place_named(former, now->name);

	if (own != NULL && !own->taken && strcmp(own->to, now->to) == 0)
		return own;
	for (size_t i = 0; i < former->n; i++) {
		if (!former->at[i].taken && strcmp(former->at[i].to, now->to) == 0)
			return &former->at[i];
	}
	return NULL;
}

/* A name that no output had, or has. */
static char *
name_free(struct places *former, struct places *now, const char *like)
{
	char *name = xstrdup(like);

	for (unsigned i = 1; place_named(former, name) != NULL || place_named(now, name) != NULL;
	     i++) {
		free(name);
		name = xprintf("%s %u", like, i);
	}
	return name;
}

static void
rename_place(struct place *p, char *name)
{
	free(p->name);
	p->name = name;
}

/*
 * Outputs that went to the same place keep their names, first of all those whose place is
 * the same; of the others each has its place's name, unless that is an output's by now.
 */
static void
places_match(struct places *former, struct places *now)
{
	bool found[SHIP_LANES] = { false };

	for (int elsewhere = 0; elsewhere < 2; elsewhere++) {
		for (size_t i = 0; i < now->n; i++) {
			struct place *of = found[i] ? NULL : place_of(former, &now->at[i]);

			if (of == NULL || (!elsewhere && strcmp(of->name, now->at[i].name) != 0))
				continue;
			found[i] = of->taken = true;
			if (!elsewhere)
				continue;
			say_warn("ship",
			    "output %s is the one that was %s at the last start, and goes on with "
			    "its cursors under that name; give outputs an Alias",
			    now->at[i].name, of->name);
			rename_place(&now->at[i], xstrdup(of->name));
		}
	}
	for (size_t i = 0; i < now->n; i++) {
		const struct place *of = found[i] ? NULL : place_named(former, now->at[i].name);

		if (of != NULL && of->taken)
			rename_place(&now->at[i], name_free(former, now, now->at[i].name));
	}
}

static void
places_store(struct state *state, const struct places *former, struct places *now)
{
	for (size_t i = 0; i < former->n + now->n; i++) {
		const struct place *p = i < former->n ? &former->at[i] : &now->at[i - former->n];
		char *key = xprintf(KEY "%s", p->name);

		if (i >= former->n)
			state_text(state, slice_of(key), slice_of(p->to));
		else if (place_named(now, p->name) == NULL)
			state_text(state, slice_of(key), SLICE(""));
		free(key);
	}
}

static void
places_free(struct places *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->at[i].name);
		free(p->at[i].to);
	}
}

void
places_settle(struct state *state, const struct section *const *of, char **names, size_t n)
{
	struct places former = { .n = 0 }, now = { .n = 0 };
	char **of_place[SHIP_LANES];

	state_texts(state, former_see, &former);
	for (size_t i = 0; i < n; i++) {
		const struct output *conf = of[i]->values;

		if (conf->alias != NULL)
			continue;
		of_place[now.n] = &names[i];
		now.at[now.n++] = (struct place){ .name = names[i], .to = destination(of[i]) };
	}
	places_match(&former, &now);
	places_store(state, &former, &now);
	for (size_t i = 0; i < now.n; i++) {
		*of_place[i] = now.at[i].name;
		now.at[i].name = NULL;
	}
	places_free(&former);
	places_free(&now);
}
