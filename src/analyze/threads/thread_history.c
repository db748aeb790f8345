/* SPDX-License-Identifier: BSD-2-Clause */

#include "analyze/threads/thread_history.h"

#include <assert.h>
#include <string.h>

#include "base/units.h"
#include "probes/syscall_names.h"

/* --- what a thread waits for --- */

/* linux/futex.h */
#define FUTEX_COMMAND  127u
#define FUTEX_PRIVATE  128u /* the futex is not shared with other processes */
#define FUTEX_WAIT     0u
#define FUTEX_LOCK_PI  6u
#define FUTEX_LOCK_PI2 13u

/* glibc's value of a lock that is taken and waited for; semaphores and conditions use another futex
 * command. */
#define HELD 2u

_Static_assert((int)THREAD_WAIT_LOCK == THREAD_WAIT_NOTHING + (int)SYSCALL_WAIT_LOCK &&
		       (int)THREAD_WAIT_YIELD == THREAD_WAIT_NOTHING + (int)SYSCALL_WAIT_YIELD,
	"kinds of waiting differ");

static enum thread_wait kind_of(const struct syscall_wait *wait)
{
	return wait->what == SYSCALL_WAIT_OTHER ? THREAD_WAIT_OTHER
						: THREAD_WAIT_NOTHING + wait->what;
}

static void set_timeout(
	struct thread_waiting *w, const struct syscall_wait *wait, const uint64_t *values)
{
	if (wait->timeout)
		w->has_timeout = syscall_value(values, wait->timeout, 0) != 0;
	if (wait->timeout_ms && (int32_t)syscall_value(values, wait->timeout_ms, 0) >= 0) {
		w->has_timeout = true;
		w->timeout_ms = (uint32_t)syscall_value(values, wait->timeout_ms, 0);
	}
}

/* Sets the futex. The futex calls of 2023 have flags after the operation's place; futex_waitv has
 * the flags of each futex in memory. */
static void set_futex(
	struct thread_waiting *w, const struct syscall_row *row, const uint64_t *values)
{
	uint64_t command = values[1] & FUTEX_COMMAND;
	size_t flags = 1;

	if (!(row->traits & SYSCALL_FUTEX)) {
		while (flags < row->argument_count &&
			row->arguments[flags] != ARGUMENT_TYPE_futex2_flags)
			flags++;
		w->is_of_others = flags == row->argument_count;
		if (w->is_of_others)
			return;
	} else {
		w->is_mutex = (command == FUTEX_WAIT && (uint32_t)values[2] == HELD) ||
			      command == FUTEX_LOCK_PI || command == FUTEX_LOCK_PI2;
	}
	w->address = values[0];
	w->is_of_others = !(values[flags] & FUTEX_PRIVATE);
}

struct thread_waiting thread_waiting_of(const struct threads_thread *t, bool has_arguments)
{
	struct thread_waiting w = { .descriptor = THREAD_WAIT_NO_FD };
	const struct syscall_row *row;
	const struct syscall_wait *wait;

	if (t->state == 'R')
		w.what = THREAD_WAIT_NOTHING;
	if (t->state == 'R' || t->syscall_state != SOOTH_STATE_VALUE)
		return w;
	row = syscall_row_of(t->abi, t->syscall);
	wait = &row->wait;
	w.what = kind_of(wait);
	w.has_timeout = w.what == THREAD_WAIT_TIME;
	if (!has_arguments)
		return w;
	if (wait->count && !syscall_value(t->arguments, wait->count, 1))
		w.what = THREAD_WAIT_TIME; /* a poll without descriptors is a sleep */
	if (wait->descriptor)
		w.descriptor = (uint32_t)syscall_value(t->arguments, wait->descriptor, 0);
	set_timeout(&w, wait, t->arguments);
	if (w.what == THREAD_WAIT_LOCK)
		set_futex(&w, row, t->arguments);
	return w;
}

/* --- one thread over time --- */

