/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/diagnosis/ended_children.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "analyze/diagnosis/exit_reason_text.h"
#include "analyze/diagnosis/self_match.h"
#include "analyze/diagnosis/starts.h"
#include "base/cursor.h"

#define GROUPS_MAX   1024
#define UP_MAX	     16
#define COMMAND_SIZE 1024
#define PLAIN	     "acefilq" /* options of pkill and killall that add no condition */

/* Signal numbers of x86 and arm. */
enum { ABORT = 6, PIPE = 13 };

/* --- the sender --- */

static struct process_id sender_of(const struct exit_reasons_child *c)
{
	return (struct process_id){ .start_ticks = c->sender_start_ticks, .pid = c->sender_pid };
}

static struct process_id child_of(const struct exit_reasons_child *c)
{
	return (struct process_id){ .start_ticks = c->child_start_ticks, .pid = c->child_pid };
}

/* `sudo pkill` is a child's child. */
static bool is_of_child(const struct check *e, const struct exit_reasons_child *c)
{
	struct process_id id = sender_of(c), child = child_of(c);

	for (unsigned i = 0; i < UP_MAX; i++) {
		const struct short_lived_process *p =
			map_get(&e->input->host.short_lived.processes, &id);

		if (!p)
			return false;
		id = p->parent;
		if (process_id_equal(&id, &child))
			return true;
	}
	return false;
}

static bool is_of_tree(const struct check *e, const struct process_id *sender)
{
	const struct process_entry *entry =
		process_table_get(&e->input->host.process_table, sender);
	const struct short_lived_process *p =
		map_get(&e->input->host.short_lived.processes, sender);

	if (process_id_equal(sender, &e->id))
		return true;
	if (!entry)
		entry = p ? p->starter : NULL;
	return entry && (entry == e->process || starts_is_below(e->process, entry));
}

static enum ended_by way_of(const struct check *e, const struct exit_reasons_child *c)
{
	struct process_id sender = sender_of(c);

	if (c->is_oom_victim)
		return ENDED_BY_MEMORY;
	if (c->is_from_kernel)
		return ENDED_BY_KERNEL;
	if (c->sender_state)
		return ENDED_BY_UNSEEN;
	if (c->sender_pid == c->child_pid)
		return ENDED_BY_ITSELF;
	if (c->sender_pid == c->parent_pid || c->is_sender_ending)
		return ENDED_BY_PARENT;
	if (c->sender_parent_pid == c->child_pid || is_of_child(e, c))
		return ENDED_BY_OWN_CHILD;
	return is_of_tree(e, &sender) ? ENDED_BY_TREE : ENDED_BY_OTHER;
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

/* "-9", "-TERM"; an option has one letter, or small ones. */
static bool is_signal(struct span option)
{
	unsigned char first = option.size > 1 ? (unsigned char)option.data[1] : 0;

	return isdigit(first) || (isupper(first) && option.size > 2);
}

/* False: it adds a condition to the pattern. */
static bool take_option(struct span option, bool *is_full)
{
	if (is_signal(option))
		return true;
	if (span_equal(option, "--full")) {
		*is_full = true;
		return true;
	}
	for (size_t i = 1; i < option.size; i++) {
		if (!strchr(PLAIN, option.data[i]))
			return false;
		*is_full |= option.data[i] == 'f';
	}
	return option.size > 1;
}

struct span ended_children_pattern(struct span arguments, bool *is_full)
{
	static const char *const names[] = { "pkill", "killall" };
	struct cursor c = cursor_over(arguments.data, arguments.size);
	struct span pattern = span_of("", 0);

	*is_full = false;
	if (!SPAN_ANY(path_base(cursor_until(&c, '\0')), span_equal, names))
		return pattern;
	while (!cursor_at_end(&c)) {
		struct span argument = cursor_until(&c, '\0');

		if (argument.size && argument.data[0] != '-')
			pattern = argument;
		else if (argument.size && !take_option(argument, is_full))
			return span_of("", 0);
	}
	return self_match_is_literal(pattern) ? pattern : span_of("", 0);
}

/* As pkill compares it: with blanks between the arguments. */
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
	bool is_full;
	struct span pattern = ended_children_pattern(of_sender, &is_full);

