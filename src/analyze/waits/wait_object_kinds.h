/* SPDX-License-Identifier: BSD-2-Clause */
/* The kind of a wait for one descriptor. */
#pragma once

#include "analyze/waits/wait_chain.h"

struct syscall_row;

/* Explains a link by the object that the thread waits for. `row`: row of the call; NULL: the call
 * is unknown, or waits for several descriptors. */
void wait_link_of_object(struct wait_link *link, const struct syscall_row *row,
	const struct waits_object *o, bool writes);
