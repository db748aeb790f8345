/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/watch/watch.h"

#include <assert.h>
#include <unistd.h>

#include "base/units.h"
#include "explain/report.h"

#define LONG_NS (60 * NS_PER_S) /* between frames: a longer wait is announced */

void watch_announce(uint64_t interval_ns)
{
	char every[UNITS_SIZE];

	if (interval_ns >= LONG_NS && isatty(STDERR_FILENO))
		fprintf(stderr, "sooth: refreshing every %s\n", format_ns(every, interval_ns));
}

int watch_alerts(struct alerts *a, const struct alert_options *options,
	const struct watch_front *front, struct sooth_report *report, struct sooth_error *err)
{
	assert(a);

	bool is_silent = a->is_silent;

	alerts_init(a, options);
	a->is_silent = is_silent;
	a->say = front ? front->say : NULL;
	a->said_to = front ? front->stepped : NULL;
	if (front && front->take_alerts)
		front->take_alerts(front->stepped, a);
	alerts_start(a);
	return report_add_sink_type(report, &alert_sink, &(struct sink_options){ .user = a }, err);
}
