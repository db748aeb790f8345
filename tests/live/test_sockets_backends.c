/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Both backends of the sockets probe, read directly, of one process that stands still:
 * what the tables in /proc/PID/net tell must be what sock_diag tells. And the pairs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "collect/backend.h"
#include "os/linux/files/procfs.h"
#include "os/linux/sock_diag/socket_diag.h"
#include "os/os.h"
#include "probes/sockets.h"

#define SOCKETS_MAX 64

extern const struct backend backend_sockets_sock_diag, backend_sockets_procfs;

struct holder {
	pid_t pid;
	struct process_id id;
	int let_go; /* closed: it ends */
	uint64_t client, server, left, right;
};

struct process_snapshot {
	struct buffer records;
	const struct sockets_socket *sockets[SOCKETS_MAX];
	size_t count;
	const struct sockets_process *end;
};

static uint64_t inode_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

static int bound(int family, int type)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(family, type, 0);

	if (family == AF_INET)
		assert_int_equal(bind(fd, (void *)&v4, sizeof(v4)), 0);
	else if (bind(fd, (void *)&v6, sizeof(v6)))
		return -1; /* a kernel without version 6 */
	return fd;
}

static int connected(int to, int type)
{
	struct sockaddr_storage a;
	socklen_t size = sizeof(a);
	int fd;

	assert_int_equal(getsockname(to, (void *)&a, &size), 0);
	fd = socket(a.ss_family, type, 0);
	assert_int_equal(connect(fd, (void *)&a, size), 0);
	return fd;
}

static void make_sockets(struct holder *h)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int ends[2], fd;

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		int listener = bound(families[i], SOCK_STREAM), datagrams, client, server;

		if (listener < 0)
			continue;
		assert_int_equal(listen(listener, 3), 0);
		client = connected(listener, SOCK_STREAM);
		server = accept(listener, NULL, NULL);
		assert_int_equal(write(client, "unread", 6), 6);
		connected(listener, SOCK_STREAM); /* nobody accepts it */
		if (families[i] == AF_INET) {
			h->client = inode_of(client);
			h->server = inode_of(server);
		}
		datagrams = bound(families[i], SOCK_DGRAM);
		fd = connected(datagrams, SOCK_DGRAM);
		assert_int_equal(write(fd, "unread", 6), 6);
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	h->left = inode_of(ends[0]);
	h->right = inode_of(ends[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
	fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "sooth-backends-%d", getpid());
	assert_int_equal(bind(fd, (void *)&name,
				 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
					     strlen(name.sun_path + 1))),
		0);
	assert_int_equal(listen(fd, 3), 0);
	dup(fd);
	socket(AF_INET, SOCK_STREAM, 0); /* in no table */
	fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	assert_int_equal(bind(fd, (void *)&kernel, sizeof(kernel)), 0);
}

/* A process of its own, so that nothing of the test's is among them. */
static void start(struct holder *h)
{
	int ready[2], go[2];
	char c;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(go), 0);
	h->pid = fork();
	assert_true(h->pid >= 0);
	if (!h->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(go[1]);
		make_sockets(h);
		assert_int_equal(write(ready[1], h, sizeof(*h)), sizeof(*h));
		(void)!read(go[0], &c, 1);
		_exit(0);
	}
	close(ready[1]);
	close(go[0]);
	h->let_go = go[1];
	struct holder told;
	assert_int_equal(read(ready[0], &told, sizeof(told)), sizeof(told));
	close(ready[0]);
	h->client = told.client;
	h->server = told.server;
	h->left = told.left;
	h->right = told.right;
	assert_int_equal(procfs_identify(h->pid, &h->id), 0);
}

static void end(struct holder *h)
{
	close(h->let_go);
	assert_int_equal(waitpid(h->pid, NULL, 0), h->pid);
}

static void sample(struct process_snapshot *r, const struct backend *backend,
	const struct process_id *id, unsigned interest)
{
	struct backend_run run = { .backend = backend,
		.os = &os_native,
		.options = { .interest = interest },
		.state = calloc(1, backend->state_size) };
	struct sooth_error err;
	struct batch all;

	*r = (struct process_snapshot){ 0 };
	assert_int_equal(backend->open(&run, &err), 0);
	assert_int_equal(backend->set(&run, id, INTEREST_SAMPLE, &err), 0);
	assert_int_equal(backend->start(&run, &err), 0);
	r->records = run.out;
	all = (struct batch){ run.out.data, run.out.size };
	assert_true(batch_check(&all) > 0);
	batch_for_each (record, &all) {
		if (record->kind == SOCKETS_SOCKET) {
			assert_true(r->count < SOCKETS_MAX);
			r->sockets[r->count++] = (const void *)record;
		}
		if (record->kind == SOCKETS_PROCESS)
			r->end = (const void *)record;
	}
	assert_non_null(r->end);
	assert_int_equal(backend->stop(&run, &err), 0);
	backend->close(&run);
	free(run.state);
}

static void same_text(const struct sockets_socket *a, const struct sooth_text *x,
	const struct sockets_socket *b, const struct sooth_text *y)
{
	assert_int_equal(x->size, y->size);
	assert_memory_equal((const char *)a + x->offset, (const char *)b + y->offset, x->size);
}

