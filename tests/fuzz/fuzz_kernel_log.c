/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's log, whose lines hold names that processes chose, and core_pattern. */
#include <string.h>

#include "fuzz.h"
#include "os/linux/exit_reasons/exit_reasons_left.h"
#include "os/linux/exit_reasons/kernel_log.h"
#include "os/linux/files/procfs.h"

static void within(struct span part, struct span whole)
{
	CHECK(!part.size ||
		(part.data >= whole.data && part.data + part.size <= whole.data + whole.size));
}

static void take_message(struct span message)
{
	struct kernel_log_end end;
	struct span group;
	uint32_t pid;

	if (kernel_log_parse(&end, message)) {
		CHECK(end.what < EXIT_REASONS_LOGS);
		within(end.name, message);
		within(end.object, message);
		if (end.what == EXIT_REASONS_LOG_OOM || end.has_instruction)
			within(end.trap, end.has_address ? end.trap : message);
		CHECK(!end.has_values || end.anonymous_bytes % 1024 == 0);
	}
	if (kernel_log_parse_group(&group, &pid, message))
		within(group, message);
}

/* Whatever a process calls itself: the number is the one in the brackets behind it. */
static void with_name(const uint8_t *data, size_t size)
{
	char line[256];
	struct kernel_log_end end;
	int used;

	if (size > 15)
		size = 15;
	memcpy(line, data, size);
	used = snprintf(line + size, sizeof(line) - size,
		"[77]: segfault at 8 ip 00007f00 sp 00007fff error 4 in libc.so.6[1,2+3]");
	CHECK(kernel_log_parse(&end, span_of(line, size + (size_t)used)));
	CHECK(end.what == EXIT_REASONS_LOG_FAULT && end.pid == 77 && end.address == 8);
	CHECK(end.name.size == size && end.object.size == 9);
	used = snprintf(line, sizeof(line), "Out of memory: Killed process 78 (");
	memcpy(line + used, data, size);
	snprintf(line + used + size, sizeof(line) - (size_t)used - size,
		") total-vm:9kB, anon-rss:8kB, file-rss:7kB, shmem-rss:6kB, UID:5 pgtables:4kB");
	CHECK(kernel_log_parse(&end, span_of(line, (size_t)used + size + 76)));
	CHECK(end.what == EXIT_REASONS_LOG_OOM && end.pid == 78 && end.has_values && end.uid == 5);
	CHECK(end.name.size == size && end.anonymous_bytes == 8192);
}

static void core(const uint8_t *data, size_t size)
{
	struct span text = span_of((const char *)data, size), handler = core_file_handler(text);
	struct span boot = span_of("0123456789abcdef", size < 16 ? size : 16);
	struct buffer pattern = { 0 };
	uint32_t pid;

	within(handler, text);
	if (core_file_pattern(&pattern, text, 42, true)) {
		CHECK(!handler.size);
		CHECK(!memchr(pattern.data, '\0', pattern.size));
	}
	core_file_pid(text, boot, &pid);
	buffer_fini(&pattern);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_of((const char *)data, size);
	struct kernel_log_line line;
	uint32_t status;

	if (kernel_log_split(&line, data, size)) {
		within(line.message, text);
		take_message(line.message);
	}
	take_message(text);
	with_name(data, size);
	core(data, size);
	procfs_parse_exit_code(&status, data, size);
	return 0;
}
