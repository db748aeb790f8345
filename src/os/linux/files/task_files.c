/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of threads in procfs. */
#include "os/linux/files/task_files.h"

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

bool task_stat_parse(struct task_stat *stat, const void *data, size_t size)
{
	const unsigned char *close;
	struct cursor c;

	assert(stat);
	*stat = (struct task_stat){ 0 };
	if (!procfs_parse_stat(&stat->shared, data, size))
		return false;
	close = memrchr(data, ')', size);
	c = cursor_over(close + 1, size - (size_t)(close + 1 - (const unsigned char *)data));
	cursor_word(&c); /* 3, state */
	for (int i = 4; i <= 9; i++)
		cursor_signed(&c);
	stat->faults = cursor_decimal(&c);
	cursor_decimal(&c); /* of children */
	stat->major_faults = cursor_decimal(&c);
	stat->faults += stat->major_faults;
	cursor_decimal(&c);
	cursor_decimal(&c); /* 14, in user space */
	stat->system_ticks = cursor_decimal(&c);
	for (int i = 16; i <= 18; i++)
		cursor_signed(&c);
	stat->nice = (int32_t)cursor_signed(&c);
	for (int i = 20; i <= 24; i++)
		cursor_signed(&c);
	for (int i = 25; i <= 38; i++)
		cursor_word(&c); /* the limit of resident memory does not fit 63 bits */
	stat->processor = (uint32_t)cursor_decimal(&c);
	stat->realtime_priority = (uint32_t)cursor_decimal(&c);
	stat->policy = (uint32_t)cursor_decimal(&c);
	return !c.failed;
}

bool task_schedstat_parse(uint64_t *cpu_ns, uint64_t *waited_ns, const void *data, size_t size)
{
	struct cursor c = cursor_over(data, size);

	*cpu_ns = cursor_decimal(&c);
	*waited_ns = cursor_decimal(&c);
	return !c.failed;
}

static uint64_t prefixed_hex(struct cursor *c)
{
	cursor_blanks(c);
	if (!cursor_skip(c, "0x"))
		c->failed = true;
	return cursor_hex(c);
}

/* Parses "running", "-1 SP PC" or "NUMBER A1 A2 A3 A4 A5 A6 SP PC". */
bool task_call_parse(struct task_call *call, const void *data, size_t size)
{
	struct cursor c = cursor_over(data, size);
	struct task_call found = { 0 };
	int64_t number;

	assert(call);
	*call = found;
	if (cursor_skip(&c, "running")) {
		call->is_running = true;
		return true;
	}
	number = cursor_signed(&c);
	found.has_call = number != -1;
	found.number = (uint32_t)number;
	for (int i = 0; found.has_call && i < 6; i++)
		found.arguments[i] = prefixed_hex(&c);
	found.stack_pointer = prefixed_hex(&c);
	found.program_counter = prefixed_hex(&c);
	if (c.failed || number < -1 || number > UINT32_MAX)
		return false;
	*call = found;
	return true;
}

bool task_status_find(struct span *value, const char *name, const void *data, size_t size)
{
	struct cursor c = cursor_over(data, size);

	while (!cursor_at_end(&c)) {
		struct span line = cursor_line(&c);
		struct cursor rest = cursor_over(line.data, line.size);

		if (!cursor_skip(&rest, name))
			continue;
		cursor_blanks(&rest);
		*value = span_of((const char *)rest.at, cursor_left(&rest));
		return true;
	}
	return false;
}

bool task_status_number(uint64_t *number, const char *name, const void *data, size_t size)
{
	struct span value;

	return task_status_find(&value, name, data, size) && span_decimal(value, number);
}

unsigned task_status_filters(const void *data, size_t size)
{
	uint64_t filters;
	struct span mode;

	if (!task_status_find(&mode, "Seccomp:", data, size))
		return UINT_MAX;
	if (span_equal(mode, "0"))
		return 0;
	return span_equal(mode, "2") &&
			       task_status_number(&filters, "Seccomp_filters:", data, size) &&
			       filters < UINT_MAX
		       ? (unsigned)filters
		       : UINT_MAX;
}

