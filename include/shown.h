/*
 * Foreign text for a terminal, a log or a label: log lines, names of files,
 * messages of servers.  A byte that could command the terminal, forge a line or
 * change the order in which text is read is written as \xNN: control characters
 * (C0, DEL, C1), Unicode's characters that control direction, and bytes that are
 * no UTF-8.
 */
#ifndef SHOWN_H
#define SHOWN_H

#include <stdio.h>

#include "slice.h"

/**
 * shown_char(text):
 * The length of the character that ${text}, which is not empty, begins with; 0
 * when its first byte has to be escaped.
 */
size_t shown_char(struct slice text);

/**
 * shown_write(to, size, text), shown_print(text, to):
 * Write ${text} into at most ${size} bytes, cut behind a whole character, and
 * return their number; write it to a file.
 */
size_t shown_write(char *to, size_t size, struct slice text);
void shown_print(struct slice text, FILE *to);

/**
 * shown_json(text, to):
 * Write the JSON text ${text} to a file; the same characters as \uNNNN, so that
 * its meaning stays.
 */
void shown_json(struct slice text, FILE *to);

#endif