#define THREADS_MAX	262144
#define PROCESSES_MAX	65536
#define SYSTEM_LEAST_NS (200 * NS_PER_MS) /* least CPU time for a share of the kernel */

struct thread_key {
	struct process_id process;
	uint64_t start_ticks;
	uint64_t tid;
};

/* Times at which the last two whole snapshots of a process ended. */
struct process_ends {
	uint64_t second_last_ns, last_ns;
};

void thread_histories_init(struct thread_histories *h)
{
	assert(h);
	*h = (struct thread_histories){ 0 };
	map_init(
		&h->threads, sizeof(struct thread_key), sizeof(struct thread_history), THREADS_MAX);
	map_init(&h->processes, sizeof(struct process_id), sizeof(struct process_ends),
		PROCESSES_MAX);
}

void thread_histories_fini(struct thread_histories *h)
{
	assert(h);
	map_fini(&h->threads);
	map_fini(&h->processes);
}

static void copy_name(char to[THREAD_HISTORY_NAME], struct span name)
{
	size_t size = name.size < THREAD_HISTORY_NAME - 1 ? name.size : THREAD_HISTORY_NAME - 1;

	memset(to, 0, THREAD_HISTORY_NAME);
	memcpy(to, name.data, size);
}

static void count_call(struct thread_history *h, const struct threads_thread *t)
{
	for (size_t i = 0; i < THREAD_HISTORY_MET; i++) {
		struct thread_met_call *call = &h->calls[i];

		if (call->input && (call->syscall != t->syscall || call->abi != t->abi))
			continue;
		call->syscall = t->syscall;
		call->abi = t->abi;
		call->input++;
		return;
	}
}

static void count_channel(struct thread_history *h, struct span name)
{
	char kept[THREAD_HISTORY_NAME];

	copy_name(kept, name);
	for (size_t i = 0; i < THREAD_HISTORY_MET; i++) {
		struct thread_met_channel *channel = &h->channels[i];

		if (channel->input && memcmp(channel->name, kept, sizeof(kept)) != 0)
			continue;
		memcpy(channel->name, kept, sizeof(kept));
		channel->input++;
		return;
	}
}

static void count_state(struct thread_history *h, char state)
{
	h->state = state;
	h->running += state == 'R';
	h->sleeping += state == 'S';
	h->uninterruptible += state == 'D';
	h->stopped += state == 'T' || state == 't';
}

static void update_disk_and_fault_counters(struct thread_history *h, const struct threads_thread *t)
{
	h->last.system_ns = t->system_ns;
	h->last.faults = t->faults;
	if (record_holds(&t->record, sizeof(*t))) {
		h->last.major_faults = t->major_faults;
		h->major_state = t->times_state;
	}
	h->last.moved_bytes = t->read_bytes + t->written_bytes;
	h->last.io_calls = t->reads + t->writes;
	h->last.reads = t->reads;
	h->last.writes = t->writes;
	h->times_state = t->times_state;
	h->io_state = t->io_state;
}

static void update_counters(struct thread_history *h, const struct threads_thread *t)
{
	h->last = (struct thread_counters){ .time_ns = t->record.time_ns,
		.cpu_ns = t->cpu_ns,
		.waited_ns = t->waited_ns,
		.voluntary_switches = t->voluntary_switches,
		.involuntary_switches = t->involuntary_switches };
	h->times_state = h->io_state = h->major_state =
		SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	if (record_holds(&t->record, THREADS_THREAD_WITH_TIMES))
		update_disk_and_fault_counters(h, t);
	if (!h->input)
		h->first = h->last;
	h->policy = t->policy;
	h->nice = t->nice;
	h->cpu_state = t->cpu_state;
	h->waited_state = t->waited_state;
	h->switches_state = t->switches_state;
	h->syscall_state = t->syscall_state;
	h->channel_state = t->wait_channel_state;
}

