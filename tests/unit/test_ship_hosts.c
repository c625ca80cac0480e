/*
 * Several hosts of one output: requests are spread, one that fails stalls
 * none, and what one host says is no proof against another's documents.
 */
#include "ship_rig.h"

#include "../../src/ship/es_hosts.h"

#define LONG (30 * NS_PER_S)

/* ---- two servers */

/* The rig's server, which has the option Port, and ${other}, of the same cluster in name. */
static void
pair_start(struct rig *r, struct server *other, const char *lines)
{
	server_start(other);
	snprintf(r->hosts, sizeof(r->hosts), "127.0.0.1, 127.0.0.1:%u", other->port);
	rig_start(r, lines, false);
}

static void
pair_end(struct rig *r, struct server *other)
{
	rig_end(r);
	server_stop(other);
}

static unsigned
stored_by_both(const struct server *a, const struct server *b)
{
	struct slice id;
	unsigned n = 0;

	for (size_t at = 0; map_next(a->stored, &at, &id) != NULL;)
		n += map_get(b->stored, id) != NULL;
	return n;
}

static void
test_requests_are_spread_over_the_hosts(void **state)
{
	struct rig r = { .server = { .answer = takes } };
	struct server other = { .answer = takes };

	(void)state;
	pair_start(&r, &other, PLAIN);
	rig_fill(&r, 0, 5000, 0, NULL);
	wait_for(&r, idle);
	assert_true(r.server.bulks > 0 && other.bulks > 0); /* which is slower gets less */
	assert_int_equal(map_count(r.server.stored) + map_count(other.stored), 5000);
	assert_int_equal(stored_by_both(&r.server, &other), 0);
	assert_int_equal(shipped(&r, 0), 5000);
	assert_int_equal(counters(&r)->delivered, 5000);
	pair_end(&r, &other);
}

/* One request at a time, too. */
static void
test_a_quiet_output_uses_all_of_its_hosts(void **state)
{
	struct rig r = { .server = { .answer = takes } };
	struct server other = { .answer = takes };

	(void)state;
	pair_start(&r, &other, PLAIN);
	for (int i = 0; i < 10; i++) {
		rig_fill(&r, 0, 1, 0, NULL);
		wait_for(&r, idle);
	}
	assert_int_equal(map_count(r.server.stored), 5);
	assert_int_equal(map_count(other.stored), 5);
	pair_end(&r, &other);
}

/* A port that nobody listens at: it is bound, so that nobody will. */
static int
port_closed(unsigned *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	getsockname(fd, (struct sockaddr *)&address, &len);
	*port = ntohs(address.sin_port);
	return fd;
}

static void
test_a_host_that_is_not_there_stalls_none(void **state)
{
	/* It is left alone for longer than this test may take. */
	struct rig r = { .server = { .answer = takes }, .fresh = true, .backoff = LONG };
	uint64_t collisions = metrics.collisions;
	unsigned port;
	int fd = port_closed(&port);
	char why[128];

	(void)state;
	snprintf(r.hosts, sizeof(r.hosts), "127.0.0.1:%u 127.0.0.1", port);
	rig_start(&r, PLAIN, false);
	rig_fill(&r, 0, 5000, 0, NULL);
	wait_for(&r, idle);
	assert_int_equal(map_count(r.server.stored), 5000);
	assert_int_equal(shipped(&r, 0), 5000);
	assert_int_equal(metrics.collisions, collisions);
	assert_in_range(counters(&r)->retries[REASON_CONNECT], 1, 4);
	assert_true(shipper_ready(r.shipper, why, sizeof(why)));
	close(fd);
	rig_end(&r);
}

/* Stores nothing, and fails as the phase says. */
static void
fails_somehow(struct server *s, const struct request *q, struct buffer *out)
{
	static const int statuses[] = { 0, 500, 503, 502, 429, 200, 413, 400 };

	if (asked_first(q, out))
		return;
	if (!atomic_load(&s->blocked))
		bulk_answer(s, q, out);
	else if (statuses[s->phase] != 0)
		http_text(out, statuses[s->phase], "<html>");
}

