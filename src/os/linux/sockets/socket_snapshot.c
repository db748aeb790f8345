/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A snapshot of the sockets of a process. Only tables of protocols that the process uses are read:
 * a table of a busy host is long.
 *
 * Cannot be seen: changes between the list of descriptors and the tables. A socket that was closed
 * in between is left out; one that was created in between is in no snapshot.
 */
#include "os/linux/sockets/socket_snapshot.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "collect/backend.h"
#include "model/batch.h"
#include "os/linux/bpf/members.h"
#include "os/linux/files/fd_tables.h"
#include "os/linux/files/procfs.h"
#include "os/linux/proc/agent_members.h"
#include "os/linux/rights/caller.h"
#include "os/linux/sock_diag/socket_diag.h"
#include "os/linux/sock_diag/socket_fact.h"
#include "os/linux/sockets/socket_idle.h"
#include "os/linux/sockets/socket_tables.h"
#include "os/linux/sockets/socket_record.h"
#include "probes/sockets.h"

/* --- what processes hold --- */

/* Bytes of a text, by their place in `texts`, which moves as it grows. */
struct held_text {
	uint32_t at;
	uint32_t size;
};

struct held_socket {
	struct sockets_socket record;
	const struct socket_protocol *protocol; /* NULL: unknown */
	bool is_reported;
	bool is_twice; /* in a table with two different lines for the same inode */
	bool is_gone;  /* closed meanwhile */
	struct held_text name, local, peer;
};

#define DESCRIPTORS_MAX 1048576
#define SOCKETS_MAX	65536
#define PREFIX		"socket:["
#define LINK_MAX_	64

#define UNSUPPORTED SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED)

static struct held_text keep_text(struct socket_holdings *h, const void *data, size_t size)
{
	struct held_text t = { (uint32_t)h->texts.size, (uint32_t)size };

	buffer_append(&h->texts, data, size);
	return buffer_failed(&h->texts) ? (struct held_text){ 0 } : t;
}

/* Returns the inode in a socket's link, 0 when it is another kind of link, or unreadable. */
static uint64_t inode_of(struct socket_holdings *h, int directory, const char *name)
{
	char link[LINK_MAX_];
	ssize_t size = readlinkat(directory, name, link, sizeof(link));
	struct cursor c = cursor_over(link, size > 0 ? (size_t)size : 0);
	uint64_t inode;

	if (size < 0 && (errno == EACCES || errno == EPERM))
		h->has_closed_links = true;
	if (!cursor_skip(&c, PREFIX))
		return 0;
	inode = cursor_decimal(&c);
	return cursor_skip(&c, "]") && cursor_at_end(&c) && !c.failed ? inode : 0;
}

static void find_protocol(struct socket_holdings *h, struct held_socket *s, int directory)
{
	char path[64], value[64];
	ssize_t size;

	snprintf(path, sizeof(path), "/proc/self/fd/%d/%u", directory, s->record.fd);
	size = getxattr(path, "system.sockprotoname", value, sizeof(value));
	if (size > 0 && !value[size - 1])
		size--;
	if (size <= 0) {
		s->record.protocol_state = UNSUPPORTED;
		h->is_all = true;
		return;
	}
	s->protocol = socket_protocol_by_name(span_of(value, (size_t)size));
	if (s->protocol) {
		s->record.family = s->protocol->family;
		h->selected |= 1u << (s->protocol - socket_protocols);
	}
	if (s->protocol && s->protocol->text)
		s->name = keep_text(h, s->protocol->text, strlen(s->protocol->text));
	else if (s->protocol) /* only reported with the socket */
		s->record.protocol_state = UNSUPPORTED;
	else
		s->name = keep_text(h, value, (size_t)size);
}

static void add_descriptor(struct socket_holdings *h, int directory, const char *name)
{
	uint64_t inode = inode_of(h, directory, name);
	struct held_socket *s;
	bool is_new;

	if (!inode)
		return;
	s = map_put(&h->sockets, &inode, &is_new);
	if (!s)
		return; /* already counted there */
	if (is_new) {
		s->record.inode = inode;
		s->record.fd = (uint32_t)strtoul(name, NULL, 10);
		find_protocol(h, s, directory);
	}
	s->record.fd_count++;
}

