/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/limits/limit_descriptors.h"

#include <arpa/inet.h>
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/linux/sockets/socket_tables.h"
#include "probes/sockets.h"

#define SOCKETS_MAX	(1u << 18)
#define PROCESS_MAX	65536
#define WATCHES_READ	(96u << 20) /* of one fdinfo: some 800,000 watches */
#define READ_SIZE	16384
#define PEER_LEAST	16 /* connections */
#define PEERS_MAX	4
#define INOTIFY		"anon_inode:inotify"
#define TERMINALS_LEAST 8 /* fewer are an ordinary terminal program */

struct descriptor_user {
	struct limits_holder holder; /* pid, start and name */
	uint64_t inotify[2];	     /* instances, watches */
	uint64_t namespace;	     /* of users */
	uint64_t terminals;	     /* masters of pseudo terminals */
	uint64_t mounts;	     /* namespace of mounts */
	uint64_t connections;	     /* to the current peer */
	uint32_t uid;
};

void limit_descriptors_init(struct limit_descriptors *d)
{
	assert(d);
	*d = (struct limit_descriptors){ 0 };
	map_init(&d->sockets, sizeof(uint64_t), sizeof(uint32_t), SOCKETS_MAX);
}

void limit_descriptors_fini(struct limit_descriptors *d)
{
	assert(d);
	map_fini(&d->sockets);
	buffer_fini(&d->processes);
	buffer_fini(&d->text);
	buffer_fini(&d->scratch);
}

void limit_descriptors_clear(struct limit_descriptors *d)
{
	assert(d);
	map_clear(&d->sockets);
	buffer_reset(&d->processes);
	d->unread = 0;
	d->is_read = false;
}

/* --- all processes --- */

int limit_descriptors_visit(int process,
	void (*visit)(void *user, int process, int table, const char *name), void *user)
{
	int table = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *dir = table < 0 ? NULL : fdopendir(table);
	struct dirent *entry;

	if (!dir)
		return errno ? -errno : -EIO;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] != '.')
			visit(user, process, table, entry->d_name);
	}
	return 0;
}

struct reading {
	struct limit_descriptors *d;
	struct descriptor_user one;
	bool has_any;
};

/* Counts the watches of an inotify instance. Each has a line in fdinfo (proc_pid_fdinfo(5)), of
 * about 110 bytes, which is read in pieces: a program may have 100,000s of them. */
static uint64_t count_watches(int process, const char *name)
{
	static const char mark[] = "\ninotify ";
	char path[300], bytes[sizeof(mark) + READ_SIZE]; /* path: room for any directory entry */
	size_t kept = 0, size = sizeof(mark) - 1;
	uint64_t count = 0, total = 0;
	_cleanup_close_ int file = -1;
	ssize_t got;

	snprintf(path, sizeof(path), "fdinfo/%s", name);
	file = openat(process, path, O_RDONLY | O_CLOEXEC);
	while (file >= 0 && total < WATCHES_READ &&
		(got = read(file, bytes + kept, READ_SIZE)) > 0) {
		const char *at = bytes, *end = bytes + kept + got;

		while ((at = memmem(at, (size_t)(end - at), mark, size))) {
			at += size;
			count++;
		}
		total += (size_t)got;
		kept = (size_t)(end - bytes) < size - 1 ? (size_t)(end - bytes) : size - 1;
		memmove(bytes, end - kept, kept);
	}
	return count;
}

static void count_descriptor(void *user, int process, int table, const char *name)
{
	struct reading *r = user;
	struct limit_descriptors *d = r->d;
	uint32_t at = (uint32_t)(d->processes.size / sizeof(r->one)), *owner;
	struct span link;
	uint64_t inode;

	if (procfs_link_at(table, name, &d->text))
		return;
	link = span_of((const char *)d->text.data, d->text.size);
	if (procfs_link_inode(link, "socket:[", &inode)) {
		owner = map_put(&d->sockets, &inode, NULL);
		if (owner)
			*owner = at;
		r->has_any = true;
	} else if (span_equal(link, INOTIFY)) {
		r->one.inotify[0]++;
		r->one.inotify[1] += count_watches(process, name);
		r->has_any = true;
	} else if (span_equal(link, "/dev/ptmx") || span_equal(link, "/dev/pts/ptmx")) {
		r->one.terminals++;
		r->has_any = true;
	}
}

