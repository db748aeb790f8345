/* SPDX-License-Identifier: BSD-2-Clause */
/* The views of `sooth status`: "host" and "connections", of records as they come in a capture. */
#include "shown.h"

#include "analyze/sockets/connections.h"
#include "base/units.h"
#include "probes/host.h"
#include "probes/proc.h"
#include "probes/sockets.h"

static uint64_t now_ns(void)
{
	return records.size + 1;
}

/* --- the host --- */

static void add_load(double load_1m, uint8_t pressure_state)
{
	struct host_load r = { .record = { .time_ns = now_ns(), .kind = HOST_LOAD },
		.load_1m = load_1m,
		.cpu_some_10s = 12.5,
		.uptime_ns = 90 * NS_PER_S,
		.running = 3,
		.tasks = 95,
		.cpus = 2,
		.cpu_state = pressure_state,
		.io_state = pressure_state };

	RECORD_APPEND(&records, &r, NULL, 0);
}

static void add_memory(uint64_t available, uint64_t swap_free)
{
	struct host_memory r = { .record = { .time_ns = now_ns(), .kind = HOST_MEMORY },
		.total_bytes = 8ull << 30,
		.free_bytes = 1ull << 30,
		.available_bytes = available,
		.swap_total_bytes = 1ull << 30,
		.swap_free_bytes = swap_free };

	RECORD_APPEND(&records, &r, NULL, 0);
}

static void add_tracer(const char *name, uint8_t reach, const char *missing)
{
	struct host_tracer r = { .record = { .time_ns = now_ns(), .kind = HOST_TRACER },
		.reach = reach,
		.path_state = SOOTH_STATE_ABSENT,
		.version_state = SOOTH_STATE_ABSENT,
		.missing_state = missing ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
	struct record_tail tail[] = { { &r.name, name, strlen(name) },
		{ &r.missing, missing, missing ? strlen(missing) : 0 } };

	RECORD_APPEND(&records, &r, tail, 2);
}

static const char *host(const char *format)
{
	return show_view("status", "host", NULL, format);
}

static void test_host(void **state)
{
	const char *out;

	(void)state;
	add_load(9.99, SOOTH_STATE_VALUE);
	add_tracer("strace", HOST_REACH_OWN, "cap_sys_ptrace");
	add_memory(1, 0);
	add_load(0.5, SOOTH_STATE_VALUE); /* the last one counts */
	add_memory(4ull << 30, 768ull << 20);
	out = host("table");
	assert_true(has(out, "load: 0.50 0.00 0.00 on 2 CPUs; 3 of 95 threads running"));
	assert_true(has(out, "CPU 12.50 %"));
	assert_false(has(out, "9.99"));
	assert_true(has(out, "4.00G available of 8.00G") || has(out, "4.0G available of 8.0G"));
	assert_true(has(out, "swap: 256M used of 1.0G") || has(out, "swap: 256.0M used of 1.0G"));
	assert_true(has(out, "strace"));
	assert_true(has(out, "own processes"));
	out = host("json");
	assert_true(has(out, "\"swap_used_bytes\": 268435456"));
	assert_true(has(out, "\"missing\": \"cap_sys_ptrace\""));
}

static void test_host_without_pressure(void **state)
{
	(void)state;
	add_load(0.5, SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED));
	assert_true(has(host("json"), "\"cpu_some_10s_percent\": null"));
	assert_true(has(host("table"), "CPU pressure of the host"));
}

/* A capture of several observations tells tracers several times. */
static void test_tracers_once(void **state)
{
	const char *out;

	(void)state;
	add_tracer("strace", HOST_REACH_OWN, "first");
	add_tracer("gdb", HOST_REACH_ALL, NULL);
	add_tracer("strace", HOST_REACH_ALL, "second");
	out = host("json");
	assert_true(has(out, "second"));
	assert_false(has(out, "first"));
	assert_true(strstr(out, "\"strace\"") < strstr(out, "\"gdb\""));
}

static void test_nothing(void **state)
{
	(void)state;
	assert_true(has(host("table"), "sooth did not look for tracers"));
}

/* Cut, or of another writer. */
static void test_short_records(void **state)
{
	struct sooth_record r = { .kind = HOST_LOAD };

	(void)state;
	record_append(&records, &r, sizeof(r), NULL, 0);
	r.kind = HOST_TRACER;
	record_append(&records, &r, sizeof(r), NULL, 0);
	assert_false(has(host("table"), "load:"));
}

/* --- connections --- */

static void add_process(uint32_t pid, uint32_t ppid, const char *executable)
{
	struct proc_process r = { .record = { .time_ns = now_ns(),
					  .kind = PROC_PROCESS,
					  .pid = pid,
					  .start_ticks = 7 },
		.ppid = ppid,
		.state = 'S' };
	struct record_tail tail[] = { { &r.executable, executable, strlen(executable) } };

	RECORD_APPEND(&records, &r, tail, 1);
}

