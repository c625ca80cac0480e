/*
 * A snapshot of a container, made from the paths of the kubelet.  Whoever may
 * create pods chooses the names: nothing of them is trusted but their length
 * and their characters.
 */
#include "pod.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "memory.h"

#define ID_LEN 64 /* of a container id: hex digits */

static bool
is_digits(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.at[i] < '0' || s.at[i] > '9')
			return false;
	}
	return s.len > 0;
}

/* Cut the last component off *path. */
static struct slice
last_component(struct slice *path)
{
	size_t n = path->len;
	struct slice last;

	while (n > 0 && path->at[n - 1] != '/')
		n--;
	last = slice_from(*path, n);
	*path = (struct slice){ path->at, n > 0 ? n - 1 : 0 };
	return last;
}

/* A suffix of a rotation behind N.log: .20260101-000000, or a logrotate's .1 and -20260101. */
static bool
is_rotation(struct slice s)
{
	if (s.len < 2 || (s.at[0] != '.' && s.at[0] != '-'))
		return false;
	for (size_t i = 1; i < s.len; i++) {
		if (s.at[i] != '-' && (s.at[i] < '0' || s.at[i] > '9'))
			return false;
	}
	return true;
}

/* N.log, N.log.20260101-000000, N.log.1, any with .gz; N is the restart count. */
static bool
restart_of(struct slice file, uint32_t *restart)
{
	const char *dot = memchr(file.at, '.', file.len);
	struct slice number, rest;
	uint64_t n = 0;

	if (dot == NULL)
		return false;
	number = (struct slice){ file.at, (size_t)(dot - file.at) };
	rest = slice_from(file, number.len);
	if (!is_digits(number) || number.len > 9 || !slice_starts(rest, SLICE(".log")))
		return false;
	rest = slice_from(rest, 4);
	if (slice_ends(rest, SLICE(".gz")))
		rest.len -= 3;
	if (rest.len > 0 && !is_rotation(rest))
		return false;
	for (size_t i = 0; i < number.len; i++)
		n = n * 10 + (uint64_t)(number.at[i] - '0');
	*restart = (uint32_t)n;
	return true;
}

/* Split NS_POD_UID: no part of it may hold an underscore. */
static bool
split_directory(struct slice name, struct slice parts[3])
{
	for (int i = 0; i < 3; i++) {
		const char *bar = memchr(name.at, '_', name.len);

		if (i == 2 ? bar != NULL : bar == NULL)
			return false;
		parts[i] = (struct slice){ name.at, i == 2 ? name.len : (size_t)(bar - name.at) };
		if (parts[i].len == 0)
			return false;
		name = slice_from(name, parts[i].len + (i < 2));
	}
	return true;
}

/* The id at the end of a link's name, CONTAINER-<64 hex>.log; empty when the name was cut. */
static struct slice
id_of(struct slice link)
{
	struct slice id;

	if (link.len < ID_LEN + 5 || !slice_ends(link, SLICE(".log")))
		return (struct slice){ "", 0 };
	id = (struct slice){ link.at + link.len - 4 - ID_LEN, ID_LEN };
	for (size_t i = 0; i < ID_LEN; i++) {
		if (memchr("0123456789abcdef", id.at[i], 16) == NULL)
			return (struct slice){ "", 0 };
	}
	return id.at[-1] == '-' ? id : (struct slice){ "", 0 };
}

static void
put_member(struct buffer *json, const char *name, struct slice value)
{
	if (value.len == 0)
		return;
	buffer_printf(json, "%s\"%s\":", json->len > 1 ? "," : "", name);
	json->len =
	    (size_t)(json_write(buffer_need(json, JSON_WRITE_MAX(value.len)), value) - json->at);
}

static struct slice
kept(struct slice s)
{
	return (struct slice){ xslicedup(s), s.len };
}

void
pod_settle(struct pod *p)
{
	struct buffer json;

	buffer_init(&json, 0);
	buffer_put(&json, SLICE("{"));
	put_member(&json, "pod_name", p->pod_name);
	put_member(&json, "namespace_name", p->namespace_name);
	put_member(&json, "pod_id", p->pod_id);
	put_member(&json, "container_name", p->container_name);
	put_member(&json, "docker_id", p->docker_id);
	put_member(&json, "container_image", p->image);
	put_member(&json, "container_hash", p->image_id);
	if (p->version != 0)
		buffer_printf(&json, ",\"restart_count\":%u", p->restart);
	p->json = buffer_slice(&json);
}

struct pod *
pod_from_path(struct slice target, struct slice link)
{
	struct slice file = last_component(&target), container = last_component(&target), parts[3];
	struct pod *p;
	uint32_t restart;

	if (container.len == 0 || !restart_of(file, &restart) ||
	    !split_directory(last_component(&target), parts))
		return NULL;
	p = xcalloc(1, sizeof(*p));
	atomic_init(&p->refs, 1);
	p->namespace_name = kept(parts[0]);
	p->pod_name = kept(parts[1]);
	p->pod_id = kept(parts[2]);
	p->container_name = kept(container);
	p->docker_id = kept(id_of(link));
	p->restart = restart;
	pod_settle(p);
	return p;
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

/* <pod>_<ns>_<container>-<id>.log */
struct slice
pod_name_of_link(const char *path)
{
	const char *name = strrchr(path, '/'), *end;

	if (name == NULL ||
	    !slice_ends((struct slice){ path, (size_t)(name - path) }, SLICE("/containers")))
		return SLICE("");
	end = strchr(++name, '_');
	return (struct slice){ name, end != NULL ? (size_t)(end - name) : 0 };
}

struct pod *
pod_copy(const struct pod *of)
{
	struct pod *p = xcalloc(1, sizeof(*p));

	atomic_init(&p->refs, 1);
	p->namespace_name = kept(of->namespace_name);
	p->pod_name = kept(of->pod_name);
	p->pod_id = kept(of->pod_id);
	p->container_name = kept(of->container_name);
	p->docker_id = kept(of->docker_id);
	p->restart = of->restart;
	p->image = kept(of->image);
	p->image_id = kept(of->image_id);
	return p;
}

struct pod *
pod_ref(struct pod *p)
{
	atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
	return p;
}

static void
slice_free(struct slice s)
{
	union {
		const char *at;
		void *memory;
	} own = { s.at };

	free(own.memory);
}

void
pod_set(struct slice *member, const char *text)
{
	slice_free(*member);
	*member = kept(slice_of(text));
}

void
pod_unref(struct pod *p)
{
	if (p == NULL || atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1)
		return;
	slice_free(p->namespace_name);
	slice_free(p->pod_name);
	slice_free(p->pod_id);
	slice_free(p->container_name);
	slice_free(p->docker_id);
	slice_free(p->image);
	slice_free(p->image_id);
	slice_free(p->json);
	for (int side = 0; side < SIDES; side++)
		slice_free(p->parser[side]);
	shared_json_unref(p->meta);
	shared_json_unref(p->space);
	shared_json_unref(p->node);
	free(p);
}
