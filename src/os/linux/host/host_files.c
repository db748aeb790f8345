/* SPDX-License-Identifier: BSD-2-Clause */
/* Files about the host. */
#include "os/linux/host/host_files.h"

#include <linux/capability.h>

#include "base/cursor.h"
#include "base/units.h"
#include "os/linux/files/task_files.h"

#define HUNDREDTH_NS (NS_PER_S / 100)
/* Far above any machine; a larger value means that the file is something else. */
#define LOAD_MAX     UINT64_C(1000000000)
#define UPTIME_S_MAX (UINT64_MAX / NS_PER_S - 1)

/* Reads "12.34" in hundredths; the kernel always writes two decimals. */
static uint64_t read_hundredths(struct cursor *c, uint64_t most)
{
	uint64_t whole = cursor_decimal(c);
	struct span digits;

	if (!cursor_skip(c, ".") || whole > most)
		c->failed = true;
	digits = cursor_bytes(c, 2);
	for (size_t i = 0; i < digits.size; i++) {
		if (digits.data[i] < '0' || digits.data[i] > '9')
			c->failed = true;
	}
	if (c->failed)
		return 0;
	return whole * 100 + (uint64_t)(digits.data[0] - '0') * 10 +
	       (uint64_t)(digits.data[1] - '0');
}

bool host_load_parse(struct host_load_file *out, const void *data, size_t size)
{
	struct cursor c = cursor_over(data, size);
	struct host_load_file found;
	uint64_t running, tasks;

	found.load_1m = (double)read_hundredths(&c, LOAD_MAX) / 100;
	found.load_5m = (double)read_hundredths(&c, LOAD_MAX) / 100;
	found.load_15m = (double)read_hundredths(&c, LOAD_MAX) / 100;
	running = cursor_decimal(&c);
	if (!cursor_skip(&c, "/"))
		c.failed = true;
	tasks = cursor_decimal(&c);
	if (c.failed || running > UINT32_MAX || tasks > UINT32_MAX)
		return false;
	found.running = (uint32_t)running;
	found.tasks = (uint32_t)tasks;
	*out = found;
	return true;
}

#define CPU_TIMES   8 /* user nice system idle iowait irq softirq steal */
#define CPU_IDLE    3
#define CPU_IO_WAIT 4

bool host_cpu_parse(uint32_t *number, uint64_t *busy, uint64_t *idle, const char *line, size_t size)
{
	struct cursor c = cursor_over(line, size);
	uint64_t found[CPU_TIMES], cpu, sum = 0;

	if (!cursor_skip(&c, "cpu") || cursor_skip(&c, " "))
		return false;
	cpu = cursor_decimal(&c);
	for (size_t i = 0; i < CPU_TIMES; i++) {
		if (!cursor_skip(&c, " "))
			c.failed = true;
		found[i] = cursor_decimal(&c);
		if (__builtin_add_overflow(sum, found[i], &sum))
			c.failed = true;
	}
	if (c.failed || cpu > UINT32_MAX)
		return false;
	*number = (uint32_t)cpu;
	*idle = found[CPU_IDLE] + found[CPU_IO_WAIT];
	*busy = sum - *idle;
	return true;
}

bool host_uptime_parse(uint64_t *ns, const void *data, size_t size)
{
	struct cursor c = cursor_over(data, size);
	uint64_t found = read_hundredths(&c, UPTIME_S_MAX);

	if (c.failed)
		return false;
	*ns = found * HUNDREDTH_NS;
	return true;
}

bool host_memory_parse(uint64_t *bytes, const char *name, const void *data, size_t size)
{
	struct span value;
	struct cursor c;
	uint64_t kilobytes;

	if (!task_status_find(&value, name, data, size))
		return false;
	c = cursor_over(value.data, value.size);
	kilobytes = cursor_decimal(&c);
	if (!span_equal(cursor_word(&c), "kB") || c.failed || kilobytes > UINT64_MAX / 1024)
		return false;
	*bytes = kilobytes * 1024;
	return true;
}

/* Parses a struct vfs_cap_data of linux/capability.h; revision 1 had 32 bits. */
bool host_capability_parse(uint64_t *permitted, const void *data, size_t size)
{
	struct cursor c = cursor_over(data, size);
	uint32_t revision = cursor_u32(&c) & VFS_CAP_REVISION_MASK;
	uint64_t low = cursor_u32(&c), high;

	cursor_u32(&c); /* inheritable */
	if (revision == VFS_CAP_REVISION_1 && !c.failed) {
		*permitted = low;
		return true;
	}
	high = cursor_u32(&c);
	if (c.failed || (revision != VFS_CAP_REVISION_2 && revision != VFS_CAP_REVISION_3))
		return false;
	*permitted = low | high << 32;
	return true;
}
