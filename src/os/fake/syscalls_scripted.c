/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * syscalls by script: the best backend of the fake system, and the fake kernel
 * that counts and streams for both. Written for clarity: it shares no counting
 * code with the real one.
 */
#include <errno.h>
#include <string.h>

#include "base/units.h"
#include "os/fake/script.h"
#include "probes/syscalls.h"

#define KEYS_MAX    65536
#define LATENESS_NS (5 * NS_PER_MS)
#define ERRNO_MAX   4095

/* --- the fake kernel --- */

unsigned script_interest(const struct script_calls *s, const struct fake_process *p)
{
	const struct script_followed *followed = map_get(&s->followed, &p->id);

	if (followed)
		return followed->interest;
	return script_adopts(s->run, p) ? s->run->options.interest : 0;
}

bool script_is_watching(const struct script_calls *s, const struct fake_process *p)
{
	const struct script_followed *followed = map_get(&s->followed, &p->id);

	return s->is_started && script_interest(s, p) && !(followed && followed->is_before_exec);
}

static struct sooth_record record_head_of(
	const struct script_calls *s, const struct fake_process *p, uint32_t tid, uint16_t kind)
{
	return (struct sooth_record){ .time_ns = s->run->os->now_ns(s->run->os),
		.start_ticks = p->id.start_ticks,
		.pid = p->id.pid,
		.tid = tid ? tid : p->id.pid,
		.kind = kind };
}

static uint32_t error_of(const struct fake_call *call)
{
	bool is_error = !call->never_returns && call->result < 0 && call->result >= -ERRNO_MAX;

	return is_error ? (uint32_t)-call->result : 0;
}

static unsigned bucket_of(uint64_t ns)
{
	unsigned bucket = 0;

	while (bucket < SYSCALLS_BUCKETS - 1 && ns >> (bucket + 1))
		bucket++;
	return bucket;
}

static void count_call(
	struct script_calls *s, const struct fake_process *p, const struct fake_call *call)
{
	struct sooth_record head = record_head_of(s, p, call->tid, SYSCALLS_COUNT);
	struct script_key key = { p->id, head.tid, call->number, call->abi, 0 };
	struct syscalls_count *count = map_put(&s->counts, &key, NULL);
	struct syscalls_error *error;

	if (!count->count)
		count->from_ns = head.time_ns;
	count->record = head;
	count->number = call->number;
	count->abi = call->abi;
	count->count++;
	if (call->never_returns)
		return;
	count->total_ns += call->duration_ns;
	if (call->duration_ns > count->max_ns)
		count->max_ns = call->duration_ns;
	count->histogram[bucket_of(call->duration_ns)]++;
	key.error = error_of(call);
	if (!key.error)
		return;
	count->errors++;
	error = map_put(&s->errors, &key, NULL);
	error->record = head;
	error->record.kind = SYSCALLS_ERROR;
	error->number = call->number;
	error->abi = call->abi;
	error->error = key.error;
	error->count++;
}

static void stream_call(
	struct script_calls *s, const struct fake_process *p, const struct fake_call *call)
{
	struct syscalls_call r = {
		.record = record_head_of(s, p, call->tid, SYSCALLS_CALL),
		.duration_ns = call->never_returns ? 0 : call->duration_ns,
		.result = call->never_returns ? 0 : call->result,
		.number = call->number,
		.abi = call->abi,
		.path_argument = call->path != NULL,
		.path_state = call->path ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.result_state = call->never_returns ? SOOTH_STATE_ABSENT : SOOTH_STATE_VALUE,
	};
	struct record_tail tail[] = { { &r.path, call->path,
		call->path ? strlen(call->path) : 0 } };

	memcpy(r.name, p->name, sizeof(r.name));
	RECORD_APPEND(&s->ring, &r, tail, 1);
}

