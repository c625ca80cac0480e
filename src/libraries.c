/*
 * What a library leaves out for want of memory would be a member that was not saved,
 * a row that was not read: the process ends instead, and the next start has all of it.
 * libcurl is told the same when it begins (shipper.c); libyaml has the answer checked
 * (yaml_doc.c).
 */
#include "libraries.h"

#include <jansson.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "memory.h"

static sqlite3_mem_methods sqlites;

static void *
sqlite_malloc(int n)
{
	return xneeded(sqlites.xMalloc(n), (size_t)n);
}

static void *
sqlite_realloc(void *p, int n)
{
	return xneeded(sqlites.xRealloc(p, n), (size_t)n);
}

void
libraries_begin(void)
{
	sqlite3_mem_methods ours;

	json_set_alloc_funcs(xmalloc, free);
	if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlites) != SQLITE_OK)
		return;
	ours = sqlites;
	ours.xMalloc = sqlite_malloc;
	ours.xRealloc = sqlite_realloc;
	sqlite3_config(SQLITE_CONFIG_MALLOC, &ours);
}
