/*
 * Shipping whole requests: what goes well, and those that fail as servers and
 * networks fail.
 */
#include "ship_rig.h"

#include <fcntl.h>

/* ---- what goes well */

static void
test_all_is_delivered_once(void **state)
{
	struct rig r = { .server = { .answer = takes }, .fresh = true };
	uint64_t collisions = metrics.collisions;
	char why[128];

	(void)state;
	rig_start(&r, PLAIN, false);
	rig_fill(&r, 0, 5000, 0, NULL);
	wait_for(&r, idle);
	assert_int_equal(map_count(r.server.stored), 5000);
	assert_int_equal(shipped(&r, 0), 5000);
	assert_int_equal(counters(&r)->delivered, 5000);
	assert_int_equal(metrics.collisions, collisions);
	assert_true(r.server.bulks > 4);
	assert_true(shipper_ready(r.shipper, why, sizeof(why)));
	assert_int_equal(shipper_stop(r.shipper, NS_PER_S), 0);
	rig_end(&r);
}

/* True for a connection to the server, and for a socket that wakes a thread. */
static bool
is_ours(int fd, unsigned port)
{
	struct sockaddr_in peer = { .sin_family = AF_UNSPEC };
	socklen_t len = sizeof(peer);

	return getpeername(fd, (struct sockaddr *)&peer, &len) == 0 &&
	       (peer.sin_family == AF_UNIX || ntohs(peer.sin_port) == port);
}

static void
test_no_program_that_is_run_gets_our_sockets(void **state)
{
	struct rig r = { .server = { .answer = takes } };
	unsigned ours = 0;

	(void)state;
	rig_start(&r, PLAIN, false);
	rig_fill(&r, 0, 10, 0, NULL);
	wait_for(&r, idle);
	for (int fd = 3; fd < 1024; fd++) {
		if (!is_ours(fd, r.server.port))
			continue;
		ours++;
		assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	}
	assert_true(ours > 0);
	rig_end(&r);
}

static void
test_what_was_never_sent_and_is_there_collides(void **state)
{
	struct rig r = { .server = { .answer = takes }, .fresh = true };
	uint64_t collisions = metrics.collisions;

	(void)state;
	rig_start(&r, PLAIN, false);
	rig_fill(&r, 0, 10, 0, NULL);
	r.put[0] = 0;
	r.fresh = false;
	rig_fill(&r, 1, 1, 0, NULL);
	wait_for(&r, idle);
	assert_int_equal(metrics.collisions, collisions);
	r.streams[1].log = r.streams[0].log;
	r.fresh = true;
	rig_fill(&r, 1, 3, 0, NULL);
	wait_for(&r, idle);
	assert_int_equal(metrics.collisions, collisions + 3);
	rig_end(&r);
}

/* ---- requests that fail as a whole */

/* Stores, and then fails in the way of the phase. */
static void
stores_and_fails(struct server *s, const struct request *q, struct buffer *out)
{
	static const char *const garbage[] = { "{\"items\":[]}",
		"{\"items\":[{\"create\":", "<html>", "" };

	if (asked_first(q, out))
		return;
	bulk_answer(s, q, out);
	if (s->phase == 0) {
		buffer_clear(out); /* a reset */
	} else if (s->phase <= COUNT(garbage)) {
		buffer_clear(out);
		http_text(out, 200, garbage[s->phase - 1]);
	} else if (s->phase == 5) {
		buffer_clear(out);
		http_answer(out, 429, "Retry-After: 0\r\n", SLICE("{}"));
	} else if (s->phase == 6) {
		buffer_clear(out);
		http_text(out, 503, "no");
	}
	s->phase++;
}

static void
test_the_same_ids_go_again_until_the_server_has_answered(void **state)
{
	struct rig r = { .server = { .answer = stores_and_fails }, .fresh = true };
	uint64_t collisions = metrics.collisions;

	(void)state;
	rig_start(&r, PLAIN, false);
	rig_fill(&r, 0, 20, 0, NULL);
	wait_for(&r, idle);
	assert_int_equal(map_count(r.server.stored), 20);
	assert_int_equal(shipped(&r, 0), 20);
	assert_int_equal(counters(&r)->delivered, 20);
	assert_int_equal(counters(&r)->retries[REASON_CONNECT], 1);
	assert_int_equal(counters(&r)->retries[REASON_REPLY], 4);
	assert_int_equal(counters(&r)->retries[REASON_429], 1);
	assert_int_equal(counters(&r)->retries[REASON_5XX], 1);
	assert_int_equal(r.server.phase, 8);
	assert_int_equal(metrics.collisions, collisions);
	rig_end(&r);
}