void script_call(struct script_calls *s, const struct fake_process *p, const struct fake_call *call)
{
	bool has_calls = !strcmp(s->run->backend->probe, "syscalls");
	unsigned interest = has_calls && script_is_watching(s, p) ? script_interest(s, p) : 0;

	if (interest & INTEREST_COUNT)
		count_call(s, p, call);
	if (interest & INTEREST_STREAM)
		stream_call(s, p, call);
}

void script_fork(
	struct script_calls *s, const struct fake_process *parent, const struct fake_process *child)
{
	struct process_join join = {
		.record = record_head_of(s, child, 0, PROCESS_JOIN),
		.parent_start_ticks = parent->id.start_ticks,
		.parent_pid = parent->id.pid,
	};
	struct script_followed *followed;

	if (!script_is_watching(s, parent))
		return;
	followed = map_put(&s->followed, &child->id, NULL);
	followed->interest = script_interest(s, parent);
	memcpy(join.name, child->name, sizeof(join.name));
	RECORD_APPEND(&s->ring, &join, NULL, 0);
}

void script_exec(struct script_calls *s, const struct fake_process *p)
{
	struct process_exec exec = { .record = record_head_of(s, p, 0, PROCESS_EXEC) };
	struct script_followed *followed = map_get(&s->followed, &p->id);

	if (followed)
		followed->is_before_exec = 0;
	if (!script_is_watching(s, p))
		return;
	memcpy(exec.name, p->name, sizeof(exec.name));
	RECORD_APPEND(&s->ring, &exec, NULL, 0);
}

/* Writes counts of one process, or of all when p is NULL, into the ring. */
static void flush_counts(struct script_calls *s, const struct process_id *process)
{
	struct map *maps[] = { &s->counts, &s->errors };

	for (size_t i = 0; i < 2; i++) {
		map_for_each (maps[i], const struct script_key *, k, struct sooth_record *, r) {
			if (process && memcmp(&k->process, process, sizeof(*process)))
				continue;
			r->time_ns = s->run->os->now_ns(s->run->os);
			record_append(&s->ring, r, maps[i]->value_size, NULL, 0);
			map_remove(maps[i], k);
		}
	}
}

void script_leave(struct script_calls *s, const struct fake_process *p)
{
	struct process_leave leave = { .record = record_head_of(s, p, 0, PROCESS_LEAVE),
		.status = (uint32_t)p->status };
	bool was_watched = script_is_watching(s, p);

	flush_counts(s, &p->id);
	map_remove(&s->followed, &p->id);
	if (!was_watched)
		return;
	memcpy(leave.name, p->name, sizeof(leave.name));
	RECORD_APPEND(&s->ring, &leave, NULL, 0);
}

/* --- the backend's side --- */

/* Adds a source. Returns false when all places are taken. */
static bool add_calls(struct fake *f, struct script_calls *source)
{
	for (size_t i = 0; i < SCRIPT_SOURCES_MAX; i++) {
		if (f->calls[i])
			continue;
		f->calls[i] = source;
		return true;
	}
	return false;
}

static void remove_calls(struct fake *f, struct script_calls *source)
{
	for (size_t i = 0; i < SCRIPT_SOURCES_MAX; i++) {
		if (f->calls[i] == source)
			f->calls[i] = NULL;
	}
}

int script_calls_open(struct backend_run *run, struct sooth_error *err)
{
	struct fake *f = fake_of(run->os);
	struct script_calls *s = run->state;
	int status;

	if (!strcmp(run->backend->probe, "syscalls"))
		backend_limit(run, "the source of system calls", "it is a script", "");
	status = script_fails(f, FAKE_OPEN, err);
	if (status)
		return status;
	s->run = run;
	map_init(&s->followed, sizeof(struct process_id), sizeof(struct script_followed), KEYS_MAX);
	map_init(&s->counts, sizeof(struct script_key), sizeof(struct syscalls_count), KEYS_MAX);
	map_init(&s->errors, sizeof(struct script_key), sizeof(struct syscalls_error), KEYS_MAX);
	if (!add_calls(f, s))
		return error_set(err, -EUSERS, SOOTH_FAULT_USAGE, "open one more source");
	f->counts.opened++;
	f->counts.pausing += run->options.observer.heap.may_pause;
	return 0;
}

