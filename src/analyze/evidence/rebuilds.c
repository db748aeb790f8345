/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/rebuilds.h"

#include <stdio.h>
#include <string.h>

#include "analyze/diagnosis/call_check.h"
#include "analyze/diagnosis/check_verdict.h"
#include "base/sentence_units.h"
#include "analyze/diagnosis/starts.h"

#define COMMANDS_MAX 1024

/* Execs of the process itself. */
struct restarts_of_itself {
	uint64_t count; /* 0: none, or unknown */
	uint64_t first_ns, last_ns;
};

/* Commands that the process and its descendants started. */
struct rebuilds {
	uint64_t builds;	  /* runs of make, ninja and the like */
	uint64_t most, times_two; /* most: runs of one compiler command with the same arguments;
				     times_two: commands that ran twice or more */
	char name[16];		  /* name of the most frequent command */
};

static void of_itself(struct restarts_of_itself *r, const struct check *e)
{
	const struct call_repeat_key *key;
	const struct call_repeat *one;
	struct check_calls calls;
	size_t position = 0;

	*r = (struct restarts_of_itself){ 0 };
	if (!check_calls_read(&calls, e))
		return;
	while ((one = call_repeats_next(calls.history, &position, &key))) {
		const struct syscall_row *row = syscall_by_number(key->abi, key->number);

		if (!row || !(row->traits & SYSCALL_EXECS) || key->result)
			continue;
		if (!r->count || one->first_ns < r->first_ns)
			r->first_ns = one->first_ns;
		if (one->last_ns > r->last_ns)
			r->last_ns = one->last_ns;
		r->count += one->seen;
	}
}

/* --- by commands --- */

static bool builds(const char *name)
{
	static const char *const names[] = { "make", "gmake", "bmake", "ninja", "samu", "cargo",
		"gradle", "mvn", "bazel", "scons" };

	return SPAN_ANY(span_of_string(name), span_equal, names);
}

/* Returns whether the program compiles; the children of a compiler driver have new file names. */
static bool compiles(const char *name)
{
	static const char *const names[] = { "cc", "c++", "gcc", "g++", "clang", "clang++", "rustc",
		"javac", "tsc", "gfortran", "ghc", "ocamlopt", "x86_64-linux-gn",
		"aarch64-linux-g" };

	return SPAN_ANY(span_of_string(name), span_equal, names);
}

struct counting {
	struct rebuilds *r;
	struct map commands; /* hash of the arguments -> uint64_t */
};

/* Counts a command. Nested builds may compile a file of the same name in another directory, so only
 * builds that the process starts itself count. */
static void count_one(struct counting *c, const char *name, const uint64_t *hash, bool is_direct)
{
	uint64_t *times;

	c->r->builds += is_direct && builds(name);
	times = hash && compiles(name) ? map_put(&c->commands, hash, NULL) : NULL;
	if (!times)
		return;
	++*times;
	c->r->times_two += *times == 2;
	if (*times <= c->r->most)
		return;
	c->r->most = *times;
	snprintf(c->r->name, sizeof(c->r->name), "%s", name);
}

/* Counts commands that were in a sample, and did not end between two samples. */
static void count_sampled(struct counting *c, const struct check *e)
{
	const struct short_lived *b = &e->input->host.short_lived;
	const struct process_table *table = &e->input->host.process_table;
	char name[16];

	process_table_for_each (table, p) {
		const uint64_t *hash = map_get(&b->commands, &p->id);
		struct span text = check_name(p);

		if (!hash || map_get(&b->processes, &p->id) || !starts_is_below(e->process, p))
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)text.size, text.data);
		count_one(c, name, hash, (p->is_there ? p->parent : p->last_parent) == e->process);
	}
}

static void commands_of(struct rebuilds *r, const struct check *e)
{
	const struct short_lived *b = &e->input->host.short_lived;
	struct counting c = { .r = r };

	*r = (struct rebuilds){ 0 };
	map_init(&c.commands, sizeof(uint64_t), sizeof(uint64_t), COMMANDS_MAX);
	map_for_each (&b->processes, const void *, id, const struct short_lived_process *, p) {
		const struct process_entry *starter = p->starter;

		if (starter && (starter == e->process || starts_is_below(e->process, starter)))
			count_one(
				&c, p->name, map_get(&b->commands, id), p->parent.pid == e->id.pid);
	}
	count_sampled(&c, e);
	map_fini(&c.commands);
}

/* --- the findings --- */

static bool is_make(const struct check *e)
{
	struct span name = check_name(e->process);

	return span_equal(name, "make") || span_equal(name, "gmake");
}

/* Diagnoses execs of the process itself. A chain of programs execs only once, at its start. */
static bool diagnose_itself(const struct check *e, struct check_result *out)
{
	uint64_t interval_ns = sample_series_ns(&e->series);
	struct restarts_of_itself r;
	char time[UNITS_SIZE];
	struct span name;

	of_itself(&r, e);
	if ((double)r.count < check_option(e, "min-rebuilds") ||
		(r.last_ns - r.first_ns) * 2 < interval_ns)
		return false;
	name = check_name(e->process);
	finding_begin(out, FINDING_CONFIDENCE_HIGH, "itself");
	finding_claim(out, "%.*s starts itself again and again: %llu times in %s", (int)name.size,
		name.data, (unsigned long long)r.count,
		sentence_duration(time, r.last_ns - r.first_ns));
	if (is_make(e))
		finding_claim(out,
			"; each time make rebuilds its makefile, restarts and finds it out of "
			"date again (often because a file is dated in the future)");
	finding_number(out, "execs of itself", (double)r.count, SOOTH_UNIT_NONE, interval_ns);
	if (is_make(e))
		finding_remedy(out,
			"cd /proc/%u/cwd && find . -newermt now lists files dated in the future: "
			"touch these files and check the clock; if it lists none, make -d names "
			"the makefile",
			e->id.pid);
	else
		finding_remedy(out, "sooth trace -e execve -p %u shows what it becomes", e->id.pid);
	finding_end(out);
	return true;
}

/* Diagnoses repeated compilations, except for configure scripts, which compile one name often. */
static bool diagnose_rebuilds(const struct check *e, struct check_result *out)
{
	uint64_t interval_ns = sample_series_ns(&e->series);
	double least = check_option(e, "min-rebuilds");
	struct rebuilds r;

	commands_of(&r, e);
	if ((double)r.most < least || (double)r.builds < least ||
		span_starts(check_name(e->process), "configure"))
		return false;
	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "rebuilds");
	finding_severity(out, FINDING_LOW);
	finding_claim(out,
		"builds the same again and again: %llu builds, and the same command of %s up to "
		"%llu "
		"times",
		(unsigned long long)r.builds, r.name, (unsigned long long)r.most);
	finding_number(out, "builds", (double)r.builds, SOOTH_UNIT_NONE, interval_ns);
	finding_number(out, "commands of the compiler that came again", (double)r.times_two,
		SOOTH_UNIT_NONE, interval_ns);
	finding_unseen(out, "why the result counts as out of date");
	finding_remedy(out,
		"make -d or ninja -d explain says why; in the directory of the build, "
		"find . -newermt now lists files dated in the future: touch these files and check "
		"the clock");
	finding_end(out);
	return true;
}

bool rebuilds_report(const struct check *e, struct check_result *out)
{
	return diagnose_itself(e, out) || diagnose_rebuilds(e, out);
}
