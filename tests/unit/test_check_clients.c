/* SPDX-License-Identifier: BSD-2-Clause */
/* clients-refused, and the owner of a port in use, on both sides of their thresholds. */
#include "call_records.h"
#include "check_records.h"

#include <errno.h>

#include "probes/fds.h"
#include "probes/sockets.h"
#include "probes/waits.h"

#define LISTENER 3
#define CLIENT	 9
#define LOG	 4

static double next_s;
static const unsigned char port_8080[16] = { 2, 0, 0x1f, 0x90, 127, 0, 0, 1 };

static void observe(void)
{
	add_source("syscalls");
	add_source("sockets");
	add_source("waits");
	process_at(0, (struct proc_process){ 0 }, "server");
	next_s = 0.001;
}

static void call_with(const char *name, int64_t result, const uint64_t arguments[6])
{
	struct syscalls_call call = { .record = head_of(next_s, PID, SYSCALLS_CALL),
		.result = result,
		.duration_ns = 1000,
		.name = "server" };
	const struct sooth_record *r;

	call.record.tid = PID;
	memcpy(call.arguments, arguments, sizeof(call.arguments));
	r = make_call(&call, name);
	buffer_append(&records, r, record_bytes(r));
	next_s += 0.0005;
}

#define CALL(name, result, ...) call_with(name, result, (const uint64_t[6]){ __VA_ARGS__ })

static void listens(void)
{
	CALL("socket", LISTENER, 2, 1, 0);
	piece(1, port_8080, sizeof(port_8080));
	CALL("bind", 0, LISTENER, 1, 16);
	CALL("listen", 0, LISTENER, 5);
	piece(1, "/var/log/error.log", 18);
	CALL("openat", LOG, (uint64_t)AT_FDCWD_LINUX, 1, 01);
}

/* So many connections of other clients are open at the end. */
static void keeps(unsigned count)
{
	struct sockets_process end = { .record = head_of(5, PID, SOCKETS_PROCESS),
		.sockets = count };

	for (unsigned i = 0; i < count; i++) {
		struct sockets_socket s = { .record = head_of(5, PID, SOCKETS_SOCKET),
			.inode = 10 + i,
			.fd = 20 + i,
			.family = SOCKETS_INET,
			.state = SOCKETS_ESTABLISHED,
			.side = SOCKETS_SIDE_ACCEPTED,
			.local_port = 8080,
			.peer_port = (uint16_t)(40000 + i) };
		struct record_tail tail[] = { put_text(&s.protocol, "tcp"),
			put_text(&s.local, "127.0.0.1"), put_text(&s.peer, "127.0.0.1") };

		RECORD_APPEND(&records, &s, tail, 3);
	}
	RECORD_APPEND(&records, &end, NULL, 0);
	process_at(5, (struct proc_process){ 0 }, "server");
	call_records_fini();
}

enum does { DROPS, LOGS, ANSWERS, TALKS, READS, FORKS, LATE };

static void accepts(enum does does, unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		CALL("accept4", CLIENT, LISTENER, 0, 0, 0);
		if (does == LATE)
			next_s += 1.1;
		if (does == LOGS)
			CALL("write", 80, LOG, 0x1000, 80);
		if (does == ANSWERS || does == TALKS)
			CALL("write", 30, CLIENT, 0x1000, 30);
		if (does == TALKS)
			CALL("write", 30, CLIENT, 0x1000, 30);
		if (does == READS)
			CALL("read", -EAGAIN, CLIENT, 0x1000, 4096);
		if (does == FORKS)
			CALL("fork", 500, 0);
		CALL("close", 0, CLIENT);
		next_s += 0.1;
	}
}

static void drops_times(double times)
{
	observe();
	listens();
	accepts(READS, 2);
	accepts(DROPS, (unsigned)times);
	keeps(3);
}

static void drops_and_keeps(double count)
{
	observe();
	listens();
	accepts(DROPS, 5);
	keeps((unsigned)count);
}

static void logs_and_keeps(double count)
{
	observe();
	listens();
	accepts(LOGS, 5);
	keeps((unsigned)count);
}

static void answers_and_keeps(double count)
{
	observe();
	listens();
	accepts(ANSWERS, 5);
	keeps((unsigned)count);
}

