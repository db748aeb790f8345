/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/run_so_far.h"

#include <assert.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/units.h"
#include "explain/report.h"

#define FIRST_NS (600 * NS_PER_MS) /* time since the run began; by then there are samples */
#define AGAIN	 3		   /* the next line comes after so many times of that */

void run_so_far_begin(struct run_so_far *s, struct findings_so_far *of,
	const struct output_options *output, uint64_t now_ns)
{
	bool is_for_people = !output->json && !output->format && !output->output &&
			     isatty(STDOUT_FILENO) && isatty(STDERR_FILENO);

	assert(s);
	*s = (struct run_so_far){ .of = is_for_people ? of : NULL,
		.use_color = output_sink_options(output, stderr).use_color,
		.begin_ns = now_ns,
		.due_ns = now_ns + FIRST_NS,
		.pause_ns = FIRST_NS };
}

_Noreturn static void show_line(
	struct findings_so_far *of, bool use_color, struct sooth_report *report, struct progress *p)
{
	struct sooth_error ignored;

	of->is_requested = true;
	if (report_emit_so_far(report, &ignored) < 0 || !of->line.size)
		_exit(1);
	progress_put(p, (const char *)of->line.data, of->line.size, use_color ? of->color : NULL);
	_exit(0);
}

void run_so_far_step(struct run_so_far *s, struct sooth_report *report, struct progress *progress,
	uint64_t now_ns)
{
	int status = 1;

	assert(s);
	if (s->copy && !waitpid(s->copy, &status, WNOHANG))
		return;		 /* it may write */
	if (s->copy && status) { /* nothing is known yet, and each copy costs an analysis */
		s->due_ns = now_ns + s->pause_ns;
		s->pause_ns *= 2;
	}
	s->copy = 0;
	progress->has_text |= !status;
	progress_step(progress, now_ns);
	if (!s->of || !progress->doing || now_ns < s->due_ns)
		return;
	s->due_ns = now_ns + (AGAIN - 1) * (now_ns - s->begin_ns);
	s->copy = fork();
	if (!s->copy)
		show_line(s->of, s->use_color, report, progress);
	s->copy = s->copy > 0 ? s->copy : 0;
}

/* Kills the copy: it has the descriptors of the probes, which would stay open as long as it
 * runs. */
void run_so_far_end(struct run_so_far *s)
{
	assert(s);
	if (!s->copy)
		return;
	kill(s->copy, SIGKILL);
	waitpid(s->copy, NULL, 0);
	s->copy = 0;
}
