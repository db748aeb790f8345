/* SPDX-License-Identifier: BSD-2-Clause */
/* The wait of a thread, from its wait message (wmesg) in FreeBSD's kernel. */
#pragma once

#include "analyze/waits/wait_chain.h"

enum wait_channel_kind {
	WAIT_CHANNEL_UNKNOWN,
	WAIT_CHANNEL_WHOLE,
	WAIT_CHANNEL_OR_WORKER, /* the thread may also wait for a child, if a child is busy */
};

enum wait_channel_kind wait_link_of_channel(
	const struct wait_graph *g, const struct waits_thread *t, struct wait_link *link);