/* Finds the sockets among the descriptors of the process. */
static void socket_holdings_list(struct socket_holdings *h, int process)
{
	int fd = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	unsigned count = 0;

	map_clear(&h->sockets);
	map_clear(&h->names);
	h->sockets.refused = 0;
	buffer_reset(&h->texts);
	h->selected = h->refused = 0;
	h->is_all = h->has_closed_links = false;
	memset(h->listened, 0, sizeof(h->listened));
	h->state = SOOTH_STATE_VALUE;
	if (!dir) {
		h->state = procfs_state(errno == ENOENT ? -ESRCH : -errno);
		if (fd >= 0)
			close(fd);
		return;
	}
	while (count < DESCRIPTORS_MAX && (errno = 0, entry = readdir(dir))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		count++;
		add_descriptor(h, fd, entry->d_name);
	}
	if (h->has_closed_links)
		h->state = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
	else if (count == DESCRIPTORS_MAX || h->sockets.refused)
		h->state = SOOTH_STATE_TRUNCATED;
	else if (errno && !h->sockets.count)
		h->state = procfs_state(errno == ENOENT ? -ESRCH : -errno);
	else if (errno)
		h->state = SOOTH_STATE_TRUNCATED;
}

static uint64_t *ports_of(struct socket_holdings *h, bool is_version_6, uint16_t port)
{
	return &h->listened[is_version_6][port / 64];
}

static void note_listening(struct socket_holdings *h, const struct socket_fact *f)
{
	bool is_inet = f->family == AF_INET || f->family == AF_INET6;

	if (f->state == SOCKETS_LISTEN && is_inet && f->protocol == IPPROTO_TCP)
		*ports_of(h, f->family == AF_INET6, f->local_port) |= 1ull << f->local_port % 64;
}

/* Keeps the data if the socket belongs to the process. */
static void socket_holdings_take(void *user, const struct socket_fact *fact)
{
	struct socket_holdings *h = user;
	struct held_socket *s = fact->inode ? map_get(&h->sockets, &fact->inode) : NULL;
	const struct socket_record_way way = { h->is_from_tables, h->needs_detail, h->netlink };
	struct socket_texts texts;

	note_listening(h, fact);
	if (!s)
		return;
	if (s->is_reported && h->is_from_tables) {
		s->is_twice = true; /* it is unknown which of the lines is the kernel's */
		return;
	}
	s->is_reported = true;
	socket_record_fill(&s->record, &texts, fact, &way);
	s->local = keep_text(h, texts.local, texts.local_size);
	s->peer = keep_text(h, texts.peer, texts.peer_size);
	if (texts.protocol && !s->name.size) {
		s->name = keep_text(h, texts.protocol, strlen(texts.protocol));
		s->record.protocol_state = SOOTH_STATE_VALUE;
	}
}

/* Notes the unix sockets at the other ends: a second read of the same table gives their names.
 * Returns whether there are any. */
static bool socket_holdings_needs_names(struct socket_holdings *h)
{
	map_for_each_value (&h->sockets, const struct held_socket *, s) {
		if (s->record.peer_inode)
			map_put(&h->names, &s->record.peer_inode, NULL);
	}
	return h->names.count > 0;
}

static void socket_holdings_add_name(void *user, const struct socket_fact *fact)
{
	struct socket_holdings *h = user;
	struct held_text *t = fact->inode ? map_get(&h->names, &fact->inode) : NULL;
	struct socket_texts texts;
	struct sockets_socket unused = { 0 };
	const struct socket_record_way way = { .netlink = -1 };

	if (!t)
		return;
	socket_record_fill(&unused, &texts, fact, &way);
	*t = keep_text(h, texts.local, texts.local_size);
}

/* --- records --- */

/* Fills in a socket of which only the existence is known. */
static void set_all_unknown(struct sockets_socket *r, uint8_t state, uint8_t others)
{
	r->state_state = state;
	r->receive_queue_state = r->send_queue_state = others;
	r->rtt_state = r->retransmits_state = r->waiting_state = r->bytes_state = others;
	r->sent_state = r->received_state = others;
	r->local_state = r->peer_state = r->port_state = r->peer_port_state = others;
}