static void does_with_each(double does)
{
	observe();
	listens();
	accepts((enum does)does, 4);
	keeps(3);
}

/* It drops that many of twenty connections. */
static void drops_of_twenty(double times)
{
	observe();
	listens();
	accepts(READS, 20 - (unsigned)times);
	accepts(DROPS, (unsigned)times);
	keeps(3);
}

static void test_clients_refused(void **state)
{
	static const struct check_case cases[] = {
		{ "clients-refused", drops_times, 3, NULL,
			"medium/high: closes connections of clients at once, unread: 3 of 5 on "
			"127.0.0.1:8080, for 202 ms; it keeps 3 others there: its limit of "
			"connections is probably reached" },
		{ "clients-refused", drops_times, 2, NULL, "fine: " },
		{ "clients-refused", drops_times, 5, "clients-refused.min-times=6", "fine: " },
		{ "clients-refused", drops_of_twenty, 6, NULL, "medium/high: |6 of 20" },
		{ "clients-refused", drops_of_twenty, 5, NULL, "fine: " },
		{ "clients-refused", drops_and_keeps, 1, NULL, "|it keeps 1 other there" },
		{ "clients-refused", drops_and_keeps, 0, NULL, "fine: " },
		{ "clients-refused", logs_and_keeps, 0, NULL,
			"low/medium: |it has no other connection there|<tail -n 3 "
			"/var/log/error.log" },
		{ "clients-refused", answers_and_keeps, 2, NULL,
			"medium/high: closes connections of clients at once, after one short "
			"answer: 5 of 5" },
		{ "clients-refused", answers_and_keeps, 1, NULL, "fine: " },
		{ "clients-refused", does_with_each, DROPS, NULL, "medium/high: " },
		{ "clients-refused", does_with_each, TALKS, NULL, "fine: " },
		{ "clients-refused", does_with_each, FORKS, NULL, "fine: " },
		{ "clients-refused", does_with_each, LATE, NULL, "fine: " },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- calls-itself --- */

/* For each client it connects to its own port; how many of the answers are errors. */
static void connects_back(const char *name, unsigned times, unsigned bad)
{
	observe();
	listens();
	for (unsigned i = 0; i < times; i++) {
		CALL("accept4", CLIENT, LISTENER, 0, 0, 0);
		CALL("read", 30, CLIENT, 0x1000, 4096);
		CALL("socket", 77, 2, 1, 0);
		piece(1, port_8080, sizeof(port_8080));
		CALL("connect", 0, 77, 1, sizeof(port_8080));
		CALL("write", 40, 77, 0x1000, 40);
		piece_of(1, SYSCALLS_PART_STATUS, i < bad ? "502" : "200", SYSCALLS_STATUS_DIGITS);
		CALL("read", 90, 77, 0x1000, 4096);
		CALL("close", 0, 77);
		CALL("close", 0, CLIENT);
		next_s += 0.01;
	}
	keeps(0);
	process_at(5, (struct proc_process){ 0 }, name);
}

static void goes_round(double times)
{
	connects_back("gateway", (unsigned)times, (unsigned)times);
}

static void answers_itself(double bad)
{
	connects_back("gateway", 30, (unsigned)bad);
}

/* It asks a server at another port, which has so many connections back to it. */
static void through_another(unsigned bad, double back)
{
	static const unsigned char port_8081[16] = { 2, 0, 0x1f, 0x91, 127, 0, 0, 1 };
	struct waits_snapshot end = { .record = head_of(5, PID, WAITS_SNAPSHOT) };

	observe();
	for (unsigned i = 0; i < 30; i++) {
		CALL("socket", 77, 2, 1, 0);
		piece(1, port_8081, sizeof(port_8081));
		CALL("connect", 0, 77, 1, sizeof(port_8081));
		CALL("write", 40, 77, 0x1000, 40);
		piece_of(1, SYSCALLS_PART_STATUS, i < bad ? "502" : "200", SYSCALLS_STATUS_DIGITS);
		CALL("read", 90, 77, 0x1000, 4096);
		CALL("close", 0, 77);
		next_s += 0.01;
	}
	put_peer(4.9, (struct waits_peer){
			      .connections = 25 + (uint32_t)back, .accepted = (uint16_t)back });
	RECORD_APPEND(&records, &end, NULL, 0);
	keeps(0);
	process_at(5, (struct proc_process){ 0 }, "gateway");
}

static void sends_back(double back)
{
	through_another(30, back);
}

/* Another one, of which it has accepted one connection, has more connections altogether. */
static void sends_back_beside(double back)
{
	put_peer(5, (struct waits_peer){ .connections = 200, .accepted = 1 });
	through_another(30, back);
}

static void answers_well(double bad)
{
	through_another((unsigned)bad, 25);
}

static void test_calls_itself(void **state)
{
	static const struct check_case cases[] = {
		{ "calls-itself", sends_back, 20, NULL,
			"medium/medium: requests go round in a circle: it has 25 connections to |, "
			"which has 20 back to it|; the answers are errors" },
		{ "calls-itself", sends_back, 19, NULL, "fine: " },
		{ "calls-itself", sends_back_beside, 20, NULL, "|it has 25 connections to |" },
		{ "calls-itself", sends_back, 0, NULL, "fine: " },
		{ "calls-itself", answers_well, 24, NULL, "medium/medium: " },
		{ "calls-itself", answers_well, 23, NULL, "fine: " },
		{ "calls-itself", goes_round, 20, NULL,
			"medium/medium: passes requests on to itself, in a circle: 20 times it "
			"connected to 127.0.0.1:8080, where it listens itself, " },
		{ "calls-itself", goes_round, 19, NULL, "fine: " },
		{ "calls-itself", goes_round, 19, "calls-itself.min-times=19", "medium/medium: " },
		{ "calls-itself", answers_itself, 24, NULL,
			"medium/medium: |the answers are errors" },
		{ "calls-itself", answers_itself, 23, NULL, "fine: " },
		{ "calls-itself", answers_itself, 0, NULL, "fine: " },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- a port in use --- */

static void listener(const char *local, uint16_t port, uint32_t pid, char owner_state)
{
	struct waits_listener l = { .record = head_of(5, PID, WAITS_LISTENER),
		.owner_pid = pid,
		.owner_state = owner_state,
		.owners = pid != 0,
		.local_port = port,
		.family = port ? SOCKETS_INET : SOCKETS_UNIX };
	struct record_tail tail[] = { put_text(&l.owner_name, pid ? "preview" : ""),
		put_text(&l.local, local) };

	RECORD_APPEND(&records, &l, tail, 2);
}

static void binds(const void *address, size_t size)
{
	observe();
	for (int i = 0; i < 5; i++) {
		CALL("socket", 3, 2, 1, 0);
		piece(1, address, size);
		CALL("bind", -EADDRINUSE, 3, 1, size);
		next_s += 0.5;
	}
}

static void ends(void)
{
	struct waits_snapshot end = { .record = head_of(5, PID, WAITS_SNAPSHOT) };

	RECORD_APPEND(&records, &end, NULL, 0);
	keeps(0);
}

enum owned { BY_ONE, BY_STOPPED, BY_ITSELF, BY_UNREAD, BY_NONE, ANY, OTHER_HOST };

static void is_owned(double owned)
{
	static const struct {
		const char *local;
		uint32_t pid;
		char state;
	} rows[] = { [BY_ONE] = { "127.0.0.1:8080", 7, 'S' },
		[BY_STOPPED] = { "127.0.0.1:8080", 7, 'T' },
		[BY_ITSELF] = { "127.0.0.1:8080", PID, 'S' },
		[BY_UNREAD] = { "127.0.0.1:8080", 0, 0 },
		[BY_NONE] = { "127.0.0.1:8081", 7, 'S' },
		[ANY] = { "0.0.0.0:8080", 7, 'S' },
		[OTHER_HOST] = { "127.0.0.2:8080", 7, 'S' } };
	enum owned which = (enum owned)owned;

	binds(port_8080, sizeof(port_8080));
	listener(rows[which].local, which == BY_NONE ? 8081 : 8080, rows[which].pid,
		rows[which].state);
	ends();
}

static void path_is_owned(double is_there)
{
	static const unsigned char path[] = "\1\0/run/s";

	binds(path, sizeof(path));
	listener(is_there > 0 ? "/run/s" : "/run/other", 0, 7, 'S');
	ends();
}

static void test_port_owner(void **state)
{
	static const struct check_case cases[] = {
		{ "syscall-errors", is_owned, BY_ONE, NULL,
			"medium/high: bind on 127.0.0.1:8080 keeps failing, 5 times: EADDRINUSE "
			"(Address already in use): preview (7) has it|<sooth why 7" },
		{ "syscall-errors", is_owned, BY_STOPPED, NULL,
			"|, 5 times: EADDRINUSE|: preview (7) has it, and is stopped" },
		{ "syscall-errors", is_owned, BY_ITSELF, NULL, "|: it has it itself, by another" },
		{ "syscall-errors", is_owned, BY_UNREAD, NULL,
			"|: another process, which could not be read|<ss -tulnp" },
		{ "syscall-errors", is_owned, BY_NONE, NULL,
			"|, 5 times: EADDRINUSE (Address already in use) {|<ss -tulnp" },
		{ "syscall-errors", is_owned, ANY, NULL, "|: preview (7) has it {" },
		{ "syscall-errors", is_owned, OTHER_HOST, NULL, "|already in use) {" },
		{ "syscall-errors", path_is_owned, 1, NULL,
			"|bind on /run/s|: preview (7) has it" },
		{ "syscall-errors", path_is_owned, 0, NULL,
			"|: no process listens there, the file was left behind|<rm /run/s" },
	};

	(void)state;
	TRY_CASES(cases);
}

enum there { THERE_NONE, THERE_V6, THERE_NOW };

static void is_refused(double which)
{
	observe();
	for (int i = 0; i < 5; i++) {
		CALL("socket", 3, 2, 1, 0);
		piece(1, port_8080, sizeof(port_8080));
		CALL("connect", -ECONNREFUSED, 3, 1, 16);
		next_s += 0.5;
	}
	if (which == THERE_V6)
		listener("[::1]:8080", 8080, 7, 'S');
	else if (which == THERE_NOW)
		listener("0.0.0.0:8080", 8080, 7, 'S');
	else
		listener("0.0.0.0:8081", 8081, 7, 'S');
	ends();
}

enum left { LEFT_NONE, LEFT_WHOLE, LEFT_BELOW, LEFT_OTHER };

/* The path of a server is gone, which the server bound by that name or below its own folder. */
static void is_gone(double which)
{
	static const unsigned char path[] = "\1\0/run/app/s";
	static const char *const names[] = {
		[LEFT_WHOLE] = "/run/app/s", [LEFT_BELOW] = "app/s", [LEFT_OTHER] = "pp/s"
	};

	observe();
	for (int i = 0; i < 5; i++) {
		CALL("socket", 3, 1, 1, 0);
		piece(1, path, sizeof(path));
		CALL("connect", -ENOENT, 3, 1, sizeof(path));
		next_s += 0.5;
	}
	if (which)
		listener(names[(enum left)which], 0, 7, 'S');
	ends();
}

static void test_refused(void **state)
{
	static const struct check_case cases[] = {
		{ "connect-failing", is_refused, THERE_NONE, NULL,
			"|ECONNREFUSED: Connection refused); no process listens on that port" },
		{ "connect-failing", is_refused, THERE_V6, NULL,
			"|); preview (7) listens on [::1]:8080 only" },
		{ "connect-failing", is_refused, THERE_NOW, NULL,
			"|Connection refused) {connection" },
		{ "connect-failing", is_gone, LEFT_NONE, NULL, "|ENOENT|!listens" },
		{ "connect-failing", is_gone, LEFT_WHOLE, NULL,
			"|; preview (7) listens at /run/app/s, but the file was deleted" },
		{ "connect-failing", is_gone, LEFT_BELOW, NULL,
			"|; preview (7) listens at app/s, but the file was deleted" },
		{ "connect-failing", is_gone, LEFT_OTHER, NULL, "|ENOENT|!listens" },
	};

	(void)state;
	TRY_CASES(cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clients_refused),
		cmocka_unit_test(test_calls_itself),
		cmocka_unit_test(test_port_owner),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
