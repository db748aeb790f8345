/* SPDX-License-Identifier: BSD-2-Clause */
/* Samples the threads of a process. */
#include "os/linux/stacks/stacks_reader.h"

#include <errno.h>
#include <string.h>

#include "os/linux/files/task_files.h"
#include "os/linux/syscalls/native_abi.h"
#include "os/os.h"
#include "probes/stacks.h"

#define ROUNDS_MAX 3 /* rounds in which a thread that moves is walked */

/* A thread of the first reading, and its place in the last one. */
struct stacks_reading {
	size_t at; /* offset of its struct stacks_seen in the buffer of that round */
	uint32_t tid;
	uint32_t stack;
	bool is_walked, has_moved;
};

int stacks_reader_open(
	struct stacks_reader *s, const struct backend_run *run, struct sooth_error *err)
{
	members_init(&s->members);
	return stack_walker_open(&s->walker, STACKS_STACK, STACKS_FRAME, &run->options, err);
}

void stacks_reader_close(struct stacks_reader *s)
{
	members_fini(&s->members);
	stack_walker_fini(&s->walker);
	buffer_fini(&s->seen);
	buffer_fini(&s->again);
	buffer_fini(&s->bytes);
	buffer_fini(&s->threads);
}

/* --- threads of a look --- */

/* Returns the thread at an offset; NULL: there is no complete one. */
static const struct stacks_seen *seen_at(const struct buffer *looked, size_t at)
{
	const struct stacks_seen *seen = buffer_at(looked, at);
	size_t left = looked->size - at;

	if (at > looked->size || left < sizeof(*seen) || seen->kernel_frames > PROFILE_KERNEL_MAX ||
		left - sizeof(*seen) < seen->kernel_frames * sizeof(uint64_t))
		return NULL;
	return seen;
}

static size_t seen_size(const struct stacks_seen *seen)
{
	return sizeof(*seen) + seen->kernel_frames * sizeof(uint64_t);
}

static void list_threads(struct stacks_reader *s)
{
	const struct stacks_seen *seen;

	buffer_reset(&s->threads);
	for (size_t at = 0; (seen = seen_at(&s->seen, at)); at += seen_size(seen)) {
		struct stacks_reading one = { .at = at, .tid = seen->tid };

		buffer_append(&s->threads, &one, sizeof(one));
	}
}

/* Returns the same thread in the next reading, which has the threads in the same order. */
static const struct stacks_seen *find_again(
	const struct buffer *looked, uint32_t tid, size_t *position)
{
	const struct stacks_seen *seen;
	size_t from = *position;

	for (size_t at = from; (seen = seen_at(looked, at)); at += seen_size(seen)) {
		if (seen->tid == tid) {
			*position = at;
			return seen;
		}
	}
	return NULL;
}

static bool has_not_run(const struct stacks_seen *before, const struct stacks_seen *after)
{
	return before->pc == after->pc && before->sp == after->sp &&
	       before->switches == after->switches && !after->is_on_cpu;
}

/* Walks the threads that moved since they were last walked; true: there are some. */
static bool walk_round(struct backend_run *run, uint64_t time_ns)
{
	struct stacks_reader *s = run->state;
	bool has_moved = false;

	buffer_each (struct stacks_reading, reading, &s->threads) {
		const struct stacks_seen *seen = seen_at(&s->seen, reading->at);

		if (reading->is_walked || !seen)
			continue;
		reading->stack = stack_walker_walk(
			&s->walker, seen, (const void *)(seen + 1), time_ns, &run->out);
		reading->is_walked = true;
		s->is_memory_refused |= s->walker.memory.status == -EPERM;
		has_moved |= seen->has_registers;
	}
	return has_moved;
}

/* Reads again, and keeps the new data of each thread that moved. True: some did. */
static bool reread_threads(struct backend_run *run, const struct process_snapshot *of)
{
	struct stacks_reader *s = run->state;
	size_t position = 0;
	bool has_moved = false;

	buffer_reset(&s->again);
	if (s->read(run, of, &s->again) < 0)
		return false;
	buffer_each (struct stacks_reading, one, &s->threads) {
		const struct stacks_seen *before = seen_at(&s->seen, one->at);
		const struct stacks_seen *after = find_again(&s->again, one->tid, &position);

		if (!before || !after || !before->has_registers)
			continue;
		one->has_moved = !has_not_run(before, after);
		if (!one->has_moved)
			continue;
		has_moved = true;
		one->is_walked = false;
		/* The copies stand behind the threads of the first reading. */
		one->at = s->seen.size;
		buffer_append(&s->seen, after, seen_size(after));
	}
	return has_moved && !buffer_failed(&s->seen);
}

/* --- records --- */

