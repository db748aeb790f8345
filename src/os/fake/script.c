/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/fake/script.h"

#include <string.h>

static const char *const step_names[FAKE_STEPS] = {
	[FAKE_NEED_SCRIPTED] = "look for the first need",
	[FAKE_NEED_SECOND] = "look for the second need",
	[FAKE_OPEN] = "open the source",
	[FAKE_SET] = "follow the process",
	[FAKE_START] = "start the source",
	[FAKE_DRAIN] = "drain the source",
	[FAKE_STOP] = "stop the source",
	[FAKE_RELEASE] = "run the command",
};

int script_fails(struct fake *f, enum fake_step step, struct sooth_error *err)
{
	int code = f->failures[step];

	if (!code)
		return 0;
	error_errno(err, code, "%s", step_names[step]);
	return error_remedy(err, "let the script allow it");
}

struct fake_process *script_find(struct fake *f, const struct process_id *id)
{
	for (size_t i = 0; i < f->process_count; i++) {
		if (!memcmp(&f->processes[i]->id, id, sizeof(*id)))
			return f->processes[i];
	}
	return NULL;
}

bool script_adopts(const struct backend_run *run, const struct fake_process *p)
{
	return run->options.is_host || (run->options.has_uid && run->options.uid == p->uid);
}
