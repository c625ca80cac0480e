/* The configuration as it is run in a rehearsal, and that run. */
#include "rehearsal.h"

#include <stdlib.h>

#include "journal.h"
#include "memory.h"
#include "pipeline.h"
#include "service.h"
#include "tail.h"

/* The texts in the place of the configuration's. */
struct texts {
	char **at;
	size_t n;
};

static char *
text_keep(struct texts *t, char *text)
{
	t->at = xrealloc(t->at, (t->n + 1) * sizeof(*t->at));
	t->at[t->n++] = text;
	return text;
}

/* No socket, no other file, no time that the machine's load decides. */
static void
service_set(struct service *s)
{
	s->http_server = false;
	s->http_web_config = NULL;
	s->agent_gauges = 0; /* log */
	s->cgroup_path = NULL;
	s->grace = -1;
}

/* A pattern of paths, below the folder.  One that begins with * fits there as it is. */
static char *
path_below(struct texts *t, const char *below, char *path)
{
	if (path[0] == '*')
		return path;
	return text_keep(t, xprintf("%s%s%s", below, path[0] == '/' ? "" : "/", path));
}

static void
tail_set(struct tail_conf *in, const char *below, struct texts *t)
{
	for (size_t i = 0; i < in->from.path.n; i++)
		in->from.path.at[i] = path_below(t, below, in->from.path.at[i]);
	for (size_t i = 0; i < in->exclude_path.n; i++)
		in->exclude_path.at[i] = path_below(t, below, in->exclude_path.at[i]);
	in->from.below = below;
	in->read_from_head = true;
	in->first_start = START_HEAD;
	in->db = NULL;
	in->never_own_pod = false;
}

static void
journal_set(struct journal_conf *in, const char *below, struct texts *t)
{
	char path[] = JOURNAL_PERSISTENT;

	in->path = path_below(t, below, in->path != NULL ? in->path : path);
	in->read_from_tail = false;
	in->db = NULL;
}

static void
conf_set(struct conf *conf, const char *below, struct texts *t)
{
	for (size_t i = 0; i < conf->n; i++) {
		const struct section *s = &conf->sections[i];

		if (s->plugin == &service_plugin)
			service_set(s->values);
		else if (s->plugin == &tail_plugin)
			tail_set(s->values, below, t);
		else if (s->plugin == &journal_plugin)
			journal_set(s->values, below, t);
	}
}

int
rehearsal_run(struct conf *conf, const struct rehearsal *r, struct collections *to)
{
	const struct pipeline_options how = {
		.exit_on_eof = true,
		.state_dir = r->state,
		.rehearsal = r,
	};
	enum pipeline_end end = PIPELINE_FAILED;
	struct texts texts = { 0 };
	struct pipeline *p;

	conf_set(conf, r->below, &texts);
	collect_begin(to);
	p = pipeline_new(conf, &how);
	if (p != NULL && pipeline_start(p) == 0)
		end = pipeline_run(p);
	pipeline_free(p);
	collect_begin(NULL);
	for (size_t i = 0; i < texts.n; i++)
		free(texts.at[i]);
	free(texts.at);
	return end == PIPELINE_ENDED ? 0 : -1;
}
