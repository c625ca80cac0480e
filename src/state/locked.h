/* A lock that is held to the end of a block. */
#ifndef LOCKED_H
#define LOCKED_H

#include <pthread.h>

static inline pthread_mutex_t *
locked_take(pthread_mutex_t *lock)
{
	pthread_mutex_lock(lock);
	return lock;
}

static inline void
locked_give(pthread_mutex_t **lock)
{
	pthread_mutex_unlock(*lock);
}

/* Hold ${of}->lock from here on, until the block is left. */
#define LOCKED(of)                                                                                 \
	pthread_mutex_t *locked __attribute__((cleanup(locked_give), unused)) =                    \
	    locked_take(&(of)->lock)

#endif
