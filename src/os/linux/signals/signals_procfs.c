/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * signals by procfs alone.
 *
 * Cannot be seen: the addresses and flags of handlers, which no file of procfs has. Further
 * instances of a queued real-time signal are part of the user's count only.
 */
#include "os/linux/rights/needs.h"
#include "os/linux/signals/signals_snapshot.h"

/* Opens the probe. The backend with handlers is tried first; the reason it was not used is reported
 * beside its name. */
static int signals_open(struct backend_run *run, struct sooth_error *err)
{
	struct signals_reader *s = run->state;
	struct sooth_error why;

	s->handlers_state = SOOTH_NOT_MEASURED(
		need_bpf.test(run->os, &why) ? SOOTH_REASON_PERMISSION : SOOTH_REASON_UNSUPPORTED);
	return signals_reader_open(run, err);
}

static const struct need *const needs[] = { &need_procfs, NULL };

const struct backend backend_signals_procfs = {
	.name = "procfs",
	.probe = "signals",
	.help = "reads the status files in /proc; nothing is attached to the process",
	.needs = needs,
	.state_size = sizeof(struct signals_reader),
	.open = signals_open,
	.set = members_backend_set,
	.start = signals_reader_sample,
	.sample = signals_reader_sample,
	.joined = signals_reader_joined,
	.stop = members_backend_stop,
	.close = signals_reader_close,
};
