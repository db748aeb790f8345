/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/calls/call_about.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/plain_path.h"
#include "model/field.h"

/* Returns false if the path could not be read. */
static bool resolve_path(const struct fd_follow *fds, const struct syscall_row *row,
	const struct syscalls_call *call, size_t i, struct buffer *out, uint8_t *state)
{
	struct process_id id = process_id_of(&call->record);
	struct call_piece path = call_path(call, i);
	int64_t directory = i && syscall_takes_directory(row, i - 1)
				    ? call_int(call->arguments[i - 1])
				    : AT_FDCWD_LINUX;

	if (!path.is_there || state_is_unmeasured(path.state))
		return false;
	fd_follow_resolve(fds, &id, directory, path.bytes, out);
	*state = path.state;
	return true;
}

uint8_t call_find_path(const struct fd_follow *fds, const struct syscall_row *row,
	const struct syscalls_call *call, struct buffer *out)
{
	uint8_t state = SOOTH_STATE_ABSENT;

	for (size_t i = 0; i < row->argument_count; i++) {
		if (syscall_takes_path(row, i) && resolve_path(fds, row, call, i, out, &state))
			break;
	}
	return state;
}

bool call_find_second_path(const struct fd_follow *fds, const struct syscall_row *row,
	const struct syscalls_call *call, struct buffer *out)
{
	unsigned found = 0;
	uint8_t state;

	for (size_t i = 0; i < row->argument_count; i++) {
		if (syscall_takes_path(row, i) && ++found == 2)
			return call_path(call, i).bytes.size &&
			       resolve_path(fds, row, call, i, out, &state);
	}
	return false;
}

bool call_means_descriptor(const struct syscall_row *row, const struct syscalls_call *call)
{
	for (size_t i = 0; i < row->argument_count; i++) {
		struct call_piece path = call_path(call, i);

		if (syscall_takes_path(row, i))
			return path.is_there && !path.bytes.size &&
			       !state_is_unmeasured(path.state);
	}
	return false;
}

static bool is_path_below(struct span path, const char *top)
{
	size_t size = strlen(top);

	while (size > 1 && top[size - 1] == '/')
		size--;
	return path.size >= size && !memcmp(path.data, top, size) &&
	       (path.size == size || path.data[size] == '/' || top[size - 1] == '/');
}

/* Returns whether a path is below `top`, by its text: "/a/../b" is below /b. Links are not
 * followed. */
static bool is_below(struct span path, const char *top)
{
	struct buffer plain = { 0 };
	bool is_there;

	if (!path.data || !path.size || path.data[0] != '/' ||
		!(memmem(path.data, path.size, "/.", 2) || memmem(path.data, path.size, "//", 2)))
		return is_path_below(path, top);
	plain_path_add(&plain, path);
	if (!plain.size)
		buffer_char(&plain, '/');
	is_there = !buffer_failed(&plain) &&
		   is_path_below(span_of((const char *)plain.data, plain.size), top);
	buffer_fini(&plain);
	return is_there;
}

static bool descriptor_is_below(
	const struct fd_follow *fds, const struct syscalls_call *call, int64_t fd, const char *top)
{
	struct process_id id = process_id_of(&call->record);
	const struct fd_followed *known = fd_follow_get(fds, &id, fd);

	return known && known->name && is_below(span_of_string(known->name), top);
}

bool call_touches(const struct fd_follow *fds, const struct syscall_row *row,
	const struct syscalls_call *call, const char *top)
{
	struct buffer path = { 0 };
	bool touches = false;
	uint8_t state;

	for (size_t i = 0; i < row->argument_count && !touches; i++) {
		buffer_reset(&path);
		if (syscall_takes_descriptor(row, i))
			touches = descriptor_is_below(fds, call, call_int(call->arguments[i]), top);
		else if (syscall_takes_path(row, i) &&
			 resolve_path(fds, row, call, i, &path, &state))
			touches = is_below(span_of((const char *)path.data, path.size), top);
	}
	buffer_fini(&path);
	return touches;
}

bool call_made(const struct fd_follow *fds, const struct syscall_row *row,
	const struct syscalls_call *call, const char *top)
{
	return syscall_returns_descriptor(row) && call_succeeded(call) &&
	       descriptor_is_below(fds, call, call->result, top);
}