bool task_io_parse(struct task_io *io, const void *data, size_t size)
{
	struct task_io found;

	if (!task_status_number(&found.read_bytes, "rchar:", data, size) ||
		!task_status_number(&found.written_bytes, "wchar:", data, size) ||
		!task_status_number(&found.reads, "syscr:", data, size) ||
		!task_status_number(&found.writes, "syscw:", data, size) ||
		!task_status_number(&found.disk_read_bytes, "read_bytes:", data, size) ||
		!task_status_number(&found.disk_written_bytes, "write_bytes:", data, size))
		return false;
	*io = found;
	return true;
}

/*
 * Pairs of words: the first a small number, the last pair zeros. Read as 64-bit words, the keys of
 * a 64-bit program have zeros in their upper half; in the first pairs of a 32-bit program a value
 * is there, one of them an address.
 */
bool task_auxv_parse(bool *is_32_bit, const void *data, size_t size)
{
	struct cursor c = cursor_over(data, size);
	bool has_upper = false;
	unsigned pairs = 0;

	while (cursor_left(&c) >= 16) {
		uint64_t key = cursor_u64(&c);

		cursor_u64(&c);
		has_upper |= key >> 32 != 0;
		if (!key)
			break;
		pairs++;
	}
	*is_32_bit = has_upper;
	return pairs >= 2;
}

static bool find_mask(uint64_t *mask, const char *name, const void *data, size_t size)
{
	struct span value;
	struct cursor c;

	if (!task_status_find(&value, name, data, size))
		return false;
	c = cursor_over(value.data, value.size);
	*mask = cursor_hex(&c);
	return !c.failed && cursor_at_end(&c);
}

/* Parses "SigQ:\t3/96365" and masks of 16 digits. */
bool task_signals_parse(struct task_signals *signals, const void *data, size_t size)
{
	struct task_signals found = { 0 };
	struct span queue;
	struct cursor c;

	if (!task_status_find(&queue, "SigQ:", data, size))
		return false;
	c = cursor_over(queue.data, queue.size);
	found.queued = cursor_decimal(&c);
	if (!cursor_skip(&c, "/"))
		return false;
	found.queued_max = cursor_decimal(&c);
	if (c.failed || !find_mask(&found.pending, "SigPnd:", data, size) ||
		!find_mask(&found.shared_pending, "ShdPnd:", data, size) ||
		!find_mask(&found.blocked, "SigBlk:", data, size) ||
		!find_mask(&found.ignored, "SigIgn:", data, size) ||
		!find_mask(&found.caught, "SigCgt:", data, size))
		return false;
	*signals = found;
	return true;
}

bool task_is_stopped(const char *stat)
{
	_cleanup_close_ int fd = open(stat, O_RDONLY | O_CLOEXEC);
	char text[256];
	ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	const char *end;

	if (size <= 0)
		return false;
	text[size] = '\0';
	end = strrchr(text, ')');
	return end && (end[2] == 'T' || end[2] == 't');
}

/* linux/sched.h */
#define STATE_REPORTED	  0x7f
#define STATE_DISK	  0x2
#define STATE_IDLE	  0x402
#define STATE_REAL_LOCK	  0x1000 /* TASK_RTLOCK_WAIT, 5.15 */
#define STATE_FROZEN	  0x8000 /* 6.1 */
#define STATE_IDLE_LETTER 'I'

char task_state_letter(uint32_t state, uint32_t exit_state)
{
	static const char letters[] = "RSDTtXZP";
	uint32_t reported = (state | exit_state) & STATE_REPORTED;

	if (state & (STATE_REAL_LOCK | STATE_FROZEN))
		reported = STATE_DISK;
	else if ((state & STATE_IDLE) == STATE_IDLE)
		return STATE_IDLE_LETTER;
	return letters[reported ? 32 - __builtin_clz(reported) : 0];
}

unsigned task_status_inner_pid(uint32_t *pid, const void *data, size_t size)
{
	struct span value;
	struct cursor c;
	uint64_t number = 0;
	unsigned count = 0;

	if (!task_status_find(&value, "NSpid:", data, size))
		return 0;
	c = cursor_over(value.data, value.size);
	cursor_blanks(&c);
	while (!cursor_at_end(&c) && !c.failed) {
		struct span word = cursor_word(&c);

		if (word.size && !span_decimal(word, &number))
			return 0;
		count += word.size != 0;
	}
	*pid = (uint32_t)number;
	return number && number <= UINT32_MAX ? count : 0;
}
