/* Passwords of users, against their bcrypt hashes, by a thread that may take its time. */
#ifndef DOOR_H
#define DOOR_H

#include "web_conf.h"

struct door;

enum door_answer {
	DOOR_OPEN,
	DOOR_SHUT,  /* no such user, or another password */
	DOOR_LATER, /* being found out: ask again */
};

/**
 * door_new(users), door_free(d):
 * ${users} outlives it.  NULL: there is no thread, as was said.
 */
struct door *door_new(const struct web_pairs *users);
void door_free(struct door *d);

/**
 * door_ask(d, user, password):
 * May ${user} with ${password} come in?  What was found out lately is known at once.
 */
enum door_answer door_ask(struct door *d, const char *user, const char *password);

/**
 * door_has_news(d):
 * True when an answer was found since it was last asked.
 */
bool door_has_news(struct door *d);

#endif
