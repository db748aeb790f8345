/* SPDX-License-Identifier: BSD-2-Clause */
/* Sends open descriptors with a message to another process (unix(7), SCM_RIGHTS). */
#pragma once

#include <stddef.h>

#define DESCRIPTORS_MAX 253 /* in one message */

/* Sends a message of `size` bytes, at least one. `flags`: of sendmsg(2). Returns 0 or a negative
 * errno. */
int descriptors_send(
	int socket, const int *fds, size_t count, const void *data, size_t size, int flags);
/* Receives a message with exactly these numbers of descriptors and bytes. -EBADF: it has others, or
 * there is none any more. */
int descriptors_receive(int socket, int *fds, size_t count, void *data, size_t size, int flags);