int script_calls_set(struct backend_run *run, const struct process_id *process, unsigned interest,
	struct sooth_error *err)
{
	struct fake *f = fake_of(run->os);
	struct script_calls *s = run->state;
	struct fake_process *p = script_find(f, process);
	struct script_followed *followed;
	void (*hook)(void *user) = f->on_set;
	int status = script_fails(f, FAKE_SET, err);

	f->counts.sets++;
	f->on_set = NULL;
	if (hook)
		hook(f->on_set_user);
	if (status)
		return status;
	if (!interest) {
		flush_counts(s, process);
		map_remove(&s->followed, process);
		return 0;
	}
	if (!p || !p->is_alive)
		return error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "follow process %u",
			(unsigned)process->pid);
	if (p->is_refused)
		return error_set(err, -EPERM, SOOTH_FAULT_PRIVILEGE, "follow process %u",
			(unsigned)process->pid);
	followed = map_put(&s->followed, process, NULL);
	followed->interest = interest & (INTEREST_COUNT | INTEREST_STREAM);
	followed->is_before_exec = (interest & INTEREST_FROM_EXEC) != 0;
	return 0;
}

int script_calls_start(struct backend_run *run, struct sooth_error *err)
{
	struct fake *f = fake_of(run->os);
	struct script_calls *s = run->state;
	int status = script_fails(f, FAKE_START, err);

	if (status)
		return status;
	f->counts.started++;
	s->is_started = true;
	return 0;
}

static void append_scripted_records(struct backend_run *run)
{
	struct fake *f = fake_of(run->os);
	struct script_calls *s = run->state;

	buffer_append(&run->out, s->ring.data, s->ring.size);
	buffer_reset(&s->ring);
	buffer_append(&run->out, f->records.data, f->records.size);
	buffer_reset(&f->records);
	if (f->lost_reason)
		backend_loss(run, f->lost_records, f->lost_bytes, f->lost_reason);
	f->lost_reason = NULL;
}

int script_calls_drain(struct backend_run *run, struct sooth_error *err)
{
	int status = script_fails(fake_of(run->os), FAKE_DRAIN, err);

	log_line(run->log, LOG_DEBUG, "drained");
	if (!status)
		append_scripted_records(run);
	return status;
}

int script_calls_stop(struct backend_run *run, struct sooth_error *err)
{
	struct fake *f = fake_of(run->os);
	struct script_calls *s = run->state;

	f->counts.stopped++;
	flush_counts(s, NULL);
	map_clear(&s->followed);
	s->is_started = false;
	append_scripted_records(run);
	return script_fails(f, FAKE_STOP, err);
}

void script_calls_close(struct backend_run *run)
{
	struct fake *f = fake_of(run->os);
	struct script_calls *s = run->state;

	f->counts.closed++;
	remove_calls(f, s);
	map_fini(&s->followed);
	map_fini(&s->counts);
	map_fini(&s->errors);
	buffer_fini(&s->ring);
}

static int test_need(const struct os *os, struct sooth_error *err)
{
	return script_fails(fake_of(os), FAKE_NEED_SCRIPTED, err);
}

static const struct need need_scripted = { "first", "the script allows it", test_need };
static const struct need *const needs[] = { &need_scripted, NULL };

const struct backend backend_syscalls_scripted = {
	.name = "scripted",
	.probe = "syscalls",
	.help = "scripted data for tests",
	.needs = needs,
	.lateness_ns = LATENESS_NS,
	.state_size = sizeof(struct script_calls),
	.open = script_calls_open,
	.set = script_calls_set,
	.start = script_calls_start,
	.drain = script_calls_drain,
	.stop = script_calls_stop,
	.close = script_calls_close,
};
