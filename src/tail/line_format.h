/* The forms that a runtime's lines have. */
#ifndef LINE_FORMAT_H
#define LINE_FORMAT_H

#include "cri.h"
#include "memory.h"
#include "tail.h"

/**
 * line_format_take(line, memo, out):
 * Take ${line} apart, containerd's and CRI-O's or Docker's json-file.  False: it
 * is of neither form; it is text then.
 */
bool line_format_take(struct slice line, struct cri_memo *memo, struct cri *out);

/**
 * line_format_text(content, escaped, to):
 * Append a line's content to ${to}, without the escapes of its form.
 */
void line_format_text(struct slice content, bool escaped, struct buffer *to);

#endif
