/* The order of endpoints, and failures in a row. */
#include "target.h"

/* The endpoint of an attempt: first the one that answered last, then the others in their order. */
static unsigned
endpoint_of(const struct target *t)
{
	if (t->attempt == 0)
		return t->endpoint;
	return t->attempt - 1 < t->endpoint ? t->attempt - 1 : t->attempt;
}

unsigned
target_begin(struct target *t, const struct target_rules *rules, int64_t now)
{
	t->flying = true;
	t->attempt = 0;
	t->worst = POLL_CONNECT;
	t->until = now + rules->timeout;
	t->due = now + rules->interval;
	return endpoint_of(t);
}

int64_t
target_time(const struct target *t, const struct target_rules *rules, int64_t now)
{
	return (t->until - now) / (rules->endpoints - t->attempt);
}

bool
target_answered(struct target *t, const struct target_rules *rules)
{
	bool was_silent = t->failures >= rules->silent;

	t->endpoint = endpoint_of(t);
	t->failures = 0;
	t->flying = false;
	return was_silent;
}

enum target_next
target_failed(struct target *t, const struct target_rules *rules, enum poll_failure why,
    int64_t now, unsigned *endpoint)
{
	if (why > t->worst)
		t->worst = why;
	if (++t->attempt < rules->endpoints && now < t->until) {
		*endpoint = endpoint_of(t);
		return TARGET_TRIES;
	}
	t->flying = false;
	t->failures += t->failures < UINT32_MAX;
	return t->failures == rules->silent ? TARGET_SILENT : TARGET_FAILED;
}
