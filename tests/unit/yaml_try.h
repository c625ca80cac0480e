/* A tree of YAML, written as YAML again: [..] and {..}, each scalar in double quotes. */
#ifndef YAML_TRY_H
#define YAML_TRY_H

#include "memory.h"
#include "yaml_doc.h"

/* Letters beyond ASCII by their number: not all may stand in a file. */
static inline void
yaml_write_text(const char *text, struct buffer *to)
{
	const unsigned char *at = (const unsigned char *)text;

	buffer_put(to, SLICE("\""));
	while (*at != '\0') {
		unsigned code = *at++, more = code >= 0xf0 ? 3 : code >= 0xe0 ? 2 : code >= 0xc0;

		if (more > 0)
			code &= 0x3fU >> more;
		for (; more > 0 && *at != '\0'; more--)
			code = code << 6 | (*at++ & 0x3fU);
		if (code < 0x20 || code >= 0x7f || code == '"' || code == '\\')
			buffer_printf(to, "\\U%08X", code);
		else
			buffer_printf(to, "%c", (int)code);
	}
	buffer_put(to, SLICE("\""));
}

static inline void
yaml_write(const struct yaml_node *n, struct buffer *to)
{
	if (n == NULL)
		return;
	if (n->kind == YAML_DOC_SCALAR) {
		yaml_write_text(n->text, to);
		return;
	}
	buffer_put(to, n->kind == YAML_DOC_MAP ? SLICE("{") : SLICE("["));
	for (const struct yaml_node *e = n->first; e != NULL; e = e->next) {
		if (e->key != NULL) {
			buffer_put(to, SLICE("? ")); /* a key of any length */
			yaml_write_text(e->key, to);
			buffer_put(to, SLICE(" : "));
		}
		yaml_write(e, to);
		buffer_put(to, e->next != NULL ? SLICE(", ") : SLICE(""));
	}
	buffer_put(to, n->kind == YAML_DOC_MAP ? SLICE("}") : SLICE("]"));
}

#endif
