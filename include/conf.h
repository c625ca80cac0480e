/*
 * Configuration: Fluent Bit's format, classic or YAML, read into the option table of
 * each plugin and checked whole.  Every finding is FILE:LINE, the mistake, and
 * the nearest right name; all are found in one go.
 *
 * The reader knows grammar and types; a struct registry lists the plugins, so
 * that this floor does not depend on those above it.
 */
#ifndef CONF_H
#define CONF_H

#include <stdint.h>
#include <stdio.h>

#include "slice.h"

/* ---- options */

enum option_type {
	OPT_STRING, /* char *; NULL when not given and without default */
	OPT_BOOL,   /* bool; on off true false yes no */
	OPT_INT,    /* int64_t, within min and max */
	OPT_SIZE,   /* uint64_t, bytes; K M G are powers of 1000, as in Fluent Bit */
	OPT_TIME,   /* int64_t, ns; a number is seconds (may have a fraction), or s m h d */
	OPT_ENUM,   /* int, the index into choices */
	OPT_LIST,   /* struct list; commas separate, repeating the key appends */
	OPT_LINES,  /* struct list; each repetition of the key is one value, verbatim */
};

struct list {
	char **at;
	size_t n;
	unsigned *lines; /* of the file, one an item; NULL: the items are a default */
};

/* The line that gave item ${i}; 0: none did. */
static inline unsigned
list_line(const struct list *l, size_t i)
{
	return l->lines != NULL ? l->lines[i] : 0;
}

enum option_flag {
	OPT_LATER = 1,     /* an option of Fluent Bit that is not built: an error that says so */
	OPT_IDLE = 2,      /* accepted without effect: a note says why (help is the reason);
	                 * nothing is stored, so where is 0 */
	OPT_SECRET = 4,    /* never printed */
	OPT_NEEDED = 8,    /* its absence is an error */
	OPT_FILE = 16,     /* names a file, or files, that are read */
	OPT_TEXT = 32,     /* quotes around it, or a # in it, may be meant: a warning, no error */
	OPT_VERBATIM = 64, /* quotes around parts of it, and a #, are its grammar */
	OPT_KEYED = 128,   /* OPT_LINES of a list that several rows share: the option's name
			 * stands before each value, so that their order is kept */
};

struct option {
	const char *name; /* net.* stands for every key that begins with net., so does aws_* */
	enum option_type type;
	const char *value; /* default, as it would be typed; NULL: none */
	size_t where;      /* offsetof the field in the plugin's struct */
	const char *help;  /* one line */
	unsigned flags;
	/* OPT_ENUM: the words, ended by a NULL.  OPT_INT: words beside the numbers,
	 * the i-th means -1 - i (Retry_Limit no_limits: -1). */
	const char *const *choices;
	int64_t min, max; /* OPT_INT, OPT_SIZE, OPT_TIME; both 0: any that is not negative */
};

/* Rows of a table; further members follow by name: .flags, .choices, .min, .max. */
#define OPTION(what, kind, default_value, at, text, ...)                                           \
	{                                                                                          \
		.name = what, .type = kind, .value = default_value, .where = at, .help = text,     \
		__VA_ARGS__                                                                        \
	}
#define OPTION_IDLE(what, why) OPTION(what, OPT_STRING, NULL, 0, why, .flags = OPT_IDLE)
#define OPTION_LATER(what, text) OPTION(what, OPT_STRING, NULL, 0, text, .flags = OPT_LATER)
#define OPTIONS_END                                                                                \
	{                                                                                          \
		.name = NULL                                                                       \
	}

/* ---- plugins */

enum section_kind {
	SECTION_SERVICE,
	SECTION_INPUT,
	SECTION_FILTER,
	SECTION_OUTPUT,
	SECTION_PARSER,
	SECTION_MULTILINE_PARSER,
	SECTION_KINDS
};

struct section;
struct conf;
struct findings;

/*
 * A kind of section: a plugin (tail, kubernetes, es), or a section without
 * plugins (SERVICE, PARSER), whose name is then NULL.
 */
