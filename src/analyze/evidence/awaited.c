/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/awaited.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "analyze/evidence/peer_process.h"
#include "analyze/sockets/socket_text.h"
#include "analyze/waits/wait_sentences.h"
#include "base/lock_name.h"
#include "base/sentence_units.h"
#include "model/errno_names.h"
#include "probes/fds.h"
#include "probes/syscall_names.h"

NUMBER(WORTH_NS, 5 * NS_PER_S, NS, "least silence to mention; a shorter one is ordinary");
NUMBER(WAITS_LEAST, 3, NONE, "a signal may interrupt one wait");

/* --- blocked in a read --- */

static bool reads_descriptor(const struct thread_history *t, uint32_t fd)
{
	const struct syscall_row *row = syscall_row_of(t->calls[0].abi, t->calls[0].syscall);

	return t->met && t->waits[THREAD_WAIT_DATA] == t->met && t->calls[0].input == t->met &&
	       t->waiting.descriptor == fd && row->transfer.direction == SYSCALL_READS;
}

static void find_blocked(struct awaited *a, const struct check *e, uint32_t fd)
{
	thread_histories_for_each (&e->input->threads, &e->id, t) {
		if (!reads_descriptor(t, fd))
			continue;
		a->is_blocked = true;
		a->tid = t->tid;
		a->has_run = thread_history_voluntary(t) * (double)thread_history_ns(t) >=
			     WAITS_LEAST * (double)NS_PER_S;
		a->for_ns = a->has_run ? 0 : thread_history_ns(t);
		return;
	}
}

/* --- polling it --- */

/* Returns whether the thread polls; not with epoll, where an event loop watches everything. */
static bool polls_descriptors(const struct waits_thread *t)
{
	const struct syscall_row *row = syscall_row_of((uint16_t)t->abi, t->syscall);

	return !t->call_state && row->wait.what == SYSCALL_WAIT_READY && row->wait.count;
}

/* Returns whether input may also come from another source: a terminal, a pipe, a connection. */
static bool is_other_source(const struct waits_object *o, uint32_t fd)
{
	if (o->fd == fd)
		return false;
	return o->fd == 0 || wait_is_terminal(o) || o->type == FDS_TCP || o->type == FDS_UDP ||
	       o->type == FDS_EPOLL || o->type == FDS_UNKNOWN;
}

static bool polls_only(const struct wait_graph *g, const struct waits_thread *t, uint32_t fd)
{
	bool is_watched = false;

	wait_objects_each (g, t, o) {
		if (is_other_source(o, fd))
			return false;
		is_watched |= o->fd == fd && !o->fd_state;
	}
	return is_watched;
}

static void find_in_graph(struct awaited *a, const struct wait_graph *g, uint32_t pid, uint32_t fd)
{
	wait_threads_each (g, pid, t) {
		const struct waits_party *peer = wait_party_by_fd(g, t, fd);

		if (peer && peer->party_pid && peer->party_pid != pid)
			a->peer = peer;
		if (!a->is_blocked && polls_descriptors(t) && polls_only(g, t, fd)) {
			a->is_polled = true;
			a->tid = t->record.tid;
		}
		if (a->tid == t->record.tid && !t->since_state && t->since_ns > a->for_ns)
			a->for_ns = t->since_ns;
	}
}

struct awaited awaited_of(const struct check *e, uint32_t fd)
{
	assert(e);

	const struct snapshot *last = check_last(e, &e->input->waits);
	struct awaited a = { 0 };

	find_blocked(&a, e, fd);
	if (last) {
		struct wait_graph g = wait_graph_of(last, NULL);

		find_in_graph(&a, &g, e->id.pid, fd);
		a.other = a.peer ? NULL : peer_process_of_fd(e->input, &e->id, fd);
	}
	return a;
}

bool awaited_is_short(const struct check *e, struct check_result *out, uint64_t silence_ns)
{
	char reason[2 * UNITS_SIZE + 32];

	if (silence_ns < WORTH_NS)
		return false;
	snprintf(reason, sizeof(reason), "no data for only %s; the check needs %s",
		SENTENCE_DURATION(silence_ns),
		SENTENCE_DURATION((uint64_t)check_option(e, "silence")));
	check_blind_because(out, reason, CHECK_LONGER);
	return true;
}

static void put_name(struct buffer *out, const struct awaited *a)
{
	if (a->peer)
		wait_put_name(out, &a->peer->record, &a->peer->name, a->peer->party_pid);
	else if (a->other)
		peer_process_put(out, a->other);
}

