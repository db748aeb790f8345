/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps the tables within their bounds, and passes each call to the parts, which do the rest. */
#include "analyze/calls/call_history.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/calls/call_history_parts.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "bpf/aggregate.h"
#include "model/errno_names.h"
#include "model/stream_records.h"
#include "probes/signal_names.h"

#define PROCESSES_MAX 4096
#define FILES_MAX     16384 /* per process, as the following limits */
#define FAILURES_MAX  2048
#define TIMES_MAX     1024
#define FOUND_MAX     16384
#define SCRAPS_MAX    1024
#define PEERS_MAX     512
#define EXCHANGES_MAX 1024
#define THREADS_MAX   4096
#define WEIGHTS_MAX   4096
#define REPEATS_MAX   512
#define FDS_MAX	      16384
#define ENTRIES_MAX                                                                                \
	200000 /* number of entries of all processes together; no entries are added beyond it */
#define LOOKED_EVERY 4096	      /* calls between two checks of ENTRIES_MAX */
#define LATELY	     2048	      /* records over which a weight is averaged */
#define SLEPT_NS     (10 * NS_PER_US) /* a shorter wait does not count as sleep */

/* --- what threads waited for --- */

/* Counts waits by their result: a wake-up at a timeout differs from a wake-up for work. */

enum {
	FUTEX_COMMAND = 0x7f,
	FUTEX_WAIT_ = 0,
	FUTEX_LOCK_PI_ = 6,
	FUTEX_WAIT_BITSET_ = 9,
	FUTEX_LOCK_PI2_ = 13,
};

static bool waits_at_lock(uint64_t operation)
{
	unsigned command = operation & FUTEX_COMMAND;

	return command == FUTEX_WAIT_ || command == FUTEX_WAIT_BITSET_ ||
	       command == FUTEX_LOCK_PI_ || command == FUTEX_LOCK_PI2_;
}

/* Finds the most frequent futex: an address with more than half of the votes remains. */
static void count_futex(struct call_waits *w, uint64_t address)
{
	if (w->lock == address) {
		w->lock_weight++;
	} else if (!w->lock_weight) {
		w->lock = address;
		w->lock_weight = 1;
	} else {
		w->lock_weight--;
	}
}

static void add_futex_wait(const struct call_at_hand *c, struct call_waits *w, bool has_slept)
{
	if (!waits_at_lock(c->folded->call->arguments[1])) {
		w->wakes += c->weight;
		return;
	}
	/* EAGAIN also counts: the thread contended for the lock, although the lock was free by
	 * then. */
	w->locks += c->weight;
	count_futex(w, c->folded->call->arguments[0]);
	if (!has_slept)
		return;
	*(c->folded->error == LINUX_ETIMEDOUT ? &w->by_time : &w->by_event) += c->weight;
}

static void call_waits_add_call(const struct call_at_hand *c)
{
	const struct syscall_row *row = c->folded->row;
	const struct syscalls_call *call = c->folded->call;
	bool has_slept = call_is_timed(call) && call->duration_ns >= SLEPT_NS;
	uint32_t tid = call->record.tid;
	struct call_waits *w;

	if (!syscall_waits(row))
		return;
	w = map_put(&c->history->waits, &tid, NULL);
	if (!w)
		return;
	memcpy(w->name, call->name, sizeof(w->name));
	if (row->wait.what == SYSCALL_WAIT_YIELD)
		w->yields += c->weight;
	else if (row->traits & SYSCALL_FUTEX)
		add_futex_wait(c, w, has_slept);
	else if (!has_slept)
		return;
	else if (row->traits & SYSCALL_SLEEPS || (row->traits & SYSCALL_POLLS && !call->result))
		w->by_time += c->weight;
	else
		w->by_event += c->weight;
}

/* How many calls of a number and class one record stands for: recent calls divided by recent
 * records. The fraction is carried over to the next record. */
struct call_kind {
	uint32_t number;
	uint16_t abi;
	uint8_t class_; /* enum syscalls_class */
	uint8_t unused;
};

