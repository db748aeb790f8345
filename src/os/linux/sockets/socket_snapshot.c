/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A snapshot of the sockets of a process. Only tables of protocols that the process uses are read:
 * a table of a busy host is long.
 *
 * Cannot be seen: changes between the list of descriptors and the tables. A socket that was closed
 * in between is left out; one that was created in between is in no snapshot.
 */
#include "os/linux/sockets/socket_snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/linux/rights/caller.h"
#include "os/linux/sock_diag/socket_diag.h"

int socket_snapshot_open_tables(struct backend_run *run, struct sooth_error *err)
{
	struct socket_snapshot *s = run->state;

	(void)err;
	members_init(&s->members);
	socket_holdings_init(&s->holdings);
	agent_members_init(&s->agents, run->options.agents);
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
	socket_holdings_fini(&s->holdings);
	buffer_fini(&s->stat);
	agent_members_fini(&s->agents);
	fd_tables_fini(&s->tables);
}

/* --- limits, each reported once --- */

static bool is_first(uint32_t *reported, unsigned protocol)
{
	bool is_new = !(*reported & 1u << protocol);

	*reported |= 1u << protocol;
	return is_new;
}

static void emit_refused(
	struct backend_run *run, const struct socket_protocol *p, const struct sooth_error *err)
{
	struct socket_snapshot *s = run->state;
	char what[80];

	if (!is_first(&s->reported_refused, (unsigned)(p - socket_protocols)))
		return;
	snprintf(what, sizeof(what), "sockets of %s by sock_diag", p->kernel_name);
	backend_limit_error(run, what, err);
}

static void emit_changed(struct backend_run *run, const struct socket_protocol *p)
{
	struct socket_snapshot *s = run->state;
	char what[80];

	if (!is_first(&s->reported_changed, (unsigned)(p - socket_protocols)))
		return;
	snprintf(what, sizeof(what), "all sockets of %s", p->kernel_name);
	backend_limit(run, what, "the kernel's table of sockets changed each time sooth read it",
		"run sooth again");
}

static void emit_long(struct backend_run *run, const struct socket_protocol *p)
{
	struct socket_snapshot *s = run->state;

	if (is_first(&s->reported_long, (unsigned)(p - socket_protocols)))
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
		emit_long(run, p);
}

/* False when the kernel refused. */
static bool request(struct backend_run *run, const struct socket_protocol *p)
{
	struct socket_snapshot *s = run->state;
	struct socket_request q = p->request;
	struct sooth_error err;
	int status;

	q.needs_detail = s->holdings.needs_detail;
	status = socket_diag_request(
		s->holdings.netlink, &q, socket_holdings_take, &s->holdings, &err);
	if (status < 0)
		emit_refused(run, p, &err);
	if (status > 0)
		emit_changed(run, p);
	return status >= 0;
}

static void request_names(struct backend_run *run)
{
	struct socket_snapshot *s = run->state;
	const struct socket_request q = { .family = AF_UNIX };

	if (s->holdings.netlink >= 0 && socket_holdings_needs_names(&s->holdings))
		socket_diag_request(
			s->holdings.netlink, &q, socket_holdings_take_name, &s->holdings, NULL);
}

/* Two names of one protocol share a table. */
static bool is_same(const struct socket_protocol *a, const struct socket_protocol *b)
{
	return a->request.family == b->request.family &&
	       a->request.protocol == b->request.protocol && a->table == b->table;
}

static void read_all(struct backend_run *run, int process)
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
		if (h->netlink < 0 || !p->request.family || !request(run, p))
			read_table(run, process, p);
		former = p;
	}
	request_names(run);
}

static void open_netlink(struct backend_run *run, int process, const struct process_id *id)
{
	struct socket_snapshot *s = run->state;
	struct sooth_error err;

	s->holdings.netlink = caller_may_watch(id, &err);
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
	read_all(run, process);
	socket_holdings_resolve(h, process);
	end->sockets = socket_holdings_write(h, &run->out, &template);
	if (h->netlink >= 0)
		close(h->netlink);
	h->netlink = -1;
}

/* Once all threads have ended there are no descriptors any more. */
static uint8_t state_of_ended(const struct procfs_stat *stat)
{
	if (!procfs_has_ended(stat))
		return SOOTH_STATE_VALUE;
	return SOOTH_NOT_MEASURED(
		stat->threads > 1 ? SOOTH_REASON_UNSUPPORTED : SOOTH_REASON_ENDED);
}

static void emit_other_tables(struct backend_run *run, const struct process_snapshot *snapshot)
{
	struct socket_snapshot *s = run->state;

	if (fd_tables_are_several(&s->tables, snapshot, snapshot->id.pid))
		backend_limit(run, "sockets of threads with a private descriptor table",
			"only the main descriptor table of the process is read", "");
}

/* Writes the records of one process. */
static void sample_process(struct backend_run *run, pid_t pid, const struct process_id *expected)
{
	struct socket_snapshot *s = run->state;
	struct sockets_process end = { 0 };
	_cleanup_process_snapshot_ struct process_snapshot snapshot;
	struct procfs_stat stat;
	int status = process_snapshot_open_stat(&snapshot, run, pid, expected, &stat, &s->stat);

	if (status > 0)
		return;
	end.record = process_snapshot_head(&snapshot, run, 0, SOCKETS_PROCESS);
	end.sockets_state = status ? procfs_state(status) : state_of_ended(&stat);
	if (end.sockets_state == SOOTH_STATE_VALUE) {
		socket_holdings_list(&s->holdings, snapshot.process);
		end.sockets_state = s->holdings.state;
		if (end.sockets_state <= SOOTH_STATE_TRUNCATED)
			read_sockets(run, snapshot.process, &snapshot.id, s->is_by_netlink, &end);
		if (stat.threads > 1)
			emit_other_tables(run, &snapshot);
	}
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