void awaited_put_peer(struct buffer *out, const struct awaited *a)
{
	assert(a);
	put_name(out, a);
	buffer_string(out, a->peer || a->other ? " on " : "");
}

void awaited_put_end(
	struct buffer *out, const struct awaited *a, const struct sockets_socket *socket)
{
	assert(socket);
	if ((a->peer || a->other) && socket->peer_state != SOOTH_STATE_VALUE) {
		put_name(out, a);
		return;
	}
	awaited_put_peer(out, a);
	socket_put_peer(out, socket);
}

void awaited_put_wait(struct buffer *out, const struct check *e, const struct awaited *a)
{
	size_t begin = out->size;

	if (a->peer)
		peer_process_put_wait_in(
			out, check_last(e, &e->input->waits), a->peer->party_pid, " (it ");
	else if (a->other)
		peer_process_put_wait(out, e->input, a->other, " (it ");
	buffer_string(out, out->size > begin ? ")" : "");
}

/* --- a path --- */

NUMBER(TIMES_LEAST, 3, NONE, "looks at one path: fewer are no wait for it");
NUMBER(TIME_PART, 2, NONE, "looks must span 1/TIME_PART of the observation");
NUMBER(OTHERS_TIMES, 4, NONE, "least looks at this path per look at another missing path");
NUMBER(BUSY_PERCENT, 5, PERCENT, "of a CPU: a busy program also looks for files");

static bool is_failed_lookup(const struct call_place *place)
{
	const struct syscall_row *row = syscall_by_number(place->abi, place->number);

	return place->error == LINUX_ENOENT && *place->text == '/' && row &&
	       row->traits & (SYSCALL_LOOKS | SYSCALL_OPENS);
}

/* Counts reads and writes of files: a process with many does more than wait for a file. */
static uint64_t transfers_of(const struct call_history *h)
{
	uint64_t seen = 0;

	map_for_each_value (&h->files, const struct call_file *, f)
		seen += f->moves[CALL_READ].seen + f->moves[CALL_WRITTEN].seen;
	return seen;
}

/* The path that a process looks at most often, and how often. */
struct watched {
	const char *path;
	uint64_t times, first_ns, last_ns;
};

/* Finds the missing path with most looks, unless other missing paths have many. */
static struct watched find_missing(const struct call_history *h)
{
	struct watched most = { 0 };
	uint64_t all = 0;

	map_for_each (
		&h->failures, const struct call_place *, place, const struct call_failures *, f) {
		if (!is_failed_lookup(place))
			continue;
		all += f->seen;
		if (f->seen > most.times)
			most = (struct watched){ place->text, f->seen, f->first_ns, f->last_ns };
	}
	return (all - most.times) * OTHERS_TIMES > most.times ? (struct watched){ 0 } : most;
}

static bool is_missing(const struct call_history *h, const char *path)
{
	map_for_each_key (&h->failures, const struct call_place *, place) {
		if (is_failed_lookup(place) && !strcmp(place->text, path))
			return true;
	}
	return false;
}

/* Finds a lock file that exists at each look: `while [ -e x.lock ]`. */
static struct watched find_lock_file(const struct call_history *h)
{
	struct watched most = { 0 };

	map_for_each (&h->files, const struct call_path *, key, const struct call_file *, f) {
		const char *name = strrchr(key->text, '/');

		if (name && is_lock_name(name + 1) && f->looks > most.times)
			most = (struct watched){ key->text, f->looks, f->first_look_ns,
				f->last_look_ns };
	}
	return most.path && is_missing(h, most.path) ? (struct watched){ 0 } : most;
}

void awaited_path_put(const struct diagnosis_input *input, const struct process_entry *p,
	const char *before, struct buffer *out)
{
	const struct call_history *h = p ? call_histories_get(&input->calls, &p->id) : NULL;

	if (!h || process_table_cpu_percent(p) >= BUSY_PERCENT)
		return;
	for (unsigned is_lock = 0; is_lock < 2; is_lock++) {
		struct watched w = is_lock ? find_lock_file(h) : find_missing(h);
		uint64_t span_ns = w.last_ns - w.first_ns;

		if (w.times < TIMES_LEAST || transfers_of(h) >= w.times ||
			span_ns * TIME_PART < input->end_ns - input->begin_ns)
			continue;
		buffer_format(out,
			is_lock ? "%sit looks again and again whether %s is still there (%llu "
				  "times over %s): it is, and may be left over from a process that "
				  "has ended"
				: "%sit looks for %s again and again, which is not there (%llu "
				  "times over %s)",
			before, w.path, (unsigned long long)w.times, SENTENCE_DURATION(span_ns));
		return;
	}
}
