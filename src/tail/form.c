/*
 * The forms that a runtime's lines have: containerd's and CRI-O's, Docker's
 * json-file.  Which one is the input's word (Parser); what a line says of
 * itself, its time, its side, whether it is a part, is one thing to all behind.
 */
#include "form.h"

#include "docker.h"
#include "json.h"

enum line_form
form_of(const struct tail_conf *conf)
{
	if (conf->parser == NULL || strcmp(conf->parser, "cri") == 0)
		return FORM_CRI;
	return strcmp(conf->parser, "docker") == 0 ? FORM_DOCKER : FORM_ALONE;
}

bool
form_take(enum line_form form, struct slice line, struct cri_memo *memo, struct cri *out)
{
	switch (form) {
	case FORM_CRI:
		return cri_parse(line, memo, out) == PARSE_OK;
	case FORM_DOCKER:
		return docker_parse(line, out) == PARSE_OK;
	case FORM_ALONE:
		break;
	}
	return false;
}

bool
form_time(struct slice line, int64_t *time)
{
	struct cri_memo memo = { 0 };
	struct cri cri;

	if (cri_parse(line, &memo, &cri) != PARSE_OK && docker_parse(line, &cri) != PARSE_OK)
		return false;
	*time = cri.time;
	return true;
}

void
form_text(struct slice content, bool escaped, struct buffer *to)
{
	if (escaped)
		to->len += json_unescape(content, buffer_need(to, content.len));
	else
		buffer_put(to, content);
}

bool
tail_reads_runtime(const struct tail_conf *conf)
{
	return form_of(conf) != FORM_ALONE;
}
