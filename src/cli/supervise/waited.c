/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/supervise/waited.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "cli/command/own_command.h"

#define COLUMNS 4000 /* one line */

void waited_read(struct waited *w, pid_t pid, uint64_t timeout_ns)
{
	uint64_t now = clock_monotonic_ns(), end_ns = now + timeout_ns;
	struct buffer text = { 0 };
	struct own_command why;
	char target[16];
	const char *words[] = { "sooth", "why", "--color", "never", target, NULL };

	snprintf(target, sizeof(target), "%d", (int)pid);
	if (own_command_start(&why, words, COLUMNS))
		return;
	while (why.pid && now < end_ns) {
		struct pollfd out = { .fd = why.out, .events = POLLIN };

		poll(&out, 1, (int)((end_ns - now) / NS_PER_MS) + 1);
		own_command_read(&why, &text);
		now = clock_monotonic_ns();
	}
	/* An error goes to the same pipe. */
	if (!why.pid && text.size && strncmp(buffer_cstr(&text), "sooth: ", 7)) {
		text.size = strcspn(buffer_cstr(&text), "\n");
		buffer_reset(&w->text);
		buffer_append(&w->text, text.data, text.size);
		w->time_ns = now;
	}
	own_command_end(&why);
	buffer_fini(&text);
}

void waited_fini(struct waited *w)
{
	buffer_fini(&w->text);
}
