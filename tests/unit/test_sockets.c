/* SPDX-License-Identifier: BSD-2-Clause */
/* The view "sockets": what it makes of records, and the sums a summary takes from them. */
#include "shown.h"

#include "analyze/sockets/socket_sums.h"
#include "analyze/sockets/socket_text.h"
#include "analyze/sockets/sockets.h"
#include "base/units.h"
#include "probes/sockets.h"

/* Readings come in order of time. */
static uint64_t now_ns(void)
{
	return records.size + 1;
}

struct sample {
	uint32_t pid, fd;
	uint8_t family, state;
	const char *protocol, *local, *peer;
	uint16_t local_port, peer_port;
	uint64_t inode, peer_inode;
	uint64_t sent_ago_ns, received_ago_ns;
	uint32_t retransmits_waiting;
	bool is_untold; /* in no table */
};

static uint8_t state_of(const struct sample *s, const char *text)
{
	if (s->is_untold)
		return SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	return text ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
}

static void add(struct sample s)
{
	bool is_inet = s.family == SOCKETS_INET || s.family == SOCKETS_INET6;
	uint8_t tcp =
		is_inet && s.state == SOCKETS_ESTABLISHED ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	struct sockets_socket r = {
		.record = { .time_ns = now_ns(),
			.kind = SOCKETS_SOCKET,
			.pid = s.pid,
			.start_ticks = 7 },
		.inode = s.inode,
		.peer_inode = s.peer_inode,
		.receive_queue_bytes = 5,
		.rtt_ns = 2 * NS_PER_MS,
		.sent_ago_ns = s.sent_ago_ns,
		.received_ago_ns = s.received_ago_ns,
		.retransmits = s.retransmits_waiting,
		.retransmits_waiting = s.retransmits_waiting,
		.fd = s.fd,
		.fd_count = 1,
		.local_port = s.local_port,
		.peer_port = s.peer_port,
		.family = s.family,
		.state = s.state,
		.state_state = s.is_untold ? SOOTH_STATE_ABSENT : SOOTH_STATE_VALUE,
		.rtt_state = tcp,
		.retransmits_state = tcp,
		.waiting_state = tcp,
		.bytes_state = tcp,
		.sent_state = tcp,
		.received_state = tcp,
		.local_state = state_of(&s, s.local),
		.peer_state = state_of(&s, s.peer),
		.port_state = s.local_port ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.peer_port_state = s.peer_port ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
	};
	struct record_tail tail[] = {
		{ &r.protocol, s.protocol, strlen(s.protocol) },
		{ &r.local, s.local, s.local ? strlen(s.local) : 0 },
		{ &r.peer, s.peer, s.peer ? strlen(s.peer) : 0 },
	};

	RECORD_APPEND(&records, &r, tail, 3);
}

static void end_snapshot(uint32_t pid, uint8_t state)
{
	struct sockets_process p = { .record = { .time_ns = now_ns(),
					     .kind = SOCKETS_PROCESS,
					     .pid = pid,
					     .start_ticks = 7 },
		.sockets_state = state };

	RECORD_APPEND(&records, &p, NULL, 0);
}

static const struct sample server = { .pid = 1,
	.fd = 3,
	.family = SOCKETS_INET6,
	.state = SOCKETS_LISTEN,
	.protocol = "tcp",
	.local = "::",
	.local_port = 80,
	.inode = 10 };
static const struct sample client = { .pid = 1,
	.fd = 4,
	.family = SOCKETS_INET,
	.state = SOCKETS_ESTABLISHED,
	.protocol = "tcp",
	.local = "10.0.0.1",
	.local_port = 40000,
	.peer = "160.79.104.10",
	.peer_port = 443,
	.inode = 11,
	.sent_ago_ns = 9 * NS_PER_S,
	.received_ago_ns = 8 * NS_PER_S };
static const struct sample pair = { .pid = 1,
	.fd = 5,
	.family = SOCKETS_UNIX,
	.state = SOCKETS_ESTABLISHED,
	.protocol = "stream",
	.inode = 12,
	.peer_inode = 13 };
static const struct sample unbound = {
	.pid = 1, .fd = 6, .family = SOCKETS_INET, .protocol = "tcp", .inode = 14, .is_untold = true
};

