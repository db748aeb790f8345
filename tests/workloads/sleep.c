/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The healthy twin of most scenarios: one thread, idle in a single poll(2) of --seconds. "ready"
 * is said just before the call; the state is in place when /proc says S.
 */
#include "workload.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>

static int run(const struct workload *w)
{
	autotruth truth = { 0 };
	int err = truth_begin(&truth);

	if (err)
		return err;
	fprintf(truth.out, "sleep_ns %" PRIu64 "\n", w->duration_ns / NS_PER_MS * NS_PER_MS);
	err = truth_commit(&truth, w);
	if (!err)
		err = workload_ready(w);
	if (!err && poll(NULL, 0, (int)(w->duration_ns / NS_PER_MS)) < 0)
		err = -errno;
	return err;
}

const struct scenario scenario_sleep = {
	.name = "sleep",
	.help = "idle in poll for --seconds",
	.run = run,
};
