/*
 * The forms that a line of a runtime's log has, told line by line.  No files, no
 * clock, no allocation but the caller's buffer.
 */
#ifndef LINE_FORMAT_H
#define LINE_FORMAT_H

#include "cri.h"
#include "memory.h"

/**
 * line_format_take(line, memo, out):
 * Take ${line} apart, containerd's and CRI-O's or Docker's json-file.  False: it
 * is of neither form; it is text then.
 */
bool line_format_take(struct slice line, struct cri_memo *memo, struct cri *out);

/* ns that a line's part waits at least for the next one, which a runtime may write late. */
#define LINE_FORMAT_WAIT INT64_C(60000000000)

/**
 * line_format_text(content, escaped, to):
 * Append a line's content to ${to}, without the escapes of its form.
 */
void line_format_text(struct slice content, bool escaped, struct buffer *to);

/**
 * line_format_read(line, memo, out):
 * The same, unless ${memo} is NULL; text is the content then.  The CR of a CR LF is no content;
 * a part of a line, behind which text follows, keeps it.
 */
bool line_format_read(struct slice line, struct cri_memo *memo, struct cri *out);

/**
 * line_format_nuls(bytes):
 * The number of NULs that ${bytes}, where a line begins, begin with.  They are a
 * hole, of a writer that went on at its old offset in a truncated file, or of a
 * power cut; the line begins behind them.
 */
size_t line_format_nuls(struct slice bytes);

#endif