static void name_peer(struct socket_holdings *h, struct held_socket *s)
{
	const struct held_text *t;

	if (!s->record.peer_inode)
		return;
	t = map_get(&h->names, &s->record.peer_inode);
	if (!t || !t->size)
		return;
	s->peer = *t;
	s->record.peer_state = SOOTH_STATE_VALUE;
}

static bool is_still_there(struct socket_holdings *h, int process, const struct held_socket *s)
{
	char name[32];

	snprintf(name, sizeof(name), "fd/%u", s->record.fd);
	return inode_of(h, process, name) == s->record.inode;
}

static bool is_requested(const struct socket_holdings *h, const struct held_socket *s)
{
	return s->protocol && (s->protocol->request.family || s->protocol->table) &&
	       !(h->refused & 1u << (s->protocol - socket_protocols));
}

static void find_own_side(struct socket_holdings *h, struct held_socket *s)
{
	struct sockets_socket *r = &s->record;
	bool is_tcp = s->protocol && s->protocol->request.protocol == IPPROTO_TCP;
	bool is_connection = r->state_state == SOOTH_STATE_VALUE && r->state != SOCKETS_LISTEN &&
			     r->state != SOCKETS_CLOSE;
	uint64_t ports = *ports_of(h, r->family == SOCKETS_INET6, r->local_port);

	if (is_tcp && is_connection)
		r->side =
			ports >> r->local_port % 64 & 1 ? SOCKETS_SIDE_ACCEPTED : SOCKETS_SIDE_MADE;
}

/* Drops sockets that were closed meanwhile; marks those in no table. */
static void socket_holdings_resolve(struct socket_holdings *h, int process)
{
	map_for_each_value (&h->sockets, struct held_socket *, s) {
		name_peer(h, s);
		if (s->is_twice) {
			set_all_unknown(&s->record, SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED),
				SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED));
		} else if (!s->is_reported) {
			s->is_gone = !is_still_there(h, process, s);
			set_all_unknown(&s->record,
				is_requested(h, s) ? SOOTH_STATE_ABSENT : UNSUPPORTED, UNSUPPORTED);
		} else {
			find_own_side(h, s);
		}
	}
}

static struct record_tail tail_of(
	const struct socket_holdings *h, struct sooth_text *text, struct held_text t)
{
	return (struct record_tail){ text, h->texts.data + t.at, t.size };
}

/* Writes a record for each socket; returns their number. `template` has the header and the
 * namespace. */
static uint32_t socket_holdings_write(
	struct socket_holdings *h, struct buffer *out, const struct sockets_socket *template)
{
	uint32_t written = 0;

	map_for_each_value (&h->sockets, struct held_socket *, s) {
		struct sockets_socket *r = &s->record;
		struct record_tail tail[] = {
			tail_of(h, &r->protocol, s->name),
			tail_of(h, &r->local, s->local),
			tail_of(h, &r->peer, s->peer),
		};

		if (s->is_gone)
			continue;
		r->record = template->record;
		r->namespace = template->namespace;
		r->namespace_state = template->namespace_state;
		RECORD_APPEND(out, r, tail, ARRAY_SIZE(tail));
		written++;
	}
	return written;
}

int socket_snapshot_open_tables(struct backend_run *run, struct sooth_error *err)
{
	struct socket_snapshot *s = run->state;
	struct socket_holdings *h = &s->holdings;

	(void)err;
	members_init(&s->members);
	h->netlink = -1;
	map_init(&h->sockets, sizeof(uint64_t), sizeof(struct held_socket), SOCKETS_MAX);
	map_init(&h->names, sizeof(uint64_t), sizeof(struct held_text), SOCKETS_MAX);
	agent_members_init(&s->agents, run->options.agents);
	socket_idle_init(&s->idle);
	return 0;
}

int socket_snapshot_open_netlink(struct backend_run *run, struct sooth_error *err)
{
	struct socket_snapshot *s = run->state;

	s->is_by_netlink = true;
	return socket_snapshot_open_tables(run, err);
}