static const char *show(const struct sockets_options *options, const char *format)
{
	return show_view("test", "sockets", options, format);
}

static void test_rows(void **state)
{
	const char *out;

	(void)state;
	add(server);
	add(client);
	add(pair);
	add(unbound);
	end_snapshot(1, SOOTH_STATE_VALUE);
	out = show(NULL, "table");
	assert_true(has(out, "[::]:80"));
	assert_true(has(out, "10.0.0.1:40000 160.79.104.10:443 Anthropic"));
	assert_true(has(out, "[13]"));
	assert_true(has(out, "unix stream ESTABLISHED"));
	assert_false(has(out, "PID")); /* one process */
	assert_true(has(out, "? = unknown"));
	out = show(NULL, "json");
	assert_true(has(out, "\"key\": \"tcp6 [::]:80 - -\""));
	assert_true(has(out, "\"key\": \"tcp 10.0.0.1:40000 160.79.104.10:443 -\""));
	assert_true(has(out, "\"key\": \"unix stream - [13] 12\""));
	assert_true(has(out, "\"peer_port\": 443"));
	assert_true(has(out, "\"rtt_ns\": 2000000"));
	assert_true(has(out, "\"sent_ago_ns\": 9000000000"));
	assert_true(has(out, "\"tcp6 LISTEN\": {"));
	assert_true(has(out, "\"tcp -\": {"));
}

/* Two that addresses alone do not tell apart are named by inode. */
static void test_keys(void **state)
{
	struct sample other = server, local = server;
	const char *out;

	(void)state;
	other.inode = 20;
	other.fd = 7;
	local.local_port = 81;
	add(server);
	add(other);
	add(local);
	end_snapshot(1, SOOTH_STATE_VALUE);
	out = show(NULL, "json");
	assert_true(has(out, "\"key\": \"tcp6 [::]:80 - 10\""));
	assert_true(has(out, "\"key\": \"tcp6 [::]:80 - 20\""));
	assert_true(has(out, "\"key\": \"tcp6 [::]:81 - -\""));
}

static void test_last_snapshot(void **state)
{
	const char *out;

	(void)state;
	add(server);
	end_snapshot(1, SOOTH_STATE_VALUE);
	add(client);
	end_snapshot(1, SOOTH_STATE_VALUE);
	/* It had ended before it was read once more: what was read stands. */
	end_snapshot(1, SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
	out = show(NULL, "table");
	assert_false(has(out, "[::]:80"));
	assert_true(has(out, "160.79.104.10"));
}

static void test_two_processes(void **state)
{
	struct sample of_two = server;
	const char *out;

	(void)state;
	of_two.pid = 2;
	add(server);
	end_snapshot(1, SOOTH_STATE_VALUE);
	add(of_two);
	end_snapshot(2, SOOTH_STATE_VALUE);
	out = show(NULL, "table");
	assert_true(has(out, "PID"));
	out = show(NULL, "json");
	assert_true(has(out, "\"1 tcp6 LISTEN\": {"));
	assert_true(has(out, "\"2 tcp6 LISTEN\": {"));
}

static void test_unread(void **state)
{
	const char *out;

	(void)state;
	end_snapshot(1, SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION));
	out = show(NULL, "table");
	assert_true(has(out, "sockets could not be read"));
	assert_true(has(out, "sockets of process 1: permission denied"));
	assert_false(has(out, "no sockets"));
	out = show(NULL, "json");
	assert_true(has(out, "\"sockets\": \"permission denied\""));
	buffer_reset(&records);
	end_snapshot(1, SOOTH_STATE_VALUE);
	assert_true(has(show(NULL, "table"), "no sockets"));
	buffer_reset(&records);
	add(server);
	end_snapshot(1, SOOTH_STATE_TRUNCATED);
	assert_true(has(show(NULL, "table"), "some sockets of process 1: the system has more"));
}

/* Another writer's records may be shorter; a text may point anywhere. */
static void test_foreign_records(void **state)
{
	struct sooth_record r = {
		.time_ns = now_ns(), .kind = SOCKETS_SOCKET, .pid = 1, .start_ticks = 7
	};
	struct sockets_socket *s;

	(void)state;
	record_append(&records, &r, sizeof(r), NULL, 0);
	add(client);
	s = (void *)(records.data + sizeof(r));
	s->peer.offset = 0xfffffff0;
	s->local.size = 0xfffffff0;
	end_snapshot(1, SOOTH_STATE_VALUE);
	assert_true(has(show(NULL, "table"), "tcp"));
	show(NULL, "json");
}

