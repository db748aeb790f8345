/* SPDX-License-Identifier: BSD-2-Clause */
/* Error numbers are those of Linux on every system. */
#include "analyze/calls/call_errors.h"

#include <assert.h>

#include "base/cleanup.h"
#include "model/errno_names.h"

static bool is_answer_of_any_call(unsigned error)
{
	return error == LINUX_EINTR || error == LINUX_EAGAIN || error == LINUX_ETIMEDOUT ||
	       error == LINUX_EALREADY || error == LINUX_EINPROGRESS ||
	       (error >= LINUX_ERESTARTSYS && error <= LINUX_ERESTARTSYS + 4);
}

bool call_error_is_no_room(const struct syscall_row *row, unsigned error)
{
	assert(row);
	return row->traits & SYSCALL_STARTS_TASK && error == LINUX_EAGAIN;
}

bool call_error_is_answer(const struct syscall_row *row, unsigned error)
{
	if (call_error_is_no_room(row, error))
		return false;
	/* Failed connects are reported by connection. sigreturn restores a value that is no
	 * error. */
	if (is_answer_of_any_call(error) || row->traits & (SYSCALL_CONNECTS | SYSCALL_RESTORES))
		return true;
	for (size_t i = 0; i < SYSCALL_ANSWERS && row->answers[i]; i++) {
		if (row->answers[i] == error)
			return true;
	}
	return false;
}

bool call_error_is_grave(unsigned error)
{
	/* EIO, ENOMEM, ENFILE, EMFILE, ENOSPC, EROFS, ESTALE, EDQUOT */
	static const uint8_t grave[] = { 5, 12, 23, 24, 28, 30, 116, 122 };

	for (size_t i = 0; i < ARRAY_SIZE(grave); i++) {
		if (grave[i] == error)
			return true;
	}
	return false;
}
