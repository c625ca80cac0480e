/*
 * Inputs that cost much: of all texts made of a head and two units, by turns or one
 * behind the other, the one that takes the most ns a byte, for each parser of
 * hostile bytes.  It fails where a text that is sixteen times as long takes forty
 * times as long: where the work grows faster than the input.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../src/metrics/exposition.h"
#include "../../src/cmd/letters.h"
#include "agent.h"
#include "ansi.h"
#include "docker.h"
#include "json.h"
#include "pattern.h"
#include "reply.h"
#include "timestamp.h"
#include "trace.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

#define SMALL ((size_t)16 << 10)
#define LARGE (16 * SMALL)
#define GROWTH 40
#define WORST 12 /* texts of a parser that are measured closely */

/* ---- parsers */

static struct agent_words *words;
static struct arena arena;
static struct pattern *pattern;
static char *room;

static void
read_cri(struct slice s)
{
	struct cri_memo memo = { 0 };
	struct cri out;

	cri_parse(s, &memo, &out);
}

static void
read_docker(struct slice s)
{
	struct cri out;

	docker_parse(s, &out);
}

static void
read_json(struct slice s)
{
	enum json_kind kind;

	json_check(s, &kind);
}

static void
mend_json(struct slice s)
{
	enum json_kind kind;

	if (json_check(s, &kind) == PARSE_OK && kind != JSON_STRING)
		json_mend(room, s, AGENT_TERM);
}

static void
write_json(struct slice s)
{
	json_write(room, s);
}

static void
read_agent(struct slice s)
{
	static struct agent_line line;

	arena_reset(&arena);
	agent_parse(words, s, &arena, &line);
}

static void
read_trace(struct slice s)
{
	trace_state state = 0;

	while (s.len > 0) {
		const char *end = memchr(s.at, '\n', s.len);
		size_t n = end == NULL ? s.len : (size_t)(end - s.at);

		trace_line(&state, (struct slice){ s.at, n });
		s = slice_from(s, n + (end != NULL));
	}
}

static void
read_time(struct slice s)
{
	int64_t ns;

	timestamp_line(s, 0, &ns);
	timestamp_format(s, "%Y-%m-%d %H:%M:%S.%L %z", NULL, &ns);
}

static void
match_pattern(struct slice s)
{
	pattern_match(pattern, slice_cut(s, PATTERN_SUBJECT_MAX));
}

static void
take(void *arg, uint32_t index, const struct reply_item *item)
{
	(void)arg;
	(void)index;
	(void)item;
}

static void
read_reply(struct slice s)
{
	struct reply r;

	reply_init(&r, UINT32_MAX, take, NULL);
	reply_feed(&r, s);
}

static void
read_letter(struct slice s)
{
	struct letter letter;

	letters_read(s, &letter);
}

static void
clean_label(struct slice s)
{
	exposition_label_clean(s, room);
}

static void
strip_ansi(struct slice s)
{
	if (ansi_any(s))
		ansi_strip(s, room);
}

static const struct parser_case {
	const char *name;
	void (*read)(struct slice s);
} parsers[] = {
	{ "cri", read_cri },
	{ "docker", read_docker },
	{ "json", read_json },
	{ "json, mended", mend_json },
	{ "json, written", write_json },
	{ "agent", read_agent },
	{ "trace", read_trace },
	{ "timestamp", read_time },
	{ "pattern", match_pattern },
	{ "reply", read_reply },
	{ "letter", read_letter },
	{ "label", clean_label },
	{ "ansi", strip_ansi },
};

/* ---- texts */

static const char *const heads[] = { "", "{\"message\":\"", "{\"log\":\"",
	"{\"a\":", "2026-11-22T08:00:00Z stdout F ",
	"2026-11-22 08:00:00.000 ERROR 1 --- [main] a.B : x ", "a.b.CException: x\n",
	"{\"output\":\"es\",\"index\":\"i\",\"id\":\"1\",\"document\":",
	"{\"items\":[{\"create\":{\"status\":400,\"error\":{\"reason\":\"" };

static const char *const units[] = { "[", "]", "{", "}", "(", ")", "\"", "\\", "'", " ", "\t", "a",
	"A", "1", "0", "=", ":", ",", ".", "-", "_", "/", "$", "<", "@", "\n", "\r\n", "\x01",
	"\x80", "\xe2\x82", "\xe2\x82\xac", "\x1b[", "\x1b[0m", "\\u0041", "\\ud83d", "\\\"", "\\n",
	"at ", "\n\tat ", "\nat a.b.C(D.java:1)", "\nCaused by: ", "\nSuppressed: ", "\n... 1 more",
	"Exception: ", "a.b.CException: ", "nested exception is: ", "a=", "a=1 ", "a: 1, ",
	"\"a\":", "{\"a\":", "[1,", "1,", "\"a\",", "INFO ", "ERROR ", "TASK_COMPLETED ",
	"task_id=1 ", "execution_time=1s ", "execution_time=", "12:00:00 ", "2026-11-22 ", "1h2m",
	"null,", "1e9", ",\"document\":" };