struct call_weight {
	double made, recorded, left;
	double all, given; /* over all records: calls that they stand for, and weights */
};

/* --- calls that a thread makes over and over --- */

/* Repeated calls have the same descriptor and the same kind of result. */

static int32_t result_of(const struct folded_call *call)
{
	if (call->is_error)
		return -(int32_t)call->error;
	return call->call->result > 0;
}

/* Writes the peer of the call: on a socket without a peer, each datagram names one. */
static void put_peer(const struct folded_call *call, char *text, size_t size)
{
	char peer[FD_FOLLOW_ADDRESS];
	size_t used = strlen(text);

	if (!strstr(text, FD_FOLLOW_ARROW) && call_named_peer(call->call, peer, sizeof(peer)))
		snprintf(text + used, size - used, FD_FOLLOW_ARROW "%s", peer);
}

static void describe_repeat(struct call_repeat *r, const struct folded_call *call, int32_t fd)
{
	const struct fd_followed *file =
		fd >= 0 ? fd_follow_get(&call->fold->fds, &call->process, fd) : NULL;
	struct call_path path = { { 0 } };

	r->is_described = true;
	if (file && file->kind == FD_FOLLOWED_SOCKET) {
		fd_followed_connection(file, path.text, sizeof(path.text));
		put_peer(call, path.text, sizeof(path.text));
	} else if (file && file->name) {
		path = call_path_key(span_of_string(file->name));
	}
	memcpy(r->text, path.text, sizeof(r->text));
	r->is_socket = file && file->kind == FD_FOLLOWED_SOCKET;
}

/* Returns the entry of a repeated call; NULL: full, which `refused` does not count. */
static struct call_repeat *repeat_of(struct map *all, const struct call_repeat_key *key)
{
	return all->count < all->limit ? map_put(all, key, NULL) : map_get(all, key);
}

/* Returns the process that the first argument names by its PID; negative: a group. 0: none, or the
 * PID is of another namespace, where the same number is another process. */
static int32_t named_process(const struct folded_call *call)
{
	return call->has_fd || !(call->call->gaps & SYSCALLS_OWN_PIDS)
		       ? 0
		       : (int32_t)call->call->arguments[0];
}

/* Returns whether the call checks that a process exists: it sends signal 0. */
static bool asks_about_process(const struct folded_call *call)
{
	return call->row->arguments[1] == ARGUMENT_TYPE_sig && !call->call->arguments[1] &&
	       named_process(call);
}

static void call_repeats_add_call(const struct call_at_hand *c)
{
	const struct folded_call *call = c->folded;
	bool polls = call->row->traits & SYSCALL_POLLS, is_of_process = asks_about_process(call);
	struct call_repeat_key key = { .tid = call->call->record.tid,
		.number = call->call->number,
		.abi = call->call->abi,
		.fd = CALL_REPEAT_NO_FD,
		.result = result_of(call) };
	struct call_repeat *r;
	uint32_t events = 0;

	if (polls)
		key.fd = call_ready_fd(call, &events);
	else if (call->has_fd)
		key.fd = (int32_t)call->fd;
	else if (is_of_process)
		key.fd = named_process(call);
	r = repeat_of(&c->history->repeats, &key);
	if (!r)
		return;
	if (!r->is_described)
		describe_repeat(r, call, is_of_process ? CALL_REPEAT_NO_FD : key.fd);
	r->is_of_process = is_of_process;
	r->count += c->weight;
	if (!r->seen || r->last_ns / NS_PER_S != call->call->record.time_ns / NS_PER_S)
		r->seconds++;
	if (!r->seen++)
		r->first_ns = call->call->record.time_ns;
	r->last_ns = call->call->record.time_ns;
	r->bytes += call->bytes * c->weight;
	r->events |= events;
	r->has_path |= c->path.size != 0;
}

/* --- signals --- */

