/* SPDX-License-Identifier: BSD-2-Clause */
/* A repeated run. A key runs sooth itself, as the user would have typed it. */
#include "cli/watch/watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/units.h"
#include "cli/terminal/stop.h"
#include "explain/report.h"

#define WORDS_MAX 8
#define STEP_MS	  50		  /* between checks for a stop */
#define LONG_NS	  (60 * NS_PER_S) /* between frames: a longer wait is announced */

static bool wants_text(const struct output_options *o)
{
	const char *name = output_sink_name(o, false);

	return !strcmp(name, "table") || !strcmp(name, "text");
}

/* A terminal that cannot be redrawn: report after report, as without one. */
static bool is_dumb(void)
{
	const char *terminal = getenv("TERM");

	return terminal && !strcmp(terminal, "dumb");
}

/* A number behind -w may be a mistyped PID. The screen shows it in its title. */
static void emit_interval(uint64_t interval_ns)
{
	char every[UNITS_SIZE];

	if (interval_ns >= LONG_NS && isatty(STDERR_FILENO))
		fprintf(stderr, "sooth: refreshing every %s\n", format_ns(every, interval_ns));
}

int watch_open(struct screen **out, const struct output_options *output,
	const struct watch_options *watch, struct sooth_report *report, struct sooth_error *err)
{
	struct sooth_sink_options sink = output_sink_options(output, stdout);
	struct screen_options options = { .in = stdin,
		.out = stdout,
		.title = watch->title,
		.interval_ns = watch->interval_ns,
		.keys = watch->keys,
		.is_tree = watch->is_tree };
	int status;

	*out = NULL;
	if (!wants_text(output) || output->output || !isatty(STDIN_FILENO) ||
		!isatty(STDOUT_FILENO) || is_dumb()) {
		emit_interval(watch->interval_ns);
		return 0;
	}
	options.use_color = sink.use_color;
	status = screen_open(out, &options, err);
	if (status)
		return status;
	if (watch->has_screen)
		*watch->has_screen = true;
	return report_add_sink_type(
		report, &screen_sink, &(struct sink_options){ .user = *out }, err);
}

int watch_alerts(struct alerts *a, const struct alert_options *options, struct screen *screen,
	const struct watch_front *front, struct sooth_report *report, struct sooth_error *err)
{
	bool is_silent = a->is_silent;

	alerts_init(a, options);
	a->is_silent = is_silent;
	a->screen = screen;
	a->say = front ? front->say : NULL;
	a->said_to = front ? front->stepped : NULL;
	if (front && front->take_alerts)
		front->take_alerts(front->stepped, a);
	alerts_start(a);
	return report_add_sink_type(report, &alert_sink, &(struct sink_options){ .user = a }, err);
}

/* The command of the key, as the user would have typed it. */
struct typed {
	const char *words[WORDS_MAX];
	char process[48];
};

static void type(struct typed *t, const struct screen_pick *pick)
{
	size_t count = 1;

	*t = (struct typed){ .words = { "sooth" } };
	for (const char *const *word = pick->key->command; *word && count + 2 < WORDS_MAX; word++)
		t->words[count++] = *word;
	if (pick->key->is_act)
		snprintf(t->process, sizeof(t->process), "%u@%llu", pick->pid,
			(unsigned long long)pick->start_ticks);
	else
		snprintf(t->process, sizeof(t->process), "%u", pick->pid);
	t->words[count++] = t->process;
}

static void run_child(const struct typed *t)
{
	signal(SIGINT, SIG_DFL);
	execv("/proc/self/exe", (char *const *)(uintptr_t)t->words);
	_exit(127);
}

/* A request to stop ends the started command too: it may run for ever. */
static void wait_for_end(pid_t child)
{
	bool is_reported = false;

	while (!waitpid(child, NULL, WNOHANG)) {
		if (stop_is_selected() && !is_reported)
			is_reported = !kill(child, SIGTERM);
		poll(NULL, 0, STEP_MS);
	}
}

/*
 * read(2) alone would continue after a signal (stop_catch()). Text that was typed before is
 * treated as a line.
 */
static void wait_for_enter(void)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	char line[64];
	ssize_t size = 1;

	printf("\n-- Enter: back to the list --");
	fflush(stdout);
	while (size > 0 && !stop_is_selected()) {
		if (poll(&in, 1, STEP_MS) <= 0)
			continue;
		size = read(STDIN_FILENO, line, sizeof(line));
		if (size > 0 && memchr(line, '\n', (size_t)size))
			break;
	}
}

/* Ctrl-C ends the started command, not the watch. */
static void run_picked(struct screen *s, const struct screen_pick *pick)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
	struct typed typed;
	pid_t child;

	type(&typed, pick);
	screen_leave(s);
	/* Below the earlier output, where a terminal has one screen only. */
	fputs("\n--", stdout);
	for (size_t i = 0; typed.words[i]; i++)
		printf(" %s", typed.words[i]);
	fputs(" --\n", stdout);
	sigaction(SIGINT, &ignore, &before);
	fflush(stdout);
	child = fork();
	if (!child)
		run_child(&typed);
	if (child > 0)
		wait_for_end(child);
	sigaction(SIGINT, &before, NULL);
	wait_for_enter();
	screen_return(s);
	if (child < 0)
		screen_emit(s, "fork failed");
}

bool watch_step(struct screen *s)
{
	struct screen_pick pick;

	switch (screen_step(s, &pick)) {
	case SCREEN_END:
		return false;
	case SCREEN_RUN:
		run_picked(s, &pick);
		return true;
	default:
		return true;
	}
}
