/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/diagnosis/ending_claim.h"

#define SHELL_NO_RUN 126
#define SHELL_NONE   127
#define SIGNALS_MAX  64

bool ending_is_request(unsigned signal)
{
	return signal == SIGNAL_TERMINATE || signal == SIGNAL_INTERRUPT ||
	       signal == SIGNAL_HANGUP || signal == SIGNAL_QUIT;
}

bool ending_is_sent(const struct ending_cause *w)
{
	return w->fatal && !w->fatal->is_from_kernel && w->fatal->sender_pid != w->of->id.pid;
}

const struct exit_reasons_log *ending_log_about(const struct ending_cause *w, unsigned what)
{
	return w->log && w->log->what == what ? w->log : NULL;
}

static void claim_sent(struct buffer *out, const struct ending_cause *w, const char *verb)
{
	char name[SIGNAL_NAME_SIZE];

	buffer_format(out, "%s by %s from ", verb, signal_name(name, w->signal));
	exit_reason_text_sender(out, w->of, w->fatal);
}

static void claim_oom(struct buffer *out, const struct ending_cause *w)
{
	const struct exit_reasons_log *log = ending_log_about(w, EXIT_REASONS_LOG_OOM);
	struct span group =
		log && !log->group_state ? record_text(&log->record, &log->group) : span_of("", 0);

	if (log && log->is_of_group)
		buffer_format(out, "killed by the kernel: control group %.*s ran out of memory",
			SPAN_ARGS(group));
	else
		buffer_format(out, "killed by the kernel: %s",
			log ? "the host ran out of memory" : "out of memory");
}

static void claim_exit(struct buffer *out, unsigned code)
{
	char name[SIGNAL_NAME_SIZE];

	if (code == SHELL_NO_RUN || code == SHELL_NONE)
		buffer_format(out, "exited with status %u (shell: command %s)", code,
			code == SHELL_NONE ? "not found" : "cannot be run");
	else if (code > END_SHELL_SIGNAL && code <= END_SHELL_SIGNAL + SIGNALS_MAX)
		buffer_format(out, "exited with status %u (shell: its command was ended by %s)",
			code, signal_name(name, code - END_SHELL_SIGNAL));
	else
		buffer_format(out, "exited with status %u", code);
}

bool ending_is_crash(const struct ending_cause *w)
{
	return exit_reason_is_fault(w->signal) || w->signal == SIGNAL_ABORT;
}

bool ending_is_at_hard_limit(const struct ending_cause *w)
{
	return w->signal == SIGNAL_KILL && w->fatal && w->fatal->is_from_kernel &&
	       !w->of->end.limits_state && w->of->end.cpu_hard_s != EXIT_REASONS_UNLIMITED;
}

/* Claims a signal that no other process sent. */
static void claim_signal(struct buffer *out, const struct ending_cause *w)
{
	bool is_from_kernel = w->fatal && w->fatal->is_from_kernel;
	char name[SIGNAL_NAME_SIZE];

	signal_name(name, w->signal);
	if (w->signal == SIGNAL_ABORT)
		buffer_format(out, "aborted (SIGABRT): a check inside the program failed");
	else if (ending_is_crash(w) && w->fatal && !w->fatal->address_state)
		buffer_format(out, "crashed: %s at address 0x%llx", name,
			(unsigned long long)w->fatal->address);
	else if (ending_is_crash(w))
		buffer_format(out, "crashed: %s", name);
	else if (w->signal == SIGNAL_SIZE_LIMIT || w->signal == SIGNAL_CPU_LIMIT)
		buffer_format(out, "hit its %s limit (%s)",
			w->signal == SIGNAL_SIZE_LIMIT ? "file size" : "CPU time", name);
	else if (w->signal == SIGNAL_KILL && w->fatal && !is_from_kernel)
		buffer_format(out, "the process killed itself (SIGKILL)");
	else if (w->signal == SIGNAL_KILL)
		buffer_format(out, "killed by %s%s", w->fatal ? "the kernel" : "SIGKILL",
			ending_is_at_hard_limit(w) ? ", perhaps at its hard CPU time limit" : "");
	else if (w->signal == SIGNAL_PIPE)
		buffer_format(out, "the process wrote to a pipe or socket without a reader, and "
				   "the kernel ended it (SIGPIPE)");
	else
		buffer_format(out, "ended by %s%s", name,
			is_from_kernel ? " sent by the kernel (for Ctrl-C in a terminal, or a "
					 "timer that expired)"
				       : "");
}

uint8_t ending_find_cause(const struct endings *all, const struct ending *of, uint64_t from_ns,
	struct ending_cause *w)
{
	uint8_t state;

	*w = (struct ending_cause){ .of = of, .log = endings_log(all, of->id.pid, from_ns) };
	state = ending_status(all, of, &w->status);
	if (state)
		return state;
	w->signal = END_SIGNAL(w->status);
	w->fatal = w->signal ? ending_signal(of, w->signal) : NULL;
	w->core = of->core ? of->core : endings_stored(all, of->id.pid);
	w->is_oom = w->signal == SIGNAL_KILL &&
		    (exit_reason_is_oom(of, w->status) ||
			    (of->end.oom_state && ending_log_about(w, EXIT_REASONS_LOG_OOM)));
	return state;
}

void ending_claim(struct buffer *out, const struct ending_cause *w)
{
	if (w->is_oom)
		claim_oom(out, w);
	else if (!w->signal)
		claim_exit(out, END_EXIT(w->status));
	else if (ending_is_sent(w))
		claim_sent(out, w, w->signal == SIGNAL_KILL ? "killed" : "ended");
	else
		claim_signal(out, w);
}
