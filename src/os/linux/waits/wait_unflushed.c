/* SPDX-License-Identifier: BSD-2-Clause */
/* Output that a process keeps in the buffer of its C library while it waits for input. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os/linux/files/maps.h"
#include "os/linux/files/stdio_buffer.h"
#include "os/linux/syscalls/native_abi.h"
#include "os/linux/waits/wait_reader.h"

#define MAPS_BYTES (256 << 10)

struct unflushed {
	pid_t pid;
	uint64_t base; /* of glibc */
	uint32_t bytes;
	bool is_read;
};

static void do_read(void *argument)
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

	return size > 5 && (!memcmp(link, "pipe:", 5) || !memcmp(link, "socke", 5));
}

static uint64_t libc_base(struct wait_reader *r, const struct wait_node *n)
{
	struct maps_line line;

	if (procfs_read_at(n->process, "maps", &r->more, MAPS_BYTES))
		return 0;
	maps_for_each (&line, r->more) {
		if (!line.offset && span_ends(line.path, "/libc.so.6"))
			return line.from;
	}
	return 0;
}

void wait_read_unflushed(struct wait_reader *r, const struct wait_node *n, struct waits_thread *t)
{
	struct unflushed k = { .pid = wait_node_living(n) };

	if (!n->may_read || n->abi != ABI_64 || !writes_to_process(n))
		return;
	k.base = libc_base(r, n);
	if (!k.base || timeout_call(&r->timeout, do_read, NULL, &k, sizeof(k), -1, TIMEOUT_MS) ||
		!k.is_read)
		return;
	t->unflushed_bytes = k.bytes < UINT16_MAX ? (uint16_t)k.bytes : UINT16_MAX;
	t->unflushed_state = SOOTH_STATE_VALUE;
}
