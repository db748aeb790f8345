/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tool-loop: the model asks for the same tool call again and again, and gets the same result each
 * time, by the agent's log; or for some calls in turn. Each round sends the whole conversation to
 * the model again. A command that polls on purpose waits between its rounds; a batch over many
 * files calls with other arguments.
 *
 * Cannot be seen: whether the user wants it so; rounds that are further up in the log than the part
 * that is read.
 */
#include "analyze/diagnosis/check.h"
#include "base/sentence_units.h"

static const struct finding_option options[] = {
	THRESHOLD("min-times", 6, 2, 1e6, "minimum number of equal rounds"),
	TIME_THRESHOLD("max-pace", 15e9, 1e6, 86400e9,
		"maximum mean time of a round: slower ones poll on purpose"),
};

static void report_loop(struct check_result *out, const struct proc_session *s, uint64_t time_ns)
{
	struct span tool = record_text(&s->record, &s->repeated);
	const char *text = SENTENCE_DURATION(time_ns);

	finding_begin(out, FINDING_CONFIDENCE_HIGH, "");
	if (s->repeated_calls > 1)
		finding_claim(out,
			"in a loop: the same %u tool calls in turn (last: %.*s) with the same "
			"results, %u rounds in %s",
			s->repeated_calls, SPAN_ARGS(tool), s->repeats, text);
	else
		finding_claim(out,
			"in a loop: the same call of %.*s with the same result, %u times in %s",
			SPAN_ARGS(tool), s->repeats, text);
	finding_count(out, "rounds", s->repeats, 0);
	finding_time(out, "time of these rounds", time_ns);
	finding_unseen(out, "earlier rounds: only the end of the log is read");
	finding_remedy(out, "interrupt the agent (Esc at its terminal) and say what to do instead; "
			    "each round uses tokens");
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct proc_session *s = e->process ? e->process->session : NULL;
	uint64_t time_ns; /* 0: the log has no times */

	if (!s) {
		check_fine(out, "no main process of an agent with a log");
		return;
	}
	if (!record_holds(&s->record, PROC_SESSION_WITH_REPEATED) || s->repeats_state) {
		check_fine(out, "its log has no tool calls since the last prompt");
		return;
	}
	time_ns = s->repeats_since_utc_ns && s->repeats_until_utc_ns > s->repeats_since_utc_ns
			  ? s->repeats_until_utc_ns - s->repeats_since_utc_ns
			  : 0;
	if (time_ns && s->turn != PROC_TURN_USER && check_is_over(e, "min-times", s->repeats, "") &&
		time_ns <= check_option(e, "max-pace") * s->repeats)
		report_loop(out, s, time_ns);
	else
		check_fine(out, "its last tool call was made %u time%s in a row", s->repeats,
			s->repeats == 1 ? "" : "s");
}

const struct finding_detector finding_tool_loop = { diagnose, FINDING_OPTIONS(options) };