static void add_socket(
	uint32_t pid, uint8_t family, uint8_t socket_state, const char *peer, uint16_t port)
{
	struct sockets_socket r = { .record = { .time_ns = now_ns(),
					    .kind = SOCKETS_SOCKET,
					    .pid = pid,
					    .start_ticks = 7 },
		.family = family,
		.state = socket_state,
		.local_port = 40000,
		.peer_port = port,
		.local_state = socket_state ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.peer_state = peer ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.peer_port_state = peer ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
	struct record_tail tail[] = { { &r.protocol, "tcp", 3 }, { &r.local, "10.0.0.1", 8 },
		{ &r.peer, peer, peer ? strlen(peer) : 0 } };

	RECORD_APPEND(&records, &r, tail, 3);
}

static void end_snapshot(uint32_t pid, uint8_t sockets_state)
{
	struct sockets_process r = { .record = { .time_ns = now_ns(),
					     .kind = SOCKETS_PROCESS,
					     .pid = pid,
					     .start_ticks = 7 },
		.sockets_state = sockets_state };

	RECORD_APPEND(&records, &r, NULL, 0);
}

static void add_host(void)
{
	add_process(10, 1, "/home/u/.local/share/claude/versions/9.9.9");
	add_process(11, 10, "/usr/bin/curl");
	add_process(12, 1, "/usr/bin/curl");
	add_socket(10, SOCKETS_INET, SOCKETS_ESTABLISHED, "160.79.104.10", 443);
	add_socket(10, SOCKETS_UNIX, SOCKETS_ESTABLISHED, "/run/x", 0);
	add_socket(10, SOCKETS_INET, SOCKETS_NO_STATE, NULL, 0);
	end_snapshot(10, SOOTH_STATE_VALUE);
	add_socket(11, SOCKETS_INET, SOCKETS_ESTABLISHED, "127.0.0.1", 4317);
	end_snapshot(11, SOOTH_STATE_VALUE);
	add_socket(12, SOCKETS_INET, SOCKETS_ESTABLISHED, "192.0.2.7", 80);
	end_snapshot(12, SOOTH_STATE_VALUE);
}

static const char *connections(const struct connections_options *options, const char *format)
{
	return show_view("status", "connections", options, format);
}

static void test_connections(void **state)
{
	const char *out;

	(void)state;
	add_host();
	out = connections(NULL, "table");
	assert_true(has(out, "160.79.104.10:443 Anthropic API"));
	assert_true(has(out, "127.0.0.1:4317"));
	assert_true(has(out, "OTLP"));
	assert_false(has(out, "192.0.2.7")); /* nobody's */
	assert_false(has(out, "/run/x"));
	assert_true(has(out, "10 claude"));
	assert_true(has(out, "11 claude"));
}

static void test_labels_and_agent(void **state)
{
	static const char rules[] = "160.79.104.10:443 our gateway\n";
	struct connections_options options = { .choice.agent = "codex" };

	(void)state;
	add_host();
	assert_true(has(connections(&options, "table"), "no network connections of agents"));
	options.choice.agent = "claude";
	options.labels.labels = rules;
	options.labels.labels_size = strlen(rules);
	assert_true(has(connections(&options, "table"), "our gateway"));
}

static void test_unread(void **state)
{
	(void)state;
	add_process(10, 1, "/home/u/.local/share/claude/versions/9.9.9");
	end_snapshot(10, SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION));
	assert_true(has(connections(NULL, "table"), "connections of process 10"));
	assert_true(
		has(shown.data, "connections of 1 process were not measured: permission denied\n"));
	assert_false(has(shown.data, "no agent"));
}

/* One of them is told, so nothing is said in place of all; two that are not, and why. */
static void test_some_unread(void **state)
{
	(void)state;
	add_host();
	add_process(20, 1, "/home/u/.local/share/claude/versions/9.9.9");
	end_snapshot(20, SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION));
	assert_false(has(connections(NULL, "table"), "not measured: permission denied\n"));
	assert_true(has(shown.data, "160.79.104.10:443"));
	assert_true(has(shown.data, "connections of process 20"));
}

static void test_several_unread(void **state)
{
	(void)state;
	add_process(10, 1, "/home/u/.local/share/claude/versions/9.9.9");
	end_snapshot(10, SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION));
	add_process(20, 1, "/home/u/.local/share/claude/versions/9.9.9");
	end_snapshot(20, SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
	assert_true(has(connections(NULL, "table"),
		"connections of 2 processes were not measured: for several reasons"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_host),
		TEST(test_host_without_pressure),
		TEST(test_tracers_once),
		TEST(test_nothing),
		TEST(test_short_records),
		TEST(test_connections),
		TEST(test_labels_and_agent),
		TEST(test_unread),
		TEST(test_some_unread),
		TEST(test_several_unread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
