/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes records proc.ties. */
#include "os/linux/proc/proc_links.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/task_files.h"
#include "os/linux/sock_diag/socket_diag.h"
#include "probes/fds.h"
#include "probes/proc.h"
#include "probes/sockets.h"

#define INPUTS_MAX     65536
#define NAMESPACES_MAX 256 /* per sample */
#define UNSUPPORTED    SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED)
#define NOT_REQUESTED  SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED)

/* --- other ends of standard inputs --- */

/*
 * Other ends of standard inputs.
 *
 * Cannot be seen: ends in transit inside sockets, or held by the kernel; so it may be known that
 * there is a writer (has_writer), but not which process.
 */

static void proc_input_writers_init(struct proc_input_writers *w)
{
	*w = (struct proc_input_writers){ 0 };
	fd_ends_init(&w->ends);
}

static void proc_input_writers_fini(struct proc_input_writers *w)
{
	fd_ends_fini(&w->ends);
	buffer_fini(&w->holders_found);
}

static bool is_socket(const struct proc_input *in)
{
	return in->stream->stream == PROC_STREAM_SOCKET;
}

/* --- sockets: whether there is another end --- */

struct peer {
	uint64_t inode;	 /* 0: none, or not in the table of local sockets in this namespace */
	bool has_writer; /* for a TCP connection: the remote side may still send */
	uint8_t state;
	bool is_found;
};

struct socket_lookup {
	struct map peers;  /* uint64_t inode -> struct peer */
	struct map spaces; /* uint64_t inode of a network namespace -> nothing */
};

static void add_local_socket(void *user, const struct socket_fact *f)
{
	struct peer *peer = f->inode ? map_get(user, &f->inode) : NULL;
	bool is_connected = f->type != SOCK_DGRAM && f->state != SOCKETS_LISTEN;

	if (!peer)
		return;
	/* When the other end is closed, its inode is reported as 0 (net/unix/diag.c). */
	*peer = (struct peer){ .inode = f->peer_inode,
		.has_writer = f->peer_inode != 0,
		.state = is_connected || f->peer_inode ? SOOTH_STATE_VALUE : UNSUPPORTED,
		.is_found = true };
}

static void add_connection(void *user, const struct socket_fact *f)
{
	struct peer *peer = f->inode ? map_get(user, &f->inode) : NULL;

	if (!peer)
		return;
	*peer = (struct peer){ .has_writer = f->state == SOCKETS_ESTABLISHED ||
					     f->state == SOCKETS_FIN_WAIT_1 ||
					     f->state == SOCKETS_FIN_WAIT_2,
		.state = f->state == SOCKETS_LISTEN ? UNSUPPORTED : SOOTH_STATE_VALUE,
		.is_found = true };
}

static bool all_found(const struct socket_lookup *a)
{
	map_for_each_value (&a->peers, struct peer *, value) {
		if (!value->is_found)
			return false;
	}
	return true;
}

static void read_namespace(struct socket_lookup *a, int process, uint8_t *state)
{
	static const struct socket_request requests[] = {
		{ .family = AF_UNIX },
		{ .family = AF_INET, .protocol = IPPROTO_TCP },
		{ .family = AF_INET6, .protocol = IPPROTO_TCP },
	};
	struct sooth_error ignored;
	_cleanup_close_ int netlink = socket_diag_open(process, &ignored);

	*state = netlink < 0 ? procfs_state(netlink) : SOOTH_STATE_VALUE;
	for (size_t i = 0; netlink >= 0 && i < ARRAY_SIZE(requests) && !all_found(a); i++)
		socket_diag_request(netlink, &requests[i],
			requests[i].family == AF_UNIX ? add_local_socket : add_connection,
			&a->peers, &ignored);
}

/* Reads the namespace of a process. If it was already read for another process, the result is
 * there. */