/* Stores, and breaks the connection once: libcurl sends again by itself. */
static void
breaks_once(struct server *s, const struct request *q, struct buffer *out)
{
	if (asked_first(q, out))
		return;
	bulk_answer(s, q, out);
	if (s->phase++ == 0)
		buffer_clear(out);
}

static void
test_what_a_broken_connection_has_stored_is_no_collision(void **state)
{
	struct rig r = { .server = { .answer = breaks_once }, .fresh = true };
	uint64_t collisions = metrics.collisions;

	(void)state;
	rig_start(&r, PLAIN, false);
	rig_fill(&r, 0, 20, 0, NULL);
	wait_for(&r, idle);
	assert_int_equal(r.server.phase, 2);
	assert_int_equal(map_count(r.server.stored), 20);
	assert_int_equal(counters(&r)->delivered, 20);
	assert_int_equal(counters(&r)->retries[REASON_CONNECT], 1);
	assert_int_equal(metrics.collisions, collisions);
	rig_end(&r);
}

static void
refuses_poison(struct server *s, const struct request *q, struct buffer *out)
{
	if (asked_first(q, out))
		return;
	if (has(q->body, "poison"))
		http_text(out, 400, "{\"error\":{\"type\":\"parse_exception\",\"reason\":\"no\"}}");
	else
		bulk_answer(s, q, out);
}

static void
test_a_refused_request_is_bisected(void **state)
{
	struct rig r = { .server = { .answer = refuses_poison } };
	char letter[LETTER];

	(void)state;
	rig_start(&r, PLAIN, false);
	rig_fill(&r, 0, 300, 100, "poison");
	wait_for(&r, idle);
	assert_int_equal(map_count(r.server.stored), 297);
	assert_int_equal(shipped(&r, 0), 300);
	assert_int_equal(dead_letters(&r, letter), 3);
	assert_non_null(strstr(letter, "\"index\":\"logs\",\"id\":\""));
	assert_non_null(
	    strstr(letter, "\"status\":400,\"type\":\"parse_exception\",\"reason\":\"no\""));
	assert_non_null(strstr(letter, "\"log\":\"poison\",\"kubernetes\":{\"pod_name\":\"p\"},"
				       "\"log_parsed\":{\"level\":\"INFO\"}}}\n"));
	assert_int_equal(
	    counters(&r)->dead_letters[REASON_REJECTED] + counters(&r)->dead_letters[REASON_HOLD],
	    3);
	rig_end(&r);
}

/* The two halves are under way together: what the good one proves began before the bad one's end. */
static void
test_a_bad_document_is_found_beside_a_single_good_one(void **state)
{
	struct rig r = { .server = { .answer = refuses_poison } };
	struct batch *b = NULL;

	(void)state;
	rig_start(&r, PLAIN " Workers 2\n", false);
	rig_put(&r, &b, 0, "poison");
	rig_put(&r, &b, 0, "good");
	shipper_give(r.shipper, b);
	wait_for(&r, idle);
	assert_int_equal(map_count(r.server.stored), 1);
	assert_int_equal(shipped(&r, 0), 2);
	assert_int_equal(dead_letters(&r, NULL), 1);
	rig_end(&r);
}

static void
refuses_all(struct server *s, const struct request *q, struct buffer *out)
{
	if (asked_first(q, out))
		return;
	if (atomic_load(&s->blocked))
		http_text(out, 400, "{\"error\":\"no pipeline\"}");
	else
		bulk_answer(s, q, out);
}

static bool
refused_often(struct rig *r)
{
	return atomic_load(&r->server.bulks) > 15;
}

static void
test_a_server_that_refuses_every_request_loses_nothing(void **state)
{
	struct rig r = { .server = { .answer = refuses_all } };

	(void)state;
	rig_start(&r, PLAIN, false);
	atomic_store(&r.server.blocked, true);
	rig_fill(&r, 0, 64, 0, NULL);
	wait_for(&r, refused_often);
	assert_int_equal(shipped(&r, 0), 0);
	assert_int_equal(dead_letters(&r, NULL), 0);
	atomic_store(&r.server.blocked, false);
	wait_for(&r, idle);
	assert_int_equal(map_count(r.server.stored), 64);
	assert_int_equal(dead_letters(&r, NULL), 0);
	rig_end(&r);
}

static void
takes_little(struct server *s, const struct request *q, struct buffer *out)
{
	if (asked_first(q, out))
		return;
	if (q->body.len > 2000)
		http_text(out, 413, "");
	else
		bulk_answer(s, q, out);
}