static void
test_a_host_that_fails_in_any_way_stalls_none(void **state)
{
	(void)state;
	for (unsigned phase = 0; phase < 8; phase++) {
		struct rig r = { .server = { .answer = fails_somehow, .phase = phase },
			.fresh = true,
			.backoff = LONG };
		struct server other = { .answer = takes };
		uint64_t collisions = metrics.collisions;

		atomic_store(&r.server.blocked, true);
		pair_start(&r, &other, PLAIN);
		rig_fill(&r, 0, 2000, 0, NULL);
		wait_for(&r, idle);
		assert_int_equal(map_count(other.stored), 2000);
		assert_int_equal(counters(&r)->delivered, 2000);
		assert_int_equal(counters(&r)->stripped, 0);
		assert_int_equal(dead_letters(&r, NULL), 0);
		assert_int_equal(metrics.collisions, collisions);
		pair_end(&r, &other);
	}
}

/* Stores, and breaks the connection, twice: libcurl sends once more by itself. */
static void
stores_and_breaks(struct server *s, const struct request *q, struct buffer *out)
{
	if (asked_first(q, out))
		return;
	bulk_answer(s, q, out);
	buffer_clear(out);
}

/* As a node of the cluster that has stored it: it is there already. */
static int
has_it(struct server *s, struct slice id, struct slice document, const char **type)
{
	(void)s;
	(void)id;
	(void)document;
	*type = "version_conflict_engine_exception";
	return 409;
}

static void
test_what_one_host_has_stored_is_no_collision_at_another(void **state)
{
	struct rig r = {
		.server = { .answer = stores_and_breaks }, .fresh = true, .backoff = LONG
	};
	struct server other = { .answer = takes, .judge = has_it };
	uint64_t collisions = metrics.collisions;
	struct slice id;
	size_t at = 0;

	(void)state;
	pair_start(&r, &other, PLAIN);
	rig_fill(&r, 0, 20, 0, NULL);
	wait_for(&r, idle);
	assert_in_range(r.server.bulks, 1, 2);
	assert_int_equal(map_count(r.server.stored), 20);
	while (map_next(r.server.stored, &at, &id) != NULL)
		assert_non_null(map_get(other.seen, id));
	assert_int_equal(counters(&r)->delivered, 20);
	assert_int_equal(metrics.collisions, collisions);
	pair_end(&r, &other);
}

static void
away(struct server *s, const struct request *q, struct buffer *out)
{
	if (atomic_load(&s->blocked))
		http_text(out, 503, "no");
	else if (!asked_first(q, out))
		bulk_answer(s, q, out);
}

static bool
probed(struct rig *r)
{
	rig_fill(r, 0, 1, 0, NULL);
	return atomic_load(&r->server.bulks) > 3;
}

static bool
takes_again(struct rig *r)
{
	rig_fill(r, 0, 10, 0, NULL);
	return atomic_load(&r->server.bulks) > 20;
}

static void
test_a_failing_host_is_probed_and_comes_back(void **state)
{
	struct rig r = { .server = { .answer = away } };
	struct server other = { .answer = takes };

	(void)state;
	atomic_store(&r.server.blocked, true);
	pair_start(&r, &other, PLAIN);
	wait_for(&r, probed);
	wait_for(&r, idle);
	assert_true(other.bulks > r.server.bulks);
	assert_int_equal(map_count(other.stored), r.put[0]);
	atomic_store(&r.server.blocked, false);
	wait_for(&r, takes_again);
	wait_for(&r, idle);
	assert_true(map_count(r.server.stored) > 0);
	assert_int_equal(map_count(r.server.stored) + map_count(other.stored), r.put[0]);
	assert_int_equal(stored_by_both(&r.server, &other), 0);
	pair_end(&r, &other);
}

/* Says nothing for a while, to one at a time: meanwhile, the number of bulks is odd. */
static void
hangs(struct server *s, const struct request *q, struct buffer *out)
{
	if (asked_first(q, out))
		return;
	atomic_fetch_add(&s->bulks, 1);
	poll(&(struct pollfd){ .fd = s->stop[0], .events = POLLIN }, 1, 1500);
}

static bool
probe_hangs(struct rig *r)
{
	unsigned bulks;

	rig_fill(r, 0, 1, 0, NULL);
	bulks = atomic_load(&r->server.bulks);
	return bulks > 2 && bulks % 2 == 1;
}

static bool
all_but_few(struct rig *r)
{
	return counters(r)->delivered + 2 >= r->put[0];
}