static void call_signals_add_call(const struct call_at_hand *c)
{
	const struct folded_call *call = c->folded;
	const struct syscall_row *row = call->row;
	size_t at = row->argument_count > 2 && row->arguments[2] == ARGUMENT_TYPE_sig ? 2 : 1;
	uint64_t signal = call->call->arguments[at];
	struct call_signal_key key = { .target = call->has_fd ? (int32_t)call->fd
							      : named_process(call),
		.signal = (uint8_t)signal,
		.is_descriptor = call->has_fd };
	struct call_failures *f;

	if (call->is_error || row->arguments[at] != ARGUMENT_TYPE_sig ||
		(signal != SIGNAL_TERMINATE && signal != SIGNAL_KILL) ||
		(!call->has_fd && (key.target <= 0 || key.target == (int32_t)call->process.pid)))
		return;
	f = map_put(&c->history->signals, &key, NULL);
	if (f)
		call_failures_count(f, c->weight, call->call->record.time_ns);
}

/* --- histories --- */

/* The maps of a history, with their bounds. */
#define MAP(member, key, value, most)                                                              \
	{                                                                                          \
		offsetof(struct call_history, member), sizeof(key), sizeof(value), most            \
	}

static const struct {
	size_t offset, key_size, value_size, most;
} maps[] = {
	MAP(failures, struct call_place, struct call_failures, FAILURES_MAX),
	MAP(found, uint64_t, uint64_t, FOUND_MAX),
	MAP(times, struct call_place, struct call_times, TIMES_MAX),
	MAP(files, struct call_path, struct call_file, FILES_MAX),
	MAP(scraps, struct call_path, struct call_scraps, SCRAPS_MAX),
	MAP(peers, struct call_path, struct call_peer, PEERS_MAX),
	MAP(exchanges, struct call_path, struct call_exchange, EXCHANGES_MAX),
	MAP(answers, struct call_path, struct call_answers, PEERS_MAX),
	MAP(databases, struct call_path, struct call_database, PEERS_MAX),
	MAP(handshakes, struct call_path, struct call_handshakes, PEERS_MAX),
	MAP(served_handshakes, struct call_path, struct call_handshakes, PEERS_MAX),
	MAP(clients, struct call_path, struct call_clients, PEERS_MAX),
	MAP(guests, uint32_t, struct call_guest, FDS_MAX),
	MAP(waits, uint32_t, struct call_waits, THREADS_MAX),
	MAP(repeats, struct call_repeat_key, struct call_repeat, REPEATS_MAX),
	MAP(signals, struct call_signal_key, struct call_failures, PEERS_MAX),
	MAP(positions, uint32_t, struct call_position, FDS_MAX),
	MAP(pending, uint32_t, struct call_pending, FDS_MAX),
	MAP(hellos, uint32_t, struct call_hello, FDS_MAX),
	MAP(unused, uint32_t, struct call_unused, FDS_MAX),
	MAP(weights, struct call_kind, struct call_weight, WEIGHTS_MAX),
};

/* Returns NULL behind the last map. */
static struct map *map_at(struct call_history *h, size_t i)
{
	return i < ARRAY_SIZE(maps) ? (struct map *)((char *)h + maps[i].offset) : NULL;
}

static void fini_history(struct call_history *h)
{
	struct map *m;

	for (size_t i = 0; (m = map_at(h, i)); i++)
		map_fini(m);
}

static struct call_history *new_history(const struct process_id *id)
{
	struct call_history *h = calloc(1, sizeof(*h));
	struct map *m;

	if (!h)
		return NULL;
	h->id = *id;
	for (size_t i = 0; (m = map_at(h, i)); i++)
		map_init(m, maps[i].key_size, maps[i].value_size, maps[i].most);
	return h;
}

static struct call_history *history_of_process(
	struct call_histories *all, const struct process_id *id)
{
	struct call_history **kept = map_put(&all->processes, id, NULL);

	if (kept && !*kept && !all->is_full)
		*kept = new_history(id);
	if (!kept || !*kept) {
		all->refused++;
		return NULL;
	}
	return *kept;
}