struct text {
	const char *head, *a, *b;
	bool halves;
	double ns; /* a byte */
};

static size_t
fill(char *to, size_t from, size_t end, const char *a, const char *b)
{
	for (size_t turn = 0; from < end; turn++) {
		const char *unit = turn % 2 == 0 ? a : b;
		size_t n = strlen(unit);

		memcpy(to + from, unit, n);
		from += n;
	}
	return from;
}

/* The text, of about `size` bytes. */
static struct slice
make(char *to, const struct text *t, size_t size)
{
	size_t n = strlen(t->head);

	memcpy(to, t->head, n);
	if (t->halves)
		n = fill(to, fill(to, n, size / 2, t->a, t->a), size, t->b, t->b);
	else
		n = fill(to, n, size, t->a, t->b);
	return (struct slice){ to, n };
}

static double
cpu(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* ns that it takes: the least of some runs. */
static double
measure(const struct parser_case *p, struct slice s, unsigned runs)
{
	double least_ns = 1e18;

	while (runs-- > 0) {
		double began = cpu(), took;

		p->read(s);
		took = cpu() - began;
		least_ns = took < least_ns ? took : least_ns;
	}
	return least_ns;
}

/* Keep the WORST of all, the slowest first. */
static void
keep(struct text *worst, struct text t)
{
	for (size_t i = 0; i < WORST; i++) {
		if (t.ns > worst[i].ns) {
			struct text was = worst[i];

			worst[i] = t;
			t = was;
		}
	}
}

static void
show(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\n')
			printf("\\n");
		else if ((unsigned char)*text < 0x20 || *text & 0x80)
			printf("\\x%02x", (unsigned char)*text);
		else
			putchar(*text);
	}
}

static void
search(const struct parser_case *p, char *room_of_text, struct text *worst)
{
	struct text t;

	memset(worst, 0, WORST * sizeof(*worst));
	for (size_t h = 0; h < COUNT(heads); h++) {
		for (size_t i = 0; i < COUNT(units) * COUNT(units) * 2; i++) {
			struct slice s;

			t = (struct text){ heads[h], units[i / 2 % COUNT(units)],
				units[i / 2 / COUNT(units)], i % 2 == 1, 0 };
			s = make(room_of_text, &t, SMALL);
			t.ns = measure(p, s, 1) / (double)s.len;
			keep(worst, t);
		}
	}
}

/* True when the work grows as the text does. */
static bool
table_row(const struct parser_case *p, char *room_of_text)
{
	struct text worst[WORST], slowest = { 0 }, grown = { 0 };
	double most = 0;

	search(p, room_of_text, worst);
	for (size_t i = 0; i < WORST && worst[i].head != NULL; i++) {
		struct slice s = make(room_of_text, &worst[i], SMALL);
		double small = measure(p, s, 9), growth;

		worst[i].ns = small / (double)s.len;
		if (worst[i].ns > slowest.ns)
			slowest = worst[i];
		growth = measure(p, make(room_of_text, &worst[i], LARGE), 5) /
			 (small < 1000 ? 1000 : small);
		if (growth > most) {
			most = growth;
			grown = worst[i];
		}
	}
	printf("%-14s %8.2f %8.1f  ", p->name, slowest.ns, most);
	show(slowest.head);
	printf(" | ");
	show(slowest.a);
	printf(" | ");
	show(slowest.b);
	printf(slowest.halves ? " (halves)\n" : "\n");
	if (most <= GROWTH)
		return true;
	printf("    %.0f times the work for 16 times the text: ", most);
	show(grown.head);
	printf(" | ");
	show(grown.a);
	printf(" | ");
	show(grown.b);
	printf(grown.halves ? " (halves)\n" : "\n");
	return false;
}

int
main(void)
{
	char *text = malloc(LARGE + 256), error[256];
	bool good = true;

	room = malloc(JSON_WRITE_MAX(LARGE + 256) + LARGE / 500);
	words = agent_words_new();
	arena_init(&arena, 256 << 10);
	pattern =
	    pattern_new("^(?<time>[^ ]+) (?<level>\\w+) +(?<key>.*?)=(?<value>\"[^\"]*\"|\\S*)$",
		error, sizeof(error));
	printf("%-14s %8s %8s  %s\n", "parser", "ns/byte", "x16", "the slowest text: head | units");
	for (size_t i = 0; i < COUNT(parsers); i++) {
		good &= table_row(&parsers[i], text);
		fflush(stdout);
	}
	pattern_free(pattern);
	arena_fini(&arena);
	agent_words_free(words);
	free(room);
	free(text);
	return good ? 0 : 1;
}
