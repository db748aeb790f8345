/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/monitor/monitor_control.h"

int monitor_control_open(struct monitor_control *c, const char *path, struct sooth_error *err)
{
	return path ? control_open(&c->control, path, err) : 0;
}

void monitor_control_close(struct monitor_control *c)
{
	control_close(&c->control);
}

/* Pauses or resumes all feeds. If one fails, the other feeds still change. */
static int set_paused(struct monitor_control *c, bool is_paused, struct sooth_error *err)
{
	int status = 0;

	for (size_t i = 0; i < FEEDS; i++) {
		struct sooth_error one;
		int failed = feed_pause(c->feeds[i], is_paused, &one);

		if (failed && !status) {
			status = failed;
			*err = one;
		}
	}
	return status;
}

static int pause_all(void *user, struct sooth_error *err)
{
	return set_paused(user, true, err);
}

static int resume_all(void *user, struct sooth_error *err)
{
	return set_paused(user, false, err);
}

static int mark_all(void *user, const char *name, struct sooth_error *err)
{
	struct monitor_control *c = user;
	int status = 0;

	for (size_t i = 0; i < FEEDS && !status; i++)
		status = feed_mark(c->feeds[i], name, err);
	return status;
}

static int scan_now(void *user, struct sooth_error *err)
{
	struct monitor_control *c = user;

	return c->look(c->user, err);
}

static int report(void *user, struct buffer *text, struct sooth_error *err)
{
	const struct monitor_control *c = user;
	struct monitor_feed_row rows[FEEDS];

	(void)err;
	for (size_t i = 0; i < FEEDS; i++) {
		const struct feed *f = c->feeds[i];

		rows[i] = (struct monitor_feed_row){ .name = feed_name(f->id),
			.records = f->records,
			.readers = (uint32_t)f->reader_count,
			.processes = (uint32_t)f->pids.count,
			.is_attached = f->observer != NULL,
			.is_paused = f->is_paused,
			.phase = f->phase.name[0] ? f->phase.name : NULL };
	}
	monitor_report(text, rows, FEEDS, (const void *)c->processes->data,
		c->processes->size / sizeof(struct monitor_process));
	return 0;
}

void monitor_control_serve(struct monitor_control *c)
{
	static const struct control_actions actions = {
		.pause = pause_all,
		.resume = resume_all,
		.mark = mark_all,
		.prepare = scan_now,
		.report = report,
	};

	control_serve(&c->control, &actions, c);
}