static size_t count_entries(struct call_histories *all)
{
	size_t count = 0;
	struct map *m;

	map_for_each_pointer (&all->processes, struct call_history *, h) {
		for (size_t i = 0; h && (m = map_at(h, i)); i++)
			count += m->count;
	}
	return count;
}

/* Sets the bounds of all maps to their current size. */
static void freeze_bounds(struct call_histories *all)
{
	struct map *m;

	all->is_full = true;
	map_for_each_pointer (&all->processes, struct call_history *, h) {
		for (size_t i = 0; h && (m = map_at(h, i)); i++)
			m->limit = m->count;
	}
}

const struct call_history *call_histories_get(
	const struct call_histories *h, const struct process_id *id)
{
	assert(h);

	struct call_history *const *kept = map_get(&h->processes, id);

	return kept ? *kept : NULL;
}

/* --- a call --- */

static struct span find_path(struct folded_call *c)
{
	struct span path;
	uint8_t state;

	/* An empty path with a descriptor is fstat by another name. */
	if (folded_path_is_descriptor(c))
		return span_of("", 0);
	path = folded_path(c, &state);
	return state <= SOOTH_STATE_TRUNCATED ? path : span_of("", 0);
}

/* Returns the weight of a record: a mean, because one record does not show the class of the calls
 * skipped before it. Weights begin after the first gap, so estimates are rather too low. */
static uint64_t weight_of(struct call_history *h, const struct syscalls_call *call)
{
	struct call_kind kind = {
		.number = call->number, .abi = call->abi, .class_ = call->class_
	};
	struct call_weight *w = map_put(&h->weights, &kind, NULL);
	double each;

	if (!w)
		return 1;
	if (w->recorded >= LATELY) {
		w->recorded /= 2;
		w->made /= 2;
	}
	w->recorded++;
	w->made += 1 + (double)call->skipped;
	each = w->made / w->recorded + w->left;
	w->left = each - (double)(uint64_t)each;
	w->all += 1 + (double)call->skipped;
	w->given += (double)(uint64_t)each;
	return (uint64_t)each;
}

/* Forgets state of descriptors that unrecorded calls may have changed. */
static void forget_descriptors(struct call_history *h)
{
	map_clear(&h->positions);
	map_clear(&h->pending);
	map_clear(&h->unused);
	map_clear(&h->hellos);
	map_clear(&h->guests);
}

static int add_call(void *state, struct folded_call *call, struct sooth_error *err)
{
	struct call_histories *h = state;
	struct call_at_hand c = {
		.all = h, .history = history_of_process(h, &call->process), .folded = call
	};

	(void)err;
	h->has_calls = true;
	if (!c.history || !call->has_returned)
		return 0;
	if (!(++h->taken % LOOKED_EVERY) && !h->is_full && count_entries(h) > ENTRIES_MAX)
		freeze_bounds(h);
	if (call->call->gaps & SYSCALLS_GAP_KEPT)
		forget_descriptors(c.history);
	h->has_time_gaps |= (call->call->gaps & SYSCALLS_GAP_TIME) != 0;
	c.weight = weight_of(c.history, call->call);
	c.history->calls += c.weight;
	c.history->seen++;
	c.history->gaps += call->call->skipped != 0;
	if (!call->row->name)
		return 0; /* the effect of the call is unknown */
	c.history->uring_calls += call->row->traits & SYSCALL_SUBMITS ? c.weight : 0;
	if (folded_started(call) == FOLDED_TASK_THREAD) {
		c.history->threads += c.weight;
		c.history->threads_seen++;
	}
	c.path = find_path(call);
	call_places_add_call(&c);
	call_files_add_call(&c);
	call_exchanges_add_call(&c);
	call_answers_add_call(&c);
	call_databases_add_call(&c);
	call_handshakes_add_call(&c);
	call_clients_add_call(&c);
	call_peers_add_call(&c);
	call_nesting_add_call(&c);
	call_waits_add_call(&c);
	call_repeats_add_call(&c);
	call_signals_add_call(&c);
	return 0;
}

