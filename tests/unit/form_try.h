/* Sections as a text that is the same in each form: by kind, keys in lower case, lists joined. */
#ifndef FORM_TRY_H
#define FORM_TRY_H

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "conf.h"
#include "memory.h"

/* The blanks between a rule's texts are of no matter. */
static inline void
form_value_put(struct buffer *to, const struct conf_entry *e)
{
	bool rule = strcasecmp(e->key, "rule") == 0, quoted = false;

	for (const char *c = e->value; *c != '\0'; c++) {
		quoted ^= *c == '"' && (c == e->value || c[-1] != '\\');
		if (!rule || quoted || !slice_is_blank(*c))
			buffer_put(to, (struct slice){ c, 1 });
	}
	buffer_put(to, SLICE("\n"));
}

static inline void
form_block_put(struct buffer *to, const struct conf_block *b)
{
	bool ordered = strcasecmp(b->name, "FILTER") == 0;

	for (size_t i = 0; i < b->n; i++) {
		bool taken = false;

		for (size_t j = 0; j < i && !ordered; j++)
			taken |= strcasecmp(b->entries[j].key, b->entries[i].key) == 0;
		for (size_t j = i; j < b->n && !taken; j++) {
			if (strcasecmp(b->entries[j].key, b->entries[i].key) != 0)
				continue;
			for (const char *c = b->entries[j].key; *c != '\0'; c++)
				buffer_printf(to, "%c", tolower((unsigned char)*c));
			buffer_put(to, SLICE("="));
			form_value_put(to, &b->entries[j]);
			if (ordered)
				break;
		}
	}
}

/* One [SERVICE] goes on with the other. */
static inline void
form_service_put(struct buffer *to, const struct conf_blocks *blocks)
{
	char name[] = "SERVICE";
	struct conf_block all = { .name = name };
	bool any = false;

	for (size_t i = 0; i < blocks->n; i++) {
		const struct conf_block *b = &blocks->at[i];

		if (strcasecmp(b->name, all.name) != 0)
			continue;
		any = true;
		all.entries = xrealloc(all.entries, (all.n + b->n + 1) * sizeof(*all.entries));
		for (size_t j = 0; j < b->n; j++)
			all.entries[all.n++] = b->entries[j];
	}
	if (any)
		buffer_put(to, SLICE("[SERVICE]\n"));
	form_block_put(to, &all);
	free(all.entries);
}

static inline char *
form_blocks_text(const struct conf_blocks *blocks)
{
	static const char *const kinds[] = { "@SET", "PARSER", "MULTILINE_PARSER", "INPUT",
		"FILTER", "OUTPUT" };
	struct buffer b;

	buffer_init(&b, 0);
	form_service_put(&b, blocks);
	for (size_t kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++) {
		for (size_t i = 0; i < blocks->n; i++) {
			if (strcasecmp(blocks->at[i].name, kinds[kind]) != 0)
				continue;
			buffer_printf(&b, "[%s]\n", kinds[kind]);
			form_block_put(&b, &blocks->at[i]);
		}
	}
	buffer_put(&b, (struct slice){ "", 1 });
	return b.at;
}

/* Copy the file ${from} to ${to}; return its text. */
static inline char *
form_file_copy(const char *from, const char *to)
{
	FILE *in = fopen(from, "re"), *out = fopen(to, "we");
	char *text = xmalloc(1 << 20);
	size_t n = in != NULL ? fread(text, 1, (1 << 20) - 1, in) : 0;

	text[n] = '\0';
	if (in == NULL || out == NULL || fwrite(text, 1, n, out) != n)
		abort();
	fclose(in);
	fclose(out);
	return text;
}

#endif
