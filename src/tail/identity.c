/* Which stream a file's content is: by its first line, and where it stands. */
#include <limits.h>
#include <stdio.h>
#include <unistd.h>
#include <xxhash.h>

#include "file.h"

static void
put(XXH3_state_t *hash, struct slice part)
{
	uint64_t len = part.len; /* so that no two lists of parts hash alike */

	XXH3_128bits_update(hash, &len, sizeof(len));
	XXH3_128bits_update(hash, part.at, part.len);
}

/* DIR and NAME of DIR/NAME.20260101-000000 or DIR/NAME.1: without what a rotation adds. */
static void
put_place(XXH3_state_t *hash, const char *target)
{
	const char *slash = strrchr(target, '/');
	struct slice dir = { target, slash == NULL ? 0 : (size_t)(slash - target) };
	struct slice name = slice_of(slash == NULL ? target : slash + 1);

	if (slice_ends(name, SLICE(".gz")))
		name.len -= 3;
	while (name.len > 1) {
		size_t n = name.len;

		while (n > 0 && memchr("0123456789-", name.at[n - 1], 11) != NULL)
			n--;
		if (n == name.len || n < 2 || name.at[n - 1] != '.')
			break;
		name.len = n - 1;
	}
	put(hash, dir);
	put(hash, name);
}

struct slice
identity_key(const struct identity *id)
{
	return (struct slice){ (const char *)id->at, sizeof(id->at) };
}

/* What tells this machine's plain files from another's; empty when the machine has no id. */
static struct slice
machine_id(void)
{
	static char id[64];
	static bool read_once;
	FILE *from;

	if (!read_once && (from = fopen("/etc/machine-id", "re")) != NULL) {
		if (fgets(id, sizeof(id), from) != NULL)
			id[strcspn(id, "\n")] = '\0';
		fclose(from);
	}
	read_once = true;
	return slice_of(id);
}

struct pod *
pod_of(const char *target, const char *path)
{
	struct pod *pod = pod_from_path(slice_of(target), slice_of(path));
	char hop[PATH_MAX];
	ssize_t n;

	if (pod != NULL)
		return pod;
	n = readlink(path, hop, sizeof(hop));
	if (n <= 0 || n == sizeof(hop))
		return NULL;
	return pod_from_path((struct slice){ hop, (size_t)n }, slice_of(path));
}

void
identity_of(const struct tail_conf *conf, const char *target, const struct pod *pod,
    uint64_t generation, struct slice first, struct identity *out)
{
	XXH3_state_t *hash = XXH3_createState();
	XXH128_canonical_t canonical;

	XXH3_128bits_reset(hash);
	if (pod != NULL) {
		put(hash, pod->pod_id);
		put(hash, pod->container_name);
		put(hash, (struct slice){ (const char *)&pod->restart, sizeof(pod->restart) });
	} else {
		put(hash, conf->source_id != NULL ? slice_of(conf->source_id) : machine_id());
		put_place(hash, target);
		put(hash, (struct slice){ (const char *)&generation, sizeof(generation) });
	}
	put(hash, first);
	XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(hash));
	XXH3_freeState(hash);
	memcpy(out->at, canonical.digest, sizeof(out->at));
}
