/* Written and on disk before anything counts as done. */
#include "es_bury.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "dead_letter.h"
#include "fault.h"
#include "retry.h"

#define RETRY_LETTER 8 /* attempts, as retry_wait() counts them, before a letter is tried again */

enum reason
es_bury_reason(const struct cause *c)
{
	if (c->answer.status == 429)
		return REASON_429;
	if (c->answer.status >= 500)
		return REASON_5XX;
	if (c->answer.status == 413)
		return REASON_TOO_LARGE;
	return c->verdict == VERDICT_FAULT ? REASON_REJECTED : REASON_HOLD;
}

static int
letter_put(struct es *es, const struct batch *b, const struct item *item, const struct cause *c)
{
	const struct group *g = es_group_of(&es->groups, b, item);
	struct dead_letter letter = {
		.output = slice_of(es->sink->name),
		.index = slice_of(g->index),
		.id = item_id(b, item),
		.status = c->answer.status,
		.type = slice_of(c->answer.type),
		.reason = slice_of(c->answer.reason),
		.document = item_document(b, item),
	};

	return dead_letter_put(es->sink->dead, &letter, es->conf->dead_letter_limit);
}

/* Items that are on disk now stay in ${dead}; a piece of the others is returned, or NULL. */
static struct piece *
letters_write(struct es *es, const struct verdicts *v, struct piece *dead)
{
	struct piece *waits = send_queue_piece(dead->batch, dead->form);

	TODO_EACH (dead, i) {
		if (letter_put(es, dead->batch, &dead->batch->items[i], verdict_cause(v, i)) < 0)
			todo_add(waits, i);
	}
	FAULT("letters-written");
	if (waits->n < dead->n && dead_letter_sync(es->sink->dead) < 0) {
		TODO_EACH (dead, i)
			todo_add(waits, i);
	}
	TODO_EACH (waits, i)
		todo_remove(dead, i);
	if (waits->n > 0)
		return waits;
	free(waits);
	return NULL;
}

/* The server's answer; where there was none, the reason alone. */
static void
answer_write(const struct reply_item *answer, char *to, size_t size)
{
	if (answer->status != 0)
		snprintf(to, size, "%d %s (%.200s)", answer->status, answer->type, answer->reason);
	else
		snprintf(to, size, "%.200s", answer->reason);
}

static void
settle(struct es *es, struct piece *dead, const struct verdicts *v, bool given_up)
{
	struct said *said = given_up ? &es->said_given_up : &es->said_dead;
	const struct cause *c = NULL;
	char answer[400];

	TODO_EACH (dead, i) {
		c = verdict_cause(v, i);
		assert(c != NULL);
		metrics_add(&es->sink->metrics
				 ->dead_letters[given_up ? REASON_GIVEN_UP : es_bury_reason(c)],
		    1);
		delivery_settle(es->sink->delivery, &dead->batch->items[i]);
		if (es_hold_has(es->hold, dead->batch))
			es_hold_remove(es->hold, i);
	}
	if (c == NULL || said_lately(said))
		return;
	answer_write(&c->answer, answer, sizeof(answer));
	say_warn("es", "%s %u record%s: %s; in dead-letters.ndjson  output=%s",
	    given_up ? "Retry_Limit gives up" : "the server will never take", dead->n,
	    dead->n == 1 ? "" : "s", answer, es->sink->name);
}

/* A batch waits for none of them: they are held, and beyond the hold their files are parked. */
static void
batch_waits(struct es *es, struct piece *waits, int64_t due)
{
	struct held how = {
		.form = waits->form, .why = VERDICT_FAULT, .attempt = RETRY_LETTER, .due = due
	};

	TODO_EACH (waits, i) {
		const struct item *item = &waits->batch->items[i];

		how.group = es_group_of(&es->groups, waits->batch, item);
		snprintf(how.group->why, sizeof(how.group->why), "dead letters cannot be written");
		if (!es_hold_put(es->hold, waits->batch, i, &how)) {
			if (es_hold_count(es->hold) == 0) /* it is larger than the hold */
				continue;
			es_hold_park(es->hold, item, how.group->why);
		}
		todo_remove(waits, i);
	}
	if (waits->n > 0)
		send_queue_put(&es->queue, waits, false);
	else
		free(waits);
}

static void
wait_on(struct es *es, struct piece *waits, const struct piece *dead, int64_t now)
{
	int64_t due = now + retry_wait(es->conf->backoff_first, RETRY_LETTER);

	if (!es_hold_has(es->hold, waits->batch)) {
		waits->attempt = dead->attempt;
		waits->since = dead->since;
		waits->due = due;
		batch_waits(es, waits, due);
		return;
	}
	TODO_EACH (waits, i) {
		es_hold_at(es->hold, i)->form = waits->form;
		es_hold_at(es->hold, i)->due = due;
	}
	free(waits);
}

void
es_bury(struct es *es, const struct verdicts *v, struct piece *dead, bool given_up, int64_t now)
{
	struct piece *waits = letters_write(es, v, dead);

	settle(es, dead, v, given_up);
	if (waits != NULL)
		wait_on(es, waits, dead, now);
	free(dead);
}