void socket_snapshot_close(struct backend_run *run)
{
	struct socket_snapshot *s = run->state;

	members_fini(&s->members);
	map_fini(&s->holdings.sockets);
	map_fini(&s->holdings.names);
	buffer_fini(&s->holdings.texts);
	buffer_fini(&s->stat);
	agent_members_fini(&s->agents);
	socket_idle_fini(&s->idle);
	fd_tables_fini(&s->tables);
}

/* --- limits, each reported once --- */

static bool is_first_of_protocol(uint32_t *reported, unsigned protocol)
{
	bool is_new = !(*reported & 1u << protocol);

	*reported |= 1u << protocol;
	return is_new;
}

static void report_unread_sockets(
	struct backend_run *run, const struct socket_protocol *p, const struct sooth_error *err)
{
	struct socket_snapshot *s = run->state;
	char what[80];

	if (!is_first_of_protocol(&s->reported_refused, (unsigned)(p - socket_protocols)))
		return;
	snprintf(what, sizeof(what), "sockets of %s by sock_diag", p->kernel_name);
	backend_limit_error(run, what, err);
}

static void report_changing_table(struct backend_run *run, const struct socket_protocol *p)
{
	struct socket_snapshot *s = run->state;
	char what[80];

	if (!is_first_of_protocol(&s->reported_changed, (unsigned)(p - socket_protocols)))
		return;
	snprintf(what, sizeof(what), "all sockets of %s", p->kernel_name);
	backend_limit(run, what, "the kernel's table of sockets changed each time sooth read it",
		"run sooth again");
}

static void report_cut_table(struct backend_run *run, const struct socket_protocol *p)
{
	struct socket_snapshot *s = run->state;

	if (is_first_of_protocol(&s->reported_long, (unsigned)(p - socket_protocols)))
		backend_limit(run, p->table,
			"the kernel's table is too long: sooth read only a part of it", "");
}

/* --- reading --- */

static void read_table(struct backend_run *run, int process, const struct socket_protocol *p)
{
	struct socket_snapshot *s = run->state;
	struct socket_table table = { p->table, p->request.family, p->request.protocol };
	int status = -1;

	if (!table.family)
		table.family = p->family == SOCKETS_INET6 ? AF_INET6 : AF_INET;
	s->holdings.is_from_tables = true;
	if (p->table)
		status = socket_tables_read(process, &table, socket_holdings_take, &s->holdings);
	s->holdings.is_from_tables = false;
	if (status < 0)
		s->holdings.refused |= 1u << (p - socket_protocols);
	if (status > 0)
		report_cut_table(run, p);
}

/* Requests all sockets. Returns false when the kernel refused. */
static bool request_sockets(struct backend_run *run, const struct socket_protocol *p)
{
	struct socket_snapshot *s = run->state;
	struct socket_request q = p->request;
	struct sooth_error err;
	int status;

	q.needs_detail = s->holdings.needs_detail;
	status = socket_diag_request(
		s->holdings.netlink, &q, socket_holdings_take, &s->holdings, &err);
	if (status < 0)
		report_unread_sockets(run, p, &err);
	if (status > 0)
		report_changing_table(run, p);
	return status >= 0;
}

static void request_names(struct backend_run *run)
{
	struct socket_snapshot *s = run->state;
	const struct socket_request q = { .family = AF_UNIX };

	if (s->holdings.netlink >= 0 && socket_holdings_needs_names(&s->holdings))
		socket_diag_request(
			s->holdings.netlink, &q, socket_holdings_add_name, &s->holdings, NULL);
}

/* Returns whether two protocols share a table: one protocol may have two names. */
static bool is_same(const struct socket_protocol *a, const struct socket_protocol *b)
{
	return a->request.family == b->request.family &&
	       a->request.protocol == b->request.protocol && a->table == b->table;
}

static void read_tables(struct backend_run *run, int process)
{
	struct socket_snapshot *s = run->state;
	struct socket_holdings *h = &s->holdings;
	const struct socket_protocol *former = NULL;

	for (unsigned i = 0; i < socket_protocols_count; i++) {
		const struct socket_protocol *p = &socket_protocols[i];

		if (!h->is_all && !(h->selected & 1u << i))
			continue;
		if (former && is_same(former, p))
			continue;
		if (h->netlink < 0 || !p->request.family || !request_sockets(run, p))
			read_table(run, process, p);
		former = p;
	}
	request_names(run);
}