static void read_namespace_of(struct socket_lookup *a, struct proc_input *in)
{
	_cleanup_close_ int process = procfs_open((pid_t)in->reader.pid);
	struct stat space;
	bool is_new = false;
	uint64_t inode;
	uint8_t *state;

	if (process < 0 || fstatat(process, "ns/net", &space, 0)) {
		in->writer_state = procfs_state(process < 0 ? -ESRCH : -errno);
		return;
	}
	inode = space.st_ino;
	state = map_put(&a->spaces, &inode, &is_new);
	if (!state) {
		in->writer_state = SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
		return;
	}
	if (is_new)
		read_namespace(a, process, state);
	in->writer_state = *state;
}

static void resolve_sockets(struct socket_lookup *a, struct proc_input *inputs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (is_socket(&inputs[i]))
			map_put(&a->peers, &inputs[i].stream->inode, NULL);
	}
	for (size_t i = 0; i < count; i++) {
		const struct peer *peer;

		if (!is_socket(&inputs[i]))
			continue;
		read_namespace_of(a, &inputs[i]);
		peer = map_get(&a->peers, &inputs[i].stream->inode);
		if (!peer || !peer->is_found) {
			if (!inputs[i].writer_state) /* of another family or namespace */
				inputs[i].writer_state = UNSUPPORTED;
			continue;
		}
		inputs[i].writer_state = peer->state;
		inputs[i].has_writer = peer->has_writer;
	}
}

/* --- processes with the other end --- */

/* Returns the inode to search for; 0: unknown. */
static uint64_t other_end(const struct socket_lookup *a, const struct proc_input *in)
{
	const struct peer *peer;

	if (!is_socket(in))
		return in->stream->inode;
	peer = map_get(&a->peers, &in->stream->inode);
	return peer ? peer->inode : 0;
}

static bool is_unresolved(const struct proc_input *in)
{
	return in->is_selected && in->writers_state == NOT_REQUESTED;
}

static void add_target(
	struct proc_input_writers *w, const struct socket_lookup *a, const struct proc_input *in)
{
	uint64_t end = other_end(a, in);
	struct span path = { (const char *)in->stream->path.data, in->stream->path.size };

	if (!end)
		return;
	if (in->stream->device)
		fd_ends_add_fifo(&w->ends, end, in->stream->device, path);
	else
		fd_ends_add_pipe(&w->ends, end);
}

static void add_writer(struct proc_input *in, uint32_t pid)
{
	if (!buffer_has(&in->writers, &pid, sizeof(pid)))
		buffer_append(&in->writers, &pid, sizeof(pid));
}

static void collect_writers(
	struct proc_input_writers *w, const struct socket_lookup *a, struct proc_input *in)
{
	struct batch holders_found = { w->holders_found.data, w->holders_found.size };
	uint64_t end = other_end(a, in);

	buffer_reset(&in->writers);
	batch_for_each (record, &holders_found) {
		const struct fds_holder *h = (const void *)record;

		if (end && h->inode == end &&
			(h->access == FDS_ACCESS_WRITE || h->access == FDS_ACCESS_BOTH))
			add_writer(in, h->holder_pid);
	}
}

static bool has_other_end(const struct proc_input *in, const struct proc_neighbours *n)
{
	buffer_each (const uint32_t, pid, &in->writers) {
		if (!n->is_own(n->user, &in->reader, *pid))
			return true;
	}
	return false;
}

/* Searches the given processes; NULL: all. Keeps the records of holders here. */
static uint8_t search_holders(
	struct proc_input_writers *w, struct backend_run *run, const struct buffer *pids)
{
	struct sooth_record of = { .cpu = SOOTH_CPU_NONE };
	struct backend_run own = *run;
	uint8_t state;

	own.out = w->holders_found;
	buffer_reset(&own.out);
	state = pids ? fd_ends_search_in(&w->ends, &own, &of, pids)
		     : fd_ends_search(&w->ends, &own, &of);
	w->holders_found = own.out;
	return state;
}

