/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/darwin/tool_slots.h"

#include <errno.h>

void tool_slots_init(struct tool_slots *s)
{
	*s = (struct tool_slots){ 0 };
	for (size_t i = 0; i < TOOL_SLOTS; i++)
		tool_init(&s->all[i].tool);
}

void tool_slots_fini(struct tool_slots *s)
{
	for (size_t i = 0; i < TOOL_SLOTS; i++)
		tool_fini(&s->all[i].tool);
}

static struct tool_slot *find_slot(struct tool_slots *s, uint32_t pid)
{
	for (size_t i = 0; i < TOOL_SLOTS; i++) {
		if (s->all[i].process.pid == pid)
			return &s->all[i];
	}
	return NULL;
}

int tool_slots_set(struct tool_slots *s, const struct process_id *process, unsigned interest,
	const char *program, struct tool_slot **added, struct sooth_error *err)
{
	struct tool_slot *known = find_slot(s, process->pid), *place;

	*added = NULL;
	if (known && !interest) {
		tool_fini(&known->tool);
		known->process.pid = 0;
	}
	if (known || !interest)
		return 0;
	place = find_slot(s, 0);
	if (!place) {
		error_set(err, -E2BIG, SOOTH_FAULT_UNSUPPORTED, "observe process %u", process->pid);
		return error_why(err, "%s runs for %d processes at a time", program, TOOL_SLOTS);
	}
	place->process = *process;
	place->failures = 0;
	*added = place;
	return 0;
}