static void read_process(struct limit_descriptors *d, pid_t pid)
{
	_cleanup_close_ int process = procfs_open(pid);
	struct reading r = { .d = d };
	struct procfs_stat stat;
	struct stat st;
	int status;

	if (process < 0)
		return;
	status = limit_descriptors_visit(process, count_descriptor, &r);
	if (status) {
		d->unread += status == -EACCES || status == -EPERM;
		return;
	}
	/* The entry that the sockets refer to is made even if the process has just ended. */
	if (!r.has_any)
		return;
	limit_holder_read(&r.one.holder, process, &stat, &d->text);
	if (!fstat(process, &st))
		r.one.uid = st.st_uid;
	if (!fstatat(process, "ns/user", &st, 0))
		r.one.namespace = st.st_ino;
	if (r.one.terminals && !fstatat(process, "ns/mnt", &st, 0))
		r.one.mounts = st.st_ino;
	buffer_append(&d->processes, &r.one, sizeof(r.one));
}

static void read_processes(struct limit_descriptors *d)
{
	struct buffer pids = { 0 };

	if (d->is_read)
		return;
	d->is_read = true;
	procfs_list(&pids);
	for (size_t i = 0; i < pids.size / sizeof(pid_t) && i < PROCESS_MAX; i++) {
		pid_t pid = ((const pid_t *)(const void *)pids.data)[i];

		if (pid != getpid())
			read_process(d, pid);
	}
	buffer_fini(&pids);
}

static size_t users_of(const struct limit_descriptors *d, struct descriptor_user **all)
{
	*all = (struct descriptor_user *)(void *)d->processes.data;
	return buffer_failed(&d->processes) ? 0 : d->processes.size / sizeof(**all);
}

/* --- inotify --- */

/* Writes the use of inotify by the user of the observed process. */
static void write_inotify(struct limit_descriptors *d, const struct limit_holders *all,
	unsigned kind, uint64_t namespace)
{
	struct descriptor_user *users;
	size_t count = users_of(d, &users);

	for (size_t i = 0; i < count; i++) {
		struct descriptor_user *u = &users[i];

		u->holder.amount = u->inotify[kind];
		if (u->holder.amount && u->uid == all->of->uid && u->namespace == namespace)
			limit_holder_write(all, &u->holder, span_of("", 0));
	}
}

/* --- pseudo terminals --- */

/* Writes the processes that run many: each mount of devpts has a limit, and the host one for all.
 */
static void write_terminals(
	struct limit_descriptors *d, const struct limit_holders *all, uint64_t mounts)
{
	struct descriptor_user *users;
	size_t count = users_of(d, &users);

	for (size_t i = 0; i < count; i++) {
		struct descriptor_user *u = &users[i];

		u->holder.amount = u->terminals;
		if (u->terminals >= TERMINALS_LEAST && u->mounts == mounts)
			limit_holder_write(all, &u->holder, span_of("", 0));
	}
}

/* --- local ports --- */

struct peer {
	unsigned char address[16]; /* IPv4 in its form for IPv6 */
	uint16_t port;
};

struct connection {
	struct peer peer;
	uint64_t inode; /* 0: TIME_WAIT */
};

static void count_connection(void *user, const struct socket_fact *f)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct connection c = { .inode = f->inode };
	struct buffer *all = user;

	if (f->state == SOCKETS_LISTEN || !f->peer_port || all->size >= SOCKETS_MAX * sizeof(c))
		return;
	c.peer.port = f->peer_port;
	if (f->family == AF_INET) {
		memcpy(c.peer.address, mapped, sizeof(mapped));
		memcpy(c.peer.address + sizeof(mapped), f->peer, 4);
	} else {
		memcpy(c.peer.address, f->peer, sizeof(c.peer.address));
	}
	buffer_append(all, &c, sizeof(c));
}