static void search_round(struct proc_input_writers *w, struct backend_run *run,
	const struct socket_lookup *a, struct proc_input *inputs, size_t count,
	const struct proc_neighbours *n, bool is_last)
{
	uint8_t state;

	fd_ends_clear(&w->ends);
	for (size_t i = 0; i < count; i++) {
		if (is_unresolved(&inputs[i]))
			add_target(w, a, &inputs[i]);
	}
	if (!w->ends.targets.count)
		return;
	state = search_holders(w, run, is_last ? NULL : &n->pids);
	for (size_t i = 0; i < count; i++) {
		struct proc_input *in = &inputs[i];

		if (!is_unresolved(in) || !other_end(a, in))
			continue;
		collect_writers(w, a, in);
		if (is_last)
			in->writers_state =
				state && in->writers.size ? SOOTH_STATE_TRUNCATED : state;
		else if (has_other_end(in, n))
			in->writers_state = SOOTH_STATE_TRUNCATED;
		else if (in->is_detached && !in->writers.size && !in->writer_state)
			in->is_selected = false;
	}
}

/* Completes an input. If the end itself does not show whether there is another one, a process that
 * was found with it does. */
static void complete_input(struct proc_input *in)
{
	bool is_reported = in->writers_state == SOOTH_STATE_VALUE || in->writers.size;

	if (in->writer_state == UNSUPPORTED && in->is_selected && is_reported) {
		in->writer_state = SOOTH_STATE_VALUE;
		in->has_writer = in->writers.size > 0;
	}
}

/*
 * Fills in the results. If one of the neighbors has an end, other processes are not searched, and
 * the list is reported as cut; otherwise every process is searched. That takes long, so it is not
 * done for a detached process whose own processes have no end: then other processes have it, and
 * the list is reported as not requested.
 */
static void proc_input_writers_find(struct proc_input_writers *w, struct backend_run *run,
	struct proc_input *inputs, size_t count, const struct proc_neighbours *neighbours)
{
	struct socket_lookup a;

	map_init(&a.peers, sizeof(uint64_t), sizeof(struct peer), INPUTS_MAX);
	map_init(&a.spaces, sizeof(uint64_t), sizeof(uint8_t), NAMESPACES_MAX);
	resolve_sockets(&a, inputs, count);
	for (size_t i = 0; i < count; i++) {
		struct proc_input *in = &inputs[i];

		in->writers_state = NOT_REQUESTED;
		if (!in->writer_state && !in->has_writer)
			in->writers_state = SOOTH_STATE_VALUE; /* the input has no writer */
		else if (is_socket(in) && !other_end(&a, in))
			in->writers_state = in->writer_state ? in->writer_state : UNSUPPORTED;
	}
	search_round(w, run, &a, inputs, count, neighbours, false);
	search_round(w, run, &a, inputs, count, neighbours, true);
	for (size_t i = 0; i < count; i++)
		complete_input(&inputs[i]);
	map_fini(&a.peers);
	map_fini(&a.spaces);
}

/* --- links --- */

void proc_links_init(struct proc_links_reader *r)
{
	*r = (struct proc_links_reader){ 0 };
	proc_input_writers_init(&r->writers);
}

static void result_fini(struct proc_slow_read *q)
{
	buffer_fini(&q->arguments);
	buffer_fini(&q->markers);
	buffer_fini(&q->root);
	for (unsigned i = 0; i < PROC_STANDARD_STREAMS; i++)
		buffer_fini(&q->streams[i].path);
}

static struct proc_links_pending *pending_links(const struct proc_links_reader *r, size_t *count)
{
	*count = r->pending.size / sizeof(struct proc_links_pending);
	return (void *)r->pending.data;
}

static void drop_pending(struct proc_links_reader *r)
{
	size_t count;
	struct proc_links_pending *all = pending_links(r, &count);

	for (size_t i = 0; i < count; i++)
		result_fini(&all[i].result);
	buffer_reset(&r->pending);
}

void proc_links_fini(struct proc_links_reader *r)
{
	drop_pending(r);
	proc_input_writers_fini(&r->writers);
	buffer_fini(&r->pending);
	buffer_fini(&r->scratch);
}

