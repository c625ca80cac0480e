/* An agent's answer: any bytes, in pieces or whole, tell the same; JSON as jansson has it, lines as a slow reader has them. */
#include "fuzz.h"

#include <jansson.h>
#include <math.h>

#include "../../src/poll/page.h"

#define CAP 65536

static bool
same(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

/* What must hold of each answer. */
static void
said_judge(const struct agent_said *said)
{
	for (int i = 0; i < AGENT_NUMBERS; i++) {
		double n = said->number[i];

		if (!isnan(n) && !(n >= 0 && n <= 1e15))
			WRONG("number %d is %g", i, n);
	}
	if (said->state > AGENT_STATES)
		WRONG("state %d", (int)said->state);
	for (int i = 0; i < AGENT_TEXTS; i++) {
		if (memchr(said->text[i], '\0', AGENT_SAID_TEXT) == NULL)
			WRONG("text %d has no end", i);
	}
}

static void
pieces_judge(struct page *page, struct slice input)
{
	struct agent_said whole;
	bool is, was;

	page_begin(page);
	was = page_feed(page, input) && page_end(page);
	whole = page->said;
	page_begin(page);
	while (input.len > 0) {
		size_t n = 1 + any(input.len < 40 ? (unsigned)input.len : 40);
		struct slice piece = exact(slice_cut(input, n));

		page_feed(page, piece);
		exact_free(piece);
		input = slice_from(input, least(n, input.len));
	}
	is = page_end(page);
	if (is != was)
		WRONG("whole: %d, in pieces: %d", was, is);
	for (int i = 0; i < AGENT_NUMBERS; i++) {
		if (!same(whole.number[i], page->said.number[i]))
			WRONG("number %d: %g, in pieces %g", i, whole.number[i],
			    page->said.number[i]);
	}
	if (whole.state != page->said.state)
		WRONG("state %d, in pieces %d", (int)whole.state, (int)page->said.state);
	for (int i = 0; i < AGENT_TEXTS; i++) {
		if (strcmp(whole.text[i], page->said.text[i]) != 0)
			WRONG("text %d differs in pieces", i);
	}
	said_judge(&whole);
}

/* An object that jansson takes has the number that jansson reads. */
static void
object_judge(struct page *page, struct slice input)
{
	json_t *object = json_loadb(input.at, input.len, 0, NULL);
	const json_t *tasks = json_object_get(object, "activeTaskCount");
	double wanted = json_is_number(tasks) ? json_number_value(tasks) : NAN;

	if (!(wanted >= 0 && wanted <= 1e15))
		wanted = NAN;
	/* Of two members of one name both take the last; only jansson reads a name's escapes. */
	if (memchr(input.at, '\\', input.len) == NULL && page->kind == PAGE_OBJECT &&
	    json_is_object(object) && !same(wanted, page->said.number[AGENT_SAID_TASKS]) &&
	    !isnan(page->said.number[AGENT_SAID_TASKS]))
		WRONG("%g tasks, jansson: %g", page->said.number[AGENT_SAID_TASKS], wanted);
	json_decref(object);
}

/* A line `app_agent_connected NUMBER` of digits alone, the first of all lines that name it, is 1 or 0. */
static void
plain_judge(struct page *page, struct slice input)
{
	static const char name[] = "app_agent_connected ";
	const struct slice other = SLICE("matillion_agent_connected");
	struct slice rest = input;
	size_t digits;
	bool one = false;

	if (page->kind != PAGE_SAMPLES || !slice_starts(rest, SLICE(name)) ||
	    memmem(input.at, input.len, other.at, other.len) != NULL)
		return;
	rest = slice_from(rest, sizeof(name) - 1);
	for (digits = 0; digits < rest.len && rest.at[digits] >= '0' && rest.at[digits] <= '9';
	     digits++)
		one |= rest.at[digits] != '0';
	if (digits == 0 || digits > 15 || digits == rest.len || rest.at[digits] != '\n')
		return;
	if (page->said.number[AGENT_SAID_CONNECTED] != (one ? 1 : 0))
		WRONG("connected: %g", page->said.number[AGENT_SAID_CONNECTED]);
}

static void
fuzz(struct slice input)
{
	struct page page;

	input = fuzz_chance(input);
	page_init(&page, CAP);
	if (input.len <= CAP) {
		pieces_judge(&page, input);
		object_judge(&page, input);
		plain_judge(&page, input);
	}
	page_fini(&page);
}