static uint8_t read_channel(struct stacks_reader *s, const struct process_snapshot *of,
	uint32_t tid, struct span *channel)
{
	int status = process_snapshot_file(of, tid, "wchan", &s->bytes);

	*channel = span_of((const char *)s->bytes.data, s->bytes.size);
	if (status < 0)
		return procfs_state(status);
	return !channel->size || span_equal(*channel, "0") ? SOOTH_STATE_ABSENT : SOOTH_STATE_VALUE;
}

static uint8_t stack_state(const struct stacks_seen *seen, uint32_t stack)
{
	if (seen->unread)
		return seen->unread;
	if (stack)
		return SOOTH_STATE_VALUE;
	return seen->has_registers ? SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED) : SOOTH_STATE_ABSENT;
}

static void put_thread(struct backend_run *run, const struct process_snapshot *of,
	const struct stacks_reading *reading, const char *process)
{
	struct stacks_reader *s = run->state;
	const struct stacks_seen *seen = seen_at(&s->seen, reading->at);
	struct stacks_thread t = {
		.record = process_snapshot_head(of, run, reading->tid, STACKS_THREAD),
		.cpu_ns = seen->cpu_ns,
		.stack = reading->stack,
		.stack_state = stack_state(seen, reading->stack),
		.syscall = (uint32_t)seen->call,
		.abi = seen->is_foreign ? ABI_32 : ABI_64,
		.call_state = seen->call >= 0 && seen->has_registers ? SOOTH_STATE_VALUE
								     : SOOTH_STATE_ABSENT,
		.state = seen->letter ? seen->letter
				      : task_state_letter(seen->state, seen->exit_state),
		.is_on_cpu = seen->is_on_cpu,
		.has_moved = reading->has_moved,
	};
	struct span channel;

	t.channel_state = read_channel(s, of, reading->tid, &channel);
	if (t.channel_state)
		channel = span_of("", 0);
	memcpy(t.thread, seen->name, sizeof(t.thread));
	memcpy(t.process, process, sizeof(t.process));
	RECORD_APPEND(&run->out, &t,
		((struct record_tail[]){ { &t.wait_channel, channel.data, channel.size } }), 1);
}

static void put_threads(struct backend_run *run, const struct process_snapshot *of)
{
	struct stacks_reader *s = run->state;
	char process[PROFILE_NAME_BYTES] = "";

	buffer_each (const struct stacks_reading, reading, &s->threads) {
		if (reading->tid == (uint32_t)of->id.pid)
			memcpy(process, seen_at(&s->seen, reading->at)->name, sizeof(process));
	}
	buffer_each (const struct stacks_reading, reading, &s->threads)
		put_thread(run, of, reading, process);
}

static int read_threads(struct backend_run *run, const struct process_snapshot *of)
{
	struct stacks_reader *s = run->state;
	int status, cut;

	buffer_reset(&s->seen);
	buffer_reset(&s->threads);
	cut = s->read(run, of, &s->seen);
	if (cut < 0)
		return cut;
	list_threads(s);
	status = stack_walker_process(&s->walker, &of->id, of->process);
	if (status < 0)
		return status;
	for (int round = 0; round < ROUNDS_MAX; round++) {
		if (!walk_round(run, run->os->now_ns(run->os)) || !reread_threads(run, of))
			break;
	}
	walk_round(run, run->os->now_ns(run->os));
	put_threads(run, of);
	return cut;
}

static void sample_process(struct backend_run *run, pid_t pid, const struct process_id *expected)
{
	struct stacks_reader *s = run->state;
	_cleanup_process_snapshot_ struct process_snapshot of = { .process = -1 };
	struct stacks_snapshot end = { 0 };
	int status = process_snapshot_open(&of, run, pid, expected);

	if (status > 0)
		return;
	buffer_reset(&s->threads);
	if (!status)
		status = process_snapshot_status(&of, read_threads(run, &of));
	end.record = process_snapshot_head(&of, run, 0, STACKS_SNAPSHOT);
	end.threads = (uint32_t)(s->threads.size / sizeof(struct stacks_reading));
	end.threads_state = procfs_state(status);
	RECORD_APPEND(&run->out, &end, NULL, 0);
}

int stacks_reader_sample(struct backend_run *run, struct sooth_error *err)
{
	struct stacks_reader *s = run->state;

	return members_visit(&s->members, run, sample_process, err);
}

int stacks_reader_stop(struct backend_run *run, struct sooth_error *err)
{
	struct stacks_reader *s = run->state;
	bool is_kernel_hidden = false;

	if (stack_walker_name(&s->walker, &run->out, &is_kernel_hidden) == -ENOMEM)
		return error_no_memory(err);
	debuginfod_report(&s->walker.files.debuginfod, run);
	if (is_kernel_hidden)
		backend_limit(run, "names of kernel functions",
			"the kernel hides its addresses from this caller (kptr_restrict)",
			"run sooth as root");
	if (s->is_memory_refused)
		backend_limit(run, "frames above the first of some stacks",
			"the kernel refuses to read the memory of these processes",
			"run sooth as root");
	return 0;
}
