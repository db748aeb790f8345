/* SPDX-License-Identifier: BSD-2-Clause */
/* syscalls by a second backend, for when the first is refused: slower, which it reports as a
 * limit. */
#include "base/units.h"
#include "os/fake/script.h"

#define LATENESS_NS (50 * NS_PER_MS)

static int second_start(struct backend_run *run, struct sooth_error *err)
{
	backend_limit(run, "the order of calls within 50 ms", "the second backend is slow",
		"allow the first");
	return script_calls_start(run, err);
}

static int test_need(const struct os *os, struct sooth_error *err)
{
	return script_fails(fake_of(os), FAKE_NEED_SECOND, err);
}

static const struct need need_second = { "second", "the script allows it", test_need };
static const struct need *const needs[] = { &need_second, NULL };

const struct backend backend_syscalls_second = {
	.name = "second",
	.probe = "syscalls",
	.help = "scripted data for tests, second version",
	.needs = needs,
	.lateness_ns = LATENESS_NS,
	.state_size = sizeof(struct script_calls),
	.open = script_calls_open,
	.set = script_calls_set,
	.start = second_start,
	.drain = script_calls_drain,
	.stop = script_calls_stop,
	.close = script_calls_close,
};
