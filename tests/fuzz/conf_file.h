/* A file of the configuration's form: written for a target, read as blocks, written again. */
#ifndef CONF_FILE_H
#define CONF_FILE_H

#include <fcntl.h>
#include <unistd.h>

#include "conf.h"
#include "memory.h"

#define CONF_FILE "x.conf"

static inline void
conf_file_write(struct slice text)
{
	int fd = open(CONF_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, text.at, text.len) != (ssize_t)text.len)
		abort();
	close(fd);
}

static inline struct conf_blocks *
blocks_read(void)
{
	struct findings *f = findings_new();
	struct conf_blocks *blocks = conf_blocks_read(CONF_FILE, f);

	findings_free(f);
	return blocks;
}

/* Entries of no value are those that are refused; a variable in a value was its name's text. */
static inline bool
entry_stays(const struct conf_entry *e)
{
	return *e->value != '\0' && strstr(e->value, "${") == NULL;
}

static inline void
blocks_write(const struct conf_blocks *blocks, struct buffer *to)
{
	for (size_t i = 0; i < blocks->n; i++) {
		buffer_printf(to, "[%s]\n", blocks->at[i].name);
		for (size_t j = 0; j < blocks->at[i].n; j++) {
			const struct conf_entry *e = &blocks->at[i].entries[j];

			if (entry_stays(e))
				buffer_printf(to, "  %s\t%s\n", e->key, e->value);
		}
	}
}

/* What is read of the file, written again, is the same when it is read again. */
static inline void
blocks_judge(void)
{
	struct conf_blocks *blocks = blocks_read();
	struct buffer once, twice;

	if (blocks == NULL)
		return;
	buffer_init(&once, 0);
	buffer_init(&twice, 0);
	blocks_write(blocks, &once);
	conf_blocks_free(blocks);
	conf_file_write(buffer_slice(&once));
	blocks = blocks_read();
	if (blocks == NULL)
		WRONG("it is not read again: '%.*s'", SHOW(buffer_slice(&once)));
	blocks_write(blocks, &twice);
	if (!slice_eq(buffer_slice(&once), buffer_slice(&twice)))
		WRONG("'%.*s' is read as '%.*s'", SHOW(buffer_slice(&once)),
		    SHOW(buffer_slice(&twice)));
	conf_blocks_free(blocks);
	buffer_fini(&once);
	buffer_fini(&twice);
}

#endif
