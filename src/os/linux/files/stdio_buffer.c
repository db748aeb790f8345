/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/files/stdio_buffer.h"

#include <assert.h>
#include <unistd.h>

#include "os/linux/files/process_symbols.h"
#include "os/linux/files/read_memory.h"

#define FILE_MAGIC 0xfbad0000u
#define FILE_BITS  0xffff0000u
#define KEPT_MAX   (1u << 24) /* no program has so large a buffer */

/* Begin of struct _IO_FILE on 64-bit systems. */
struct stdio_file {
	uint32_t flags;
	uint64_t read_at, read_to, read_from;
	uint64_t write_from, write_at, write_to;
	uint64_t buffer_from, buffer_to;
	uint64_t saved[3], markers, chain;
	int32_t descriptor;
};

bool do_read_unflushed(pid_t pid, uint64_t base, uint32_t *bytes)
{
	struct process_image libc = { .pid = pid, .base = base };
	struct stdio_file f;

	assert(bytes);
	if (!do_open_image(&libc) ||
		!do_read_memory(pid, do_find_symbol(&libc, "_IO_2_1_stdout_"), &f, sizeof(f)) ||
		(f.flags & FILE_BITS) != FILE_MAGIC || f.descriptor != STDOUT_FILENO ||
		f.write_at < f.write_from || f.write_at - f.write_from > KEPT_MAX)
		return false;
	*bytes = (uint32_t)(f.write_at - f.write_from);
	return true;
}