static void count_wait(struct thread_history *h, const struct threads_thread *t)
{
	bool has_arguments = record_holds(&t->record, THREADS_THREAD_WITH_TIMES);
	struct thread_waiting w = thread_waiting_of(t, has_arguments);

	h->met++;
	h->bare += !has_arguments;
	h->waits[w.what]++;
	h->with_timeout += w.has_timeout;
	h->of_others += w.is_of_others;
	h->mutexes += w.is_mutex;
	if (w.timeout_ms) {
		h->short_timeouts++;
		h->short_timeouts_hz += 1000.0 / w.timeout_ms;
	}
	h->waiting = w;
}

static void add_thread(struct thread_histories *h, const struct threads_thread *t)
{
	struct thread_key key = { process_id_of(&t->record), t->thread_start_ticks, t->record.tid };
	struct thread_history *one = map_put(&h->threads, &key, NULL);

	if (!one) {
		h->refused++;
		return;
	}
	one->process = key.process;
	one->tid = t->record.tid;
	copy_name(one->name, record_text(&t->record, &t->name));
	update_counters(one, t);
	count_state(one, t->state);
	count_wait(one, t);
	if (t->syscall_state == SOOTH_STATE_VALUE)
		count_call(one, t);
	if (t->wait_channel_state == SOOTH_STATE_VALUE)
		count_channel(one, record_text(&t->record, &t->wait_channel));
	one->input++;
}

static void finish_snapshot(struct thread_histories *h, const struct threads_process *p)
{
	struct process_id id = process_id_of(&p->record);
	struct process_ends *ends;

	if (!p->threads)
		return; /* it ended, or became unreadable: keep the earlier snapshot */
	ends = map_put(&h->processes, &id, NULL);
	if (!ends)
		return;
	ends->second_last_ns = ends->last_ns;
	ends->last_ns = p->record.time_ns;
}

/* Returns whether the last whole snapshot of the process has the thread; else it has ended. */
static bool is_there(const struct thread_histories *h, const struct thread_history *t)
{
	const struct process_ends *ends = map_get(&h->processes, &t->process);

	return ends && t->last.time_ns > ends->second_last_ns;
}

void thread_histories_add_record(struct thread_histories *h, const struct sooth_record *r)
{
	const void *known;

	if ((known = record_as(r, THREADS_THREAD, THREADS_THREAD_LEAST)))
		add_thread(h, known);
	else if ((known = record_as(r, THREADS_PROCESS, sizeof(struct threads_process))))
		finish_snapshot(h, known);
}

void thread_histories_next_interval(struct thread_histories *h)
{
	assert(h);
	map_for_each (&h->threads, const void *, key, void *, value) {
		struct thread_history *t = value, old = *t;

		if (!is_there(h, t)) {
			map_remove(&h->threads, key);
			continue;
		}
		memset(t, 0, sizeof(*t));
		t->process = old.process;
		t->tid = old.tid;
		memcpy(t->name, old.name, sizeof(t->name));
		t->first = t->last = old.last;
		t->input = 1;
	}
}

const struct thread_history *thread_histories_next(
	const struct thread_histories *h, const struct process_id *id, size_t *position)
{
	const void *key;
	void *value;

	assert(h);
	while (map_next(&h->threads, position, &key, &value)) {
		const struct thread_history *t = value;

		if (!memcmp(&t->process, id, sizeof(*id)) && is_there(h, t))
			return t;
	}
	return NULL;
}

static double rate_per_second(
	const struct thread_history *t, uint8_t state, uint64_t from, uint64_t to)
{
	uint64_t ns = thread_history_ns(t);

	if (!ns || state != SOOTH_STATE_VALUE)
		return -1;
	return to > from ? (double)(to - from) * (double)NS_PER_S / (double)ns : 0;
}

double thread_history_cpu(const struct thread_history *t)
{
	assert(t);

	double ns = rate_per_second(t, t->cpu_state, t->first.cpu_ns, t->last.cpu_ns);

	return ns < 0 ? ns : 100 * ns / (double)NS_PER_S;
}

