/*
 * The action of a document whose id or index is named by the record.  The document is
 * written first, and its members are looked up in it; without these options nothing
 * here runs.
 */
#include "es_keys.h"

#include <stdio.h>
#include <xxhash.h>

#include "es_conf.h"
#include "es_index.h"
#include "es_member.h"
#include "json.h"
#include "least.h"

#define ID_MAX 512 /* bytes of an _id: the servers' limit */

/* ---- the configuration */

/* Fluent Bit reads it alike with its `$` and without. */
static bool
member_read(const struct section *section, const char *option, const char *text,
    struct accessor *to, struct findings *findings)
{
	struct slice rest = slice_of(text + (text[0] == '$'));
	const char *wrong = accessor_take(&rest, to, "$");

	if (wrong == NULL && rest.len > 0)
		wrong = "it is not one member, such as $kubernetes['namespace_name']";
	if (wrong != NULL)
		findings_add(findings, FINDING_ERROR, section->file, conf_given(section, option),
		    "%s '%s': %s", option, text, wrong);
	return wrong == NULL;
}

static void
id_check(const struct section *section, struct es_conf *conf, struct findings *findings)
{
	const char *key = conf->keys.id_key;

	if (member_read(section, "Id_Key", key, &conf->keys.id, findings))
		findings_add(findings, FINDING_WARNING, section->file,
		    conf_given(section, "Id_Key"),
		    "Id_Key: of records with the same '%s' the index has one, the %s; a record "
		    "without it has an id of towline's",
		    key, conf->operation == 0 ? "first" : "last");
}

static void
prefix_check(const struct section *section, struct es_conf *conf, struct findings *findings)
{
	const char *key = conf->keys.prefix_key;
	unsigned line = conf_given(section, "Logstash_Prefix_Key");
	struct accessor *prefix = &conf->keys.prefix;

	if (!member_read(section, "Logstash_Prefix_Key", key, prefix, findings))
		return;
	if (!conf->logstash_format) {
		findings_add(findings, FINDING_WARNING, section->file, line,
		    "Logstash_Prefix_Key has no effect without Logstash_Format On");
		conf->keys.prefix_key = NULL;
		return;
	}
	if (!slice_eq(prefix->steps[0].name, SLICE("kubernetes")))
		findings_add(findings, FINDING_WARNING, section->file, line,
		    "Logstash_Prefix_Key: whoever writes '%s' in a log line chooses the index, of "
		    "Logstash_Prefix_Limit indices; a member of kubernetes is safe",
		    key);
	if (conf->template)
		findings_add(findings, FINDING_NOTE, section->file, line,
		    "the index template is for %s%s* alone: a template for the other indices "
		    "includes the component template " SHIP_COMPONENT " (docs/index.md)",
		    conf->logstash_prefix, conf->logstash_prefix_separator);
}

void
es_keys_check(const struct section *section, struct findings *findings)
{
	struct es_conf *conf = section->values;

	conf->keys.prefixes = &conf->keys.room;
	if (conf->keys.id_key != NULL)
		id_check(section, conf, findings);
	if (conf->keys.prefix_key != NULL)
		prefix_check(section, conf, findings);
}

/* ---- the index */

static char
name_byte(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return (unsigned char)c <= ' ' || (unsigned char)c >= 0x7f ||
		       strchr("\\/*?\"<>|,#:", c) != NULL
		   ? '_'
		   : c;
}

/* True when the prefix is known, or there is room for one more. */
static bool
prefix_known(struct es_prefixes *prefixes, unsigned limit, struct slice prefix)
{
	uint64_t hash = XXH3_64bits(prefix.at, prefix.len);

	for (unsigned i = 0; i < prefixes->n; i++)
		if (prefixes->seen[i] == hash)
			return true;
	if (prefixes->n < least(limit, ES_PREFIXES_MAX)) {
		prefixes->seen[prefixes->n++] = hash;
		return true;
	}
	if (!said_lately(&prefixes->said))
		say_warn("es",
		    "records name more indices than Logstash_Prefix_Limit (%u): %.*s is not made, "
		    "its records go to that of Logstash_Prefix",
		    limit, SLICE_ARG(prefix));
	return false;
}

size_t
es_keys_prefix(struct es_prefixes *prefixes, unsigned limit, struct slice value, char to[ES_PREFIX])
{
	size_t n = 0;

	/* A name that begins with a dot is a system's index, with -, _ or + none. */
	while (value.len > 0 && strchr(".-_+", name_byte(value.at[0])) != NULL)
		value = slice_from(value, 1);
	for (; n < value.len && n < ES_PREFIX; n++)
		to[n] = name_byte(value.at[n]);
	return n > 0 && prefix_known(prefixes, limit, (struct slice){ to, n }) ? n : 0;
}

/* The part of the name behind the prefix is that of other records of its time. */
static size_t
index_write(
    const struct document_rules *rules, const struct record *r, struct slice document, char *to)
{
	const struct es_conf *conf = rules->conf;
	char value[ES_PREFIX], prefix[ES_PREFIX];
	size_t usual = es_index_write(conf, r, to), before, n;
	struct slice given = { value, 0 };

	if (conf->keys.prefix_key == NULL)
		return usual;
	given.len = es_member_find(&conf->keys.prefix, rules, document, value, sizeof(value));
	n = es_keys_prefix(conf->keys.prefixes, (unsigned)conf->keys.prefix_limit, given, prefix);
	before = strlen(conf->logstash_prefix);
	if (n == 0 || before > usual || n + usual - before > 255)
		return usual;
	memmove(to + n, to + before, usual - before);
	memcpy(to, prefix, n);
	return n + usual - before;
}

/* ---- the id */

/* Write the id with its quotes; return its length, 0: the record names none. */
static size_t
id_write(const struct document_rules *rules, struct slice document, char *to)
{
	const struct es_conf *conf = rules->conf;
	char value[ID_MAX];
	struct slice id = { value, 0 };

	if (conf->keys.id_key == NULL)
		return 0;
	id.len = es_member_find(&conf->keys.id, rules, document, value, sizeof(value));
	/* An id that JSON escapes would be looked for under another name. */
	return id.len > 0 && json_write(to, id) == to + id.len + 2 ? id.len : 0;
}

size_t
es_keys_action(const struct document_rules *rules, const struct record *r, struct slice document,
    char *to, uint16_t *id_len)
{
	const struct es_conf *conf = rules->conf;
	char index[256], id[JSON_WRITE_MAX(ID_MAX)], *at = to;
	size_t n;

	at += snprintf(at, 32, "{\"%s\":{", es_options_operations[conf->operation]);
	if (es_index_fixed(conf) == NULL) {
		n = index_write(rules, r, document, index);
		memcpy(at, "\"_index\":", 9);
		at = json_write(at + 9, (struct slice){ index, n });
		*at++ = ',';
	}
	memcpy(at, "\"_id\":", 6);
	at += 6;
	n = id_write(rules, document, id);
	if (n == 0) {
		n = DOCUMENT_ID;
		id[0] = id[n + 1] = '"';
		document_id(&r->place, id + 1);
	}
	*id_len = (uint16_t)n;
	memcpy(at, id, n + 2);
	at += n + 2;
	memcpy(at, "}}\n", 3);
	return (size_t)(at + 3 - to);
}
