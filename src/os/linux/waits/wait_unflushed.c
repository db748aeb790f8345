/* SPDX-License-Identifier: BSD-2-Clause */
/* Output that a process keeps in the buffer of its C library while it waits for input. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os/linux/files/stdio_buffer.h"
#include "os/linux/syscalls/native_abi.h"
#include "os/linux/waits/wait_reader.h"

struct unflushed {
	pid_t pid;
	uint64_t base; /* address at which glibc is loaded */
	uint32_t bytes;
	bool is_read;
};

static void run_read_job(void *argument)
{
	struct unflushed *k = argument;

	k->is_read = do_read_unflushed(k->pid, k->base, &k->bytes);
}

/* Returns whether standard output leads to a process: the reader of a file or terminal is unknown,
 * or reads when it likes. */
static bool writes_to_process(const struct wait_node *n)
{
	char link[16];
	ssize_t size = readlinkat(n->process, "fd/1", link, sizeof(link));
	struct span to = span_of(link, size < 0 ? 0 : (size_t)size);

	return span_starts(to, "pipe:") || span_starts(to, "socket:");
}

void wait_read_unflushed(struct wait_reader *r, const struct wait_node *n, struct waits_thread *t)
{
	struct unflushed k = { .pid = wait_node_living(n) };

	if (!n->may_read || n->abi != ABI_64 || !writes_to_process(n))
		return;
	k.base = wait_library_base(r, n, "/libc.so.6");
	if (!k.base || !wait_call_memory(r, n, run_read_job, &k, sizeof(k)) || !k.is_read)
		return;
	t->unflushed_bytes = k.bytes < UINT16_MAX ? (uint16_t)k.bytes : UINT16_MAX;
	t->unflushed_state = SOOTH_STATE_VALUE;
}
