/*
 * Time zones by their names.  Files are read when a parser is made, never for a record;
 * a name comes from the configuration and leads nowhere but below the directory.
 */
#include "zones.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"

#define ZONES "/usr/share/zoneinfo"
#define LOCAL "/etc/localtime"
#define FILE_MOST (64u << 10) /* the largest of tzdata has 4 KB */

/* Letters, digits, _ + - and /, between which no part is empty. */
static bool
is_name(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_+-/";
	size_t len = strlen(name);

	return len > 0 && len < 100 && strspn(name, letters) == len && name[0] != '/' &&
	       name[len - 1] != '/' && strstr(name, "//") == NULL;
}

/* NULL with errno: it cannot be read; 0: it is no zone's, and *why says so. */
static struct zone *
file_read(const char *path, const char **why)
{
	char *bytes = xmalloc(FILE_MOST + 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), error;
	struct zone *z = NULL;
	struct stat st;
	ssize_t n = -1;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		n = read(fd, bytes, FILE_MOST + 1);
	else if (fd >= 0)
		errno = EISDIR;
	error = errno;
	if (fd >= 0)
		close(fd);
	if (n > (ssize_t)FILE_MOST)
		*why = "it is no TZif file: too long";
	else if (n >= 0)
		z = zone_read((struct slice){ bytes, (size_t)n }, why);
	free(bytes);
	errno = n < 0 ? error : 0;
	return z;
}

static struct zone *
below_read(const char *name, const char **why)
{
	char *path = xprintf("%s/%s", ZONES, name);
	struct zone *z = file_read(path, why);
	int error = errno;

	free(path);
	errno = error;
	return z;
}

struct zone *
zones_named(const char *name, char *error, size_t size)
{
	const char *why = NULL;
	struct zone *z;

	if (!is_name(name)) {
		snprintf(error, size, "'%s' is no zone's name, such as Europe/Vienna", name);
		return NULL;
	}
	z = below_read(name, &why);
	if (z == NULL && (errno == ENOENT || errno == ENOTDIR || errno == EISDIR))
		snprintf(error, size, "there is no zone '%s' below %s, where tzdata installs them",
		    name, ZONES);
	else if (z == NULL)
		snprintf(
		    error, size, "%s/%s: %s", ZONES, name, why != NULL ? why : strerror(errno));
	return z;
}

struct zone *
zones_system(char *error, size_t size)
{
	const char *tz = getenv("TZ"), *why = NULL, *named = tz != NULL ? "TZ" : LOCAL;
	struct zone *z = NULL;

	if (tz != NULL && tz[0] == ':')
		tz++;
	if (tz != NULL && tz[0] == '\0')
		return zone_fixed(0);
	errno = ENOENT;
	if (tz == NULL || tz[0] == '/')
		z = file_read(tz == NULL ? LOCAL : tz, &why);
	else if (is_name(tz))
		z = below_read(tz, &why);
	if (z == NULL && tz == NULL && errno == ENOENT)
		return zone_fixed(0);
	if (z == NULL && tz != NULL && tz[0] != '/' && errno != 0)
		z = zone_posix(slice_of(tz), &why);
	if (z == NULL)
		snprintf(error, size, "%s: %s%s%s", named, tz != NULL ? tz : "",
		    tz != NULL ? ": " : "", why != NULL ? why : strerror(errno));
	return z;
}
