/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/supervise/supervise.h"

#include <errno.h>
#include <signal.h>
#include <sooth/observer.h>
#include <sooth/report.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/units.h"
#include "cli/rights/invoker.h"
#include "cli/supervise/job.h"
#include "cli/supervise/outcome.h"
#include "cli/terminal/log.h"
#include "probes/syscalls.h"

#define LOOK_NS	       NS_PER_S
#define ENDING_LOOK_NS (50 * NS_PER_MS) /* after SIGTERM */
#define STEP_MS	       500
#define STILL_NS       (5 * NS_PER_S) /* without CPU: the command looks stuck */
#define STILL_CPU_NS   (20 * NS_PER_MS)
#define WAITED_NS      (2 * NS_PER_S)	 /* for the reading of waits */
#define PASSING_NS     (500 * NS_PER_MS) /* the same before a signal is passed on */
#define GIVE_UP_NS     (3 * NS_PER_S)	 /* after SIGKILL */

struct supervisor {
	const struct supervise_options *options;
	struct sooth_observer *observer;
	struct sooth_report *report;
	struct tree tree;
	struct outcome outcome;
	uint64_t look_ns;		  /* time of the next look */
	uint64_t still_since_ns, read_ns; /* without CPU; time of the next reading of waits */
	uint64_t still_cpu_ns;
	uint64_t kill_ns; /* after SIGTERM: when SIGKILL follows, or sooth gives up */
	bool has_failed;  /* the observer has */
};

/* --- recording --- */

static void keep_error(struct outcome *o, const struct sooth_record *r)
{
	const struct syscalls_message *m = record_as(r, SYSCALLS_MESSAGE, sizeof(*m));
	struct span text = m ? record_text(r, &m->text) : span_of("", 0);

	if (m && m->kind == SYSCALLS_MESSAGE_ERROR && text.size)
		snprintf(o->error, sizeof(o->error), "%.*s", SPAN_ARGS(text));
}

static int take_record(
	void *user, const struct sooth_schema *schema, const struct sooth_record *record)
{
	struct outcome *o = user;

	(void)schema;
	endings_add_record(&o->endings, record);
	keep_error(o, record);
	return 0;
}

static int start_observer(struct supervisor *s, bool reads_errors, struct sooth_error *err)
{
	struct sooth_observer_options options = { .size = sizeof(options),
		.log = log_print,
		.log_level = log_selected(),
		.calls = { .call_set = "%bytes", .has_call_budget = true, .records_api = true } };
	int status = sooth_report_new(&s->report, "run", err);

	/* As every command that sooth launches: a rule of sudo for sooth allows no other programs.
	 */
	options.has_launch_user = invoker_find(&options.launch_uid, &options.launch_gid);

	if (!status)
		status = sooth_observer_new(&s->observer, &options, err);
	if (!status)
		status = sooth_observer_set_command(s->observer, s->options->command, err);
	if (!status)
		status = sooth_observer_add_probe(
			s->observer, "exit_reasons", SOOTH_SAMPLE | SOOTH_STREAM, err);
	if (!status && reads_errors)
		status = sooth_observer_add_probe(s->observer, "syscalls", SOOTH_STREAM, err);
	if (!status) {
		sooth_report_on_record(s->report, take_record, &s->outcome);
		status = sooth_observer_connect_report(s->observer, s->report, err);
	}
	return status ? status : sooth_observer_start(s->observer, err);
}

static void free_observer(struct supervisor *s)
{
	sooth_observer_free(s->observer);
	sooth_report_free(s->report);
	s->observer = NULL;
	s->report = NULL;
}