static void
test_a_probe_that_hangs_takes_no_sender_from_the_others(void **state)
{
	struct rig r = { .server = { .answer = hangs } };
	struct server other = { .answer = takes };
	int64_t start;

	(void)state;
	pair_start(&r, &other, PLAIN " Workers 1\n");
	wait_for(&r, probe_hangs);
	start = clock_mono();
	rig_fill(&r, 0, 500, 0, NULL);
	wait_for(&r, all_but_few);
	assert_true(clock_mono() - start < NS_PER_S);
	pair_end(&r, &other);
}

static bool
all_tried(struct rig *r)
{
	return atomic_load(&r->server.bulks) > 2;
}

static void
test_when_all_hosts_fail_records_wait(void **state)
{
	struct rig r = { .server = { .answer = away } };
	struct server other = { .answer = away };
	char why[128];

	(void)state;
	pair_start(&r, &other, PLAIN);
	rig_fill(&r, 0, 10, 0, NULL);
	wait_for(&r, idle);
	atomic_store(&r.server.blocked, true);
	atomic_store(&other.blocked, true);
	rig_fill(&r, 0, 200, 0, NULL);
	wait_for(&r, all_tried);
	assert_false(shipper_ready(r.shipper, why, sizeof(why)));
	assert_true(shipped(&r, 0) < 210);
	atomic_store(&r.server.blocked, false);
	atomic_store(&other.blocked, false);
	wait_for(&r, idle);
	assert_int_equal(map_count(r.server.stored) + map_count(other.stored), 210);
	assert_int_equal(dead_letters(&r, NULL), 0);
	assert_true(shipper_ready(r.shipper, why, sizeof(why)));
	pair_end(&r, &other);
}

static void
knows_no_user(struct server *s, const struct request *q, struct buffer *out)
{
	(void)s;
	if (!asked_first(q, out))
		http_text(out, 401, "{}");
}

static void
test_a_user_that_is_refused_holds_the_output(void **state)
{
	struct rig r = { .server = { .answer = knows_no_user }, .backoff = 300 * NS_PER_MS };
	struct server other = { .answer = takes };
	int64_t start;

	(void)state;
	pair_start(&r, &other, PLAIN);
	start = clock_mono();
	rig_fill(&r, 0, 1, 0, NULL);
	wait_for(&r, idle);
	assert_true(clock_mono() - start > 200 * NS_PER_MS);
	assert_true(counters(&r)->retries[REASON_AUTH] > 0);
	assert_int_equal(map_count(other.stored), 1);
	pair_end(&r, &other);
}

/* ---- proofs */

static int
refuses(struct server *s, struct slice id, struct slice document, const char **type)
{
	(void)s;
	(void)id;
	(void)document;
	*type = "illegal_argument_exception";
	return 400;
}

/* Also with a hold that is full, where a core asks for all. */
static void
test_what_one_host_takes_is_no_proof_against_what_another_refuses(void **state)
{
	static const char *const lines[] = { PLAIN, PLAIN " Hold_Size 64000\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct rig r = { .server = { .answer = takes, .judge = refuses } };
		struct server other = { .answer = takes };

		pair_start(&r, &other, lines[i]);
		rig_fill(&r, 0, 1000, 0, NULL);
		wait_for(&r, idle);
		assert_int_equal(map_count(other.stored), 1000);
		assert_int_equal(dead_letters(&r, NULL), 0);
		assert_int_equal(counters(&r)->stripped, 0);
		assert_int_equal(shipped(&r, 0), 1000);
		pair_end(&r, &other);
	}
}

static int
dislikes_odd(struct server *s, struct slice id, struct slice document, const char **type)
{
	(void)s;
	(void)id;
	if (!has(document, "odd"))
		return 201;
	*type = "illegal_argument_exception";
	return 400;
}

static bool
buried(struct rig *r)
{
	rig_fill(r, 0, 2, 0, NULL);
	return dead_letters(r, NULL) == 1;
}

static void
test_a_faulty_document_is_found_with_several_hosts(void **state)
{
	struct rig r = { .server = { .answer = takes, .judge = dislikes_odd } };
	struct server other = { .answer = takes, .judge = dislikes_odd };

	(void)state;
	pair_start(&r, &other, PLAIN);
	rig_fill(&r, 0, 100, 100, "odd");
	wait_for(&r, buried);
	wait_for(&r, idle);
	assert_int_equal(shipped(&r, 0), r.put[0]);
	assert_int_equal(map_count(r.server.stored) + map_count(other.stored), r.put[0] - 1);
	pair_end(&r, &other);
}