static const struct call_fold_consumer consumer = { .call = add_call };

/* --- all of them --- */

void call_histories_init(struct call_histories *h)
{
	assert(h);
	*h = (struct call_histories){ 0 };
	map_init(&h->processes, sizeof(struct process_id), sizeof(struct call_history *),
		PROCESSES_MAX);
}

void call_histories_begin(struct call_histories *h)
{
	assert(h);
	if (h->is_on)
		return;
	call_fold_init(&h->fold, &consumer, h);
	h->is_on = true;
}

static void free_histories(struct call_histories *h)
{
	map_for_each_pointer (&h->processes, struct call_history *, one) {
		if (one)
			fini_history(one);
		free(one);
	}
}

void call_histories_fini(struct call_histories *h)
{
	assert(h);
	free_histories(h);
	map_fini(&h->processes);
	call_fold_fini(&h->fold);
}

static void count_loss(struct call_histories *h, const struct stream_loss *loss)
{
	if (span_equal(record_text(&loss->record, &loss->source), "syscalls"))
		h->lost += loss->records ? loss->records : 1;
}

void call_histories_add_record(struct call_histories *h, const struct sooth_record *r)
{
	assert(r);

	const struct stream_loss *loss = record_as(r, STREAM_LOSS, sizeof(*loss));
	struct sooth_error ignored;

	assert(h);
	if (!h->is_on)
		return;
	h->has_counts |= r->kind == SYSCALLS_COUNT;
	if (loss)
		count_loss(h, loss);
	if (call_fold_follows(r) && call_fold_record(&h->fold, r, &ignored))
		h->refused++;
}

void call_histories_resolve(struct call_histories *h)
{
	struct sooth_error ignored;

	assert(h);
	if (!h->is_on)
		return;
	if (call_fold_end(&h->fold, &ignored))
		h->refused++;
	map_for_each_pointer (&h->processes, struct call_history *, one) {
		const struct map *m;

		if (one)
			call_peers_resolve(one);
		for (size_t i = 0; one && (m = map_at(one, i)); i++)
			h->refused += m->refused;
	}
}

static void swap_maps(struct map *a, struct map *b)
{
	struct map kept = *a;

	*a = *b;
	*b = kept;
}

/* Starts a new history, and keeps the state of the descriptors. */
static void renew_history(struct call_history **one)
{
	struct call_history *fresh = new_history(&(*one)->id), *old = *one;

	if (!fresh)
		return;
	swap_maps(&fresh->positions, &old->positions);
	swap_maps(&fresh->pending, &old->pending);
	swap_maps(&fresh->unused, &old->unused);
	swap_maps(&fresh->hellos, &old->hellos);
	swap_maps(&fresh->guests, &old->guests);
	fresh->given_ns = old->given_ns;
	swap_maps(&fresh->weights, &old->weights);
	fini_history(old);
	free(old);
	*one = fresh;
}

void call_histories_next_interval(struct call_histories *h)
{
	assert(h);
	h->lost = h->refused = 0;
	h->has_time_gaps = false;
	h->is_full = false;
	map_for_each_value (&h->processes, void *, value) {
		if (*(struct call_history **)value)
			renew_history(value);
	}
}

double call_history_correction(const struct call_history *h, uint16_t abi, uint32_t number)
{
	double all = 0, given = 0;

	assert(h);
	for (unsigned class_ = 0; class_ < SYSCALLS_CLASSES; class_++) {
		struct call_kind kind = { .number = number, .abi = abi, .class_ = (uint8_t)class_ };
		const struct call_weight *w = map_get(&h->weights, &kind);

		all += w ? w->all : 0;
		given += w ? w->given : 0;
	}
	return given > 0 && all > given ? all / given : 1;
}

const struct call_repeat *call_repeats_next(
	const struct call_history *h, size_t *position, const struct call_repeat_key **key)
{
	const void *at;
	void *value;

	assert(h);
	if (!map_next(&h->repeats, position, &at, &value))
		return NULL;
	*key = at;
	return value;
}
