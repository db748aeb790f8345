/* SPDX-License-Identifier: BSD-2-Clause */
/* children-killed: a signal ends the children of a process, each in the same way: it comes from the
 * child's own child, from the kernel as memory runs out, or from a process that the parent did not
 * start. A process that ends what it started itself does so on purpose; a crash is
 * children-failing. */
#include <string.h>

#include "analyze/diagnosis/starts.h"
#include "analyze/evidence/ended_children.h"
#include "analyze/evidence/exit_reason_text.h"
#include "base/sentence_units.h"
#include "explain/finding.h"
#include "probes/signal_names.h"

NUMBER(SURE, 5, NONE, "ends by one signal, from which it is certain");
NUMBER(EACH_SHARE, 0.9, NONE, "of the ends of one command that are by the signal");

/* Signal numbers of x86 and arm. */
enum { KILL = 9, PIPE = 13, CPU_LIMIT = 24, SIZE_LIMIT = 25 };

static const struct finding_option options[] = {
	THRESHOLD("min-count", 3, 2, 1e6, "minimum number of processes that were ended alike"),
	THRESHOLD("many", 10, 2, 1e6,
		"minimum number of ends by SIGKILL of the parent; severity is medium from this "
		"number of ends by another process"),
};

/* --- which of them are to be reported --- */

/* Returns whether a program that searches for names sent the signal: it hits processes that its
 * user did not think of. */
static bool is_by_search(const struct ended_children *g)
{
	static const char *const names[] = { "pkill", "killall" };
	struct span sender =
		span_of(g->sender_name, strnlen(g->sender_name, sizeof(g->sender_name)));

	return SPAN_ANY(sender, span_equal, names);
}

static bool is_each(const struct check *e, const struct ended_children *g)
{
	return (double)g->count >= EACH_SHARE * (double)ended_children_count(e, g);
}

/* Returns the severity; FINDING_INFO: nothing to report. */
static enum finding_severity severity_of(const struct check *e, const struct ended_children *g)
{
	bool are_many = (double)g->count >= check_option(e, "many");

	if ((double)g->count < check_option(e, "min-count") ||
		!starts_are_steady(g->early, g->count))
		return FINDING_INFO;
	switch (g->by) {
	case ENDED_BY_MEMORY:
		return FINDING_HIGH;
	case ENDED_BY_OWN_CHILD:
		return is_by_search(g) ? FINDING_MEDIUM : FINDING_LOW;
	case ENDED_BY_KERNEL: /* SIGKILL from the kernel: the end of a sandbox */
		return g->signal == CPU_LIMIT || g->signal == SIZE_LIMIT ? FINDING_MEDIUM
									 : FINDING_INFO;
	case ENDED_BY_OTHER:
		if (g->signal == PIPE || !is_each(e, g))
			return FINDING_INFO;
		return are_many ? FINDING_MEDIUM : FINDING_LOW;
	case ENDED_BY_PARENT:
		return g->signal == KILL && are_many && is_each(e, g) ? FINDING_LOW : FINDING_INFO;
	default:
		return FINDING_INFO;
	}
}

static bool choose(const struct check *e, const struct map *groups, struct ended_children *worst)
{
	enum finding_severity most = FINDING_INFO;

	*worst = (struct ended_children){ 0 };
	map_for_each_value (groups, const struct ended_children *, g) {
		enum finding_severity own = severity_of(e, g);

		if (own == FINDING_INFO || own < most || (own == most && g->count <= worst->count))
			continue;
		most = own;
		*worst = *g;
	}
	return most != FINDING_INFO;
}

/* --- the finding --- */

static bool is_match(const struct ended_children *g)
{
	return g->by == ENDED_BY_OWN_CHILD && g->known && g->matched == g->known;
}

static void claim_by(struct check_result *out, const struct ended_children *g)
{
	int size = (int)strnlen(g->sender_name, sizeof(g->sender_name));

	if (g->by == ENDED_BY_OWN_CHILD)
		finding_claim(out, "its own %s %.*s", g->is_far ? "descendant" : "child", size,
			g->sender_name);
	else if (g->by == ENDED_BY_PARENT)
		finding_claim(out, "its parent %.*s", size, g->sender_name);
	else if (g->by == ENDED_BY_MEMORY || g->by == ENDED_BY_KERNEL)
		finding_claim(out, "the kernel: %s",
			g->by == ENDED_BY_MEMORY ? "out of memory"
			: g->signal == CPU_LIMIT ? "CPU time limit"
						 : "file size limit");
	else if (g->has_senders)
		finding_claim(
			out, "processes named %.*s, which it did not start", size, g->sender_name);
	else
		finding_claim(out, "%.*s (%u), which it did not start", size, g->sender_name,
			g->last_sender.pid);
}

