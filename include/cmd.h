/*
 * Commands: one file each in src/cmd/, opening with its entry; src/main.c is
 * the table of them.  Usage text and help come from the entry.
 */
#ifndef CMD_H
#define CMD_H

#include <stdio.h>

#include "conf.h"

enum exit_code { EXIT_DONE = 0, EXIT_WRONG = 1, EXIT_USAGE = 2, EXIT_IN_USE = 3 };

/* One option; with an argument when that has a name. */
struct cmd_option {
	char letter;          /* 0: none */
	const char *name;     /* of the long form */
	const char *argument; /* NULL: a flag */
	const char *help;
};

#define CMD_OPTIONS 16

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *operands; /* the words behind the options: [LOG…]; NULL: none are allowed */
	const char *help;     /* one line */
	const char *more;     /* further lines of help; may be NULL */
	const struct cmd_option *options; /* ended by a row without name */
};

extern const struct command cmd_run, cmd_check, cmd_convert, cmd_parse, cmd_test, cmd_report,
    cmd_status, cmd_replay, cmd_export_db, cmd_health, cmd_setup, cmd_version, cmd_help;

/* All commands, ended by a NULL. */
extern const struct command *const cmd_table[];

/**
 * cmd_options(c, argc, argv, values):
 * Read the options of ${c}, which may stand before and behind its operands
 * (those go to the end of ${argv}): values[i] becomes the argument of its i-th option
 * ("" for a flag), or stays NULL.  Return the index of the first operand, or
 * -1 after saying what is wrong and the usage on standard error: the command
 * returns EXIT_USAGE.
 */
int cmd_options(const struct command *c, int argc, char **argv, const char *values[CMD_OPTIONS]);

/**
 * cmd_usage(c, to):
 * Print the usage of ${c} and the help of its options.
 */
void cmd_usage(const struct command *c, FILE *to);

/**
 * cmd_print(text, to):
 * Print foreign text with what could command the terminal escaped (shown.h).
 */
void cmd_print(const char *text, FILE *to);

/**
 * cmd_wrong(format, ...), cmd_print_json(json, to):
 * Print a message on standard error, escaped, and a newline; print the JSON text
 * ${json}, which is freed, escaped so that its meaning stays.
 */
void cmd_wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));
void cmd_print_json(char *json, FILE *to);

/* The configuration that a command without -c reads. */
#define CMD_CONF_DEFAULT TOWLINE_CONF "/towline.conf"

/**
 * cmd_conf(path, least):
 * Read the configuration ${path} and print findings of ${least} weight or more
 * on standard error.  Return it, or NULL when there is an error.
 */
struct conf *cmd_conf(const char *path, enum finding least);

#endif
