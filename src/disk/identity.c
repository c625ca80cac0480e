/* Hashes of parts, each with its length, so that no two lists of parts hash alike. */
#include "identity.h"

#include <errno.h>
#include <stdio.h>
#include <xxhash.h>

#include "memory.h"
#include "rotated.h"
#include "voice.h"

static void
put(XXH3_state_t *hash, struct slice part)
{
	uint64_t len = part.len;

	XXH3_128bits_update(hash, &len, sizeof(len));
	XXH3_128bits_update(hash, part.at, part.len);
}

static void
put_number(XXH3_state_t *hash, uint64_t number)
{
	put(hash, (struct slice){ (const char *)&number, sizeof(number) });
}

static XXH3_state_t *
begin(void)
{
	XXH3_state_t *hash = xneeded(XXH3_createState(), sizeof(uint64_t));

	XXH3_128bits_reset(hash);
	return hash;
}

static void
end(XXH3_state_t *hash, struct identity *out)
{
	XXH128_canonical_t canonical;

	XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(hash));
	XXH3_freeState(hash);
	memcpy(out->at, canonical.digest, sizeof(out->at));
}

#define MACHINE_ID "/etc/machine-id"

static char
    machine_id[64]; /* tells this machine's plain files from another's; empty: it has none */

static bool
machine_id_read(void)
{
	static bool known;
	static struct said said;
	FILE *from;

	if (known)
		return true;
	from = fopen(MACHINE_ID, "re");
	known = from == NULL ? errno == ENOENT || errno == EACCES
			     : fgets(machine_id, sizeof(machine_id), from) != NULL || !ferror(from);
	if (!known && !said_lately(&said))
		say_error("tail", "cannot read " MACHINE_ID ": %m; it is tried again");
	if (from != NULL)
		fclose(from);
	machine_id[strcspn(machine_id, "\n")] = '\0';
	return known;
}

bool
identity_ready(const char *source_id, const struct pod *pod)
{
	return pod_has_uid(pod) || source_id != NULL || machine_id_read();
}

static void
put_home(XXH3_state_t *hash, const char *source_id, const char *name, const struct pod *pod)
{
	const char *slash = strrchr(name, '/');

	if (pod_has_uid(pod)) {
		put(hash, pod->pod_id);
		put(hash, pod->container_name);
		put(hash, (struct slice){ (const char *)&pod->restart, sizeof(pod->restart) });
		return;
	}
	put(hash, source_id != NULL ? slice_of(source_id) : slice_of(machine_id));
	put(hash, (struct slice){ name, slash == NULL ? 0 : (size_t)(slash - name) });
	put(hash, rotated_base(slice_of(slash == NULL ? name : slash + 1)));
}

void
identity_of(const char *source_id, const char *name, const struct pod *pod, uint64_t generation,
    struct slice first, struct identity *out)
{
	XXH3_state_t *hash = begin();

	put_home(hash, source_id, name, pod);
	if (!pod_has_uid(pod) || generation != 0)
		put_number(hash, generation);
	put(hash, first);
	end(hash, out);
}

void
identity_home(const char *source_id, const char *name, const struct pod *pod, struct identity *out)
{
	XXH3_state_t *hash = begin();

	put_home(hash, source_id, name, pod);
	end(hash, out);
}

void
identity_log(const char *name, struct identity *out)
{
	XXH3_state_t *hash = begin();

	put(hash, slice_of(name));
	end(hash, out);
}

void
identity_part(const struct identity *content, uint64_t from, struct identity *out)
{
	XXH3_state_t *hash = begin();

	put(hash, identity_key(content));
	put_number(hash, from);
	end(hash, out);
}

struct slice
identity_key(const struct identity *id)
{
	return (struct slice){ (const char *)id->at, sizeof(id->at) };
}