/* "each bash that it starts is ended by SIGTERM of its own child pkill, 6 times in 5 s" */
static void claim(const struct check *e, struct check_result *out, const struct ended_children *g,
	uint64_t interval_ns)
{
	uint64_t all = ended_children_count(e, g);
	char name[SIGNAL_NAME_SIZE], time[UNITS_SIZE];
	bool are_all = g->count == all;

	if (are_all)
		finding_claim(out, "each %.*s that %s is ended by ", END_NAME(g->name),
			g->direct == g->count ? "it starts" : "is started below it");
	else
		finding_claim(out, "%llu of %llu processes (%.*s) that %s are ended, each by ",
			(unsigned long long)g->count, (unsigned long long)all, END_NAME(g->name),
			g->direct == g->count ? "it starts" : "are started below it");
	finding_claim(out, "%s of ", signal_name(name, g->signal));
	claim_by(out, g);
	finding_claim(out, ", %llu times in %s", (unsigned long long)g->count,
		sentence_duration(time, interval_ns));
	if (is_match(g))
		finding_claim(out,
			": %.*s searches for a text that is in the command line of %.*s as well",
			END_NAME(g->sender_name), END_NAME(g->name));
}

static void emit_remedy(
	const struct check *e, struct check_result *out, const struct ended_children *g)
{
	if (g->by == ENDED_BY_MEMORY)
		finding_remedy(out, "give the control group or the host more memory, or start "
				    "fewer or smaller processes");
	else if (is_match(g))
		finding_remedy(out,
			"end the other process by its PID, or put one letter of the pattern into "
			"brackets, so that the pattern does not match itself: pkill -f "
			"'[n]ame'");
	else if (g->by == ENDED_BY_KERNEL)
		finding_remedy(out,
			"raise the limit where the processes are started: ulimit -%s unlimited",
			g->signal == CPU_LIMIT ? "t" : "f");
	else
		finding_remedy(out,
			"find out why %.*s sends the signal: sooth trace -p %u shows the calls of "
			"the process and its children",
			END_NAME(g->sender_name), e->id.pid);
}

static void report(const struct check *e, struct check_result *out, const struct ended_children *g)
{
	uint64_t interval_ns = e->input->host.last_ns - g->first_ns;
	struct buffer status = { 0 };

	exit_reason_text_status(&status, g->status);
	finding_begin(out,
		is_match(g) || g->count >= SURE ? FINDING_CONFIDENCE_HIGH
						: FINDING_CONFIDENCE_MEDIUM,
		"");
	finding_severity(out, severity_of(e, g));
	claim(e, out, g, interval_ns);
	finding_command(out, "command", ended_children_command(e, &g->last));
	if (g->by != ENDED_BY_KERNEL && g->by != ENDED_BY_MEMORY)
		finding_command(
			out, "command of the sender", ended_children_command(e, &g->last_sender));
	finding_count(out, "ended", g->count, interval_ns);
	finding_text(out, "status", "%s", buffer_cstr(&status));
	finding_number(out, "mean time until they are ended", (double)g->life_ns / (double)g->count,
		SOOTH_UNIT_NS, 0);
	if (!g->known && g->by == ENDED_BY_OWN_CHILD)
		finding_unseen(out, "the command lines: which text was searched for");
	if (e->input->endings.children.refused)
		finding_unseen(out, "%llu more ends of descendants: there was no room for them",
			(unsigned long long)e->input->endings.children.refused);
	buffer_fini(&status);
	emit_remedy(e, out, g);
	finding_end(out);
}

/* Reports that the ends of children are known, but not the senders of the signals: the recording is
 * older, or the system does not name them. */
static void report_none(const struct check *e, struct check_result *out, const struct map *groups)
{
	uint64_t count = groups->count ? 0 : ended_children_signaled(e);

	if ((double)count < check_option(e, "min-count"))
		check_fine(out, "no child is ended by a signal again and again");
	else
		check_blind_because(out,
			"processes that it started were ended by signals, and the senders were not "
			"recorded",
			"");
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct ended_children worst;
	struct map groups;

	ended_children_of(&groups, e);
	if (choose(e, &groups, &worst))
		report(e, out, &worst);
	else
		report_none(e, out, &groups);
	map_fini(&groups);
}

const struct finding_type finding_children_killed = {
	.id = "children-killed",
	.worst = FINDING_HIGH,
	.claim = "processes that it starts are ended by a signal, each in the same way",
	.probes = "proc,exit_reasons,short_lived",
	.needs_interval = true,
	.needs_running = true,
	FINDING_OPTIONS(options),
	.diagnose = diagnose,
};
