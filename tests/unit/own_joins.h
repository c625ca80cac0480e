/* Rules of a configuration's own that join lines, for the simulations: one of a few, by chance. */
#ifndef OWN_JOINS_H
#define OWN_JOINS_H

#include <stdlib.h>

#include "chance.h"
#include "multiline.h"
#include "tail.h"

/* Words of one parser, ended by a NULL. */
struct own_words {
	const char *at[16];
};

static inline char *
own_text(const struct own_words *words)
{
	struct buffer text;

	buffer_init(&text, 0);
	for (unsigned i = 0; words->at[i] != NULL; i++)
		multiline_word(&text, slice_of(words->at[i]));
	buffer_put(&text, (struct slice){ "", 1 });
	return text.at;
}

/* Give `conf` one of the `n` rules of `words`, or none.  The text lives as long as the process. */
static inline void
own_joins(struct tail_conf *conf, const struct own_words *words, unsigned n)
{
	static struct tail_join join;
	unsigned which = any(n + 1);

	conf->joins = &join;
	conf->njoins = which < n;
	if (which == n)
		return;
	free(join.text);
	join = (struct tail_join){ .text = own_text(&words[which]) };
}

#endif
