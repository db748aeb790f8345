/* SPDX-License-Identifier: BSD-2-Clause */
/* For runtimes: the steps that walks in the kernel and in user space share, as the latter need
 * them. */
#pragma once

#include "os/linux/runtimes/runtime.h"

static bool walk_read(struct walk *w, void *out, uint32_t size, uint64_t address)
{
	struct runtime_walk *at =
		(void *)((unsigned char *)w - offsetof(struct runtime_walk, walk));

	return at->read(at, out, size, address);
}

#include "bpf/unwind_step.h"
