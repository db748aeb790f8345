/* SPDX-License-Identifier: BSD-2-Clause */
/* Selected processes by PID and start: a reused PID is an end. */
#include "cli/top/targets.h"

#include <stdlib.h>

#include "os/os.h"

void top_targets_init(struct top_targets *t, const uint32_t *pids, size_t count)
{
	struct sooth_error ignored;

	*t = (struct top_targets){ 0 };
	t->all = count ? calloc(count, sizeof(*t->all)) : NULL;
	t->count = t->all ? count : 0;
	for (size_t i = 0; i < t->count; i++)
		os_native.identify(&os_native, (pid_t)pids[i], &t->all[i], &ignored);
}

void top_targets_fini(struct top_targets *t)
{
	free(t->all);
	*t = (struct top_targets){ 0 };
}

void top_targets_update(struct top_targets *t)
{
	t->ended = 0;
	for (size_t i = 0; i < t->count; i++)
		t->ended += !t->all[i].pid || !os_native.is_alive(&os_native, &t->all[i]);
}
