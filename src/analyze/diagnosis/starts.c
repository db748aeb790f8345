/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/diagnosis/starts.h"

#include <assert.h>
#include <string.h>

#include "analyze/diagnosis/check_verdict.h"
#include "base/hash.h"
#include "base/units.h"

#define UP_MAX	     64 /* most ended ancestors that are followed */
#define NAMES_MAX    1024
#define COMMANDS_MAX 1024
#define STARTERS_MAX 1024
#define ABOVE	     1 /* make starts a shell, which starts the commands */
#define PAUSE	     "sleep"

NUMBER(STARTER_SHARE, 0.9, NONE, "of the starts that are of one starter");
NUMBER(PROGRAMS_SHARE, 0.9, NONE, "of the starts that are of the named programs");
NUMBER(TIMES_LEAST, 4, NONE, "starts of the same command: fewer are no repetition");
NUMBER(SHELL_LEAST, 4, NONE, "of so many commands of a shell, one must have come before");
NUMBER(PAUSE_NS, 50 * NS_PER_MS, NS, "between two starts: shorter ones belong to one command line");

/* --- which processes --- */

const struct process_entry *starts_living(const struct process_entry *p)
{
	for (unsigned i = 0; p && !p->is_there && i < UP_MAX; i++)
		p = p->last_parent;
	return p && p->is_there ? p : NULL;
}

bool starts_is_below(const struct process_entry *top, const struct process_entry *p)
{
	const struct process_entry *at = starts_living(p);

	if (!at || p == top)
		return false;
	if (process_table_is_below(at, top))
		return true;
	return top->main == top && at->main == top;
}

const struct process_entry *starts_parent(const struct process_entry *p)
{
	return p->is_there ? p->parent : p->last_parent;
}

bool starts_is_of(const struct check *e, const struct process_entry *starter)
{
	return starter && (starter == e->process || starts_is_below(e->process, starter));
}

uint64_t starts_from_ns(const struct check *e)
{
	uint64_t from_ns = e->input->host.short_lived.from_ns;

	return e->process && e->process->first_ns > from_ns ? e->process->first_ns : from_ns;
}

bool starts_are_steady(uint64_t early, uint64_t count)
{
	return early * 4 >= count && early * 4 <= count * 3;
}

static bool is_named(const struct process_entry *p, const char name[SHORT_LIVED_NAME_SIZE])
{
	struct span own = check_name(p);
	size_t size = strnlen(name, SHORT_LIVED_NAME_SIZE - 1);

	return own.size >= size && size &&
	       !memcmp(own.data, name, own.size < size ? own.size : size) &&
	       (own.size == size || size == SHORT_LIVED_NAME_SIZE - 1);
}

/* --- counting --- */

struct counting {
	struct starts *s;
	const struct check *check;
	struct map names;    /* char [] -> struct starts_program */
	struct map commands; /* hash of arguments -> uint32_t */
	struct map starters; /* const struct process_entry * -> uint64_t */
	uint64_t from_ns, middle_ns;
	uint64_t sampled_from_ns; /* end of the first sample, which may take a while */
};

static void add_start(struct counting *c, const struct process_entry *starter,
	const char name[SHORT_LIVED_NAME_SIZE], bool is_early)
{
	char key[SHORT_LIVED_NAME_SIZE] = { 0 };
	struct starts_program *program;
	uint64_t *of_starter;

	c->s->count++;
	of_starter = map_put(&c->starters, &starter, NULL);
	if (of_starter)
		++*of_starter;
	if (is_named(starter, name)) {
		c->s->copies++;
		return;
	}
	memcpy(key, name, strnlen(name, sizeof(key) - 1));
	program = map_put(&c->names, key, NULL);
	if (!program)
		return;
	memcpy(program->name, key, sizeof(key));
	program->count++;
	program->early += is_early;
}

