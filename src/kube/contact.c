/* A failure is said when it differs from the last one, or 30 s have passed since. */
#include "contact.h"

#include <stdarg.h>

#include "backoff.h"
#include "clock.h"

#define FIRST (NS_PER_S / 2)
#define MOST (15 * NS_PER_S)

static void
up(struct contact *c, bool is)
{
	c->up = is;
	atomic_store_explicit(&metrics_kube.up, is, memory_order_relaxed);
}

void
contact_init(struct contact *c, const char *server)
{
	*c = (struct contact){ .lock = PTHREAD_MUTEX_INITIALIZER };
	snprintf(c->why, sizeof(c->why), "%s has not answered yet", server);
}

void
contact_fini(struct contact *c)
{
	up(c, false);
	pthread_mutex_destroy(&c->lock);
}

bool
contact_well(struct contact *c)
{
	bool news = !c->up;

	pthread_mutex_lock(&c->lock);
	c->why[0] = '\0';
	pthread_mutex_unlock(&c->lock);
	up(c, true);
	return news;
}

void
contact_back_off(struct contact *c, int64_t now)
{
	unsigned n = c->failures > c->hasty ? c->failures : c->hasty;

	c->due = now + backoff_wait(FIRST, MOST, n);
}

void
contact_fail(struct contact *c, int64_t now, enum kube_error error, const char *format, ...)
{
	bool news, lately = said_lately(&c->said);
	va_list args;

	pthread_mutex_lock(&c->lock);
	va_start(args, format);
	vsnprintf(c->why, sizeof(c->why), format, args);
	va_end(args);
	news = strcmp(c->why, c->said_why) != 0;
	memcpy(c->said_why, c->why, sizeof(c->why));
	pthread_mutex_unlock(&c->lock);
	metrics_add(&metrics_kube.errors[error], 1);
	up(c, false);
	if (news || !lately)
		say_warn("kube", "%s", c->said_why);
	contact_back_off(c, now);
	c->failures++;
}

void
contact_why(struct contact *c, char *why, size_t size)
{
	pthread_mutex_lock(&c->lock);
	snprintf(why, size, "%s", c->why);
	pthread_mutex_unlock(&c->lock);
}