/* Launches the command. Where its errors cannot be read, it runs without that. */
static int start_command(struct supervisor *s, struct sooth_error *err)
{
	struct outcome *o = &s->outcome;
	pid_t pid;
	int status;

	o->error_unseen = s->options->reads_errors ? NULL : "--errors reads it, as root";
	status = start_observer(s, s->options->reads_errors, err);
	if (status && s->options->reads_errors &&
		(err->fault == SOOTH_FAULT_PRIVILEGE || err->fault == SOOTH_FAULT_UNSUPPORTED)) {
		free_observer(s);
		o->error_unseen = "only root can read it";
		status = start_observer(s, false, err);
	}
	if (status)
		return status;
	o->start_ns = clock_monotonic_ns();
	pid = sooth_observer_child_pid(s->observer);
	return os_native.identify(&os_native, pid, &o->id, err);
}

/* --- the loop --- */

static bool has_ended(struct supervisor *s)
{
	return sooth_observer_child_status(s->observer) != -1;
}

static void step_observer(struct supervisor *s, uint64_t until_ns)
{
	uint64_t left_ns = increase_u64(until_ns, clock_monotonic_ns());
	int ms = left_ns < STEP_MS * NS_PER_MS ? (int)((left_ns + NS_PER_MS - 1) / NS_PER_MS)
					       : STEP_MS;
	struct sooth_error ignored;
	int status = 0;

	if (s->has_failed)
		os_native.wait(&os_native, NULL, 0, ms < 20 ? ms : 20);
	else
		status = sooth_observer_step(s->observer, ms, &ignored);
	s->has_failed |= status < 0 && status != -EINTR;
}

/* Reads what the command waits for once its processes have used no CPU for some seconds, and again
 * after twice the time: SIGKILL comes without notice. */
static void look_whether_stuck(struct supervisor *s, uint64_t now)
{
	uint64_t cpu_ns = s->tree.cpu_ns;

	if (cpu_ns > s->still_cpu_ns + STILL_CPU_NS || cpu_ns < s->still_cpu_ns) {
		s->still_cpu_ns = cpu_ns;
		s->still_since_ns = now;
		s->read_ns = now + STILL_NS;
		buffer_reset(&s->outcome.waited.text);
	}
	if (now < s->read_ns)
		return;
	waited_read(&s->outcome.waited, (pid_t)s->outcome.id.pid, WAITED_NS);
	s->read_ns = now + (now - s->still_since_ns);
}

static void pass_signal(struct supervisor *s, int number, pid_t sender)
{
	struct outcome *o = &s->outcome;
	struct process_glance g;

	/* A signal of the command to its own process group has reached it already. */
	if (has_ended(s) || tree_has(&s->tree, sender))
		return;
	if (ending_is_request((unsigned)number)) {
		if (!o->waited.text.size)
			waited_read(&o->waited, (pid_t)o->id.pid, PASSING_NS);
		o->passed_signal = number;
		o->passed_sender = sender;
		if (os_native.glance && !os_native.glance(&os_native, sender, &g))
			snprintf(o->passed_name, sizeof(o->passed_name), "%s", g.name);
	}
	kill((pid_t)o->id.pid, number);
}

static void begin_ending(struct supervisor *s)
{
	struct outcome *o = &s->outcome;

	o->limit_ns = s->options->limit_ns;
	waited_read(&o->waited, (pid_t)o->id.pid, WAITED_NS);
	tree_look(&s->tree);
	o->ending_ns = clock_monotonic_ns();
	tree_signal(&s->tree, SIGTERM);
	tree_signal(&s->tree, SIGCONT); /* a stopped process gets it only then */
	s->kill_ns = s->outcome.ending_ns + s->options->kill_after_ns;
	s->look_ns = 0; /* from now on more often */
}

/* Ends what is left after the grace time. False: sooth gives up. */
static bool go_on_ending(struct supervisor *s, uint64_t now)
{
	if (now < s->kill_ns)
		return true;
	/* A process may be uninterruptible, or one that sooth may not signal. */
	if (now >= s->kill_ns + GIVE_UP_NS)
		return false;
	s->outcome.was_killed |= tree_signal(&s->tree, SIGKILL) > 0;
	return true;
}