static void open_netlink(struct backend_run *run, int process, const struct process_id *id)
{
	struct socket_snapshot *s = run->state;
	struct sooth_error err;

	s->holdings.netlink = caller_may_watch(run->os, id, &err);
	if (!s->holdings.netlink)
		s->holdings.netlink = socket_diag_open(process, &err);
	if (s->holdings.netlink >= 0 || s->has_reported_namespace)
		return;
	s->has_reported_namespace = true;
	backend_limit_error(run, "the round-trip times, idle times and peers of sockets", &err);
}

static void find_namespace(int process, struct sockets_socket *template)
{
	struct stat st;

	if (fstatat(process, "ns/net", &st, 0))
		template->namespace_state = procfs_state(errno == ENOENT ? -ESRCH : -errno);
	else
		template->namespace = st.st_ino;
}

static void read_sockets(struct backend_run *run, int process, const struct process_id *id,
	bool by_netlink, struct sockets_process *end)
{
	struct socket_snapshot *s = run->state;
	struct socket_holdings *h = &s->holdings;
	struct sockets_socket template = { .record = end->record };

	template.record.kind = SOCKETS_SOCKET;
	find_namespace(process, &template);
	h->needs_detail = (run->options.interest & INTEREST_DETAIL) != 0;
	if (by_netlink && h->sockets.count)
		open_netlink(run, process, id);
	read_tables(run, process);
	socket_holdings_resolve(h, process);
	end->sockets = socket_holdings_write(h, &run->out, &template);
	if (h->netlink >= 0)
		close(h->netlink);
	h->netlink = -1;
}

/* Returns the state of an ended process: once all threads have ended there are no descriptors. */
static uint8_t state_of_ended(const struct procfs_stat *stat)
{
	if (!procfs_has_ended(stat))
		return SOOTH_STATE_VALUE;
	return SOOTH_NOT_MEASURED(
		stat->threads > 1 ? SOOTH_REASON_UNSUPPORTED : SOOTH_REASON_ENDED);
}

/* Writes the records of one process. */
static void sample_process(struct backend_run *run, pid_t pid, const struct process_id *expected)
{
	struct socket_snapshot *s = run->state;
	struct sockets_process end = { 0 };
	_cleanup_process_snapshot_ struct process_snapshot snapshot = { .process = -1 };
	struct procfs_stat stat;
	uint64_t cpu_ns;
	int status = socket_idle_write(&s->idle, run, pid, expected, &cpu_ns);

	if (!status)
		status = process_snapshot_open_stat(&snapshot, run, pid, expected, &stat, &s->stat);
	if (status > 0)
		return;
	end.record = process_snapshot_head(&snapshot, run, 0, SOCKETS_PROCESS);
	end.sockets_state = status ? procfs_state(status) : state_of_ended(&stat);
	if (end.sockets_state == SOOTH_STATE_VALUE) {
		socket_holdings_list(&s->holdings, snapshot.process);
		end.sockets_state = s->holdings.state;
		if (end.sockets_state <= SOOTH_STATE_TRUNCATED)
			read_sockets(run, snapshot.process, &snapshot.id, s->is_by_netlink, &end);
		if (stat.threads > 1 && fd_tables_are_several(&s->tables, &snapshot,
						stat.living ? stat.living : snapshot.id.pid))
			backend_limit(run, "sockets of threads with a private descriptor table",
				"only the main descriptor table of the process is read", "");
	}
	socket_idle_note(&s->idle, run, &end, cpu_ns);
	RECORD_APPEND(&run->out, &end, NULL, 0);
}

int socket_snapshot_sample(struct backend_run *run, struct sooth_error *err)
{
	struct socket_snapshot *s = run->state;
	bool is_open = run->options.is_host || run->options.has_uid;

	if (is_open && run->options.interest & INTEREST_BRIEF && !s->members.processes.count)
		return agent_members_visit(&s->agents, run, sample_process, err);
	return members_visit(&s->members, run, sample_process, err);
}

void socket_snapshot_joined(struct backend_run *run, const struct process_id *process)
{
	sample_process(run, (pid_t)process->pid, process);
}
