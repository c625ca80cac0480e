/*
 * agent-events.conf: the words that it gives an event, written as a file of their own,
 * are read as the same; a line with one of them has its event: in its message, or, where
 * the word ends as a sentence may, in a member of JSON.
 */
#include "fuzz.h"

#include <ctype.h>

#include "agent_conf.h"
#include "conf_file.h"

static void
words_write(const struct agent_words *w, struct buffer *to)
{
	for (int event = EVENT_TASK_STARTED; event < EVENTS; event++) {
		struct slice word;
		size_t at = 0;

		while ((word = agent_words_next(w, (enum event)event, &at)).len > 0)
			buffer_printf(to, "[EVENT]\n Word %.*s\n Means %s\n", SHOW(word),
			    agent_event_names[event]);
	}
}

/* Each word of `a` means the same in `b`, which may have built-in ones besides. */
static void
words_judge(const struct agent_words *a, const struct agent_words *b)
{
	for (int event = EVENT_TASK_STARTED; event < EVENTS; event++) {
		struct slice word, other;
		size_t at = 0;

		while ((word = agent_words_next(a, (enum event)event, &at)).len > 0) {
			size_t in = 0;

			do
				other = agent_words_next(b, (enum event)event, &in);
			while (other.len > 0 && !slice_eq(other, word));
			if (other.len == 0)
				WRONG("'%.*s' does not mean %s", SHOW(word),
				    agent_event_names[event]);
		}
	}
}

static struct agent_words *
words_read(size_t *errors)
{
	struct findings *f = findings_new();
	struct agent_words *w = agent_conf_read(CONF_FILE, f);

	*errors = findings_count(f, FINDING_ERROR);
	findings_free(f);
	return w;
}

/* In a message a mark before a word, or behind one, is punctuation. */
static char *
line_make(struct slice word)
{
	char last = word.at[word.len - 1];

	if (ispunct((unsigned char)word.at[0]) ||
	    (memchr(word.at, ' ', word.len) == NULL && (last == '.' || last == '-')))
		return xprintf("{\"event\":\"%.*s\"}", SHOW(word));
	return xprintf("INFO %.*s", SHOW(word));
}

static void
lines_judge(const struct agent_words *w)
{
	static struct arena arena;
	static struct agent_line line;

	if (arena.at == NULL)
		arena_init(&arena, 64 << 10);
	for (int event = EVENT_TASK_STARTED; event < EVENTS; event++) {
		struct slice word;
		size_t at = 0;

		while ((word = agent_words_next(w, (enum event)event, &at)).len > 0) {
			char *text = line_make(word);

			arena_reset(&arena);
			agent_parse(w, slice_of(text), &arena, &line);
			if (line.event != (enum event)event)
				WRONG("'%s' means %s, not %s", text, agent_event_names[line.event],
				    agent_event_names[event]);
			free(text);
		}
	}
}

static void
fuzz(struct slice input)
{
	struct agent_words *w, *again;
	struct buffer text;
	size_t errors;

	if (memmem(input.at, input.len, "@", 1) != NULL)
		return; /* no other files */
	fuzz_place();
	conf_file_write(input);
	blocks_judge();
	conf_file_write(input);
	w = words_read(&errors);
	lines_judge(w);
	buffer_init(&text, 0);
	words_write(w, &text);
	conf_file_write(buffer_slice(&text));
	again = words_read(&errors);
	if (errors > 0)
		WRONG("%zu errors in '%.*s'", errors, SHOW(buffer_slice(&text)));
	words_judge(w, again);
	agent_words_free(w);
	agent_words_free(again);
	buffer_fini(&text);
}
