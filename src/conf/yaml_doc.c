/*
 * YAML by libyaml's events, into a tree.  The tree is built here and not by libyaml,
 * which would follow an alias to the node that it is in, and has no limits.
 */
#include "yaml_doc.h"

#include <stdlib.h>
#include <strings.h>
#include <yaml.h>

#include "memory.h"
#include "pool.h"
#include "source.h"

#define DEPTH_MAX 32    /* mappings and lists in each other */
#define NODES_MAX 10000 /* keys are compared with each other */
#define LENIENT_MAX 50000

struct building {
	yaml_parser_t parser;
	yaml_event_t event; /* the one that is looked at */
	const char *file;
	struct slice text; /* of the file, or of a file within it */
	unsigned line;     /* that stands before it */
	struct findings *findings;
	struct pool *pool;
	unsigned nodes; /* of this document */
	bool lenient;   /* yaml_doc_parse: several documents, keys that are there twice */
};

/* ---- findings */

static unsigned
line_of(const struct building *b)
{
	return b->line + (unsigned)b->event.start_mark.line + 1;
}

#define REFUSE(b, ...)                                                                             \
	findings_add((b)->findings, FINDING_ERROR, (b)->file, line_of(b), __VA_ARGS__)

/* Bytes that are no text have an offset in the place of a line; an end too early is below all lines. */
static unsigned
fault_line(const struct building *b)
{
	const yaml_parser_t *p = &b->parser;
	bool is_text = p->error != YAML_READER_ERROR;
	size_t end = is_text ? b->text.len : least(p->problem_offset, b->text.len);
	size_t line = 1;

	for (size_t i = 0; i < end; i++)
		line += b->text.at[i] == '\n';
	return (unsigned)(is_text ? least(line, p->problem_mark.line + 1) : line);
}

/* True when a tab stands where the line that could not be read begins. */
static bool
is_tab(const struct building *b, unsigned line)
{
	struct slice text = b->text;

	while (--line > 0) {
		const char *end = memchr(text.at, '\n', text.len);

		if (end == NULL)
			return false;
		text = slice_from(text, (size_t)(end - text.at) + 1);
	}
	while (text.len > 0 && text.at[0] == ' ')
		text = slice_from(text, 1);
	return text.len > 0 && text.at[0] == '\t';
}

/* Read the next event.  False: there is none, and a finding says why. */
static bool
advance(struct building *b)
{
	const char *problem;
	unsigned line;

	yaml_event_delete(&b->event);
	if (yaml_parser_parse(&b->parser, &b->event) != 0)
		return true;
	if (b->parser.error == YAML_MEMORY_ERROR)
		xneeded(NULL, b->text.len);
	line = fault_line(b);
	problem = b->parser.problem != NULL ? b->parser.problem : "it cannot be read";
	findings_add(b->findings, FINDING_ERROR, b->file, b->line + line, "this is no YAML: %s",
	    is_tab(b, line) ? "a tab, where its lines are indented by blanks" : problem);
	return false;
}

/* ---- nodes */

static struct yaml_node *node_read(struct building *b, unsigned depth);

static struct yaml_node *
node_new(struct building *b, enum yaml_kind kind)
{
	struct yaml_node *n;

	unsigned most = b->lenient ? LENIENT_MAX : NODES_MAX;

	if (++b->nodes > most) {
		REFUSE(b, "more than %u values: this is no configuration", most);
		return NULL;
	}
	n = pool_take(b->pool, sizeof(*n));
	n->kind = kind;
	n->line = n->begins = line_of(b);
	return n;
}

/* A tag would make another value of the same text (!!binary, !env). */
static bool
is_tagged(struct building *b, const yaml_char_t *tag)
{
	if (tag == NULL)
		return false;
	REFUSE(b, "a tag (! before a value) is not taken: write the value alone");
	return true;
}

static struct yaml_node *
scalar_read(struct building *b)
{
	size_t len = b->event.data.scalar.length;
	const char *text = (const char *)b->event.data.scalar.value;
	struct yaml_node *n;

	if (memchr(text, '\0', len) != NULL) {
		REFUSE(b, "a value has a NUL character in it");
		return NULL;
	}
	if (is_tagged(b, b->event.data.scalar.tag))
		return NULL;
	n = node_new(b, YAML_DOC_SCALAR);
	if (n == NULL)
		return NULL;
	n->text = pool_text(b->pool, (struct slice){ text, len });
	n->plain = b->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	n->literal = b->event.data.scalar.style == YAML_LITERAL_SCALAR_STYLE;
	return n;
}

static bool
list_fill(struct building *b, struct yaml_node *list, unsigned depth)
{
	struct yaml_node **last = &list->first;

	while (advance(b) && b->event.type != YAML_SEQUENCE_END_EVENT) {
		*last = node_read(b, depth);
		if (*last == NULL)
			return false;
		last = &(*last)->next;
	}
	return b->event.type == YAML_SEQUENCE_END_EVENT;
}

static bool
is_new_key(struct building *b, const struct yaml_node *map, const struct yaml_node *key)
{
	char name[FINDINGS_NAME];

	for (const struct yaml_node *n = map->first; n != NULL; n = n->next) {
		if (strcmp(n->key, key->text) != 0)
			continue;
		if (b->lenient) {
			findings_add(b->findings, FINDING_WARNING, b->file, key->line,
			    "'%s' is there already, at line %u: other programs read one of them",
			    findings_name(slice_of(key->text), name), n->line);
			return true;
		}
		REFUSE(b, "'%s' is there already, at line %u: take one of them away",
		    findings_name(slice_of(key->text), name), n->line);
		return false;
	}
	return true;
}

