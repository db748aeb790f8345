/* SPDX-License-Identifier: BSD-2-Clause */
/* The path among a call's arguments, and whether the call touches a given path. */
#pragma once

#include "analyze/calls/call_pieces.h"
#include "analyze/calls/fd_follow.h"

/* Appends the first path among the call's arguments, from the root where its beginning is known;
 * not escaped. Returns the state of the path: absent when there is none. */
uint8_t call_find_path(const struct fd_follow *fds, const struct syscall_row *row,
	const struct syscalls_call *call, struct buffer *out);
/* Appends the path after the first one. Returns false if there is none, or it is not readable. */
bool call_find_second_path(const struct fd_follow *fds, const struct syscall_row *row,
	const struct syscalls_call *call, struct buffer *out);
/* Returns whether the call's first path is empty, so that the call is about the descriptor beside
 * the path (AT_EMPTY_PATH), as fstat is. */
bool call_means_descriptor(const struct syscall_row *row, const struct syscalls_call *call);
/* Returns whether any path or descriptor of the call is `top`, or lies below it. */
bool call_touches(const struct fd_follow *fds, const struct syscall_row *row,
	const struct syscalls_call *call, const char *top);
/* Returns whether the call made a descriptor of `top`, or of a file below it. Valid once the
 * effects of the call are applied. */
bool call_made(const struct fd_follow *fds, const struct syscall_row *row,
	const struct syscalls_call *call, const char *top);
