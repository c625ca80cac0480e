/*
 * The framing rules: what of the configuration says which bytes are one
 * record.  They are stored with each stream, so that what was sent or counted
 * under other options is cut again as it was.
 *
 * A change takes force at the first line at or behind `sealed`, the file's
 * size when we started with other rules.  What is open there goes on by the
 * rules by which it began; where the lines have another form, too, it cannot,
 * and the change waits for a line at which no record is open that began below.
 * Where that was is stored (settled) before the last of those is sent: what a
 * replay starts from cannot move it.
 */
#include "rules.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"

static const char *const forms[] = {
	[FORM_ALONE] = "alone", [FORM_CRI] = "cri", [FORM_DOCKER] = "docker"
};

#define FORMS (sizeof(forms) / sizeof(forms[0]))
#define TEXT "framing=%d form=%s flush=%" PRId64 " cap=%" PRIu64
#define CAP_MOST (64u << 20) /* more than the option allows: not a text of ours */

/* ---- texts */

static struct rules *
rules_add(struct frame *fr, const struct rules *from)
{
	struct rules *new = xmalloc(sizeof(*new));

	*new = *from;
	new->next = fr->rules;
	fr->rules = new;
	return new;
}

static const struct rules *
rules_known(const struct frame *fr, uint64_t name)
{
	const struct rules *at = fr->rules;

	while (at != NULL && at->name != name)
		at = at->next;
	return at;
}

static bool
text_read(const char *text, struct rules *out)
{
	int version = 0, end = 0;
	char form[16] = "";
	int64_t ms = 0;

	if (text == NULL ||
	    sscanf(text, "framing=%d form=%15[a-z] flush=%" SCNd64 " cap=%" SCNu64 "%n", &version,
		form, &ms, &out->cap, &end) != 4 ||
	    text[end] != '\0' || version != FRAMING || ms < 0 || ms > INT32_MAX ||
	    out->cap > CAP_MOST)
		return false;
	out->flush = ms * NS_PER_MS;
	for (size_t i = 0; i < FORMS; i++) {
		if (strcmp(forms[i], form) == 0) {
			out->form = (enum line_form)i;
			return true;
		}
	}
	return false;
}

const struct rules *
rules_of(struct frame *fr, const struct tail_conf *conf)
{
	char *text =
	    xprintf(TEXT, FRAMING, forms[form_of(conf)], conf->flush, conf->buffer_max_size);
	struct rules now = { .name = state_rules(fr->state, slice_of(text)), .understood = true };
	const struct rules *known = rules_known(fr, now.name);

	if (known == NULL && text_read(text, &now))
		known = rules_add(fr, &now);
	free(text);
	return known;
}

/* Those of a ruling; what is not understood is said once. */
static const struct rules *
rules_named(struct frame *fr, const struct file *f, uint64_t name)
{
	const struct rules *known = rules_known(fr, name);
	struct rules was = { .name = name };
	const char *text;

	if (known == NULL) {
		text = state_rules_text(fr->state, name);
		was.understood = text_read(text, &was);
		known = rules_add(fr, &was);
		if (!was.understood)
			say_warn("tail",
			    "records were cut by rules that this towline does not know (%s): what "
			    "was not delivered of them is cut by the present ones, and some of it "
			    "may come twice",
			    text != NULL ? text : "their text is lost");
	}
	return known->understood ? known : f->present;
}

void
rules_free(struct frame *fr)
{
	for (struct rules *next; fr->rules != NULL; fr->rules = next) {
		next = fr->rules->next;
		free(fr->rules);
	}
}

/* ---- of a file */