/* Returns the tracer of a process. A kernel that supports tracing always has this line. */
static uint8_t tracer_of(uint32_t *pid, const void *status, size_t size)
{
	uint64_t number;

	if (!task_status_number(&number, "TracerPid:", status, size) || number > UINT32_MAX)
		return SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
	*pid = (uint32_t)number;
	return SOOTH_STATE_VALUE;
}

/* Reads "RssAnon:  1234 kB". A process that ends has no memory, and no such lines. */
static bool read_kib(uint64_t *bytes, const char *name, const void *status, size_t size)
{
	struct span value;
	struct cursor c;

	if (!task_status_find(&value, name, status, size))
		return false;
	c = cursor_over(value.data, value.size);
	*bytes = cursor_decimal(&c) << 10;
	return !c.failed;
}

static uint8_t memory_of(struct proc_ties *t, const void *status, size_t size)
{
	return read_kib(&t->rss_anonymous_bytes, "RssAnon:", status, size) &&
			       read_kib(&t->rss_file_bytes, "RssFile:", status, size) &&
			       read_kib(&t->rss_shared_bytes, "RssShmem:", status, size) &&
			       read_kib(&t->swap_bytes, "VmSwap:", status, size)
		       ? SOOTH_STATE_VALUE
		       : SOOTH_STATE_ABSENT;
}

static void read_status(
	struct proc_links_reader *r, const struct process_snapshot *snapshot, struct proc_ties *t)
{
	int status = procfs_read_at(snapshot->process, "status", &r->scratch, PROCFS_SMALL);
	struct task_signals signals;
	struct stat space;

	if (status < 0) {
		t->hangup_state = t->namespace_state = t->tracer_state = t->memory_state =
			procfs_state(process_snapshot_status(snapshot, status));
		return;
	}
	if (task_signals_parse(&signals, r->scratch.data, r->scratch.size))
		t->is_hangup_ignored = signals.ignored >> (SIGHUP - 1) & 1;
	else
		t->hangup_state = SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
	t->tracer_state = tracer_of(&t->tracer_pid, r->scratch.data, r->scratch.size);
	t->memory_state = memory_of(t, r->scratch.data, r->scratch.size);
	if (fstatat(snapshot->process, "ns/pid", &space, 0))
		t->namespace_state = procfs_state(process_snapshot_status(snapshot, -errno));
	else if (!task_status_inner_pid(&t->inner_pid, r->scratch.data, r->scratch.size))
		t->namespace_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	else
		t->pid_namespace = space.st_ino;
}

static void read_thread(
	struct proc_links_reader *r, const struct process_snapshot *snapshot, struct proc_ties *t)
{
	int status = procfs_read_at(snapshot->process, "schedstat", &r->scratch, PROCFS_SMALL);

	t->thread_state = procfs_state(process_snapshot_status(snapshot, status));
	if (status >= 0 && !task_schedstat_parse(&t->thread_cpu_ns, &t->thread_ready_ns,
				   r->scratch.data, r->scratch.size))
		t->thread_state = UNSUPPORTED;
}

static void emit_result(struct proc_ties *t, const struct proc_slow_read *q)
{
	t->markers_state = q->markers_state;
	t->root_state = q->root_state;
	t->writer_state = q->writer_state;
	t->has_writer = q->has_writer;
	t->writers_state = SOOTH_STATE_ABSENT;
	t->input_utc_ns = q->streams[0].input_utc_ns;
	t->input_state = q->streams[0].state ? q->streams[0].state
			 : t->input_utc_ns   ? SOOTH_STATE_VALUE
					     : SOOTH_STATE_ABSENT;
	t->output_utc_ns = q->streams[1].output_utc_ns;
	t->output_state = q->streams[1].state ? q->streams[1].state
			  : t->output_utc_ns  ? SOOTH_STATE_VALUE
					      : SOOTH_STATE_ABSENT;
	t->written_state = t->io_state = q->written_state;
	t->written_bytes = q->written_bytes;
	t->read_bytes = q->read_bytes;
	t->io_calls = q->io_calls;
	t->disk_read_bytes = q->disk_read_bytes;
	t->disk_written_bytes = q->disk_written_bytes;
	for (unsigned i = 0; i < PROC_STANDARD_STREAMS; i++) {
		t->stream[i] = q->streams[i].stream;
		t->stream_state[i] = q->streams[i].state;
		t->stream_inode[i] = q->streams[i].inode;
	}
}

