/* SPDX-License-Identifier: BSD-2-Clause */
/* The screen as a whole: frames come in, keys are taken, and what is new is drawn. */
#include "cli/top/top.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/units.h"
#include "cli/top/alerting.h"
#include "cli/top/state.h"
#include "cli/top/terminal.h"
#include "cli/terminal/stop.h"

#define WAIT_MS	 200 /* longest wait for a key */
#define SOON_MS	 50  /* longest wait for a frame, or for the text of a pane */
#define MS_PER_S 1000

static void show_screen(struct top *t)
{
	int columns, rows, before = t->canvas.rows;

	terminal_size(t->terminal, &columns, &rows);
	canvas_resize(&t->canvas, columns, rows);
	if (rows != before)
		top_arrange(t);
	top_draw(t);
	terminal_show(t->terminal, &t->canvas);
}

/* Handles typed keys and draws what is new. False: the user, or the terminal, is gone. */
static bool step(void *user)
{
	struct top *t = user;
	bool is_touched = t->is_new;
	struct top_mouse mouse;
	int key;

	if (terminal_is_gone(t->terminal))
		return false;
	while ((key = terminal_key(t->terminal, &mouse)) != TOP_KEY_NONE) {
		if (key == TOP_KEY_RESIZE)
			terminal_redraw(t->terminal);
		if (!top_handle_key(t, key, &mouse))
			return false;
		is_touched = true;
		/* Keys typed before a question is seen are no answer. */
		if (t->act.stage == TOP_ACT_ASKS && !t->act.is_seen) {
			terminal_forget_typed(t->terminal);
			t->act.is_seen = true;
		}
	}
	if (t->copied[0])
		terminal_copy(t->terminal, t->copied);
	t->copied[0] = '\0';
	is_touched |= top_pane_step(&t->pane);
	/* Beside the first frame: neither waits for the other. */
	if (!t->replay && t->model.frames && !t->finder.is_started && t->options.findings_ns)
		finder_start(&t->finder, t->options.findings_ns);
	if (finder_update_findings(&t->finder)) {
		top_alert_on_findings(t);
		finder_set_session_findings(&t->finder, &t->model);
		top_arrange_frame(t);
		is_touched = true;
	}
	if (is_touched)
		show_screen(t);
	t->is_new = false;
	return true;
}

/* Waits for a key until the next sample is due; a frame comes a moment after its sample. */
static void wait_for_key(void *user)
{
	struct top *t = user;
	double due_s = t->model.last_s + (double)t->interval_ns / (double)NS_PER_S -
		       (double)clock_monotonic_ns() / (double)NS_PER_S;
	int ms = due_s > 0 && due_s * MS_PER_S < WAIT_MS ? (int)(due_s * MS_PER_S) + 1
		 : due_s > 0				 ? WAIT_MS
							 : SOON_MS;

	if (pane_text_is_running(&t->pane.text) && ms > SOON_MS)
		ms = SOON_MS;
	terminal_wait(t->terminal, ms);
}

static int refuse_without_terminal(struct sooth_error *err)
{
	error_set(err, -ENOTTY, SOOTH_FAULT_USAGE, "draw a screen");
	error_why(err, "standard input and output are not both a terminal");
	return error_remedy(err, "sooth ps -w prints a table for each refresh");
}

int top_open(struct top **out, const struct top_options *options, struct sooth_error *err)
{
	assert(options);

	const struct theme *theme = theme_called(options->theme ? options->theme : "default");
	struct top *t = calloc(1, sizeof(*t));
	int status;

	*out = NULL;
	if (!isatty(fileno(options->in)) || !isatty(fileno(options->out))) {
		free(t);
		return refuse_without_terminal(err);
	}
	if (!t)
		return error_no_memory(err);
	top_init(t, options);
	status = terminal_open(&t->terminal, options->in, options->out, options->use_color, err);
	if (status) {
		top_fini(t);
		free(t);
		return status;
	}
	stop_catch_quit();
	terminal_set_theme(t->terminal, options->use_color ? theme : theme_called("mono"));
	show_screen(t);
	*out = t;
	return 0;
}

static void show_message(void *user, const char *text)
{
	struct top *t = user;

	top_say(t, "%s", text);
	t->is_new = true;
}

static void show_alerts(void *user, struct alerts *alerts)
{
	struct top *t = user;

	t->alerting.alerts = alerts;
}

struct watch_front top_front(struct top *t)
{
	assert(t);
	return (struct watch_front){ .sink = &top_sink,
		.user = &t->frames,
		.step = step,
		.wait = wait_for_key,
		.stepped = t,
		.say = show_message,
		.take_alerts = t->options.has_own_alerts ? NULL : show_alerts,
		.interval_ns = &t->interval_ns };
}

const bool *top_shows_all(const struct top *t)
{
	assert(t);
	return &t->shows_all;
}

bool top_begin_replay(struct top *t)
{
	assert(t);
	t->replay = calloc(1, sizeof(*t->replay));
	return t->replay != NULL;
}

void top_replay(struct top *t)
{
	assert(t);
	replay_step(t->replay, &t->model, (long)t->replay->count);
	top_arrange(t);
	t->is_new = true;
	while (!stop_is_selected() && step(t))
		terminal_wait(t->terminal, WAIT_MS);
}

void top_close(struct top *t)
{
	if (!t)
		return;
	terminal_close(t->terminal);
	top_fini(t);
	free(t);
}
