/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A call as people read it: its arguments by what they are, what its descriptors are, what it
 * returned. Texts of targets are escaped for a terminal.
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
