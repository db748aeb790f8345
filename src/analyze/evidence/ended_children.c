/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/ended_children.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "analyze/evidence/exit_reason_text.h"
#include "analyze/evidence/self_match.h"
#include "analyze/diagnosis/starts.h"
#include "base/cursor.h"

#define GROUPS_MAX   1024
#define UP_MAX	     16
#define COMMAND_SIZE 1024
#define PLAIN	     "acefilq" /* pkill options that add no condition */

/* Signal numbers on x86 and arm. */
enum { ABORT = 6, PIPE = 13, SIZE_LIMIT = 25 };

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
	if (entry)
		entry = entry->is_there ? entry->parent : entry->last_parent;
	if (entry)
		*id = entry->id;
	return entry != NULL;
}

/* Finds how the child ended, from the sender of the signal upward: `sudo pkill` is a grandchild. */
static enum ended_by climb(const struct check *e, const struct exit_reasons_child *c)
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

static enum ended_by way_of(const struct check *e, const struct exit_reasons_child *c)
{
	if (c->is_oom_victim)
		return ENDED_BY_MEMORY;
	if (c->is_from_kernel)
		return ENDED_BY_KERNEL;
	if (c->sender_state)
		return ENDED_BY_UNSEEN;
	/* For SIGXFSZ the kernel names the process that wrote too much as the sender. */
	if (c->sender_pid == c->child_pid)
		return c->signal == SIZE_LIMIT ? ENDED_BY_KERNEL : ENDED_BY_ITSELF;
	if (c->is_sender_ending) /* the child asked for the signal (PR_SET_PDEATHSIG) */
		return ENDED_BY_ITSELF;
	if (c->sender_pid == c->parent_pid)
		return ENDED_BY_PARENT;
	return climb(e, c);
}

/* --- what it searched for --- */

struct span ended_children_command(const struct check *e, const struct process_id *id)
{
	const struct short_lived *b = &e->input->host.short_lived;
	const struct process_entry *p = process_table_get(&e->input->host.process_table, id);
	const uint64_t *hash = map_get(&b->commands, id);
	struct span known = hash ? short_lived_command(b, *hash) : (struct span){ 0 };

	if (known.size || !p)
		return known;
	return process_table_known_arguments(p);
}

/* Returns whether an option is a signal: "-9", "-TERM"; other options have small letters. */
static bool is_signal(struct span option)
{
	unsigned char first = option.size > 1 ? (unsigned char)option.data[1] : 0;

	return isdigit(first) || (isupper(first) && option.size > 2);
}

/* Returns whether pkill compares command lines, and nothing else; PLAIN has no condition. */
static bool take_option(struct span option, bool *is_full)
{
	bool is_long = span_equal(option, "--full");

	for (size_t i = 1; i < option.size && !is_long && !is_signal(option); i++) {
		if (!strchr(PLAIN, option.data[i]))
			return false;
		*is_full |= option.data[i] == 'f';
	}
	*is_full |= is_long;
	return true;
}

struct span ended_children_pattern(struct span arguments)
{
	struct cursor c = cursor_over(arguments.data, arguments.size);
	struct span pattern = span_of("", 0);
	bool is_full = false;

	if (!span_equal(path_base(cursor_until(&c, '\0')), "pkill"))
		return pattern;
	while (!cursor_at_end(&c)) {
		struct span argument = cursor_until(&c, '\0');

		if (argument.size && argument.data[0] != '-')
			pattern = argument;
		else if (!take_option(argument, &is_full))
			return span_of("", 0);
	}
	return is_full && self_match_is_literal(pattern) ? pattern : span_of("", 0);
}

/* Returns whether the pattern is in the command line, with blanks as pkill joins it. */
static bool is_in(struct span arguments, struct span pattern)
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
	struct span own = ended_children_command(e, &child);
	struct span of_sender = ended_children_command(e, &sender);
	struct span pattern = ended_children_pattern(of_sender);

	if (!own.size || !of_sender.size)
		return;
	g->known++;
	g->matched += pattern.size && is_in(own, pattern);
}

/* --- groups --- */

struct group_key {
	uint32_t by, signal, status, unused;
	char name[EXIT_REASONS_NAME_SIZE], sender_name[EXIT_REASONS_NAME_SIZE];
};

static void add(const struct check *e, struct map *groups, const struct exit_reasons_child *c,
	uint64_t middle_ns)
{
	struct group_key key = { .by = way_of(e, c), .signal = c->signal, .status = c->status };
	struct process_id sender = sender_of(c);
	struct ended_children *g;

	memcpy(key.name, c->name, strnlen(c->name, sizeof(key.name)));
	memcpy(key.sender_name, c->sender_name, strnlen(c->sender_name, sizeof(key.sender_name)));
	g = map_put(groups, &key, NULL);
	if (!g)
		return;
	g->by = (enum ended_by)key.by;
	g->signal = END_SIGNAL(c->status) ? END_SIGNAL(c->status) : c->signal;
	g->status = c->status;
	memcpy(g->name, key.name, sizeof(key.name));
	memcpy(g->sender_name, key.sender_name, sizeof(key.sender_name));
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

void ended_children_of(struct map *groups, const struct check *e)
{
	assert(groups);
	assert(e);

	uint64_t from_ns = starts_from_ns(e);
	uint64_t middle_ns = from_ns + (e->input->host.last_ns - from_ns) / 2;

	map_init(groups, sizeof(struct group_key), sizeof(struct ended_children), GROUPS_MAX);
	map_for_each_value (&e->input->endings.children, const struct exit_reasons_child *, c) {
		struct process_id watched = process_id_of(&c->record);

		/* With status 0 the child handled the request to end. */
		if (c->status && process_id_equal(&watched, &e->id))
			add(e, groups, c, middle_ns);
	}
}

uint64_t ended_children_count(const struct check *e, const struct ended_children *g)
{
	uint64_t count = 0;

	map_for_each_value (
		&e->input->host.short_lived.processes, const struct short_lived_process *, p)
		count += p->end_ns >= g->first_ns && !strncmp(p->name, g->name, sizeof(p->name)) &&
			 starts_is_of(e, starts_living(p->starter));
	return count > g->count ? count : g->count;
}

uint64_t ended_children_signaled(const struct check *e)
{
	uint64_t count = 0;

	map_for_each_value (
		&e->input->host.short_lived.processes, const struct short_lived_process *, p) {
		unsigned signal = END_SIGNAL(p->status);

		count += signal && signal != ABORT && signal != PIPE &&
			 !exit_reason_is_fault(signal) &&
			 starts_is_of(e, starts_living(p->starter));
	}
	return count;
}