static void
test_what_is_too_large_is_halved(void **state)
{
	struct rig r = { .server = { .answer = takes_little } };
	unsigned more = 0;
	char huge[4000];

	(void)state;
	memset(huge, 'h', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	rig_start(&r, PLAIN, false);
	rig_fill(&r, 0, 200, 200, huge);
	/* Others are taken once the huge one has been refused alone: it is its own fault. */
	for (; dead_letters(&r, NULL) == 0; more++) {
		assert_true(more < 1000);
		rig_fill(&r, 0, 1, 0, NULL);
		usleep(20000);
	}
	wait_for(&r, idle);
	assert_int_equal(map_count(r.server.stored), 199 + more);
	assert_int_equal(shipped(&r, 0), 200 + more);
	assert_int_equal(dead_letters(&r, NULL), 1);
	assert_int_equal(counters(&r)->dead_letters[REASON_TOO_LARGE], 1);
	rig_end(&r);
}

/* A proxy that has lost its mind: 413 to everything, for a while. */
static void
takes_nothing(struct server *s, const struct request *q, struct buffer *out)
{
	if (asked_first(q, out))
		return;
	if (atomic_load(&s->blocked))
		http_text(out, 413, "");
	else
		bulk_answer(s, q, out);
}

static void
test_a_413_to_what_was_taken_before_is_no_verdict(void **state)
{
	struct rig r = { .server = { .answer = takes_nothing } };

	(void)state;
	for (int taken_before = 0; taken_before < 2; taken_before++) {
		rig_start(&r, PLAIN, false);
		if (taken_before) {
			rig_fill(&r, 0, 50, 0, NULL);
			wait_for(&r, idle);
		}
		atomic_store(&r.server.blocked, true);
		rig_fill(&r, 0, 8, 0, NULL);
		wait_for(&r, refused_often);
		atomic_store(&r.server.blocked, false);
		wait_for(&r, idle);
		assert_int_equal(map_count(r.server.stored), taken_before ? 58 : 8);
		assert_int_equal(dead_letters(&r, NULL), 0);
		rig_end(&r);
		r = (struct rig){ .server = { .answer = takes_nothing } };
	}
}

static void
wants_the_new_password(struct server *s, const struct request *q, struct buffer *out)
{
	FILE *file;

	if (has(q->head, "Authorization: Basic dTpuZXc=")) { /* u:new */
		if (!asked_first(q, out))
			bulk_answer(s, q, out);
		return;
	}
	assert_true(has(q->head, "Authorization: Basic dTpvbGQ=")); /* u:old */
	file = fopen(s->file, "w");
	fputs("new\n", file);
	fclose(file);
	http_text(out, 401, "{}");
}

static void
test_a_password_file_is_read_again(void **state)
{
	struct rig r = { .server = { .answer = wants_the_new_password } };
	char lines[256];
	FILE *file;

	(void)state;
	snprintf(r.server.file, sizeof(r.server.file), "/tmp/ship-secret-%d", (int)getpid());
	file = fopen(r.server.file, "w");
	fputs("old\n", file);
	fclose(file);
	snprintf(lines, sizeof(lines), PLAIN " HTTP_User u\n HTTP_Passwd_File %s\n", r.server.file);
	rig_start(&r, lines, false);
	rig_fill(&r, 0, 5, 0, NULL);
	wait_for(&r, idle);
	assert_int_equal(map_count(r.server.stored), 5);
	unlink(r.server.file);
	rig_end(&r);
}

static void
fails(struct server *s, const struct request *q, struct buffer *out)
{
	(void)s;
	if (!asked_first(q, out))
		http_text(out, 500, "{\"error\":{\"type\":\"broken\",\"reason\":\"for good\"}}");
}

static void
test_retry_limit_gives_up_into_the_dead_letters(void **state)
{
	struct rig r = { .server = { .answer = fails } };
	char letter[LETTER];

	(void)state;
	rig_start(&r, PLAIN " Retry_Limit 2\n", false);
	rig_fill(&r, 0, 7, 0, NULL);
	wait_for(&r, idle);
	assert_int_equal(r.server.bulks, 3);
	assert_int_equal(shipped(&r, 0), 7);
	assert_int_equal(dead_letters(&r, letter), 7);
	assert_non_null(strstr(letter, "\"status\":500,\"type\":\"broken\""));
	assert_int_equal(counters(&r)->dead_letters[REASON_GIVEN_UP], 7);
	assert_int_equal(counters(&r)->delivered, 0);
	rig_end(&r);
}

static bool
is_ready(struct rig *r)
{
	char why[256] = "";

	return shipper_ready(r->shipper, why, sizeof(why));
}

static bool
is_stored(struct rig *r)
{
	return r->server.taken >= 5;
}

static void
refuses_odd_requests(struct server *s, const struct request *q, struct buffer *out)
{
	if (has(q->body, "odd"))
		http_text(out, 403, "{}");
	else
		takes(s, q, out);
}

static void
fails_while_blocked(struct server *s, const struct request *q, struct buffer *out)
{
	if (s->blocked)
		http_text(out, 503, "{}");
	else
		takes(s, q, out);
}

/* A server that takes nothing has one request at a time: it speaks for all that wait. */
static void
test_batches_that_wait_are_given_up_beside_each_other(void **state)
{
	struct rig r = { .server = { .answer = fails_while_blocked } };

	(void)state;
	rig_start(&r, PLAIN " Retry_Limit 3\n Workers 1\n", false);
	rig_fill(&r, 0, 5, 0, NULL);
	wait_for(&r, is_stored);
	r.server.blocked = true;
	r.server.bulks = 0;
	for (int i = 0; i < 4; i++)
		rig_fill(&r, 0, 1, 0, NULL);
	wait_for(&r, idle);
	assert_in_range(r.server.bulks, 4, 8); /* each by itself: 16 */
	assert_int_equal(dead_letters(&r, NULL), 4);
	assert_int_equal(counters(&r)->dead_letters[REASON_GIVEN_UP], 4);
	wait_for(&r, is_ready); /* nothing waits for the server */

	r.server.blocked = false;
	rig_fill(&r, 0, 5, 0, NULL);
	wait_for(&r, idle);
	assert_int_equal(map_count(r.server.stored), 10);
	assert_int_equal(shipped(&r, 0), 14);
	rig_end(&r);
}

/* Retries are counted for a batch that could be sent, and so is its last chance. */
static void
test_a_batch_that_was_not_sent_has_a_request_of_its_own(void **state)
{
	struct rig r = { .server = { .answer = refuses_odd_requests } };

	(void)state;
	rig_start(&r, PLAIN " Retry_Limit 2\n Workers 1\n", false);
	rig_fill(&r, 0, 5, 5, "odd");
	rig_fill(&r, 0, 5, 0, NULL);
	wait_for(&r, idle);
	assert_int_equal(map_count(r.server.stored), 5);
	assert_int_equal(dead_letters(&r, NULL), 5);
	rig_end(&r);
}

static void
test_records_are_given_up_before_the_template_is_settled(void **state)
{
	struct rig r = { .server = { .answer = fails_while_blocked, .blocked = true } };
	char letter[LETTER];

	(void)state;
	rig_start(&r, " Retry_Limit 2\n", false);
	rig_fill(&r, 0, 7, 0, NULL);
	wait_for(&r, idle);
	assert_int_equal(r.server.bulks, 0);
	assert_int_equal(shipped(&r, 0), 7);
	assert_int_equal(dead_letters(&r, letter), 7);
	assert_non_null(strstr(letter, "\"status\":503"));
	assert_int_equal(counters(&r)->dead_letters[REASON_GIVEN_UP], 7);
	rig_end(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_is_delivered_once),
		cmocka_unit_test(test_no_program_that_is_run_gets_our_sockets),
		cmocka_unit_test(test_what_was_never_sent_and_is_there_collides),
		cmocka_unit_test(test_the_same_ids_go_again_until_the_server_has_answered),
		cmocka_unit_test(test_what_a_broken_connection_has_stored_is_no_collision),
		cmocka_unit_test(test_a_refused_request_is_bisected),
		cmocka_unit_test(test_a_bad_document_is_found_beside_a_single_good_one),
		cmocka_unit_test(test_a_server_that_refuses_every_request_loses_nothing),
		cmocka_unit_test(test_what_is_too_large_is_halved),
		cmocka_unit_test(test_a_413_to_what_was_taken_before_is_no_verdict),
		cmocka_unit_test(test_a_password_file_is_read_again),
		cmocka_unit_test(test_retry_limit_gives_up_into_the_dead_letters),
		cmocka_unit_test(test_batches_that_wait_are_given_up_beside_each_other),
		cmocka_unit_test(test_a_batch_that_was_not_sent_has_a_request_of_its_own),
		cmocka_unit_test(test_records_are_given_up_before_the_template_is_settled),
	};

	rig_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
