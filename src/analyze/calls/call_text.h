/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A call as text for people: its arguments by type, the files of its descriptors, its result.
 * Text that a target wrote is escaped for a terminal.
 */
#ifndef SOOTH_ANALYZE_CALL_TEXT_H
#define SOOTH_ANALYZE_CALL_TEXT_H

#include "analyze/calls/call_pieces.h"
#include "analyze/calls/fd_follow.h"

struct call_text {
	const struct fd_follow *fds; /* NULL: descriptors are numbers */
	const struct syscall_row *row;
	const struct syscalls_call *call;
	struct buffer *out;
};

void call_put_arguments(const struct call_text *w);

#endif