/* Adds a command by its arguments, if they are known. Those recorded at exec are preferred to those
 * of a sample, because all processes have them in the same form. */
static void add_command(struct counting *c, const struct process_id *id, struct span arguments)
{
	const uint64_t *recorded = map_get(&c->check->input->host.short_lived.commands, id);
	uint64_t hash =
		recorded ? *recorded : hash_bytes(HASH_BEGIN, arguments.data, arguments.size);
	uint32_t *seen = recorded || arguments.size ? map_put(&c->commands, &hash, NULL) : NULL;

	if (!seen)
		return;
	c->s->known++;
	++*seen;
	c->s->repeated += *seen == 2 ? 2 : *seen > 2;
}

/* Returns whether a sampled process is below another. If no sample has the copy of a shell between
 * them, it is not. */
static bool is_sampled_below(const struct counting *c, const struct process_entry *p)
{
	return p && starts_parent(p) && starts_is_below(c->check->process, p);
}

static void count_short_lived(struct counting *c)
{
	const struct check *e = c->check;
	const struct short_lived *b = &e->input->host.short_lived;
	const struct process_table *table = &e->input->host.process_table;

	map_for_each (&b->processes, const struct process_id *, id,
		const struct short_lived_process *, p) {
		const struct process_entry *starter = p->starter, *living;
		bool is_sampled;

		if (p->end_ns < c->from_ns || !starts_is_of(e, starter))
			continue;
		is_sampled = is_sampled_below(c, process_table_get(table, id));
		/* sleep(1) only makes a pause: the rest of the loop counts. */
		if (!strcmp(p->name, PAUSE) && p->life_ns >= PAUSE_NS) {
			c->s->pauses += !is_sampled;
			continue;
		}
		c->s->ended++;
		living = starts_living(starter);
		c->s->direct += living && process_id_equal(&living->id, &p->parent);
		c->s->cpu_ns += p->cpu_ns;
		if (p->status) {
			c->s->has_statuses |= c->s->failed++ && c->s->status != p->status;
			c->s->status = p->status;
			last_words_add(&c->s->words, c->check, id);
		}
		if (is_sampled) /* counted together with the samples */
			continue;
		add_start(c, starter, p->name, p->end_ns < c->middle_ns);
		add_command(c, id, span_of("", 0));
	}
}

static void count_sampled(struct counting *c)
{
	map_for_each_pointer (
		&c->check->input->host.process_table.processes, const struct process_entry *, p) {
		const struct process_entry *starter = starts_parent(p);
		struct span name = check_name(p);
		char text[SHORT_LIVED_NAME_SIZE] = { 0 };
		bool are_whole =
			!p->process->is_brief && p->process->arguments_state == SOOTH_STATE_VALUE;

		if (!is_sampled_below(c, p))
			continue;
		memcpy(text, name.data,
			name.size < sizeof(text) - 1 ? name.size : sizeof(text) - 1);
		if (!strcmp(text, PAUSE)) {
			c->s->pauses++;
			continue;
		}
		if (p->first_ns > c->sampled_from_ns)
			add_start(c, starter, text, p->first_ns < c->middle_ns);
		if (!is_named(starter, text))
			add_command(c, &p->id,
				are_whole ? process_table_known_arguments(p) : span_of("", 0));
	}
}

/* --- what comes out --- */

static void choose_programs(struct counting *c)
{
	struct starts *s = c->s;

	s->program_count = c->names.count;
	map_for_each_value (&c->names, struct starts_program *, value) {
		struct starts_program one = *value;

		for (size_t i = 0; i < STARTS_PROGRAMS && one.count; i++) {
			struct starts_program other = s->programs[i];

			if (one.count < other.count ||
				(one.count == other.count && strcmp(one.name, other.name) > 0))
				continue;
			s->programs[i] = one;
			one = other;
		}
	}
}