static void compare(const struct sockets_socket *told, const struct sockets_socket *table)
{
	bool is_inet = told->family == SOCKETS_INET || told->family == SOCKETS_INET6;

	assert_int_equal(told->inode, table->inode);
	assert_int_equal(told->fd, table->fd);
	assert_int_equal(told->fd_count, table->fd_count);
	assert_int_equal(told->family, table->family);
	assert_int_equal(told->namespace, table->namespace);
	/* The table of netlink sockets has no states. */
	if (told->family == SOCKETS_NETLINK)
		assert_int_equal(told->state_state, SOOTH_STATE_VALUE);
	else
		assert_int_equal(told->state_state, table->state_state);
	same_text(told, &told->protocol, table, &table->protocol);
	same_text(told, &told->local, table, &table->local);
	assert_int_equal(told->local_state, table->local_state);
	if (told->state_state == SOOTH_STATE_ABSENT)
		return;
	if (told->family != SOCKETS_NETLINK)
		assert_int_equal(told->state, table->state);
	assert_int_equal(told->side, table->side);
	assert_int_equal(told->is_from_tables, 0);
	assert_int_equal(table->is_from_tables, 1);
	if (!is_inet)
		return;
	assert_int_equal(told->local_port, table->local_port);
	assert_int_equal(told->peer_port, table->peer_port);
	assert_int_equal(told->peer_state, table->peer_state);
	same_text(told, &told->peer, table, &table->peer);
	assert_int_equal(told->receive_queue_bytes, table->receive_queue_bytes);
	assert_int_equal(table->receive_queue_state, SOOTH_STATE_VALUE);
	if (told->state != SOCKETS_LISTEN)
		assert_int_equal(told->send_queue_bytes, table->send_queue_bytes);
	if (table->send_queue_state)
		assert_int_equal(told->state, SOCKETS_LISTEN);
}

static void test_same(void **state)
{
	struct process_snapshot told, table;
	struct holder h;

	(void)state;
	start(&h);
	sample(&told, &backend_sockets_sock_diag, &h.id, INTEREST_SAMPLE | INTEREST_DETAIL);
	sample(&table, &backend_sockets_procfs, &h.id, INTEREST_SAMPLE | INTEREST_DETAIL);
	assert_int_equal(told.count, table.count);
	assert_true(told.count >= 13);
	assert_int_equal(told.end->sockets, told.count);
	assert_int_equal(told.end->sockets_state, SOOTH_STATE_VALUE);
	for (size_t i = 0; i < told.count; i++)
		compare(told.sockets[i], table.sockets[i]);
	buffer_fini(&told.records);
	buffer_fini(&table.records);
	end(&h);
}

/* What takes the kernel long is told when it is asked for. */
static void test_detail(void **state)
{
	struct process_snapshot brief, whole;
	struct holder h;
	unsigned connections = 0;

	(void)state;
	start(&h);
	sample(&brief, &backend_sockets_sock_diag, &h.id, INTEREST_SAMPLE);
	sample(&whole, &backend_sockets_sock_diag, &h.id, INTEREST_SAMPLE | INTEREST_DETAIL);
	assert_int_equal(brief.count, whole.count);
	for (size_t i = 0; i < brief.count; i++) {
		const struct sockets_socket *a = brief.sockets[i], *b = whole.sockets[i];

		if (b->rtt_state != SOOTH_STATE_VALUE)
			continue;
		connections++;
		assert_true(b->rtt_ns > 0);
		assert_int_equal(a->rtt_state, SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED));
		assert_int_equal(a->state, SOCKETS_ESTABLISHED);
		if (b->inode == h.client) {
			assert_int_equal(b->sent_state, SOOTH_STATE_VALUE);
			assert_int_equal(b->side, SOCKETS_SIDE_MADE);
		}
		if (b->inode == h.server) {
			assert_int_equal(b->side, SOCKETS_SIDE_ACCEPTED);
			assert_int_equal(b->sent_state, SOOTH_STATE_ABSENT);
			assert_int_equal(b->received_bytes, 6);
		}
	}
	assert_true(connections >= 3);
	buffer_fini(&brief.records);
	buffer_fini(&whole.records);
	end(&h);
}

static void test_not_it(void **state)
{
	static const struct backend *const backends[] = { &backend_sockets_sock_diag,
		&backend_sockets_procfs };
	struct holder h;

	(void)state;
	start(&h);
	for (size_t i = 0; i < ARRAY_SIZE(backends); i++) {
		struct process_id other = { .start_ticks = h.id.start_ticks + 1, .pid = h.id.pid };
		struct process_snapshot r;

		/* Another process has the pid now. */
		sample(&r, backends[i], &other, INTEREST_SAMPLE);
		assert_int_equal(r.count, 0);
		assert_int_equal(r.end->sockets_state, SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
		assert_int_equal(r.end->record.start_ticks, other.start_ticks);
		buffer_fini(&r.records);
	}
	end(&h);
}

static uint64_t peer_of(const struct map *peers, uint64_t inode)
{
	const uint64_t *peer = map_get(peers, &inode);

	return peer ? *peer : 0;
}

static void test_peers(void **state)
{
	struct map peers;
	struct holder h;
	struct sooth_error err;
	int process, netlink;

	(void)state;
	start(&h);
	map_init(&peers, sizeof(uint64_t), sizeof(uint64_t), 65536);
	process = procfs_open(h.pid);
	netlink = socket_diag_open(process, &err);
	assert_true(netlink >= 0);
	assert_int_equal(socket_diag_peers(netlink, &peers, &err), 0);
	assert_int_equal(peer_of(&peers, h.left), h.right);
	assert_int_equal(peer_of(&peers, h.right), h.left);
	assert_int_equal(peer_of(&peers, h.client), h.server);
	assert_int_equal(peer_of(&peers, h.server), h.client);
	close(netlink);
	close(process);
	map_fini(&peers);
	end(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_detail),
		cmocka_unit_test(test_not_it),
		cmocka_unit_test(test_peers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
