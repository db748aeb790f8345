/* SPDX-License-Identifier: BSD-2-Clause */
/* children-killed: a signal ends the children of a process, each in the same way. A process that
 * ends what it started itself does so on purpose; a crash is children-failing. */
#include <string.h>

#include "analyze/diagnosis/starts.h"
#include "analyze/evidence/scripts.h"
#include "base/cleanup.h"
#include "base/sentence_units.h"
#include "probes/signal_names.h"

#define GROUPS_MAX   1024
#define UP_MAX	     16
#define COMMAND_SIZE 1024

NUMBER(SURE, 5, NONE, "ends by one signal, from which it is certain");
NUMBER(EACH_SHARE, 0.9, NONE, "of the ends of one command that are by the signal");

static const struct finding_option options[] = {
	THRESHOLD("min-count", 3, 2, 1e6, "minimum number of processes that were ended alike"),
	THRESHOLD("many", 10, 2, 1e6,
		"minimum number of ends by SIGKILL of the parent; severity is medium from this "
		"number of ends by another process"),
};

/* The descendants that were ended by signals, grouped by name, signal and way: a single end may be
 * intended, but rarely the same end again and again. */

enum ended_by {
	ENDED_BY_UNSEEN, /* the sender is not known */
	ENDED_BY_ITSELF, /* itself, or PR_SET_PDEATHSIG because its parent ended */
	ENDED_BY_TREE,	 /* the diagnosed process, or one that it started */
	ENDED_BY_PARENT,
	ENDED_BY_OTHER,	    /* a process that the diagnosed one did not start */
	ENDED_BY_OWN_CHILD, /* a child or another descendant of the ended process */
	ENDED_BY_KERNEL,
	ENDED_BY_MEMORY, /* the OOM killer */
};

struct group_key {
	uint32_t by;	 /* enum ended_by */
	uint32_t signal; /* signal that ended the child, or was sent to it */
	uint32_t status; /* status of the child, as wait(2) gives it */
	uint32_t unused;
	char name[EXIT_REASONS_NAME_SIZE], sender_name[EXIT_REASONS_NAME_SIZE];
};

struct ended_children {
	struct group_key key;
	uint64_t count;
	uint64_t early;	   /* children of `count` that ended in the first half of the observation */
	uint64_t direct;   /* children of `count` that were children of the process itself */
	uint64_t known;	   /* children of `count` for which the command lines of both processes are
			      known */
	uint64_t matched;  /* children of `known` whose command line has the text that the sender
			      searched for */
	uint64_t life_ns;  /* total */
	uint64_t first_ns; /* the first end */
	struct process_id last, last_sender;
	bool has_senders; /* different processes */
	bool is_far;	  /* a sender is the child of a child, or further below */
};

/* --- the sender --- */

static struct process_id sender_of(const struct exit_reasons_child *c)
{
	return (struct process_id){ .start_ticks = c->sender_start_ticks, .pid = c->sender_pid };
}

static struct process_id child_of(const struct exit_reasons_child *c)
{
	return (struct process_id){ .start_ticks = c->child_start_ticks, .pid = c->child_pid };
}

/* Sets `id` to the parent of that process. False: not known. */
static bool find_parent(const struct check *e, struct process_id *id)
{
	const struct short_lived_process *p = map_get(&e->input->host.short_lived.processes, id);
	const struct process_entry *entry = process_table_get(&e->input->host.process_table, id);

	if (p) {
		*id = p->parent;
		return true;
	}
	entry = entry ? starts_parent(entry) : NULL;
	if (entry)
		*id = entry->id;
	return entry != NULL;
}

/* Finds how the child ended, from the sender of the signal upward: `sudo pkill` is a grandchild. */
static enum ended_by climb_from_sender(const struct check *e, const struct exit_reasons_child *c)
{
	struct process_id id = sender_of(c), child = child_of(c);

	if (c->sender_parent_pid == c->child_pid)
		return ENDED_BY_OWN_CHILD;
	for (unsigned i = 0; i < UP_MAX; i++) {
		if (process_id_equal(&id, &child))
			return ENDED_BY_OWN_CHILD;
		if (process_id_equal(&id, &e->id))
			return ENDED_BY_TREE;
		if (!find_parent(e, &id))
			break;
	}
	return ENDED_BY_OTHER;
}