void proc_links_add(struct proc_links_reader *r, const struct backend_run *run,
	const struct process_snapshot *snapshot, struct proc_slow_read *result,
	enum proc_candidate candidate)
{
	struct proc_links_pending p = { .result = *result, .candidate = candidate };

	p.links.record = process_snapshot_head(snapshot, run, 0, PROC_LINKS);
	emit_result(&p.links, result);
	read_status(r, snapshot, &p.links);
	read_thread(r, snapshot, &p.links);
	if (!buffer_reserve(&r->pending, sizeof(p)))
		return;
	buffer_append(&r->pending, &p, sizeof(p));
	result->arguments = result->markers = result->root = (struct buffer){ 0 };
	for (unsigned i = 0; i < PROC_STANDARD_STREAMS; i++)
		result->streams[i].path = (struct buffer){ 0 };
}

static bool has_input(const struct proc_links_pending *p)
{
	return !p->links.stream_state[0] &&
	       (p->links.stream[0] == PROC_STREAM_PIPE || p->links.stream[0] == PROC_STREAM_SOCKET);
}

static size_t list_inputs(struct proc_links_pending *all, size_t count, struct proc_input *inputs)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		struct proc_links_pending *p = &all[i];

		if (!has_input(p))
			continue;
		inputs[n++] = (struct proc_input){ .stream = &p->result.streams[0],
			.reader = p->result.id,
			.is_selected = p->candidate != PROC_CANDIDATE_NOT,
			.is_detached = p->candidate == PROC_CANDIDATE_DETACHED,
			.writer_state = p->links.writer_state,
			.has_writer = p->links.has_writer };
	}
	return n;
}

static void write_links(
	struct backend_run *run, struct proc_links_pending *p, const struct proc_input *input)
{
	static const struct proc_input none = { .writers_state = SOOTH_STATE_ABSENT };
	const struct proc_slow_read *q = &p->result;
	struct proc_ties *t = &p->links;
	struct record_tail tail[] = {
		{ &t->markers, q->markers.data, q->markers.size },
		{ &t->stream_path[0], q->streams[0].path.data, q->streams[0].path.size },
		{ &t->stream_path[1], q->streams[1].path.data, q->streams[1].path.size },
		{ &t->stream_path[2], q->streams[2].path.data, q->streams[2].path.size },
		{ &t->writers, NULL, 0 },
		{ &t->root, q->root.data, q->root.size },
	};

	if (input) {
		t->has_writer = input->has_writer;
		t->writer_state = input->writer_state;
	} else {
		input = &none;
	}
	t->writers_state = input->writers_state;
	tail[4].data = input->writers.data;
	tail[4].size = input->writers.size;
	RECORD_APPEND(&run->out, t, tail, ARRAY_SIZE(tail));
}

void proc_links_write(struct proc_links_reader *r, struct backend_run *run,
	const struct proc_neighbours *neighbours)
{
	size_t count, used = 0;
	struct proc_links_pending *all = pending_links(r, &count);
	_cleanup_free_ struct proc_input *inputs = calloc(count + 1, sizeof(*inputs));
	size_t found = inputs ? list_inputs(all, count, inputs) : 0;

	if (found)
		proc_input_writers_find(&r->writers, run, inputs, found, neighbours);
	for (size_t i = 0; i < count; i++) {
		bool has = inputs && has_input(&all[i]);

		write_links(run, &all[i], has ? &inputs[used] : NULL);
		used += has;
	}
	for (size_t i = 0; i < found; i++)
		buffer_fini(&inputs[i].writers);
	drop_pending(r);
}