	if (!own.size || !of_sender.size)
		return;
	g->known++;
	g->is_full = is_full;
	g->matched +=
		pattern.size &&
		is_in(is_full ? own : span_of(c->name, strnlen(c->name, sizeof(c->name))), pattern);
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
	g->last = child_of(c);
	g->last_sender = sender;
	add_match(e, g, c);
}

/* Of a launched command each process is watched itself, and its end has a record of its own. */
static bool take_watched(
	const struct check *e, const struct ending *of, struct exit_reasons_child *c)
{
	const struct endings *all = &e->input->endings;
	const struct short_lived_process *p =
		map_get(&e->input->host.short_lived.processes, &of->id);
	const struct exit_reasons_signal *s;
	uint32_t status;

	if (!of->has_end || !p || !process_id_equal(&p->parent, &e->id) ||
		map_get(&all->children, &of->id) || ending_status(all, of, &status))
		return false;
	s = END_SIGNAL(status) ? ending_signal(of, END_SIGNAL(status)) : ending_request(of);
	if (!s && !END_SIGNAL(status))
		return false;
	*c = (struct exit_reasons_child){ .record = of->end.record,
		.child_start_ticks = of->id.start_ticks,
		.child_pid = of->id.pid,
		.parent_start_ticks = p->parent.start_ticks,
		.parent_pid = p->parent.pid,
		.life_ns = p->life_ns,
		.status = status,
		.is_oom_victim = exit_reason_is_oom(of, status),
		.sender_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSEEN) };
	memcpy(c->name, of->end.name, sizeof(c->name));
	if (!s)
		return true;
	c->signal = s->signal;
	c->is_from_kernel = s->is_from_kernel;
	c->is_sender_ending = s->is_sender_ending;
	c->sender_state = s->sender_state;
	c->sender_pid = s->sender_pid;
	c->sender_start_ticks = s->sender_start_ticks;
	c->sender_parent_pid = s->sender_parent_pid;
	memcpy(c->sender_name, s->sender_name, sizeof(c->sender_name));
	return true;
}

void ended_children_of(struct map *groups, const struct check *e)
{
	assert(groups);
	assert(e);

	const struct host_state *host = &e->input->host;
	uint64_t from_ns = host->short_lived.from_ns, middle_ns;

	if (e->process && e->process->first_ns > from_ns)
		from_ns = e->process->first_ns;
	middle_ns = from_ns + (host->last_ns - from_ns) / 2;
	map_init(groups, sizeof(struct group_key), sizeof(struct ended_children), GROUPS_MAX);
	map_for_each_value (&e->input->endings.children, const struct exit_reasons_child *, c) {
		struct process_id watched = process_id_of(&c->record);

		if (process_id_equal(&watched, &e->id))
			add(e, groups, c, middle_ns);
	}
	map_for_each_value (&e->input->endings.processes, const struct ending *, of) {
		struct exit_reasons_child c;

		if (take_watched(e, of, &c))
			add(e, groups, &c, middle_ns);
	}
}

static bool is_below(const struct check *e, const struct short_lived_process *p)
{
	const struct process_entry *starter = starts_living(p->starter);

	return starter && (starter == e->process || starts_is_below(e->process, starter));
}

uint64_t ended_children_count(const struct check *e, const struct ended_children *g)
{
	uint64_t count = 0;

	map_for_each_value (
		&e->input->host.short_lived.processes, const struct short_lived_process *, p)
		count += p->end_ns >= g->first_ns && !strncmp(p->name, g->name, sizeof(p->name)) &&
			 is_below(e, p);
	return count > g->count ? count : g->count;
}

uint64_t ended_children_signaled(const struct check *e)
{
	uint64_t count = 0;

	map_for_each_value (
		&e->input->host.short_lived.processes, const struct short_lived_process *, p) {
		unsigned signal = END_SIGNAL(p->status);

		count += signal && signal != ABORT && signal != PIPE &&
			 !exit_reason_is_fault(signal) && is_below(e, p);
	}
	return count;
}
