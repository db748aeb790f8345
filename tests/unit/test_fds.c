/* SPDX-License-Identifier: BSD-2-Clause */
/* The output of the view "fds" for records. */
#include "shown.h"

#include "analyze/fds/fd_sums.h"
#include "probes/fds.h"
#include "probes/sockets.h"

static const char *show(const char *format)
{
	return show_view("test", "fds", NULL, format);
}

static struct sooth_record head(uint32_t pid, uint16_t kind)
{
	return (struct sooth_record){
		.time_ns = 5, .start_ticks = 100, .pid = pid, .kind = kind, .cpu = SOOTH_CPU_NONE
	};
}

static void add_fd(uint32_t pid, uint32_t fd, uint8_t type, uint64_t inode, const char *path)
{
	struct fds_descriptor d = { .record = head(pid, FDS_DESCRIPTOR),
		.fd = fd,
		.type = type,
		.inode = inode,
		.access = fd % 2 ? FDS_ACCESS_WRITE : FDS_ACCESS_READ,
		.flags = 02004000 | 0100000 | (fd % 2),
		.closes_on_exec = 1,
		.detail_state = SOOTH_STATE_ABSENT };
	struct record_tail tail[] = { { &d.path, path, strlen(path) }, { &d.detail, "", 0 } };

	RECORD_APPEND(&records, &d, tail, ARRAY_SIZE(tail));
}

static void add_holder(uint64_t inode, uint32_t pid, uint32_t fd, uint8_t access)
{
	struct fds_holder h = { .record = head(10, FDS_HOLDER),
		.inode = inode,
		.held_inode = inode,
		.holder_start_ticks = 100,
		.holder_pid = pid,
		.holder_fd = fd,
		.access = access,
		.holder_name = "sixteen-or-more" };

	RECORD_APPEND(&records, &h, NULL, 0);
}

static void add_watch(uint32_t number, uint8_t state, const char *path)
{
	struct fds_watch w = { .record = head(10, FDS_WATCH),
		.fd = 9,
		.watch = number,
		.mask = 0x302,
		.path_state = state };
	struct record_tail tail[] = { { &w.path, path, strlen(path) } };

	RECORD_APPEND(&records, &w, tail, 1);
}

static void add_member(uint32_t fd, uint64_t inode)
{
	struct fds_member m = { .record = head(10, FDS_MEMBER),
		.inode = inode,
		.epoll = 8,
		.fd = fd,
		.events = 0x80000001 };

	RECORD_APPEND(&records, &m, NULL, 0);
}

static void add_end(uint32_t pid, uint32_t count, uint8_t state, uint8_t holders_state)
{
	struct fds_process p = { .record = head(pid, FDS_PROCESS),
		.soft_limit = 10,
		.hard_limit = UINT64_MAX,
		.descriptors = count,
		.watches = 3,
		.watches_max = 8192,
		.instances_max = 128,
		.descriptors_state = state,
		.holders_state = holders_state };

	RECORD_APPEND(&records, &p, NULL, 0);
}

static void test_one_process(void **state)
{
	const char *out;

	(void)state;
	add_fd(10, 4, FDS_PIPE, 77, "pipe:[77]");
	add_fd(10, 5, FDS_PIPE, 77, "pipe:[77]");
	add_fd(10, 6, FDS_PIPE, 78, "pipe:[78]");
	add_fd(10, 0, FDS_FILE, 3, "/tmp/a");
	add_fd(10, 2, FDS_FILE, 3, "/tmp/a");
	add_holder(77, 10, 4, FDS_ACCESS_READ);
	add_holder(77, 10, 5, FDS_ACCESS_WRITE);
	for (uint32_t pid = 20; pid < 25; pid++)
		add_holder(77, pid, 1, FDS_ACCESS_WRITE);
	add_end(10, 5, 0, 0);
	out = show("json");
	assert_true(has(out, "\"pipe\": {\n      \"count\": 3\n"));
	/* The reader's other ends are the writers; the descriptor itself is none. */
	assert_true(has(out, "10/sixteen-or-more:5 w, 20/sixteen-or-more:1 w, "
			     "21/sixteen-or-more:1 w, +3"));
	/* Those of the writer: the reader, not who writes too. */
	assert_true(has(out, "\"10/sixteen-or-more:4 r\""));
	assert_true(has(out, "\"other_end\": \"none\""));
	assert_true(has(out, "nonblock cloexec"));
	out = show("table");
	assert_true(has(out, "COUNT PATH   FDS\n    2 /tmp/a 0,2\n"));
	assert_false(has(out, "PID"));
	assert_true(has(out, "OPEN SOFT HARD"));
	assert_true(has(out, "50.0"));
}

