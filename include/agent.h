/*
 * The agent's grammar: the fields in a log line of a Matillion agent (a Spring
 * Boot service), in any encoding: logback text, Spring's default, key=value,
 * JSON of logstash, ECS or GELF.  One pass over the text, no allocation.
 *
 * Layouts are code; words are data (conf/agent-events.conf), compiled at the
 * start into struct agent_words.
 */
#ifndef AGENT_H
#define AGENT_H

#include <stdint.h>

#include "memory.h"
#include "parse.h"
#include "record.h"

enum level {
	LEVEL_NONE,
	LEVEL_TRACE,
	LEVEL_DEBUG,
	LEVEL_INFO,
	LEVEL_WARN,
	LEVEL_ERROR,
	LEVEL_FATAL
};

/* Names in the order of the enum; the first is empty. */
extern const struct slice agent_level_names[];

/* Events, by their effect on the metrics; words of the configuration map to them. */
enum event {
	EVENT_NONE,
	EVENT_TASK_STARTED,
	EVENT_TASK_COMPLETED,
	EVENT_TASK_FAILED,
	EVENT_REQUEST_COMPLETED,
	EVENT_HEARTBEAT,
	EVENT_OTHER, /* a word that is only named in the document */
	EVENTS
};

/*
 * The fields that a key of the line may be; any other key goes under
 * log_parsed.extra.  The fields of the middle group are for the metrics, and
 * go there as well, under the line's own name for them.
 */
enum agent_field {
	AGENT_TASK_ID,
	AGENT_PIPELINE,
	AGENT_EXECUTION_TIME,
	AGENT_ERROR_TYPE,
	AGENT_ERROR_MESSAGE,

	AGENT_DURATION, /* of a request; from here to AGENT_BUILD_TIMESTAMP also under extra */
	AGENT_OPEN_SESSIONS,
	AGENT_ACTIVE_REQUESTS,
	AGENT_ACTIVE_TASKS,
	AGENT_VERSION,
	AGENT_COMMIT,
	AGENT_BUILD_TIMESTAMP,

	AGENT_EVENT, /* the event is the first of these three that the line has */
	AGENT_EVENT_ACTION,
	AGENT_EVENT_TYPE,
	AGENT_LEVEL, /* from here: members of JSON, and keys of a line that begins with key=value */
	AGENT_LEVEL_NAME, /* GELF's name of the level, preferred to its number */
	AGENT_LOGGER,
	AGENT_THREAD,
	AGENT_TIMESTAMP,
	AGENT_MESSAGE,
	AGENT_STACK_TRACE,
	AGENT_ERROR_CLASS, /* error.type: used when the line has no error_type */
	AGENT_FIELDS
};

/* Names of the fields, as conf/agent-events.conf writes them, and of the events. */
extern const char *const agent_field_names[];
extern const char *const agent_event_names[];

/* Kinds of text that could not be read, counted as towline_parse_failures_total{kind}. */
enum parse_failure {
	FAILURE_CRI,      /* a line that is not the runtime's format */
	FAILURE_JSON,     /* begins as JSON, but is invalid: kept as text */
	FAILURE_DURATION, /* execution_time that is no duration */
	FAILURE_PARSER,   /* an input's parser did not match, or an expression was given up */
	FAILURE_FIELDS,   /* more fields than a record holds: the rest was left in the text */
	FAILURE_RESHAPE,  /* no room to change the fields: the record goes on as it was */
	FAILURE_SCRIPT,   /* a script of [FILTER] lua failed: the record goes on as it was */
	FAILURES
};

extern const char *const agent_failure_names[];

/* A measured number: its decimal text for the document, its value for the metrics. */
struct measure {
	bool present;
	double value;         /* seconds, or a count */
	struct slice decimal; /* JSON number: 12.5, 3.0; in the line or the arena */
};

/*
 * The error of a line of level ERROR or above, or of TASK_FAILED.  The message is the
 * exception's, else the line's; the type is UNKNOWN where there is no class, and
 * empty where there is no error.
 */
struct agent_error {
	struct field type, root_type, message;
	uint64_t fingerprint;
};

/*
 * A fingerprint as documents have it: the version of its algorithm, a colon, 16
 * hex digits.  A change that gives any failure another fingerprint raises the
 * version, so that an upgrade regroups nothing silently.
 */
#define AGENT_FINGERPRINT_VERSION "1"
#define AGENT_FINGERPRINT_LEN (sizeof(AGENT_FINGERPRINT_VERSION ":") - 1 + 16)

/* Write AGENT_FINGERPRINT_LEN bytes to ${to}; return their end. */
char *agent_fingerprint(char *to, uint64_t fingerprint);

/* The agent's version, from its banner. */
struct agent_build {
	struct field version, commit, timestamp;
};

/*
 * Bytes of a value under extra that are written.  A server takes 32766 of a term, which
 * is the value with the names that lead to it; bytes that are no UTF-8 become three each.
 */
#define AGENT_TERM 8191

struct agent_line {
	enum level level;
	enum event event;
	struct slice event_name; /* as the document shows it; empty: no event */
	struct field logger, thread, timestamp, task_id, pipeline; /* value.len 0: absent */
	struct measure execution_time;
	struct slice execution_time_raw; /* as the line has it, when no plain number */
	struct agent_error error;
	struct field stack_trace; /* whatever the level */
	struct measure duration;  /* a request's, in seconds */
	struct measure open_sessions, active_requests, active_tasks;
	struct agent_build build;
	unsigned failures;    /* bits: 1 << enum parse_failure */
	const char *encoding; /* logback, spring, python, text, json, ecs, gelf */
	int nextra;
	struct field extra[RECORD_FIELDS]; /* no two of one name; those behind nextra are not set */
};

struct agent_words;

/**
 * agent_words_new(), agent_words_free(w):
 * The built-in words alone (the same as the shipped conf/agent-events.conf).
 */
struct agent_words *agent_words_new(void);
void agent_words_free(struct agent_words *w);

/**
 * agent_words_event(w, word, event), agent_words_key(w, key, field, unit):
 * Add an event word or a key's alias (${unit}: seconds that one unit of the
 * number is worth, 1 for s, 0.001 for ms), or change what it means; EVENT_NONE
 * and AGENT_FIELDS make it an ordinary word again.  An event of two words with
 * a space between counts where a message begins with it, in any case.  Return
 * 0, or -1 when a word is not of letters, digits, `_`, `-`, `.` (and one space
 * within), or is longer than 63 bytes, or there are more than 512, or ${unit}
 * is no whole number of ns, at most 1e9 s.
 */
int agent_words_event(struct agent_words *w, struct slice word, enum event event);
int agent_words_key(struct agent_words *w, struct slice key, enum agent_field field, double unit);

/**
 * agent_words_next(w, event, at):
 * The next word that means ${event}, from the place *${at} on (0: the first),
 * which moves behind it; empty at the end.
 */
struct slice agent_words_next(const struct agent_words *w, enum event event, size_t *at);

/**
 * agent_parse(w, text, arena, out):
 * Read the record's text (one line, or a joined stack trace) into ${out},
 * which is filled whole.  Slices point into ${text}, ${arena} or constants.
 * Never fails: a value that cannot be read leaves its field absent and sets
 * its bit in ${failures}.  Keys and events are looked for in the first 16 KiB
 * of the message; the time is linear in the text's length, whatever it holds.
 */
void agent_parse(
    const struct agent_words *w, struct slice text, struct arena *arena, struct agent_line *out);

#endif
