/*
 * bcrypt is slow on purpose: it runs in a thread of its own, one password after another,
 * so that guesses delay neither probes nor the scrapes whose password is known.  Known
 * ones are remembered by a keyed hash, right and wrong ones apart, so that guesses do not
 * push out the right ones.  A password is here only while it waits and is hashed.
 */
#include "door.h"

#include <crypt.h>
#include <gnutls/crypto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "memory.h"
#include "voice.h"

#define KNOWN 64  /* answers that are remembered, of each kind */
#define LINE 64   /* passwords that wait: one of each connection */
#define TEXT 1024 /* a longer name or password is nobody's */
#define BCRYPT 72 /* bytes of a password that bcrypt reads */
#define DIGEST 32

/* Of a user and a password. */
struct digest {
	unsigned char at[DIGEST];
};

struct known {
	struct digest at[KNOWN];
	unsigned long n; /* ever; the oldest are written over */
};

struct waiting {
	struct digest digest;
	const char *hash;
	char password[BCRYPT + 1];
};

struct door {
	const struct web_pairs *users;
	unsigned char key[DIGEST]; /* of this process' digests */
	char nobody[64];           /* a hash of the same cost, for names that nobody has */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t come;
	bool over;
	struct known right, wrong;
	struct waiting line[LINE]; /* the first ${waiting} */
	unsigned waiting;
	atomic_bool news;
};

/* ---- answers that are known */

static bool
same(const struct digest *a, const struct digest *b)
{
	return gnutls_memcmp(a->at, b->at, DIGEST) == 0;
}

static bool
is_known(const struct known *k, const struct digest *d)
{
	bool known = false;

	for (unsigned i = 0; i < KNOWN && i < k->n; i++)
		known |= same(&k->at[i], d);
	return known;
}

static bool
digest_of(const struct door *d, const char *user, const char *password, struct digest *to)
{
	size_t name = strlen(user) + 1, rest = strlen(password);
	char text[2 * TEXT];
	int code;

	if (name > TEXT || rest > TEXT)
		return false;
	memcpy(text, user, name);
	memcpy(text + name, password, rest);
	code = gnutls_hmac_fast(GNUTLS_MAC_SHA256, d->key, DIGEST, text, name + rest, to->at);
	explicit_bzero(text, sizeof(text));
	return code == 0;
}

/* ---- the thread */

/* True when ${hash} is that of the password. */
static bool
fits(const struct waiting *w, struct crypt_data *data)
{
	const char *made = crypt_r(w->password, w->hash, data);
	size_t len = strlen(w->hash);

	return made != NULL && strlen(made) == len && gnutls_memcmp(made, w->hash, len) == 0;
}

/* The lock is held, and let go of meanwhile. */
static void
first_hash(struct door *d, struct crypt_data *data)
{
	struct waiting w = d->line[0];
	struct known *to;
	bool right;

	pthread_mutex_unlock(&d->lock);
	right = fits(&w, data);
	explicit_bzero(w.password, sizeof(w.password));
	pthread_mutex_lock(&d->lock);
	to = right ? &d->right : &d->wrong;
	to->at[to->n++ % KNOWN] = w.digest;
	d->waiting--;
	memmove(d->line, d->line + 1, d->waiting * sizeof(*d->line));
	explicit_bzero(d->line + d->waiting, sizeof(*d->line));
	atomic_store(&d->news, true);
}

static void *
turn(void *arg)
{
	struct crypt_data *data = xcalloc(1, sizeof(*data));
	struct door *d = arg;

	pthread_setname_np(pthread_self(), "bcrypt");
	setpriority(PRIO_PROCESS, (id_t)gettid(), 19); /* of this thread alone */
	pthread_mutex_lock(&d->lock);
	while (!d->over) {
		if (d->waiting == 0)
			pthread_cond_wait(&d->come, &d->lock);
		else
			first_hash(d, data);
	}
	pthread_mutex_unlock(&d->lock);
	explicit_bzero(data, sizeof(*data));
	free(data);
	return NULL;
}

/* ---- questions */

static const char *
hash_of(const struct door *d, const char *user)
{
	for (size_t i = 0; i < d->users->n; i++) {
		if (strcmp(d->users->at[i].name, user) == 0)
			return d->users->at[i].value;
	}
	return d->nobody;
}

static enum door_answer
answer(struct door *d, const struct digest *digest, const char *user, const char *password)
{
	struct waiting *w;

	if (is_known(&d->right, digest))
		return DOOR_OPEN;
	if (is_known(&d->wrong, digest))
		return DOOR_SHUT;
	for (unsigned i = 0; i < d->waiting; i++) {
		if (same(&d->line[i].digest, digest))
			return DOOR_LATER;
	}
	if (d->waiting == LINE)
		return DOOR_LATER;
	w = &d->line[d->waiting++];
	w->digest = *digest;
	w->hash = hash_of(d, user);
	snprintf(w->password, sizeof(w->password), "%s", password);
	pthread_cond_signal(&d->come);
	return DOOR_LATER;
}

enum door_answer
door_ask(struct door *d, const char *user, const char *password)
{
	struct digest digest;
	enum door_answer a;

	if (!digest_of(d, user, password, &digest))
		return DOOR_SHUT;
	pthread_mutex_lock(&d->lock);
	a = answer(d, &digest, user, password);
	pthread_mutex_unlock(&d->lock);
	return a;
}

bool
door_has_news(struct door *d)
{
	return atomic_exchange(&d->news, false);
}

/* ---- the whole */

struct door *
door_new(const struct web_pairs *users)
{
	struct door *d = xcalloc(1, sizeof(*d));

	d->users = users;
	if (gnutls_rnd(GNUTLS_RND_KEY, d->key, DIGEST) != 0) {
		say_error("http", "no random bytes for the passwords' key");
		free(d);
		return NULL;
	}
	/* The first user's salt, and a hash that no password is known to have. */
	snprintf(d->nobody, sizeof(d->nobody), "%.29s%s", users->at[0].value,
	    "...............................");
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->come, NULL);
	if (pthread_create(&d->thread, NULL, turn, d) == 0)
		return d;
	say_error("http", "no thread for passwords: %m");
	free(d);
	return NULL;
}

void
door_free(struct door *d)
{
	if (d == NULL)
		return;
	pthread_mutex_lock(&d->lock);
	d->over = true;
	pthread_cond_signal(&d->come);
	pthread_mutex_unlock(&d->lock);
	pthread_join(d->thread, NULL);
	pthread_mutex_destroy(&d->lock);
	pthread_cond_destroy(&d->come);
	explicit_bzero(d, sizeof(*d));
	free(d);
}
