/* [FILTER] record_modifier: texts added to a record, and fields taken out or let through. */
#include <stddef.h>
#include <stdlib.h>
#include <xxhash.h>

#include "memory.h"
#include "ops.h"
#include "rule.h"
#include "stream.h"

struct record_modifier_conf {
	struct filter_common common;
	struct list records;
	struct list removed, allowed;
	char *uuid_key;
};

#define AT(member) offsetof(struct record_modifier_conf, member)

static const struct option record_modifier_options[] = {
	OPTION("Record", OPT_LINES, NULL, AT(records), "KEY VALUE: a field that is added",
	    .flags = OPT_KEYED),
	OPTION("Remove_key", OPT_LINES, NULL, AT(removed),
	    "a field that is taken out; * at its end is any text"),
	OPTION("Allowlist_key", OPT_LINES, NULL, AT(allowed),
	    "a field that stays; those that no Allowlist_key names are taken out",
	    .flags = OPT_KEYED),
	OPTION("Whitelist_key", OPT_LINES, NULL, AT(allowed), "the same", .flags = OPT_KEYED),
	OPTION("Uuid_key", OPT_STRING, NULL, AT(uuid_key),
	    "a field with a UUID, made of the record's place: it is the same when the record is sent again"),
	OPTIONS_END,
};

struct added {
	struct slice key, value;
};

struct record_modifier {
	struct filter filter;
	const struct record_modifier_conf *conf;
	struct added *added;
	struct slice *allowed;
};

static const char *const names[] = { "Record", "Allowlist_key", "Whitelist_key", NULL };

static struct added *
added_new(const struct section *section, struct findings *findings)
{
	const struct record_modifier_conf *conf = section->values;
	struct added *added = xcalloc(conf->records.n + 1, sizeof(*added));

	for (size_t i = 0; i < conf->records.n; i++) {
		struct rule words;

		rule_read(&conf->records, i, names, 2, &words);
		if (rule_wants(section, &words, 2, findings))
			added[i] = (struct added){ words.words[0], words.words[1] };
	}
	return added;
}

static void
record_modifier_check(const struct section *section, struct findings *findings)
{
	const struct record_modifier_conf *conf = section->values;

	if (conf->removed.n > 0 && conf->allowed.n > 0)
		findings_add(findings, FINDING_ERROR, section->file,
		    conf_given(section, "Remove_key"),
		    "Remove_key and Allowlist_key exclude each other");
	free(added_new(section, findings));
}

const struct plugin record_modifier_filter_plugin = {
	.kind = SECTION_FILTER,
	.name = "record_modifier",
	.help = "add fixed fields, take fields out",
	.options = record_modifier_options,
	.common = filter_options,
	.size = sizeof(struct record_modifier_conf),
	.check = record_modifier_check,
};

static int
record_modifier_init(struct filter *f, const struct filter_world *world)
{
	struct record_modifier *m = (struct record_modifier *)f;
	struct findings *findings = findings_new();

	(void)world;
	m->conf = f->section->values;
	m->added = added_new(f->section, findings);
	m->allowed = xcalloc(m->conf->allowed.n + 1, sizeof(*m->allowed));
	for (size_t i = 0; i < m->conf->allowed.n; i++) {
		struct rule words;

		rule_read(&m->conf->allowed, i, names, 1, &words);
		m->allowed[i] = words.words[0];
	}
	return rule_findings(findings);
}

static void
record_modifier_fini(struct filter *f)
{
	struct record_modifier *m = (struct record_modifier *)f;

	free(m->added);
	free(m->allowed);
}

/* ---- a record */

/* True when ${name} is ${key}; a * at the end of that is any text. */
static bool
key_is(struct slice key, struct slice name)
{
	if (key.len > 0 && key.at[key.len - 1] == '*')
		return slice_starts(name, (struct slice){ key.at, key.len - 1 });
	return slice_eq(key, name);
}

static bool
stays(const struct record_modifier *m, struct slice name)
{
	for (size_t i = 0; i < m->conf->removed.n; i++)
		if (key_is(slice_of(m->conf->removed.at[i]), name))
			return false;
	for (size_t i = 0; i < m->conf->allowed.n; i++)
		if (key_is(m->allowed[i], name))
			return true;
	return m->conf->allowed.n == 0;
}

#define UUID 36

/* Version 8: of the record's id alone. */
static struct slice
uuid_make(struct shape *s, const struct record_id *id)
{
	static const char digits[] = "0123456789abcdef";
	char text[UUID], *to = text;
	XXH128_canonical_t hash;
	struct {
		struct identity content;
		uint64_t offset, hash;
	} of = { .hash = 0 };

	if (id != NULL) {
		of.content = id->content;
		of.offset = id->offset;
		of.hash = id->hash;
	}
	XXH128_canonicalFromHash(&hash, XXH3_128bits(&of, sizeof(of)));
	hash.digest[6] = (unsigned char)(0x80 | (hash.digest[6] & 0x0f));
	hash.digest[8] = (unsigned char)(0x80 | (hash.digest[8] & 0x3f));
	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*to++ = '-';
		*to++ = digits[hash.digest[i] >> 4];
		*to++ = digits[hash.digest[i] & 15];
	}
	return shape_keep(s, (struct slice){ text, UUID });
}

static void
text_put(struct shape *s, struct slice key, struct slice value)
{
	struct shape_node *node = shape_put(s, s->root, key);

	if (node != NULL)
		shape_set(node, SHAPE_TEXT, value);
}

static bool
record_modifier_run(struct filter *f, struct record *r, const struct agent_line *parsed,
    const struct pod *pod, struct arena *arena)
{
	const struct record_modifier *m = (struct record_modifier *)f;
	struct shape *s = r->shape;
	struct shape_node *node = shape_first(s, s->root), *next;

	(void)parsed;
	(void)pod;
	(void)arena;
	for (; node != NULL; node = next) {
		next = shape_next(node);
		if (!stays(m, node->name))
			shape_remove(s->root, node);
	}
	for (size_t i = 0; i < m->conf->records.n; i++)
		text_put(s, m->added[i].key, m->added[i].value);
	if (m->conf->uuid_key != NULL)
		text_put(s, slice_of(m->conf->uuid_key), uuid_make(s, r->place.id));
	return true;
}

const struct filter_ops record_modifier_ops = {
	.plugin = &record_modifier_filter_plugin,
	.reshapes = true,
	.size = sizeof(struct record_modifier),
	.init = record_modifier_init,
	.fini = record_modifier_fini,
	.run = record_modifier_run,
};