static bool
map_fill(struct building *b, struct yaml_node *map, unsigned depth)
{
	struct yaml_node **last = &map->first;

	while (advance(b) && b->event.type != YAML_MAPPING_END_EVENT) {
		struct yaml_node *key = node_read(b, depth), *value;

		if (key == NULL)
			return false;
		if (key->kind != YAML_DOC_SCALAR) {
			REFUSE(b, "a key must be a word");
			return false;
		}
		if (!is_new_key(b, map, key) || !advance(b))
			return false;
		value = node_read(b, depth);
		if (value == NULL)
			return false;
		value->key = key->text;
		value->line = key->line;
		*last = value;
		last = &value->next;
	}
	return b->event.type == YAML_MAPPING_END_EVENT;
}

/* The node that begins with the event; NULL after a finding. */
static struct yaml_node *
node_read(struct building *b, unsigned depth)
{
	bool is_map = b->event.type == YAML_MAPPING_START_EVENT;
	struct yaml_node *n;

	switch (b->event.type) {
	case YAML_SCALAR_EVENT:
		return scalar_read(b);
	case YAML_MAPPING_START_EVENT:
	case YAML_SEQUENCE_START_EVENT:
		break;
	default: /* YAML_ALIAS_EVENT: any other stands at no place of a node */
		REFUSE(b, "an alias (*name) is not taken: write its value again here");
		return NULL;
	}
	if (is_tagged(
		b, is_map ? b->event.data.mapping_start.tag : b->event.data.sequence_start.tag))
		return NULL;
	if (depth == DEPTH_MAX) {
		REFUSE(b, "more than %d levels: this is no configuration", DEPTH_MAX);
		return NULL;
	}
	n = node_new(b, is_map ? YAML_DOC_MAP : YAML_DOC_LIST);
	if (n == NULL || !(is_map ? map_fill : list_fill)(b, n, depth + 1))
		return NULL;
	return n;
}

/* ---- the file */

/* The stream: its begin, no document or one, its end. */
static bool
stream_read(struct building *b, struct yaml_node **root)
{
	if (!advance(b) || !advance(b)) /* the stream's begin; a document's, or the end */
		return false;
	if (b->event.type == YAML_STREAM_END_EVENT)
		return true;
	if (!advance(b))
		return false;
	*root = node_read(b, 0);
	if (*root == NULL || !advance(b) || !advance(b))
		return false;
	if (b->event.type == YAML_STREAM_END_EVENT)
		return true;
	REFUSE(b, "a second document begins here: only one is read");
	return false;
}

/* The stream: any number of documents, which become a list. */
static bool
documents_read(struct building *b, struct yaml_node **root)
{
	struct yaml_node **last;

	if (!advance(b) || !advance(b))
		return false;
	*root = node_new(b, YAML_DOC_LIST);
	last = &(*root)->first;
	while (b->event.type != YAML_STREAM_END_EVENT) {
		b->nodes = 0;
		if (!advance(b))
			return false;
		*last = node_read(b, 0);
		if (*last == NULL || !advance(b) || !advance(b))
			return false;
		last = &(*last)->next;
	}
	return true;
}

static struct yaml_doc *
text_read(struct building *b)
{
	struct yaml_doc *doc = NULL;
	struct yaml_node *root = NULL;

	b->pool = pool_new();
	if (yaml_parser_initialize(&b->parser) == 0)
		xneeded(NULL, b->text.len);
	yaml_parser_set_encoding(&b->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&b->parser, (const unsigned char *)b->text.at, b->text.len);
	if ((b->lenient ? documents_read : stream_read)(b, &root)) {
		doc = pool_take(b->pool, sizeof(*doc));
		*doc = (struct yaml_doc){ root, b->pool };
		b->pool = NULL;
	}
	yaml_event_delete(&b->event);
	yaml_parser_delete(&b->parser);
	pool_free(b->pool);
	return doc;
}

struct yaml_doc *
yaml_doc_read(const char *path, struct findings *findings)
{
	struct building b = { .file = path, .findings = findings };
	struct yaml_doc *doc = NULL;
	struct source_id id;
	struct buffer text;
	char why[512];

	if (source_read(path, &id, &text, why, sizeof(why))) {
		b.text = buffer_slice(&text);
		doc = text_read(&b);
	} else {
		findings_add(findings, FINDING_ERROR, path, 0, "%s", why);
	}
	buffer_fini(&text);
	return doc;
}

struct yaml_doc *
yaml_doc_parse(struct slice text, const char *file, unsigned line, struct findings *findings)
{
	struct building b = {
		.text = text, .file = file, .line = line, .findings = findings, .lenient = true
	};

	return text_read(&b);
}

void
yaml_doc_free(struct yaml_doc *doc)
{
	if (doc != NULL)
		pool_free(doc->owned);
}

bool
yaml_doc_is_null(const struct yaml_node *n)
{
	return n->kind == YAML_DOC_SCALAR && n->plain &&
	       (n->text[0] == '\0' || strcmp(n->text, "~") == 0 ||
		   strcasecmp(n->text, "null") == 0);
}

const struct yaml_node *
yaml_doc_find(const struct yaml_node *map, const char *key)
{
	const struct yaml_node *found = NULL;

	if (map == NULL || map->kind != YAML_DOC_MAP)
		return NULL;
	for (const struct yaml_node *n = map->first; n != NULL; n = n->next)
		if (strcmp(n->key, key) == 0)
			found = n;
	return found;
}
