/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tokens-without-effect: the model answers again and again, and by the agent's log nothing comes of
 * it: no prompt of a user, no tool call with a new result, and no error that was not there before.
 * tool-loop is one call, or two in turn; here any number of calls are repeated, or there are none.
 *
 * A batch over many files has new results, one long request is one answer, and a session that polls
 * on purpose or keeps its cache warm waits between its answers.
 */
#include "analyze/diagnosis/check.h"
#include "base/sentence_units.h"

static const struct finding_option options[] = {
	THRESHOLD("min-turns", 10, 2, 1e6, "minimum number of answers without an effect"),
	THRESHOLD("min-tokens", 20e3, 0, 1e12, "minimum number of tokens, in and out"),
	TIME_THRESHOLD("max-pace", 30e9, 1e6, 86400e9,
		"maximum mean time of an answer: slower ones poll on purpose"),
	UNLISTED_TIME("max-age", 300e9, 1e9, 86400e9,
		"maximum time since the last answer: afterwards the session rests"),
};

static void report_session(
	struct check_result *out, const struct proc_session *s, uint64_t tokens, uint64_t time_ns)
{
	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "");
	finding_claim(out, "%.1fM tokens in %s without an effect: %u answers of the model, ",
		(double)tokens / 1e6, SENTENCE_DURATION(time_ns), s->spent_turns);
	if (s->spent_calls)
		finding_claim(out, "%u tool calls with results that were there before, and",
			s->spent_calls);
	else
		finding_claim(out, "no tool call, and");
	finding_claim(out, " no prompt of the user");
	finding_count(out, "answers without an effect", s->spent_turns, time_ns);
	finding_count(out, "tool calls without a new result", s->spent_calls, time_ns);
	finding_count(out, "tokens sent", (double)s->spent_input_tokens, time_ns);
	finding_count(out, "tokens received", (double)s->spent_output_tokens, time_ns);
	if (s->prompt_utc_ns && s->answer_utc_ns > s->prompt_utc_ns)
		finding_count(out, "answers since the user's last prompt", s->unprompted_turns,
			s->answer_utc_ns - s->prompt_utc_ns);
	finding_unseen(out, "files that a repeated command changes in another way each time");
	finding_remedy(out, "interrupt the agent (Esc at its terminal) and say what to do instead");
}

/* Returns whether the session rests: its user is to write, or the last answer was long ago. If a
 * program or a hook goes on in place of the user, each answer ends a turn: then the session rests
 * only when the next answer does not come. */
static bool is_at_rest(const struct check *e, const struct proc_session *s, uint64_t time_ns)
{
	uint64_t now = host_state_utc(&e->input->host);
	uint64_t age_ns = now > s->answer_utc_ns ? now - s->answer_utc_ns : 0;
	bool is_users = !s->turn_state && s->turn == PROC_TURN_USER;
	bool goes_on = (double)s->spent_turns >= s->spent_calls + check_option(e, "min-turns");

	if (is_users && (!goes_on || age_ns * s->spent_turns > 2 * time_ns))
		return true;
	return (double)age_ns > check_option(e, "max-age");
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct proc_session *s = e->process ? e->process->session : NULL;
	uint64_t tokens, time_ns;

	if (!s || !record_holds(&s->record, PROC_SESSION_WITH_JOB) || s->progress_state) {
		check_fine(out, "no main process of an agent with a log of its answers");
		return;
	}
	tokens = s->spent_input_tokens + s->spent_output_tokens;
	time_ns = s->answer_utc_ns > s->effect_utc_ns ? s->answer_utc_ns - s->effect_utc_ns : 0;
	if (time_ns && !is_at_rest(e, s, time_ns) &&
		check_is_over(e, "min-turns", s->spent_turns, "") &&
		(double)tokens >= check_option(e, "min-tokens") &&
		(double)time_ns <= check_option(e, "max-pace") * s->spent_turns &&
		!check_has_finding(e, "tool-loop"))
		report_session(out, s, tokens, time_ns);
	else
		check_fine(out, "%u answer%s since the last effect", s->spent_turns,
			s->spent_turns == 1 ? "" : "s");
}

const struct finding_detector finding_tokens_without_effect = { diagnose,
	FINDING_OPTIONS(options) };
