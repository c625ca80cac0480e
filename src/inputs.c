/* All inputs: tail, and those beside it, which a configuration need not have. */
#include "inputs.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "filling.h"
#include "journal.h"
#include "metrics.h"
#include "trial.h"

struct inputs {
	struct journals *journals; /* NULL: there is none */
	struct trials *trials;     /* NULL: there is none */
	int epoll;                 /* p->wake, and the descriptors of these inputs */
};

/* The values of all sections of one plugin; the caller frees. */
static const void **
values_of(const struct conf *conf, const struct plugin *plugin, size_t *n)
{
	const void **values = xcalloc(conf->n, sizeof(*values));

	*n = 0;
	for (size_t i = 0; i < conf->n; i++) {
		if (conf->sections[i].plugin == plugin)
			values[(*n)++] = conf->sections[i].values;
	}
	return values;
}

static void
readers_of(const struct pipeline *p, struct tail_reader to[SHIP_LANES])
{
	for (unsigned i = 0; i < p->nlanes; i++) {
		const struct ship_lane *lane = shipper_lane(p->shipper, i);

		to[i] = (struct tail_reader){ lane->name, lane->book, filling_record };
	}
}

static void
listen_to(const struct pipeline *p, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	epoll_ctl(p->beside->epoll, EPOLL_CTL_ADD, fd, &event);
}

static struct inputs *
beside_make(struct pipeline *p, const struct tail_reader *to)
{
	struct inputs *beside = xcalloc(1, sizeof(*beside));
	size_t n;
	const void **values = values_of(p->conf, &journal_plugin, &n);
	const struct journal_conf *const *confs = (const void *)values;

	journal_leave(confs, n, p->state);
	if (n > 0)
		beside->journals = journal_new(confs, n, p->state, to, p->nlanes, flow_stream, p);
	free(values);
	beside->trials = trial_new(p->conf, to, p->nlanes, flow_stream, p);
	if (beside->journals != NULL || beside->trials != NULL)
		return beside;
	free(beside);
	return NULL;
}

/* Have each input count under its Alias, else as its name and number. */
static void
inputs_count(const struct conf *conf)
{
	for (size_t i = 0; i < conf->n; i++) {
		const struct plugin *plugin = conf->sections[i].plugin;
		struct input *input = conf->sections[i].values;
		unsigned of_its_name = 0;
		char *name;

		if (plugin->kind != SECTION_INPUT)
			continue;
		for (size_t before = 0; before < i; before++)
			of_its_name += conf->sections[before].plugin == plugin;
		name = input->alias != NULL ? xstrdup(input->alias)
					    : xprintf("%s.%u", plugin->name, of_its_name);
		input->metrics = metrics_input(name);
		free(name);
	}
}

int
inputs_make(struct pipeline *p)
{
	struct tail_reader to[SHIP_LANES];
	size_t n;
	const void **confs = values_of(p->conf, &tail_plugin, &n);

	inputs_count(p->conf);
	readers_of(p, to);
	p->tail = tail_new((const struct tail_conf *const *)(const void *)confs, n, p->state, to,
	    p->nlanes, filling_count, flow_stream, p);
	free(confs);
	if (p->tail == NULL)
		return -1;
	p->beside = beside_make(p, to);
	if (p->beside == NULL)
		return 0;
	p->beside->epoll = epoll_create1(EPOLL_CLOEXEC);
	listen_to(p, p->wake);
	if (p->beside->journals != NULL)
		listen_to(p, journal_fd(p->beside->journals));
	if (p->beside->trials != NULL)
		listen_to(p, trial_fd(p->beside->trials));
	return 0;
}

void
inputs_free(struct pipeline *p)
{
	tail_free(p->tail);
	if (p->beside == NULL)
		return;
	journal_free(p->beside->journals);
	trial_free(p->beside->trials);
	if (p->beside->epoll >= 0)
		close(p->beside->epoll);
	free(p->beside);
}

void
inputs_wait(struct pipeline *p, int ms)
{
	uint64_t value;

	if (p->beside == NULL || p->beside->epoll < 0) {
		tail_wait(p->tail, p->wake, ms);
		return;
	}
	tail_wait(p->tail, p->beside->epoll, ms); /* it has nothing to be emptied */
	while (read(p->wake, &value, sizeof(value)) < 0 && errno == EINTR)
		;
}

bool
inputs_turn(struct pipeline *p, uint32_t room)
{
	const struct inputs *beside = p->beside;
	bool more = tail_turn(p->tail, room);

	if (beside != NULL && beside->journals != NULL)
		more |= journal_turn(beside->journals, room);
	if (beside != NULL && beside->trials != NULL)
		more |= trial_turn(beside->trials, room != 0);
	return more;
}

bool
inputs_at_end(const struct pipeline *p)
{
	const struct inputs *beside = p->beside;

	return tail_at_end(p->tail) &&
	       (beside == NULL || beside->journals == NULL || journal_at_end(beside->journals)) &&
	       (beside == NULL || beside->trials == NULL || trial_at_end(beside->trials));
}

bool
inputs_end(const struct pipeline *p)
{
	const struct inputs *beside = p->beside;

	return p->options.exit_on_eof ||
	       (beside != NULL && beside->trials != NULL && trial_alone(beside->trials));
}

void
inputs_post(struct pipeline *p)
{
	if (p->beside != NULL && p->beside->journals != NULL)
		journal_post(p->beside->journals);
}