/* ---- the template */

static void
installs(struct server *s, const struct request *q, struct buffer *out)
{
	if (slice_eq(q->method, SLICE("PUT"))) {
		atomic_store(&s->blocked, true);
		http_text(out, 200, "{}");
	} else if (!asked_first(q, out)) {
		bulk_answer(s, q, out);
	}
}

static void
test_the_template_is_installed_through_a_host_that_answers(void **state)
{
	struct rig r = { .server = { .answer = away }, .backoff = LONG };
	struct server other = { .answer = installs };

	(void)state;
	atomic_store(&r.server.blocked, true);
	pair_start(&r, &other, "");
	rig_fill(&r, 0, 10, 0, NULL);
	wait_for(&r, idle);
	assert_true(atomic_load(&other.blocked));
	assert_int_equal(map_count(other.stored), 10);
	pair_end(&r, &other);
}

/* ---- addresses */

static void
test_the_name_of_the_certificate_leads_to_each_host(void **state)
{
	char host[] = "a:1 [::1]", path[] = "es/", vhost[] = "certified";
	struct es_conf conf = { .host = host, .port = 9200, .path = path, .workers = 4 };
	struct sink sink = { .metrics = metrics_output("addresses") };
	struct es_hosts *hosts = es_hosts_new(&sink, &conf, NULL);

	(void)state;
	assert_int_equal(es_hosts_count(hosts), 2);
	assert_string_equal(es_hosts_address(hosts, 0)->origin, "http://a:1/es");
	assert_string_equal(es_hosts_address(hosts, 1)->origin, "http://[::1]:9200/es");
	assert_null(es_hosts_address(hosts, 0)->connect_to);
	es_hosts_free(hosts);
	conf.tls = true;
	conf.tls_vhost = vhost;
	hosts = es_hosts_new(&sink, &conf, NULL);
	assert_string_equal(es_hosts_address(hosts, 0)->origin, "https://certified:1/es");
	assert_string_equal(es_hosts_address(hosts, 0)->connect_to->data, "::a:1");
	assert_string_equal(es_hosts_address(hosts, 1)->origin, "https://certified:9200/es");
	assert_string_equal(es_hosts_address(hosts, 1)->connect_to->data, "::[::1]:9200");
	es_hosts_free(hosts);
}

static void
asks_for_time(struct server *s, const struct request *q, struct buffer *out)
{
	(void)s;
	if (!asked_first(q, out))
		http_answer(out, 429, "Retry-After: 100\r\n", SLICE("{}"));
}

static void
test_429_of_a_host_slows_that_host_alone(void **state)
{
	struct rig r = { .server = { .answer = asks_for_time } };
	struct server other = { .answer = takes };

	(void)state;
	pair_start(&r, &other, PLAIN);
	rig_fill(&r, 0, 5000, 0, NULL);
	wait_for(&r, idle);
	assert_int_equal(map_count(other.stored), 5000);
	assert_in_range(r.server.bulks, 1, 4);
	pair_end(&r, &other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests_are_spread_over_the_hosts),
		cmocka_unit_test(test_a_quiet_output_uses_all_of_its_hosts),
		cmocka_unit_test(test_a_host_that_is_not_there_stalls_none),
		cmocka_unit_test(test_a_host_that_fails_in_any_way_stalls_none),
		cmocka_unit_test(test_what_one_host_has_stored_is_no_collision_at_another),
		cmocka_unit_test(test_a_failing_host_is_probed_and_comes_back),
		cmocka_unit_test(test_a_probe_that_hangs_takes_no_sender_from_the_others),
		cmocka_unit_test(test_when_all_hosts_fail_records_wait),
		cmocka_unit_test(test_a_user_that_is_refused_holds_the_output),
		cmocka_unit_test(test_what_one_host_takes_is_no_proof_against_what_another_refuses),
		cmocka_unit_test(test_a_faulty_document_is_found_with_several_hosts),
		cmocka_unit_test(test_the_template_is_installed_through_a_host_that_answers),
		cmocka_unit_test(test_the_name_of_the_certificate_leads_to_each_host),
		cmocka_unit_test(test_429_of_a_host_slows_that_host_alone),
	};

	rig_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
