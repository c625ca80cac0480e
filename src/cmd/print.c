/* Foreign text for a terminal: names of files, messages of servers. */
#include "cmd.h"

void
cmd_print(const char *text, FILE *to)
{
	for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
		if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0) /* C1, as UTF-8 */
			fprintf(to, "\\x%02x", *++c);
		else if (*c < 0x20 || *c == 0x7f)
			fprintf(to, "\\x%02x", *c);
		else
			putc(*c, to);
	}
}
