/* The limit on messages that would be repeated. */
#include "voice.h"

#include "clock.h"

bool
said_lately(struct said *s)
{
	int64_t now = clock_mono();

	if (s->at != 0 && now - s->at < 30 * NS_PER_S) {
		s->unsaid++;
		return true;
	}
	s->at = now;
	s->unsaid = 0;
	return false;
}