struct plugin {
	enum section_kind kind;
	const char *name;
	const char *help;             /* one line */
	const struct option *options; /* ended by a row without name */
	const struct option *common;  /* rows that all plugins of the kind have; may be NULL */
	size_t size;                  /* of the struct that the options fill */
	/* Checks beyond the table's; NULL: none.  Adds findings. */
	void (*check)(const struct section *section, struct findings *findings);
	bool later;          /* a plugin of Fluent Bit that is not built … */
	bool spared;         /* … whose absence loses and changes no log record: the rest runs */
	const char *instead; /* of such a plugin: what there is; may be NULL */
	const char *also;    /* another name of it; NULL: none */
};

/* All plugins, ended by a NULL. */
struct registry {
	const struct plugin *const *plugins;
	/* Checks between sections that only the plugins understand; NULL: none. */
	void (*check)(const struct conf *conf, struct findings *findings);
};

/* ---- findings */

enum finding { FINDING_ERROR, FINDING_WARNING, FINDING_NOTE };

struct findings;

struct findings *findings_new(void);
void findings_free(struct findings *f);

/**
 * findings_add(f, kind, file, line, format, ...):
 * Note one finding; ${line} 0 when it concerns no line, ${file} NULL when no
 * file.  ${format} outlives ${f}: findings of one format are alike, and of those
 * 20 are kept; the last of these is printed with the number of the others.
 */
void findings_add(struct findings *f, enum finding kind, const char *file, unsigned line,
    const char *format, ...) __attribute__((format(printf, 5, 6)));

/**
 * findings_settle(f, file, line), findings_settled(f, file, line):
 * The value on ${line} is not known, which has been said: further findings about
 * this line would follow from that alone, and are not noted.  True: it is so.
 */
void findings_settle(struct findings *f, const char *file, unsigned line);
bool findings_settled(const struct findings *f, const char *file, unsigned line);

size_t findings_count(const struct findings *f, enum finding kind);

/**
 * findings_print(f, least, to):
 * Print findings of ${least} weight or more (FINDING_NOTE: all) as FILE:LINE:
 * TEXT, in order of file and line; the text of a warning or a note begins with
 * its kind.
 */
void findings_print(const struct findings *f, enum finding least, FILE *to);

/**
 * findings_name(word, to):
 * Write the part of ${word}, a name that is wrong, which a message may show, and
 * return ${to}: after a character that no name has a secret may follow
 * (HTTP_Passwd=…).
 */
#define FINDINGS_NAME 72
const char *findings_name(struct slice word, char to[FINDINGS_NAME]);

/**
 * findings_nearest(word, names, n):
 * Return the one of ${names} that ${word} was probably meant to be (edit
 * distance, case folded, at most a third of its length), or NULL.
 */
const char *findings_nearest(const char *word, const char *const *names, size_t n);

/* ---- a configuration */

struct section {
	const struct plugin *plugin;
	void *values; /* the plugin's struct */
	const char *file;
	unsigned line; /* of the [SECTION] */
	/* By option row, the common ones behind the plugin's own: the line that
	 * gave it; 0: default. */
	unsigned *lines;
};

/* A section of a plugin that is not built, without which the rest runs. */
struct skipped {
	const struct plugin *plugin;
	const char *name; /* an output's, as output_name() makes it; else NULL */
	const char *match, *match_regex;
	const char *file;
	unsigned line;
};

struct conf {
	struct section *sections; /* in the order of the file; parsers' files included */
	size_t n;
	struct skipped *skipped;
	size_t nskipped;
	const char *file;   /* the main file */
	const char *inside; /* what it stands in: ConfigMap NAME, values of a chart; or NULL */
	void *owned;        /* memory behind all of it */
};

/**
 * conf_read(path, registry, findings):
 * Read the file ${path}, the files that it includes and the parsers' files
 * that it names (beside the main file, else the installed ones).  Mistakes go
 * to ${findings}; the caller looks at their count.  Return the configuration
 * as far as it could be read, never NULL; conf_free frees it and all that its
 * sections point to.
 */
struct conf *conf_read(
    const char *path, const struct registry *registry, struct findings *findings);
