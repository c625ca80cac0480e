/*
 * Sections of plugins of Fluent Bit that are not built.  One whose absence loses
 * and changes no log record is passed over with a warning; one that would receive
 * or deliver records, where [SERVICE] says so (Unbuilt_Inputs, Unbuilt_Outputs
 * skip); any other is an error.
 */
#include <stdlib.h>
#include <strings.h>

#include "memory.h"
#include "read.h"
#include "service.h"
#include "table.h"

static const char *
value_of(const struct conf_block *b, const char *key)
{
	unsigned line;

	return read_value(b, key, &line);
}

/* NAME.N, the Nth of its plugin, as output_name() of those that are built. */
static const char *
name_make(struct reading *r, const struct plugin *plugin)
{
	unsigned of_its_name = 0;
	char *made;
	const char *name;

	for (size_t i = 0; i < r->conf->nskipped; i++)
		of_its_name += r->conf->skipped[i].plugin == plugin;
	made = xprintf("%s.%u", plugin->name, of_its_name);
	name = pool_text(r->pool, slice_of(made));
	free(made);
	return name;
}

void
skipped_add(struct reading *r, const struct plugin *plugin, const struct conf_block *b)
{
	const char *alias = value_of(b, "Alias");
	struct conf *c = r->conf;
	struct skipped *s;
	unsigned line = b->line;

	(void)read_value(b, "Name", &line);
	c->skipped = pool_grow(r->pool, c->skipped, c->nskipped, sizeof(*c->skipped));
	s = &c->skipped[c->nskipped];
	*s = (struct skipped){
		.plugin = plugin,
		.match = value_of(b, "Match"),
		.match_regex = value_of(b, "Match_Regex"),
		.file = b->file,
		.line = line,
	};
	if (plugin->kind == SECTION_OUTPUT)
		s->name = alias != NULL ? alias : name_make(r, plugin);
	c->nskipped++;
}

/* The option of [SERVICE] by which the rest runs without a section of the kind; NULL: none. */
static const char *
option_of(enum section_kind kind)
{
	return kind == SECTION_INPUT    ? "Unbuilt_Inputs"
	       : kind == SECTION_OUTPUT ? "Unbuilt_Outputs"
					: NULL;
}

static bool
is_wanted(const struct reading *r, enum section_kind kind)
{
	const struct service *s = service_of(r->conf);

	return s != NULL && ((kind == SECTION_INPUT && s->unbuilt_inputs != 0) ||
				(kind == SECTION_OUTPUT && s->unbuilt_outputs != 0));
}

static const char *
loss_of(enum section_kind kind)
{
	return kind == SECTION_INPUT    ? "nothing is read by it"
	       : kind == SECTION_FILTER ? "nothing is added or measured by it"
					: "nothing goes there";
}

/* Return true when the rest runs without ${s}. */
static bool
skipped_say(struct reading *r, const struct skipped *s)
{
	enum section_kind kind = s->plugin->kind;
	const char *option = option_of(kind), *instead = s->plugin->instead;
	char title[TABLE_TITLE];

	table_title(s->plugin, title);
	if (s->plugin->spared || is_wanted(r, kind)) {
		findings_add(r->findings, FINDING_WARNING, s->file, s->line,
		    "%s is Fluent Bit's and not built yet: skipped, %s%s%s", title, loss_of(kind),
		    instead != NULL ? "; " : "", instead != NULL ? instead : "");
		return true;
	}
	findings_add(r->findings, FINDING_ERROR, s->file, s->line,
	    "%s is Fluent Bit's and not built yet%s%s%s%s%s", title, instead != NULL ? "; " : "",
	    instead != NULL ? instead : "", option != NULL ? "; with " : "",
	    option != NULL ? option : "",
	    option != NULL ? " skip in [SERVICE] the rest runs without it" : "");
	return false;
}

void
skipped_check(struct reading *r)
{
	struct conf *c = r->conf;
	size_t kept = 0;

	for (size_t i = 0; i < c->nskipped; i++) {
		if (skipped_say(r, &c->skipped[i]))
			c->skipped[kept++] = c->skipped[i];
		else
			r->incomplete[c->skipped[i].plugin->kind] = true;
	}
	c->nskipped = kept;
}