double thread_history_demand(const struct thread_history *t)
{
	assert(t);

	double ran = thread_history_cpu(t);
	double waited = rate_per_second(t, t->waited_state, t->first.waited_ns, t->last.waited_ns);

	if (ran < 0 || waited < 0)
		return ran;
	ran += 100 * waited / (double)NS_PER_S;
	return ran < 100 ? ran : 100; /* two clocks differ: limit it */
}

/* Returns the kernel's share: its clock ticks, scaled to the exact CPU time. Too few ticks prove
 * nothing. */
double thread_history_system(const struct thread_history *t)
{
	assert(t);

	uint64_t cpu_ns = t->last.cpu_ns - t->first.cpu_ns;

	if (t->times_state || t->cpu_state || cpu_ns < SYSTEM_LEAST_NS ||
		t->last.system_ns < t->first.system_ns)
		return -1;
	return 100 * (double)(t->last.system_ns - t->first.system_ns) / (double)cpu_ns;
}

double thread_history_faults(const struct thread_history *t)
{
	assert(t);
	return rate_per_second(t, t->times_state, t->first.faults, t->last.faults);
}

double thread_history_major_faults(const struct thread_history *t)
{
	assert(t);
	return rate_per_second(t, t->major_state, t->first.major_faults, t->last.major_faults);
}

double thread_history_bucket(const struct thread_history *t)
{
	assert(t);

	uint64_t times = t->last.involuntary_switches - t->first.involuntary_switches;

	if (t->switches_state || t->cpu_state || !times)
		return -1;
	return (double)(t->last.cpu_ns - t->first.cpu_ns) / (double)times;
}

double thread_history_moved_bytes(const struct thread_history *t)
{
	assert(t);
	return rate_per_second(t, t->io_state, t->first.moved_bytes, t->last.moved_bytes);
}

double thread_history_io_calls(const struct thread_history *t)
{
	assert(t);
	return rate_per_second(t, t->io_state, t->first.io_calls, t->last.io_calls);
}

double thread_history_reads(const struct thread_history *t)
{
	assert(t);
	return rate_per_second(t, t->io_state, t->first.reads, t->last.reads);
}

double thread_history_writes(const struct thread_history *t)
{
	assert(t);
	return rate_per_second(t, t->io_state, t->first.writes, t->last.writes);
}

double thread_history_voluntary(const struct thread_history *t)
{
	assert(t);
	return rate_per_second(
		t, t->switches_state, t->first.voluntary_switches, t->last.voluntary_switches);
}

double thread_history_involuntary(const struct thread_history *t)
{
	assert(t);
	return rate_per_second(
		t, t->switches_state, t->first.involuntary_switches, t->last.involuntary_switches);
}

uint8_t thread_history_unseen(const struct thread_history *t)
{
	assert(t);
	if (t->syscall_state > SOOTH_STATE_TRUNCATED)
		return t->syscall_state;
	return t->bare ? SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED) : SOOTH_STATE_VALUE;
}

uint8_t thread_history_stay_unseen(const struct thread_history *t)
{
	assert(t);
	return t->switches_state ? t->switches_state : thread_history_unseen(t);
}

double thread_histories_sum(const struct thread_histories *h, const struct process_id *id,
	double (*value)(const struct thread_history *t))
{
	double sum = -1;

	thread_histories_for_each (h, id, t) {
		if (value(t) >= 0)
			sum = (sum < 0 ? 0 : sum) + value(t);
	}
	return sum;
}

uint8_t thread_histories_uncounted(const struct thread_histories *h, const struct process_id *id)
{
	uint8_t state = SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED);

	thread_histories_for_each (h, id, t) {
		if (t->cpu_state || t->switches_state)
			return t->cpu_state ? t->cpu_state : t->switches_state;
		state = SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL);
	}
	return state;
}
