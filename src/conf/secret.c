/*
 * A secret becomes part of a header line or of a login: a control character in it
 * would end that line, and begin another.
 */
#include <stdio.h>
#include <stdlib.h>

#include "conf.h"
#include "memory.h"

#define SECRET_MAX 65536

bool
conf_has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

char *
conf_secret_file(const char *path, const char **why)
{
	FILE *file = fopen(path, "re");
	char *text;
	size_t n;

	*why = "cannot be read";
	if (file == NULL)
		return NULL;
	text = xmalloc(SECRET_MAX + 1);
	n = fread(text, 1, SECRET_MAX + 1, file);
	if (ferror(file))
		n = 0;
	else
		*why = n == 0 ? "is empty" : n > SECRET_MAX ? "is no secret: too long" : NULL;
	fclose(file);
	if (*why == NULL && text[n - 1] == '\n')
		n -= n > 1 && text[n - 2] == '\r' ? 2 : 1;
	if (*why == NULL) {
		text[n] = '\0';
		if (n == 0)
			*why = "is empty";
		else if (strlen(text) < n || conf_has_control(text))
			*why = "has a control character, or more than one line";
	}
	if (*why == NULL)
		return text;
	free(text);
	return NULL;
}