void starts_of(struct starts *s, const struct check *e)
{
	assert(s);
	assert(e);

	uint64_t from_ns = starts_from_ns(e), to_ns = e->input->host.last_ns;
	struct counting c = { .s = s, .check = e };
	size_t samples = e->series.count;

	*s = (struct starts){ 0 };
	if (!e->input->host.short_lived.is_watched || !e->process || to_ns <= from_ns)
		return;
	s->interval_ns = to_ns - from_ns;
	c.from_ns = from_ns;
	c.sampled_from_ns = samples < 2 ? UINT64_MAX
					: e->series.points[0].time_ns +
						  sample_series_ns(&e->series) / (samples - 1) / 2;
	c.middle_ns = from_ns + s->interval_ns / 2;
	map_init(&c.names, SHORT_LIVED_NAME_SIZE, sizeof(struct starts_program), NAMES_MAX);
	map_init(&c.commands, sizeof(uint64_t), sizeof(uint32_t), COMMANDS_MAX);
	map_init(&c.starters, sizeof(struct process_entry *), sizeof(uint64_t), STARTERS_MAX);
	count_short_lived(&c);
	count_sampled(&c);
	choose_programs(&c);
	map_for_each (&c.starters, const struct process_entry *const *, key, uint64_t *, count) {
		if ((double)*count >= STARTER_SHARE * (double)s->count)
			s->starter = *key;
	}
	s->different = (unsigned)c.commands.count;
	map_fini(&c.names);
	map_fini(&c.commands);
	map_fini(&c.starters);
}

double starts_rate(const struct starts *s)
{
	assert(s);
	return s->interval_ns ? (double)s->count * (double)NS_PER_S / (double)s->interval_ns : 0;
}

double starts_cpu(const struct starts *s)
{
	assert(s);
	return s->interval_ns ? 100 * (double)s->cpu_ns / (double)s->interval_ns : 0;
}

bool starts_are_of_a_list(const struct process_entry *starter)
{
	static const char *const names[] = { "make", "gmake", "bmake", "ninja", "samu", "ctest",
		"cmake", "meson", "xargs", "find", "parallel", "prove", "gcc", "g++", "cc", "c++",
		"clang", "clang++", "configure", "config.status", "dpkg", "dpkg-deb", "apt",
		"apt-get", "rpm" };

	for (unsigned level = 0; starter && level <= ABOVE; level++) {
		if (SPAN_ANY(check_name(starter), span_equal, names))
			return true;
		starter = starts_parent(starter);
	}
	return false;
}

bool starts_are_of_a_shell(const struct process_entry *starter)
{
	assert(starter);

	static const char *const names[] = { "sh", "bash", "dash", "zsh", "ash", "ksh", "ksh93",
		"mksh", "busybox" };
	struct span name =
		path_base(record_text(&starter->process->record, &starter->process->executable));

	return SPAN_ANY(name, span_equal, names) ||
	       SPAN_ANY(check_name(starter), span_equal, names);
}

/* Returns whether the commands are the same: a loop over files has new arguments each time. A shell
 * that uses cut, tr and expr has new arguments in only some commands, and those of commands in a
 * subshell are often unknown. */
static bool are_same(const struct starts *s, bool in_shell)
{
	return s->different * TIMES_LEAST <= s->known ||
	       (in_shell && s->repeated * SHELL_LEAST > s->known);
}

bool starts_repeat(const struct starts *s, const struct process_entry *starter)
{
	assert(s);

	uint64_t programs = s->count - s->copies, most = 0;

	for (size_t i = 0; i < STARTS_PROGRAMS && s->programs[i].count; i++) {
		if ((double)most < PROGRAMS_SHARE * (double)programs &&
			!starts_are_steady(s->programs[i].early, s->programs[i].count))
			return false;
		most += s->programs[i].count;
	}
	return programs && (double)most >= PROGRAMS_SHARE * (double)programs &&
	       are_same(s, starts_are_of_a_shell(starter));
}