static enum ended_by how_ended(const struct check *e, const struct exit_reasons_child *c)
{
	if (c->is_oom_victim)
		return ENDED_BY_MEMORY;
	if (c->is_from_kernel)
		return ENDED_BY_KERNEL;
	if (c->sender_state)
		return ENDED_BY_UNSEEN;
	/* For SIGXFSZ the kernel names the process that wrote too much as the sender. */
	if (c->sender_pid == c->child_pid)
		return c->signal == SIGNAL_SIZE_LIMIT ? ENDED_BY_KERNEL : ENDED_BY_ITSELF;
	if (c->is_sender_ending) /* the child asked for the signal (PR_SET_PDEATHSIG) */
		return ENDED_BY_ITSELF;
	if (c->sender_pid == c->parent_pid)
		return ENDED_BY_PARENT;
	return climb_from_sender(e, c);
}

/* --- what it searched for --- */

/* Returns the arguments of a process, NUL-separated, masked and perhaps cut; empty: not known. */
static struct span command_of(const struct check *e, const struct process_id *id)
{
	const struct short_lived *b = &e->input->host.short_lived;
	const struct process_entry *p = process_table_get(&e->input->host.process_table, id);
	const uint64_t *hash = map_get(&b->commands, id);
	struct span known = hash ? short_lived_command(b, *hash) : (struct span){ 0 };

	if (known.size || !p)
		return known;
	return process_table_known_arguments(p);
}

/* Returns whether the pattern is in the command line, with blanks as pkill joins it. */
static bool has_pattern(struct span arguments, struct span pattern)
{
	char text[COMMAND_SIZE];
	size_t size = arguments.size < sizeof(text) ? arguments.size : sizeof(text);

	for (size_t i = 0; i < size; i++)
		text[i] = arguments.data[i] ? arguments.data[i] : ' ';
	return pattern.size <= size && memmem(text, size, pattern.data, pattern.size);
}

static void add_match(
	const struct check *e, struct ended_children *g, const struct exit_reasons_child *c)
{
	struct process_id child = child_of(c), sender = sender_of(c);
	struct span own = command_of(e, &child);
	struct span of_sender = command_of(e, &sender);
	struct span pattern = self_match_of_pkill(of_sender);

	if (!own.size || !of_sender.size)
		return;
	g->known++;
	g->matched += pattern.size && has_pattern(own, pattern);
}

/* --- groups --- */

static void add_child(const struct check *e, struct map *groups, const struct exit_reasons_child *c,
	uint64_t middle_ns)
{
	struct group_key key = { .by = how_ended(e, c), .status = c->status };
	struct process_id sender = sender_of(c);
	struct ended_children *g;

	key.signal = END_SIGNAL(c->status) ? END_SIGNAL(c->status) : c->signal;
	memcpy(key.name, c->name, strnlen(c->name, sizeof(key.name)));
	memcpy(key.sender_name, c->sender_name, strnlen(c->sender_name, sizeof(key.sender_name)));
	g = map_put(groups, &key, NULL);
	if (!g)
		return;
	g->key = key;
	g->has_senders |= g->count && !process_id_equal(&g->last_sender, &sender);
	if (!g->count++ || c->record.time_ns < g->first_ns)
		g->first_ns = c->record.time_ns;
	g->early += c->record.time_ns < middle_ns;
	g->direct += c->parent_pid == e->id.pid && c->parent_start_ticks == e->id.start_ticks;
	g->life_ns += c->life_ns;
	g->is_far |= c->sender_parent_pid != c->child_pid;
	g->last = child_of(c);
	g->last_sender = sender;
	add_match(e, g, c);
}

/* Sets `groups` to a map of the groups, which the caller releases; the value is struct
 * ended_children. */
static void read_groups(struct map *groups, const struct check *e)
{
	uint64_t from_ns = starts_from_ns(e);
	uint64_t middle_ns = from_ns + (e->input->host.last_ns - from_ns) / 2;

	map_init(groups, sizeof(struct group_key), sizeof(struct ended_children), GROUPS_MAX);
	map_for_each_value (&e->input->endings.children, const struct exit_reasons_child *, c) {
		struct process_id watched = process_id_of(&c->record);

		/* With status 0 the child handled the request to end. */
		if (c->status && process_id_equal(&watched, &e->id))
			add_child(e, groups, c, middle_ns);
	}
}

