/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/exit_reason_text.h"

#include <assert.h>

#include "base/units.h"
#include "probes/signal_names.h"

#define KILL_SIGNAL 9

/* Signal numbers on x86 and arm (signal(7)). */
bool exit_reason_is_fault(unsigned signal)
{
	enum { ILL = 4, TRAP = 5, BUS = 7, FPE = 8, SEGV = 11, BAD_CALL = 31 };

	return signal == SEGV || signal == BUS || signal == ILL || signal == FPE ||
	       signal == TRAP || signal == BAD_CALL;
}

void exit_reason_text_status(struct buffer *out, uint32_t status)
{
	char name[SIGNAL_NAME_SIZE];

	if (!END_SIGNAL(status))
		buffer_format(out, "exit status %u", END_EXIT(status));
	else
		buffer_format(out, "%s%s", signal_name(name, END_SIGNAL(status)),
			END_HAS_CORE(status) ? ", with a core" : "");
}

void exit_reason_text_sender(
	struct buffer *out, const struct ending *of, const struct exit_reasons_signal *s)
{
	assert(of);
	assert(s);
	if (s->is_from_kernel) {
		buffer_string(out, "the kernel");
		return;
	}
	if (s->sender_pid == of->id.pid) {
		buffer_string(out, "itself");
		return;
	}
	buffer_format(out, "%s%.*s (pid %u)", s->is_from_parent ? "its parent " : "",
		END_NAME(s->sender_name), s->sender_pid);
	/* The parent of the kill command says more than kill itself. */
	if (!s->is_from_parent && s->sender_parent_pid > 1)
		buffer_format(out, ", started by %.*s (pid %u)", END_NAME(s->sender_parent_name),
			s->sender_parent_pid);
}

bool exit_reason_is_oom(const struct ending *of, uint32_t status)
{
	assert(of);
	return END_SIGNAL(status) == KILL_SIGNAL &&
	       (of->has_oom || (!of->end.oom_state && of->end.is_oom_victim));
}

uint8_t exit_reason_text_end(struct buffer *out, const struct endings *all, const struct ending *of)
{
	const struct exit_reasons_signal *sent;
	char name[SIGNAL_NAME_SIZE];
	uint32_t status;
	uint8_t state = ending_status(all, of, &status);
	unsigned signal = state ? 0 : END_SIGNAL(status);

	if (state)
		return state;
	if (exit_reason_is_oom(of, status)) {
		buffer_string(out, "killed by the kernel: out of memory");
		return state;
	}
	sent = signal ? ending_signal(of, signal) : ending_request(of);
	if (exit_reason_is_fault(signal) && (!sent || sent->is_from_kernel)) {
		buffer_format(out, "crashed: %s", signal_name(name, signal));
		return state;
	}
	if (signal)
		buffer_format(out, "%s by %s", signal == KILL_SIGNAL ? "killed" : "ended",
			signal_name(name, signal));
	else
		buffer_format(out, "exited with status %u", END_EXIT(status));
	if (!sent)
		return state;
	if (!signal)
		buffer_format(out, " after %s", signal_name(name, sent->signal));
	buffer_string(out, " from ");
	exit_reason_text_sender(out, of, sent);
	return state;
}

void exit_reason_text_core(struct buffer *out, const struct exit_reasons_core *core)
{
	assert(core);

	struct span path =
		core->path_state ? span_of("", 0) : record_text(&core->record, &core->path);
	struct span handler =
		core->handler_state ? span_of("", 0) : record_text(&core->record, &core->handler);
	char size[UNITS_SIZE];

	if (path.size) {
		buffer_append(out, path.data, path.size);
		if (!core->size_state)
			buffer_format(out, ", %s", format_bytes(size, core->size_bytes));
	} else if (handler.size) {
		buffer_string(out, "handed to ");
		buffer_append(out, handler.data, handler.size);
	}
}
