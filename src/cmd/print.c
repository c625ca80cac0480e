/* Foreign text for a terminal: names of files, messages of servers. */
#include "cmd.h"

#include <stdarg.h>
#include <stdlib.h>

#include "shown.h"

void
cmd_print(const char *text, FILE *to)
{
	shown_print(slice_of(text), to);
}

void
cmd_wrong(const char *format, ...)
{
	char text[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	cmd_print(text, stderr);
	fputc('\n', stderr);
}

void
cmd_print_json(char *json, FILE *to)
{
	shown_json(slice_of(json), to);
	fputc('\n', to);
	free(json);
}
