/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests and their answers on connections, and at name servers, at both sides of what makes them
 * a cause. */
#include "call_records.h"
#include "check_sockets.h"

#define FD 3

/* Times of one request, in milliseconds. */
struct chain {
	int count;
	double every;  /* from one request to the next */
	double answer; /* from the end of the request to the answer */
	uint64_t size;
	unsigned sends;
	bool is_fed; /* something comes from a pipe before each */
	bool grows;  /* each request is twice as large as the last */
	struct sockets_socket socket;
	const char *program;
};

static const struct chain n_plus_one = {
	.count = 500, .every = 9, .answer = 8, .size = 45, .sends = 1, .program = "report"
};
static const struct chain held_back = {
	.count = 50, .every = 60, .answer = 41, .size = 45, .sends = 2, .program = "client"
};

static void call_at(double ms, double lasts_ms, const char *name, int fd, uint64_t bytes)
{
	struct syscalls_call call = { .record = head_of(ms / 1000, PID, SYSCALLS_CALL),
		.result = (int64_t)bytes,
		.duration_ns = (uint64_t)(lasts_ms * (double)NS_PER_MS),
		.arguments = { (uint64_t)fd, 0, bytes },
		.name = "caller" };
	const struct sooth_record *r;

	call.record.tid = PID;
	r = make_call(&call, name);
	buffer_append(&records, r, record_bytes(r));
}

static void descriptors(void)
{
	struct fds_descriptor d[] = {
		{ .record = head_of(0, PID, FDS_DESCRIPTOR),
			.fd = FD,
			.type = FDS_TCP,
			.inode = 1 },
		{ .record = head_of(0, PID, FDS_DESCRIPTOR), .fd = 4, .type = FDS_PIPE },
	};
	static const char *const paths[] = { "socket:[1]", "pipe:[7]" };
	struct fds_process end = { .record = head_of(0, PID, FDS_PROCESS), .descriptors = 2 };

	for (size_t i = 0; i < ARRAY_SIZE(d); i++) {
		struct record_tail tail[] = { put_text(&d[i].path, paths[i]) };

		RECORD_APPEND(&records, &d[i], tail, 1);
	}
	RECORD_APPEND(&records, &end, NULL, 0);
}

static void requests(const struct chain *c)
{
	struct sockets_socket socket = c->socket;
	double ms = 10;

	socket.fd = FD;
	add_source("syscalls");
	process_at(0, (struct proc_process){ 0 }, c->program);
	descriptors();
	socket_at(0, socket);
	sockets_read(0, 1, SOOTH_STATE_VALUE);
	for (int i = 0; i < c->count; i++, ms = 10 + i * c->every) {
		if (c->is_fed)
			call_at(ms, 0.01, "read", 4, 10);
		for (unsigned k = 0; k < c->sends; k++)
			call_at(ms + 0.1 * (k + 1), 0.05, "sendto", FD,
				c->grows ? c->size << i % 4 : c->size);
		call_at(ms + 0.1 * c->sends + c->answer, c->answer, "recvfrom", FD, 93);
	}
	socket_at(LAST_S, socket);
	sockets_read(LAST_S, 1, SOOTH_STATE_VALUE);
	process_at(5, (struct proc_process){ 0 }, c->program);
	call_records_fini();
}

static void asks(double count)
{
	struct chain c = n_plus_one;

	c.count = (int)count;
	requests(&c);
}

static void asks_of_size(double size)
{
	struct chain c = n_plus_one;

	c.size = (uint64_t)size;
	requests(&c);
}

static void asks_all_sizes(double value)
{
	struct chain c = n_plus_one;

	(void)value;
	c.grows = true;
	requests(&c);
}

/* The answers come at once: the process computes meanwhile. */
static void is_answered_in(double ms)
{
	struct chain c = n_plus_one;

	c.answer = ms;
	requests(&c);
}

static void is_fed(double value)
{
	struct chain c = n_plus_one;

	(void)value;
	c.is_fed = true;
	requests(&c);
}

static void answers(double value)
{
	struct chain c = n_plus_one;

	(void)value;
	c.socket.side = SOCKETS_SIDE_ACCEPTED;
	requests(&c);
}

static void measures(double value)
{
	struct chain c = n_plus_one;

	(void)value;
	c.program = "pgbench";
	requests(&c);
}

static void is_delayed(double ms)
{
	struct chain c = held_back;

	c.answer = ms;
	requests(&c);
}

static void is_delayed_often(double count)
{
	struct chain c = held_back;

	c.count = (int)count;
	requests(&c);
}

static void sends_in_one(double value)
{
	struct chain c = held_back;

	(void)value;
	c.sends = 1;
	requests(&c);
}

/* Questions at a name server, each on a socket of its own as far as this shows; and connections. */
struct questions {
	int count, connects;
	double answer;
	uint16_t port;
};