void conf_free(struct conf *conf);

/**
 * conf_given(section, name):
 * Return the line on which the option ${name} was given, 0 when it has its
 * default.
 */
unsigned conf_given(const struct section *section, const char *name);

/**
 * conf_unknown(section, name, findings):
 * True when the option ${name} was given a value that is not known, which has been said:
 * a variable is not set.
 */
bool conf_unknown(const struct section *section, const char *name, const struct findings *findings);

/**
 * conf_value(section, name):
 * Return where the value of the option ${name} lies (its type is the
 * table's), or NULL when the plugin has no such option or stores none.
 */
const void *conf_value(const struct section *section, const char *name);

/**
 * conf_files(conf, each, arg):
 * Call ${each} with the path of each file that ${conf} consists of or names
 * (OPT_FILE), existing or not.
 */
void conf_files(const struct conf *conf, void (*each)(void *arg, const char *path), void *arg);

/**
 * conf_find(main, name):
 * Return the path of the file ${name} that the configuration ${main} names: an
 * absolute path as it is; else beside ${main}, in the installed
 * configuration's directory, or in conf/ of the tree the program was built in,
 * the first of these that exists.  NULL when none does.  The caller frees.
 */
char *conf_find(const char *main, const char *name);

/**
 * conf_match(pattern, tag):
 * True when ${tag} matches ${pattern}.  Case-sensitive; `*` is any text, and
 * the only special character.
 */
bool conf_match(const char *pattern, struct slice tag);

/**
 * conf_has_control(text), conf_secret_file(path, why):
 * True when ${text} has a control character.  The secret that the file ${path} holds,
 * less one line break at its end, as the caller's string; or NULL and ${*why}: it
 * cannot be read, is empty, longer than 64 KiB, or has a control character.
 */
bool conf_has_control(const char *text);
char *conf_secret_file(const char *path, const char **why);

/* ---- the grammar alone, for files with other sections (conf/agent-events.conf) */

struct conf_entry {
	char *key;
	char *value; /* variables expanded, blanks around it gone */
	unsigned line;
};

struct conf_block {
	char *name;       /* as it stands between the brackets */
	const char *file; /* the file that has the entry: the main one, or an included one */
	unsigned line;
	struct conf_entry *entries;
	size_t n;
};

struct conf_blocks {
	struct conf_block *at;
	size_t n;
	const char *file;
	size_t early; /* so many filters in front stood as processors of inputs */
	bool yaml;    /* the main file is in the YAML form, and does not stand in another one */
};

/**
 * conf_blocks_read(path, findings), conf_blocks_free(blocks):
 * Read a file of sections and entries, whatever their names.  NULL when the
 * file cannot be read (a finding says why).
 */
struct conf_blocks *conf_blocks_read(const char *path, struct findings *findings);
void conf_blocks_free(struct conf_blocks *blocks);

/**
 * conf_blocks_typed(path, findings):
 * As conf_blocks_read(), but values are as typed, their variables not replaced; @SET is a
 * block of that name with one entry; parsers that stand in the same ConfigMap as the main
 * file are read in the place of their Parsers_File.
 */
struct conf_blocks *conf_blocks_typed(const char *path, struct findings *findings);

/**
 * conf_form_yaml(blocks, findings, to), conf_form_classic(blocks, findings, to):
 * Write sections that are as typed in the YAML form, in the classic form.  What that form
 * does not have is a finding, and left out.
 */
void conf_form_yaml(const struct conf_blocks *blocks, struct findings *findings, FILE *to);
void conf_form_classic(const struct conf_blocks *blocks, struct findings *findings, FILE *to);

/* ---- texts made from the tables */

/**
 * conf_help(plugin, to), conf_reference(registry, to):
 * Print a plugin's options for a terminal; print docs/configuration.md.
 */
void conf_help(const struct plugin *plugin, FILE *to);
void conf_reference(const struct registry *registry, FILE *to);

/**
 * conf_schema(registry, to):
 * Print docs/towline.schema.json, the JSON schema (draft 7) of the YAML form.
 */
void conf_schema(const struct registry *registry, FILE *to);

#endif