static void put_peer(char out[INET6_ADDRSTRLEN + 16], const struct peer *p)
{
	bool is_old = p->address[10] == 0xff && p->address[11] == 0xff && !p->address[0];
	char text[INET6_ADDRSTRLEN] = "";

	inet_ntop(is_old ? AF_INET : AF_INET6, p->address + (is_old ? 12 : 0), text, sizeof(text));
	snprintf(out, INET6_ADDRSTRLEN + 16, is_old ? "%s:%u" : "[%s]:%u", text, p->port);
}

/* Writes the connections to one peer, which are next to each other. */
static void write_peer(struct limit_descriptors *d, struct limit_holders *all,
	const struct connection *c, size_t count)
{
	struct limits_holder closed = { 0 };
	char text[INET6_ADDRSTRLEN + 16];
	struct descriptor_user *users;
	size_t users_count;

	read_processes(d);
	users_count = users_of(d, &users);
	for (size_t i = 0; i < users_count; i++)
		users[i].connections = 0;
	for (size_t i = 0; i < count; i++) {
		const uint32_t *owner = c[i].inode ? map_get(&d->sockets, &c[i].inode) : NULL;

		closed.amount += !c[i].inode;
		if (owner && *owner < users_count)
			users[*owner].connections++;
	}
	put_peer(text, &c->peer);
	all->place = span_of(text, strlen(text));
	all->unread = d->unread;
	for (size_t i = 0; i < users_count; i++) {
		users[i].holder.amount = users[i].connections;
		if (users[i].connections * 8 >= count)
			limit_holder_write(all, &users[i].holder, span_of("", 0));
	}
	if (closed.amount)
		limit_holder_write(all, &closed, span_of("", 0));
}

static int compare_by_peer(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct peer));
}

/* Writes the sockets of the network namespace of the process, if there are many to one peer. */
static void write_ports(struct limit_descriptors *d, struct limit_holders *all)
{
	static const struct socket_table tables[] = { { "net/tcp", AF_INET, IPPROTO_TCP },
		{ "net/tcp6", AF_INET6, IPPROTO_TCP } };
	struct buffer found = { 0 };
	struct connection *c;
	size_t count, written = 0;

	for (size_t i = 0; i < 2; i++)
		socket_tables_read(all->of->process, &tables[i], count_connection, &found);
	c = (struct connection *)(void *)found.data;
	count = buffer_failed(&found) ? 0 : found.size / sizeof(*c);
	if (count)
		qsort(c, count, sizeof(*c), compare_by_peer);
	for (size_t i = 0, n; i < count && written < PEERS_MAX; i += n) {
		for (n = 1; i + n < count && !compare_by_peer(&c[i], &c[i + n]);)
			n++;
		if (n < PEER_LEAST)
			continue;
		write_peer(d, all, &c[i], n);
		written++;
	}
	buffer_fini(&found);
}

void limit_descriptors_write(struct limit_descriptors *d, struct backend_run *run,
	const struct process_snapshot *snapshot)
{
	struct limit_holders all = { .run = run, .of = snapshot };
	struct stat st;

	assert(d);
	read_processes(d);
	all.unread = d->unread;
	for (unsigned k = 0; k < 2 && !fstatat(snapshot->process, "ns/user", &st, 0); k++) {
		all.resource = k ? LIMITS_SHARED_WATCHES : LIMITS_SHARED_INSTANCES;
		write_inotify(d, &all, k, st.st_ino);
	}
	all.resource = LIMITS_SHARED_TERMINALS;
	if (!fstatat(snapshot->process, "ns/mnt", &st, 0))
		write_terminals(d, &all, st.st_ino);
	all.resource = LIMITS_SHARED_PORTS;
	write_ports(d, &all);
}