static bool resolve(void *user, const char *address, char *name, size_t size)
{
	++*(unsigned *)user;
	snprintf(name, size, "%s.example", address);
	return !strcmp(address, "192.0.2.1");
}

static void test_labels(void **state)
{
	static const char rules[] = "192.0.2.9 mine\n", hosts[] = "192.0.2.8 eight\n";
	unsigned asked = 0;
	struct sockets_options options = { .labels = rules,
		.labels_size = strlen(rules),
		.hosts = hosts,
		.hosts_size = strlen(hosts),
		.resolve = resolve,
		.user = &asked };
	struct sample s = client;
	const char *out;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		static const char *const peers[] = { "192.0.2.1", "192.0.2.2", "192.0.2.8",
			"192.0.2.9" };

		s.peer = peers[i];
		s.inode = 30 + i;
		add(s);
	}
	add(client); /* known: nobody is asked */
	end_snapshot(1, SOOTH_STATE_VALUE);
	out = show(&options, "table");
	assert_true(has(out, "192.0.2.1.example"));
	assert_true(has(out, "192.0.2.2:443     HTTPS"));
	assert_true(has(out, "192.0.2.8:443     eight"));
	assert_true(has(out, "192.0.2.9:443     mine"));
	assert_int_equal(asked, 2);
}

static void test_wrong_labels(void **state)
{
	struct sockets_options options = {
		.labels = "x y z", .labels_size = 5, .labels_name = "P"
	};
	struct sooth_report *r;
	struct sooth_error err;

	(void)state;
	assert_int_equal(sooth_report_new(&r, "test", &err), 0);
	assert_int_not_equal(sooth_report_add_view(r, "sockets", &options, &err), 0);
	assert_true(has(err.tried, "P") && has(err.why, "line 1"));
	sooth_report_free(r);
}

static void test_sums(void **state)
{
	struct sample other = client, silent = client;
	struct socket_sums sums;
	struct peer_labels labels;
	struct socket_peer_key key = { .text = "Anthropic API" };
	const struct socket_peer_sum *peer;
	struct batch batch;

	(void)state;
	other.retransmits_waiting = 2;
	silent.peer = "10.1.1.1";
	silent.peer_port = 9999;
	silent.fd = 44;
	silent.sent_ago_ns = silent.received_ago_ns = 600 * NS_PER_S;
	add(server);
	add(client);
	add(other);
	add(silent);
	add(pair);
	add(unbound);
	peer_labels_init(&labels);
	socket_sums_init(&sums);
	batch = (struct batch){ records.data, records.size };
	batch_for_each (r, &batch) {
		enum peer_label_strength strength;
		struct span label = socket_sums_label(&labels, (const void *)r, &strength);

		socket_sums_add(&sums, (const void *)r, label);
	}
	assert_int_equal(sums.count, 6);
	assert_int_equal(sums.listening, 1);
	assert_int_equal(sums.established, 3);
	assert_int_equal(sums.retransmitting, 1);
	assert_int_equal(sums.retransmits, 2);
	assert_int_equal(sums.waiting_bytes, 20); /* also of what is no connection */
	assert_true(sums.has_silent);
	assert_int_equal(sums.silent_ns, 600 * NS_PER_S);
	assert_int_equal(sums.silent_fd, 44);
	assert_string_equal(sums.silent_peer.text, "10.1.1.1:9999");
	peer = map_get(&sums.peers, &key);
	assert_non_null(peer);
	assert_int_equal(peer->count, 2);
	assert_true(peer->has_label);
	assert_int_equal(sums.peers.count, 2);
	assert_int_equal(sums.kinds.count, 4);
	socket_sums_fini(&sums);
	peer_labels_fini(&labels);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rows),
		TEST(test_keys),
		TEST(test_last_snapshot),
		TEST(test_two_processes),
		TEST(test_unread),
		TEST(test_foreign_records),
		TEST(test_labels),
		TEST(test_wrong_labels),
		TEST(test_sums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