/* Takes what is due. False: nothing more is to be waited for. */
static bool act_when_due(struct supervisor *s)
{
	uint64_t now = clock_monotonic_ns(), limit_ns = s->options->limit_ns;
	bool is_ending = s->outcome.limit_ns;
	int number;
	pid_t sender;

	job_follow_stop();
	while (job_next_signal(&number, &sender))
		pass_signal(s, number, sender);
	if (now >= s->look_ns) {
		tree_look(&s->tree);
		if (!is_ending)
			look_whether_stuck(s, now);
		s->look_ns = now + (is_ending ? ENDING_LOOK_NS : LOOK_NS);
	}
	if (!is_ending && has_ended(s))
		return false;
	if (!is_ending && limit_ns && now >= s->outcome.start_ns + limit_ns)
		begin_ending(s);
	else if (is_ending)
		return (!has_ended(s) || tree_is_left(&s->tree)) && go_on_ending(s, now);
	return true;
}

static void wait_for_end(struct supervisor *s)
{
	uint64_t limit_ns = s->options->limit_ns, until_ns;
	bool was_there = true;

	do {
		until_ns = s->look_ns;
		if (limit_ns && !s->outcome.limit_ns && s->outcome.start_ns + limit_ns < until_ns)
			until_ns = s->outcome.start_ns + limit_ns;
		step_observer(s, until_ns);
		if (was_there && has_ended(s))
			s->outcome.end_ns = clock_monotonic_ns();
		was_there = !has_ended(s);
	} while (act_when_due(s));
	if (was_there)
		s->outcome.end_ns = clock_monotonic_ns();
}

/* --- the end --- */

static int exit_status_of(const struct outcome *o)
{
	if (o->limit_ns)
		return SUPERVISE_TIMED_OUT;
	return WIFSIGNALED(o->wait_status) ? 128 + WTERMSIG(o->wait_status)
					   : WEXITSTATUS(o->wait_status);
}

/* Explains the end. The exit status of the command stays, whatever fails here. */
static void explain_end(struct supervisor *s)
{
	struct outcome *o = &s->outcome;
	struct buffer text = { 0 };
	struct sooth_error err;

	job_over(); /* what follows may wait for a reader of the output: signals end that */
	if (!s->has_failed)
		sooth_observer_stop(s->observer, SOOTH_END_STOPPED, &err);
	sooth_report_finish(s->report, &err);
	tree_look(&s->tree);
	tree_add_group(&s->tree);
	o->left = s->tree;
	if (o->exit_status) {
		outcome_text(&text, o);
		outcome_print(o, &text);
	}
	if (s->options->json && outcome_write(o, &text, s->options->json, &err))
		command_print_error(&err);
	buffer_fini(&text);
}

/* Checks that the file can be written, before the command runs. */
static int check_file(const char *path, struct sooth_error *err)
{
	struct out_file file = { 0 };
	int status = path ? out_file_open(&file, path, false, err) : 0;

	out_file_close(&file);
	return status;
}

int supervise_run(const struct supervise_options *options, struct sooth_error *err)
{
	struct supervisor s = { .options = options, .outcome.name = options->command[0] };
	struct outcome *o = &s.outcome;
	int status = check_file(options->json, err);

	endings_init(&o->endings);
	job_begin();
	if (!status)
		status = start_command(&s, err);
	job_started((pid_t)o->id.pid);
	if (!status) {
		tree_init(&s.tree, &o->id);
		s.still_since_ns = o->start_ns;
		s.read_ns = o->start_ns + STILL_NS;
		s.look_ns = o->start_ns + LOOK_NS;
		wait_for_end(&s);
		o->wait_status = sooth_observer_child_status(s.observer);
		status = o->exit_status = exit_status_of(o);
		if (status || options->json)
			explain_end(&s);
	}
	free_observer(&s);
	tree_fini(&s.tree);
	waited_fini(&o->waited);
	endings_fini(&o->endings);
	return status;
}