static void test_unknown_holders_are_not_none(void **state)
{
	(void)state;
	add_fd(10, 6, FDS_PIPE, 78, "pipe:[78]");
	add_end(10, 1, 0, SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION));
	assert_false(has(show("json"), "\"none\""));
	assert_true(has(shown.data, "permission"));
	buffer_reset(&records);
	add_fd(10, 6, FDS_PIPE, 78, "pipe:[78]");
	add_end(10, 1, 0, SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED));
	assert_false(has(show("json"), "\"none\""));
}

static void add_socket(uint64_t inode, uint8_t state, const char *local, uint16_t peer_port)
{
	struct sockets_socket socket = { .record = head(10, SOCKETS_SOCKET),
		.inode = inode,
		.state = state,
		.family = SOCKETS_INET,
		.local_port = 80,
		.peer_port = peer_port,
		.peer_state = peer_port ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
	struct record_tail tail[] = { { &socket.protocol, "tcp", 3 },
		{ &socket.local, local, strlen(local) }, { &socket.peer, "10.0.0.1", 8 } };

	RECORD_APPEND(&records, &socket, tail, ARRAY_SIZE(tail));
}

static void end_sockets(uint8_t state)
{
	struct sockets_process p = { .record = head(10, SOCKETS_PROCESS), .sockets_state = state };

	RECORD_APPEND(&records, &p, NULL, 0);
}

static void test_addresses_of_sockets(void **state)
{
	const char *text;

	(void)state;
	add_fd(10, 3, FDS_TCP, 501, "socket:[501]");
	add_fd(10, 4, FDS_TCP, 502, "socket:[502]");
	add_fd(10, 5, FDS_TCP, 503, "socket:[503]");
	add_end(10, 3, SOOTH_STATE_VALUE, SOOTH_STATE_VALUE);
	add_socket(502, SOCKETS_ESTABLISHED, "127.0.0.1", 4000);
	add_socket(501, SOCKETS_LISTEN, "0.0.0.0", 0);
	end_sockets(SOOTH_STATE_VALUE);
	text = show("table");
	assert_true(has(text, "0.0.0.0:80 (LISTEN)"));
	assert_true(has(text, "127.0.0.1:80->10.0.0.1:4000 (ESTABLISHED)"));
	assert_false(has(text, "address not measured"));

	buffer_reset(&records);
	add_fd(10, 3, FDS_TCP, 501, "socket:[501]");
	add_end(10, 1, SOOTH_STATE_VALUE, SOOTH_STATE_VALUE);
	end_sockets(SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION));
	assert_true(has(show("json"), "address not measured: permission denied"));
}

static void test_members_and_watches(void **state)
{
	const char *out;

	(void)state;
	add_fd(10, 4, FDS_PIPE, 77, "pipe:[77]");
	add_member(4, 77);
	add_member(4, 76); /* the number is another file's now */
	add_watch(1, 0, "/home/me/work/one/src/a");
	add_watch(2, 0, "/home/me/work/one/src/b/c");
	add_watch(3, 0, "/home/me/work/two");
	add_watch(4, SOOTH_NOT_MEASURED(SOOTH_REASON_BLOCKED), "");
	add_end(10, 1, 0, 0);
	out = show("table");
	assert_true(has(out, "EPOLL FD EVENTS  PATH\n    8  4 in edge pipe:[77]\n"
			     "    8  4 in edge -\n"));
	assert_true(has(out, "WATCHES DIRECTORY\n      2 /home/me/work/one\n"));
	assert_true(has(out, "      1 /home/me/work/two\n"));
	assert_true(has(out, "      1 ?\n"));
	assert_true(has(out, "modify create delete"));
}

static void test_several_processes(void **state)
{
	const char *out;

	(void)state;
	add_fd(10, 0, FDS_FILE, 3, "/tmp/a");
	add_end(10, 1, 0, 0);
	add_fd(11, 0, FDS_FILE, 3, "/tmp/a");
	add_end(11, 1, 0, 0);
	add_end(12, 0, SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION), 0);
	out = show("table");
	assert_true(has(out, "PID FD TYPE"));
	assert_true(has(out, "TYPE COUNT\nfile     2\n"));
	assert_true(has(out, "permission"));
	/* The same path in two processes is not open twice. */
	assert_false(has(out, "open more than once"));
}

/* A reading that found nothing because all is over does not take the place of one. */
static void test_ended(void **state)
{
	(void)state;
	add_fd(10, 0, FDS_FILE, 3, "/tmp/kept");
	add_end(10, 1, 0, 0);
	add_end(10, 0, SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED), 0);
	assert_true(has(show("table"), "/tmp/kept"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_one_process),
		TEST(test_unknown_holders_are_not_none),
		TEST(test_addresses_of_sockets),
		TEST(test_members_and_watches),
		TEST(test_several_processes),
		TEST(test_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
