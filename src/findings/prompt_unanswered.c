/* SPDX-License-Identifier: BSD-2-Clause */
/* prompt-unanswered: the process asks for something at its terminal, and no answer comes. The
 * program decides: a shell, an editor or a pager that waits for its user is at rest. If a program,
 * and not a person, has the other end of the terminal, an answer will not come by itself. */
#include "analyze/diagnosis/check_waits.h"
#include "analyze/waits/wait_prompts.h"

static const struct finding_option options[] = {
	TIME_THRESHOLD("min-time", 5e9, 1e8, 86400e9, "minimum time without an answer"),
	TIME_THRESHOLD("grave-time", 60e9, 1e8, 86400e9,
		"time without an answer from which the severity is that of the finding, where a "
		"person may type; below: low"),
};

static const struct waits_party *terminal_program_of(
	const struct wait_graph *g, const struct wait_link *link)
{
	const struct waits_party *p = NULL;

	while (link->thread &&
		(p = wait_graph_party(g, link->process->node_pid, link->thread->record.tid, p))) {
		if (p->relation == WAITS_RELATION_TERMINAL && p->party_pid && p->is_alive)
			return p;
	}
	return NULL;
}

enum typist { TYPIST_UNKNOWN, TYPIST_PERSON, TYPIST_PROGRAM };

#define ASKS   "asks for {what} at its terminal {terminal}, and no answer has come for {time}"
#define UNSEEN "the text of the question"
#define ANSWER "answer at that terminal, or end the process: sooth kill --any {pid}"

static const struct claim_row rows[] = {
	[TYPIST_UNKNOWN] = { ASKS, UNSEEN, ANSWER },
	[TYPIST_PERSON] = { ASKS "; {typist} ({typist pid}) has the other end of the terminal",
		UNSEEN, ANSWER },
	[TYPIST_PROGRAM] = { ASKS "; {typist} ({typist pid}) has the other end of the terminal",
		UNSEEN,
		"let {typist} answer, or run the command so that it fails instead of asking: "
		"GIT_TERMINAL_PROMPT=0, ssh -o BatchMode=yes, sudo -n, -y; credentials come from a "
		"helper, a key or a token" },
};

static void report_prompt(const struct check *e, struct check_result *out,
	const struct wait_graph *g, const struct wait_link *link)
{
	const struct waits_party *p = terminal_program_of(g, link);
	struct span name = p ? record_text(&p->record, &p->name) : span_of("", 0);
	struct span terminal = record_text(&link->object->record, &link->object->path);
	uint64_t ns = link->thread->since_ns;
	enum typist typist = !p				      ? TYPIST_UNKNOWN
			     : wait_is_terminal_program(name) ? TYPIST_PERSON
							      : TYPIST_PROGRAM;

	finding_begin(out, FINDING_CONFIDENCE_HIGH, "");
	finding_low_if(out, typist != TYPIST_PROGRAM && ns < check_option(e, "grave-time"));
	finding_path(out, terminal);
	finding_time(out, "no answer for", ns);
	finding_value_text(out, "what", "%s", wait_prompt_of(link));
	finding_value_span(out, "terminal", terminal);
	finding_value_time(out, "time", ns);
	finding_value_span(out, "typist", name);
	finding_value_text(out, "typist pid", "%u", p ? p->party_pid : 0);
	finding_claim_row(out, &rows[typist]);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct wait_link *link;
	struct wait_chain chain;
	struct wait_graph g;

	if (!check_chain_begin(e, out, &g, &chain))
		return;
	link = &chain.links[0];
	if (!wait_prompt_of(link) || !link->thread || check_is_stopped(e))
		check_fine(out, "it asks for nothing at a terminal");
	else if (link->thread->since_state)
		check_blind(out, link->thread->since_state);
	else if (check_is_long(e, out, "min-time", link->thread->since_ns,
			 "it asks for something at its terminal"))
		report_prompt(e, out, &g, link);
}

const struct finding_detector finding_prompt_unanswered = { diagnose, FINDING_OPTIONS(options) };