/* Returns how many descendants with this name are known to have ended, in any way, from the first
 * one of the group on: the probes do not begin at the same time. */
static uint64_t count_ends(const struct check *e, const struct ended_children *g)
{
	uint64_t count = 0;

	map_for_each_value (
		&e->input->host.short_lived.processes, const struct short_lived_process *, p)
		count += p->end_ns >= g->first_ns &&
			 !strncmp(p->name, g->key.name, sizeof(p->name)) &&
			 starts_is_of(e, starts_living(p->starter));
	return count > g->count ? count : g->count;
}

/* Returns how many descendants ended by a signal that is not of their own making; where the senders
 * were not recorded, that is all that is known. */
static uint64_t count_signaled(const struct check *e)
{
	uint64_t count = 0;

	map_for_each_value (
		&e->input->host.short_lived.processes, const struct short_lived_process *, p) {
		unsigned signal = END_SIGNAL(p->status);

		count += signal && signal != SIGNAL_ABORT && signal != SIGNAL_PIPE &&
			 !exit_reason_is_fault(signal) &&
			 starts_is_of(e, starts_living(p->starter));
	}
	return count;
}

/* --- which of them are to be reported --- */

/* Returns whether a program that searches for names sent the signal: it hits processes that its
 * user did not think of. */
static bool is_by_search(const struct ended_children *g)
{
	static const char *const names[] = { "pkill", "killall" };

	return SPAN_ANY(span_of(g->key.sender_name,
				strnlen(g->key.sender_name, sizeof(g->key.sender_name))),
		span_equal, names);
}

static bool ends_each_time(const struct check *e, const struct ended_children *g)
{
	return (double)g->count >= EACH_SHARE * (double)count_ends(e, g);
}

/* Returns the severity; FINDING_INFO: nothing to report. */
static enum finding_severity severity_of(const struct check *e, const struct ended_children *g)
{
	bool are_many = (double)g->count >= check_option(e, "many");

	if ((double)g->count < check_option(e, "min-count") ||
		!starts_are_steady(g->early, g->count))
		return FINDING_INFO;
	switch (g->key.by) {
	case ENDED_BY_MEMORY:
		return FINDING_HIGH;
	case ENDED_BY_OWN_CHILD:
		return is_by_search(g) ? FINDING_MEDIUM : FINDING_LOW;
	case ENDED_BY_KERNEL: /* SIGKILL from the kernel: the end of a sandbox */
		return g->key.signal == SIGNAL_CPU_LIMIT || g->key.signal == SIGNAL_SIZE_LIMIT
			       ? FINDING_MEDIUM
			       : FINDING_INFO;
	case ENDED_BY_OTHER:
		if (g->key.signal == SIGNAL_PIPE || !ends_each_time(e, g))
			return FINDING_INFO;
		return are_many ? FINDING_MEDIUM : FINDING_LOW;
	case ENDED_BY_PARENT:
		return g->key.signal == SIGNAL_KILL && are_many && ends_each_time(e, g)
			       ? FINDING_LOW
			       : FINDING_INFO;
	default:
		return FINDING_INFO;
	}
}

static bool choose_worst(
	const struct check *e, const struct map *groups, struct ended_children *worst)
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

static bool hits_own_command(const struct ended_children *g)
{
	return g->key.by == ENDED_BY_OWN_CHILD && g->known && g->matched == g->known;
}

