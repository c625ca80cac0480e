/* Journals in the state: by which inputs they are known, and those that no input reads any more. */
#include "known.h"

#include <stdlib.h>
#include <xxhash.h>

#include "memory.h"
#include "state.h"

/* Path without the slashes behind it. */
static struct slice
path_of(const struct journal_conf *conf)
{
	struct slice path = slice_of(conf->path != NULL ? conf->path : "");

	while (path.len > 1 && path.at[path.len - 1] == '/')
		path.len--;
	return path;
}

/* An input is known by its Path and Tag; of those that have both in common, by its number. */
struct identity
known_identity(const struct journal_conf *const *confs, size_t which)
{
	struct slice path = path_of(confs[which]);
	struct identity id;
	XXH128_canonical_t hash;
	size_t alike = 0;
	char *text;

	for (size_t i = 0; i < which; i++)
		alike += slice_eq(path_of(confs[i]), path) &&
			 strcmp(confs[i]->input.tag, confs[which]->input.tag) == 0;
	text = xprintf(
	    "journal\n%.*s\n%s\n%zu", (int)path.len, path.at, confs[which]->input.tag, alike);
	XXH128_canonicalFromHash(&hash, XXH3_128bits(text, strlen(text)));
	memcpy(id.at, hash.digest, sizeof(id.at));
	free(text);
	return id;
}

struct left {
	const struct journal_conf *const *confs;
	size_t n;
	struct one {
		struct identity id;
		uint64_t shipped;
	} * at;
	size_t nleft;
};

static void
left_see(void *arg, const struct content_seen *seen)
{
	struct left *left = arg;
	bool is = memcmp(seen->id, &seen->what->log, sizeof(*seen->id)) == 0 &&
		  (seen->had_file || seen->what->size > seen->shipped);

	for (size_t i = 0; is && i < left->n; i++) {
		struct identity own = known_identity(left->confs, i);

		is = memcmp(&own, seen->id, sizeof(own)) != 0;
	}
	if (!is)
		return;
	left->at = xrealloc(left->at, (left->nleft + 1) * sizeof(*left->at));
	left->at[left->nleft++] = (struct one){ *seen->id, seen->shipped };
}

void
journal_leave(const struct journal_conf *const *confs, size_t n, struct state *state)
{
	struct left left = { .confs = confs, .n = n };

	state_each(state, left_see, &left);
	for (size_t i = 0; i < left.nleft; i++) {
		/* What is behind is not lost: no input wants it. */
		state_size(state, &left.at[i].id, left.at[i].shipped);
		state_ended(state, &left.at[i].id);
	}
	free(left.at);
}
