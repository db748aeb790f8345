/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the walk over tasks writes, in pieces of any size: each process is read once, and its
 * name and its state are such. The first byte is the size of the pieces.
 */
#include <string.h>

#include "bpf/tasks.h"
#include "fuzz.h"
#include "os/linux/proc/proc_tasks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proc_tasks t = { .page_bytes = 4096, .tick_ns = 10000000 };
	size_t piece = size ? 1 + data[0] : 1, count = 0;
	struct proc_task task;

	for (size_t at = 1; at < size; at += piece) {
		proc_tasks_piece(&t, data + at, size - at < piece ? size - at : piece);
		while (proc_tasks_next(&t, &task)) {
			CHECK(task.values.name_size <= TASKS_NAME_SIZE);
			CHECK(task.values.state && strchr("RSDTtXZPI", task.values.state));
			CHECK(task.values.input);
			count++;
		}
	}
	CHECK(count == (size ? (size - 1) / sizeof(struct tasks_seen) : 0));
	return 0;
}