/* "each bash that it starts is ended by SIGTERM of its own child pkill, 6 times in 5 s" */
static void emit_claim(const struct check *e, struct check_result *out,
	const struct ended_children *g, uint64_t interval_ns)
{
	uint64_t all = count_ends(e, g);
	char name[SIGNAL_NAME_SIZE];
	bool are_all = g->count == all;

	if (are_all)
		finding_claim(out, "each %.*s that %s is ended by ", END_NAME(g->key.name),
			g->direct == g->count ? "it starts" : "is started below it");
	else
		finding_claim(out, "%llu of %llu processes (%.*s) that %s are ended, each by ",
			(unsigned long long)g->count, (unsigned long long)all,
			END_NAME(g->key.name),
			g->direct == g->count ? "it starts" : "are started below it");
	finding_claim(out, "%s of ", signal_name(name, g->key.signal));
	if (g->key.by == ENDED_BY_OWN_CHILD)
		finding_claim(out, "its own %s %.*s", g->is_far ? "descendant" : "child",
			END_NAME(g->key.sender_name));
	else if (g->key.by == ENDED_BY_PARENT)
		finding_claim(out, "its parent %.*s", END_NAME(g->key.sender_name));
	else if (g->key.by == ENDED_BY_MEMORY || g->key.by == ENDED_BY_KERNEL)
		finding_claim(out, "the kernel: %s",
			g->key.by == ENDED_BY_MEMORY	    ? "out of memory"
			: g->key.signal == SIGNAL_CPU_LIMIT ? "CPU time limit"
							    : "file size limit");
	else if (g->has_senders)
		finding_claim(out, "processes named %.*s, which it did not start",
			END_NAME(g->key.sender_name));
	else
		finding_claim(out, "%.*s (%u), which it did not start",
			END_NAME(g->key.sender_name), g->last_sender.pid);
	finding_claim(out, ", %llu times in %s", (unsigned long long)g->count,
		SENTENCE_DURATION(interval_ns));
	if (hits_own_command(g))
		finding_claim(out,
			": %.*s searches for a text that is in the command line of %.*s as well",
			END_NAME(g->key.sender_name), END_NAME(g->key.name));
}

static void report_group(
	const struct check *e, struct check_result *out, const struct ended_children *g)
{
	uint64_t interval_ns = e->input->host.last_ns - g->first_ns;
	_cleanup_(buffer_fini) struct buffer status = { 0 };

	exit_reason_text_status(&status, g->key.status);
	finding_begin(out, confidence_high_if(hits_own_command(g) || g->count >= SURE), "");
	finding_severity(out, severity_of(e, g));
	emit_claim(e, out, g, interval_ns);
	finding_command(out, "command", command_of(e, &g->last));
	if (g->key.by != ENDED_BY_KERNEL && g->key.by != ENDED_BY_MEMORY)
		finding_command(out, "command of the sender", command_of(e, &g->last_sender));
	finding_count(out, "ended", g->count, interval_ns);
	finding_text(out, "status", "%s", buffer_cstr(&status));
	finding_number(out, "mean time until they are ended", (double)g->life_ns / (double)g->count,
		SOOTH_UNIT_NS, 0);
	if (!g->known && g->key.by == ENDED_BY_OWN_CHILD)
		finding_unseen(out, "the command lines: which text was searched for");
	if (e->input->endings.children.refused)
		finding_unseen(out, "%llu more ends of descendants: there was no room for them",
			(unsigned long long)e->input->endings.children.refused);
	if (g->key.by == ENDED_BY_MEMORY)
		finding_remedy(out, "give the control group or the host more memory, or start "
				    "fewer or smaller processes");
	else if (hits_own_command(g))
		finding_remedy(out,
			"end the other process by its PID, or put one letter of the pattern into "
			"brackets, so that the pattern does not match itself: pkill -f '[n]ame'");
	else if (g->key.by == ENDED_BY_KERNEL)
		finding_remedy(out,
			"raise the limit where the processes are started: ulimit -%s unlimited",
			g->key.signal == SIGNAL_CPU_LIMIT ? "t" : "f");
	else
		finding_remedy(out,
			"find out why %.*s sends the signal: sooth trace -p %u shows the calls of "
			"the process and its children",
			END_NAME(g->key.sender_name), e->id.pid);
}

/* Reports that the ends of children are known, but not the senders of the signals: the recording is
 * older, or the system does not name them. */
static void report_none(const struct check *e, struct check_result *out, const struct map *groups)
{
	uint64_t count = groups->count ? 0 : count_signaled(e);

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

	read_groups(&groups, e);
	if (choose_worst(e, &groups, &worst))
		report_group(e, out, &worst);
	else
		report_none(e, out, &groups);
	map_fini(&groups);
}

const struct finding_detector finding_children_killed = { diagnose, FINDING_OPTIONS(options) };
