/* The forms that a runtime's lines have. */
#ifndef FORM_H
#define FORM_H

#include "cri.h"
#include "memory.h"
#include "tail.h"

enum line_form { FORM_ALONE, FORM_CRI, FORM_DOCKER };

/* Of the lines that an input reads; FORM_ALONE: each line is a record. */
enum line_form form_of(const struct tail_conf *conf);

/**
 * form_take(form, line, memo, out):
 * Take ${line} apart.  False: it is not of the form; it is text then.
 */
bool form_take(enum line_form form, struct slice line, struct cri_memo *memo, struct cri *out);

/**
 * form_time(line, time):
 * Does ${line} carry a runtime's time, whatever form an input reads?  What
 * names a stream is of its bytes alone.
 */
bool form_time(struct slice line, int64_t *time);

/**
 * form_text(content, escaped, to):
 * Append a line's content to ${to}, without the escapes of its form.
 */
void form_text(struct slice content, bool escaped, struct buffer *to);

#endif