void
rules_seek(struct frame *fr, struct file *f, uint64_t offset)
{
	struct stream_state is;
	unsigned i = 0;

	f->rules = f->present;
	f->sealed = UINT64_MAX;
	f->settled = RULING_WAITS;
	if (!state_find(fr->state, &f->stream->identity, &is) || is.nrulings == 0)
		return;
	while (i + 1 < is.nrulings && is.rulings[i + 1].settled && is.rulings[i + 1].from <= offset)
		i++;
	f->rules = rules_named(fr, f, is.rulings[i].rules);
	if (i + 1 == is.nrulings)
		return;
	f->sealed = is.rulings[i + 1].from;
	f->settled = (enum ruling_open)is.rulings[i + 1].settled;
}

/* How far may records have been cut by the rules of before? */
static uint64_t
sealed_of(const struct file *f, const struct stream_state *is)
{
	uint64_t sealed = f->size;

	for (int side = 0; side < SIDES; side++) {
		const struct cursors *at = &is->side[side];
		uint64_t far = at->shipped > at->counted ? at->shipped : at->counted;

		sealed = far > sealed ? far : sealed;
	}
	return sealed;
}

/* Without those that no replay needs any more: the next one begins where all is shipped. */
static unsigned
rulings_drop(const struct stream_state *is, struct ruling out[RULINGS])
{
	uint64_t least = is->side[SIDE_STDOUT].shipped;
	unsigned from = 0;

	if (is->side[SIDE_STDERR].shipped < least)
		least = is->side[SIDE_STDERR].shipped;
	while (from + 1 < is->nrulings && is->rulings[from + 1].settled &&
	       is->rulings[from + 1].from <= least)
		from++;
	memcpy(out, is->rulings + from, (is->nrulings - from) * sizeof(*out));
	return is->nrulings - from;
}

void
rules_begin(struct frame *fr, struct file *f, const struct stream_state *is)
{
	struct ruling all[RULINGS], new = { sealed_of(f, is), f->present->name, RULING_WAITS };
	unsigned n = rulings_drop(is, all);

	if (n == 0)
		new = (struct ruling){ 0, f->present->name, RULING_ENDS };
	if (n > 0 && all[n - 1].rules == new.rules)
		return;
	while (n > 1 && all[n - 1].from >= new.from) /* nothing begins in between */
		n--;
	if (n == RULINGS) {
		say_info("tail",
		    "%s: its framing options have changed %d times while nothing of it was "
		    "delivered; those of before the last change stay",
		    f->target, RULINGS);
		return;
	}
	if (n > 0 && rules_named(fr, f, all[n - 1].rules)->form == f->present->form)
		new.settled = RULING_GOES_ON;
	if (n == 0 || all[n - 1].rules != new.rules)
		all[n++] = new;
	f->begun = fr->begun = state_rulings(fr->state, &f->stream->identity, all, n);
}

void
rules_note(struct frame *fr, struct file *f)
{
	struct stream_state is;
	unsigned i = 0;

	if (f->sealed == UINT64_MAX || f->settled ||
	    !state_find(fr->state, &f->stream->identity, &is))
		return;
	while (i < is.nrulings && is.rulings[i].from < f->sealed)
		i++;
	if (i == is.nrulings)
		return;
	f->sealed = is.rulings[i].from;
	f->settled = (enum ruling_open)is.rulings[i].settled;
}

void
rules_settle(struct frame *fr, struct file *f, uint64_t at)
{
	struct stream_state is;
	unsigned n = 0, next = 0;

	if (f->settled || !state_find(fr->state, &f->stream->identity, &is))
		return;
	while (n < is.nrulings && (is.rulings[n].settled || is.rulings[n].from < f->sealed))
		n++;
	for (next = n; next < is.nrulings && is.rulings[next].from <= at; next++)
		is.rulings[n] = (struct ruling){ at, is.rulings[next].rules, RULING_ENDS };
	if (next == n)
		return;
	for (n++; next < is.nrulings; next++)
		is.rulings[n++] = is.rulings[next];
	f->sealed = at;
	f->settled = RULING_ENDS;
	f->begun = fr->begun = state_rulings(fr->state, &f->stream->identity, is.rulings, n);
}
