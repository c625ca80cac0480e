/* What only shows between sections. */
#include "read.h"

void
check_sections(struct reading *r)
{
	(void)r;
}
