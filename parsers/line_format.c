/*
 * The forms of a runtime's lines: containerd's and CRI-O's, Docker's json-file.
 * The first byte of a line says which form it may have; its time, its side and
 * whether it is a part are in one struct for either form.
 */
#include "line_format.h"

#include "docker.h"
#include "json.h"

bool
line_format_take(struct slice line, struct cri_memo *memo, struct cri *out)
{
	if (line.len > 0 && line.at[0] == '{')
		return docker_parse(line, out) == PARSE_OK;
	return cri_parse(line, memo, out) == PARSE_OK;
}

void
line_format_text(struct slice content, bool escaped, struct buffer *to)
{
	if (escaped)
		to->len += json_unescape(content, buffer_need(to, content.len));
	else
		buffer_put(to, content);
}

bool
line_format_read(struct slice line, struct cri_memo *memo, struct cri *out)
{
	bool taken = memo != NULL && line_format_take(line, memo, out);

	if (!taken)
		*out = (struct cri){ .side = SIDE_STDOUT, .content = line };
	if (out->content.len > 0 && out->content.at[out->content.len - 1] == '\r' &&
	    !out->partial && !out->escaped)
		out->content.len--;
	return taken;
}

size_t
line_format_nuls(struct slice bytes)
{
	size_t n = 0;

	while (n < bytes.len && bytes.at[n] == '\0')
		n++;
	return n;
}