static void looks_up(const struct questions *q)
{
	struct fds_descriptor d = {
		.record = head_of(0, PID, FDS_DESCRIPTOR), .fd = FD, .type = FDS_UDP, .inode = 1
	};
	struct fds_process end = { .record = head_of(0, PID, FDS_PROCESS), .descriptors = 1 };
	struct record_tail tail[] = { put_text(&d.path, "socket:[1]") };
	struct sockets_socket socket = { .fd = FD, .peer_port = q->port };

	add_source("syscalls");
	process_at(0, (struct proc_process){ 0 }, "perl");
	RECORD_APPEND(&records, &d, tail, 1);
	RECORD_APPEND(&records, &end, NULL, 0);
	udp_at(0, socket);
	sockets_read(0, 1, SOOTH_STATE_VALUE);
	for (int i = 0; i < q->count; i++) {
		call_at(100 + i * 100, 0.05, "sendto", FD, 40);
		call_at(100 + i * 100 + q->answer, q->answer, "recvfrom", FD, 60);
	}
	for (int i = 0; i < q->connects; i++) {
		static const unsigned char web[16] = { 2, 0, 0, 80, 10, 0, 0, 1 };
		struct syscalls_call call = { .record = head_of(4.8, PID, SYSCALLS_CALL),
			.duration_ns = 1000,
			.arguments = { 9, 1, 16 },
			.name = "caller" };
		const struct sooth_record *r;

		call.record.tid = PID;
		piece(1, web, sizeof(web));
		r = make_call(&call, "connect");
		buffer_append(&records, r, record_bytes(r));
	}
	udp_at(LAST_S, socket);
	sockets_read(LAST_S, 1, SOOTH_STATE_VALUE);
	process_at(5, (struct proc_process){ 0 }, "perl");
	call_records_fini();
}

static void is_looked_up_in(double ms)
{
	looks_up(&(struct questions){ .count = 40, .answer = ms, .port = 53 });
}

static void looks_up_often(double count)
{
	looks_up(&(struct questions){ .count = (int)count, .answer = 99, .port = 53 });
}

static void looks_up_for(double connects)
{
	looks_up(&(struct questions){
		.count = 30, .answer = 99, .port = 53, .connects = (int)connects });
}

static void asks_another(double port)
{
	looks_up(&(struct questions){ .count = 40, .answer = 99, .port = (uint16_t)port });
}

static void test_lookups(void **state)
{
	static const struct check_case cases[] = {
		{ "slow-lookups", is_looked_up_in, 99, NULL,
			"low/high: 79 % of its time it waits for name lookups: 40 answers of the "
			"name server 10.0.0.1:53, 99 ms each|<use a nearer name server" },
		{ "slow-lookups", is_looked_up_in, 99, "slow-lookups.slow=99ms", "medium/" },
		{ "slow-lookups", is_looked_up_in, 38, NULL, "low/" },
		{ "slow-lookups", is_looked_up_in, 37, "slow-lookups.min-vain=41",
			"=fine: little time goes into name lookups\n" },
		{ "slow-lookups", is_looked_up_in, 37, NULL,
			"low/|: looks up names 8.|times a second, and connects to nothing|"
			"<getent hosts" },
		{ "slow-lookups", looks_up_often, 16, NULL, "low/" },
		{ "slow-lookups", looks_up_often, 15, "slow-lookups.min-vain=16", "fine: " },
		{ "slow-lookups", looks_up_often, 10, NULL, "low/|: looks up names " },
		{ "slow-lookups", looks_up_often, 10, "slow-lookups.vain-rate=2.6", "fine: " },
		{ "slow-lookups", looks_up_often, 9, NULL, "fine: " },
		{ "slow-lookups", looks_up_often, 4, "slow-lookups.min-wait=1", "fine: " },
		{ "slow-lookups", looks_up_often, 5, "slow-lookups.min-wait=1", "low/" },
		{ "slow-lookups", looks_up_for, 1, NULL,
			"low/|perhaps a long search list|<look at search and ndots" },
		{ "slow-lookups", looks_up_for, 11, NULL, "low/|<use a nearer name server" },
		{ "slow-lookups", asks_another, 54, NULL, "fine: " },
	};

	(void)state;
	TRY_CASES(cases);
}

static void test_chain(void **state)
{
	static const struct check_case cases[] = {
		{ "round-trips", asks, 500, NULL,
			"low/high: asks TCP 10.0.0.1:443 one small question at a time, 100 a "
			"second: 80 % of its time it waits for these answers|[mean time until the "
			"answer: 8.05ms|<request many values at once" },
		{ "round-trips", asks, 499, NULL,
			"=fine: no chain of small requests to one peer\n" },
		{ "round-trips", asks_of_size, 1024, NULL, "low/" },
		{ "round-trips", asks_of_size, 1025, NULL, "fine: " },
		{ "round-trips", asks_all_sizes, 0, NULL, "fine: " },
		{ "round-trips", is_answered_in, 3, NULL, "low/" },
		{ "round-trips", is_answered_in, 2.9, NULL, "fine: " },
		{ "round-trips", is_fed, 0, NULL, "fine: " },
		{ "round-trips", answers, 0, NULL, "fine: " },
		{ "round-trips", measures, 0, NULL, "fine: " },
	};

	(void)state;
	TRY_CASES(cases);
}

static void test_delayed(void **state)
{
	static const struct check_case cases[] = {
		{ "round-trips", is_delayed, 41, NULL,
			"medium/medium: each request to TCP 10.0.0.1:443 waits 41 ms for nothing: "
			"it is sent in two parts|<send each request with one call" },
		{ "round-trips", is_delayed, 37, NULL, "fine: " },
		{ "round-trips", is_delayed, 55, NULL, "fine: " },
		{ "round-trips", is_delayed_often, 5, NULL, "medium/" },
		{ "round-trips", is_delayed_often, 4, NULL, "fine: " },
		{ "round-trips", sends_in_one, 0, NULL, "fine: " },
	};

	(void)state;
	TRY_CASES(cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_delayed),
		cmocka_unit_test(test_lookups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
