/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/bsd/dtrace_program.h"

#include <string.h>

#include "probes/syscall_arguments.h"
#include "probes/syscall_names.h"
#include "probes/syscalls.h"

#define STACK_FRAMES 100

static const char options[] = "#pragma D option quiet\n"
			      "#pragma D option switchrate=10hz\n"
			      "#pragma D option aggrate=10hz\n"
			      "#pragma D option bufsize=4m\n"
			      "#pragma D option aggsize=4m\n"
			      "#pragma D option dynvarsize=16m\n"
			      "#pragma D option strsize=256\n";

/* --- which processes --- */

static void write_begin(struct buffer *out, const struct dtrace_targets *t)
{
	buffer_string(out, options);
	/* A variable that is read has to be assigned somewhere. */
	buffer_string(out, "\ndtrace:::BEGIN\n{\n\tfollowed[0] = 0;\n\tleft[0] = 1;\n");
	for (size_t i = 0; i < t->pid_count; i++)
		buffer_format(out, "\tfollowed[%u] = 1;\n", t->pids[i]);
	for (size_t i = 0; i < t->other_count; i++)
		buffer_format(out, "\tleft[%u] = 1;\n", t->others[i]);
	buffer_string(out, "\tprintf(\"b\\t%d\\n\", walltimestamp);\n}\n");
}

static void write_condition(struct buffer *out, const struct dtrace_targets *t)
{
	if (t->has_uid)
		buffer_format(out, "pid != $pid && uid == %u", t->uid);
	else if (t->is_host)
		buffer_string(out, "pid != $pid");
	else
		buffer_string(out, "followed[pid]");
}

static bool follows_processes(const struct dtrace_targets *t)
{
	return !t->is_host && !t->has_uid;
}

/* Writes the clauses that follow a child from its first call on. */
static void write_following(struct buffer *out, const struct dtrace_targets *t)
{
	if (follows_processes(t))
		buffer_string(out, "\nsyscall:::entry\n"
				   "/!followed[pid] && followed[ppid] && !left[pid]/\n"
				   "{\n\tfollowed[pid] = 1;\n}\n");
}

static void write_exit_clauses(struct buffer *out, const struct dtrace_targets *t)
{
	buffer_string(out, "\nproc:::exec-success\n/");
	write_condition(out, t);
	buffer_string(out, "/\n{\n\tprintf(\"p\\t%d\\t%d\\t%d\\t%S\\n\", walltimestamp, pid, ppid, "
			   "execname);\n}\n\nproc:::exit\n/");
	write_condition(out, t);
	buffer_string(out, "/\n{\n\tprintf(\"e\\t%d\\t%d\\t%d\\t%S\\n\", walltimestamp, pid, ppid, "
			   "execname);\n");
	if (follows_processes(t))
		buffer_string(out, "\tfollowed[pid] = 0;\n");
	buffer_string(out, "}\n");
}

/* --- which calls --- */

typedef bool (*call_filter)(const struct syscall_row *row, size_t argument);

static bool is_selected(const struct dtrace_calls *c, const struct syscall_row *row)
{
	return c->set->is_all || syscall_set_has(c->set, row) ||
	       (c->streams && syscall_moves_descriptors(row));
}

/* Writes DTrace's name of a call. FreeBSD names an old form after the last version that had it. */
static void write_name(struct buffer *out, const char *name)
{
	size_t length = strlen("freebsd");
	const char *line = strchr(name, '_');

	if (!strncmp(name, "freebsd", length) && name[length] >= '0' && name[length] <= '9' && line)
		buffer_format(out, "compat%.*s.%s", (int)(line - name - (ptrdiff_t)length),
			name + length, line + 1);
	else
		buffer_string(out, name);
}

/* Writes "syscall::open:entry,\nsyscall::openat:entry". Returns the number of probes. */
static size_t write_probes(struct buffer *out, const struct dtrace_calls *c, const char *where,
	call_filter filter, size_t argument)
{
	const struct syscall_row *row;
	size_t count = 0;

	for (size_t i = 0; (row = syscall_row_at(i)); i++) {
		if (row->bsd_numbers[c->abi - SYSCALL_ABI_FREEBSD] < 0 || !is_selected(c, row) ||
			(filter && !filter(row, argument)))
			continue;
		buffer_string(out, count++ ? ",\nsyscall::" : "\nsyscall::");
		write_name(out, row->name);
		buffer_format(out, ":%s", where);
	}
	return count;
}

static bool has_path(const struct syscall_row *row, size_t argument)
{
	return syscall_path_argument(row) == argument + 1 && !(row->traits & SYSCALL_EXECS);
}

/* Returns whether a call is an exec: the memory of its path is gone when it returns. */
static bool is_exec_call(const struct syscall_row *row, size_t argument)
{
	(void)argument;
	return row->traits & SYSCALL_EXECS;
}

static bool is_last(const struct syscall_row *row, size_t argument)
{
	(void)argument;
	return syscall_never_returns(row);
}

/* Writes a clause for each path argument, because a path that is not in memory fails its clause. */
static void write_paths(struct buffer *out, const struct dtrace_calls *c)
{
	for (size_t i = 0; i < SYSCALL_ARGUMENTS; i++) {
		if (!write_probes(out, c, "entry", has_path, i))
			continue;
		buffer_format(out, "\n/self->at/\n{\n\tself->path = arg%zu;\n}\n", i);
	}
	if (write_probes(out, c, "entry", is_exec_call, 0))
		buffer_string(out, "\n/self->at/\n{\n\tself->text = copyinstr(arg0);\n}\n");
	buffer_string(out, "\nsyscall:::return\n/self->at && self->path/\n{\n"
			   "\tself->text = copyinstr(self->path);\n}\n");
}

/* Writes the probes of entry and return of the selected calls. */
static void write_all_probes(struct buffer *out, const struct dtrace_calls *c, const char *where)
{
	if (c->set->is_all)
		buffer_format(out, "\nsyscall:::%s", where);
	else
		write_probes(out, c, where, NULL, 0);
}

static void write_stream(struct buffer *out, const struct dtrace_calls *c)
{
	buffer_string(out,
		"\nsyscall:::return\n/self->at/\n{\n"
		"\tprintf(\"c\\t%d\\t%d\\t%d\\t%d\\t%s\\t%d\\t%d\\t%d\\t%x\\t%x\\t%x\\t%x"
		"\\t%x\\t%x\\t%S\\t%S\\n\",\n"
		"\t\twalltimestamp, pid, ppid, tid, probefunc, self->error, (int64_t)arg1,\n"
		"\t\ttimestamp - self->at, self->a0, self->a1, self->a2, self->a3,\n"
		"\t\tself->a4, self->a5, execname, self->text);\n}\n");
	if (write_probes(out, c, "entry", is_last, 0))
		buffer_string(out, "\n/self->at/\n{\n"
				   "\tprintf(\"l\\t%d\\t%d\\t%d\\t%d\\t%s\\t%x\\t%S\\n\", "
				   "walltimestamp, pid, ppid,\n"
				   "\t\ttid, probefunc, arg0, execname);\n}\n");
}

/* Writes the code for the slot of the histogram: log2 of ns, by halving. */
static void write_slot(struct buffer *out)
{
	static const unsigned bits[] = { 16, 8, 4, 2, 1 };

	buffer_format(out,
		"\tthis->took = timestamp - self->at;\n"
		"\tthis->rest = this->took < %llu ? this->took : %llu;\n"
		"\tthis->slot = 0;\n",
		1ULL << (SYSCALLS_BUCKETS - 1), 1ULL << (SYSCALLS_BUCKETS - 1));
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		buffer_format(out,
			"\tthis->slot += this->rest >= %llu ? %u : 0;\n"
			"\tthis->rest = this->rest >= %llu ? this->rest / %llu : this->rest;\n",
			1ULL << bits[i], bits[i], 1ULL << bits[i], 1ULL << bits[i]);
}

static void write_counts(struct buffer *out, const struct dtrace_calls *c)
{
	static const char key[] = "[pid, ppid, tid, probefunc, self->error, this->slot]";
	static const char print_timed[] =
		"\tprintf(\"w\\t%d\\n\", walltimestamp);\n"
		"\tprinta(\"n\\t%d\\t%d\\t%d\\t%s\\t%d\\t%d\\t%@d\\t%@d\\t%@d\\n\", @n, @t, @m);\n"
		"\ttrunc(@n);\n\ttrunc(@t);\n\ttrunc(@m);\n";
	static const char print_last[] =
		"\tprinta(\"x\\t%d\\t%d\\t%d\\t%s\\t%@d\\n\", @x);\n\ttrunc(@x);\n";

	/* An aggregation that is never written is an error in DTrace. */
	const char *last = "";

	buffer_string(out, "\nsyscall:::return\n/self->at/\n{\n");
	write_slot(out);
	buffer_format(out,
		"\t@n%s = count();\n\t@t%s = sum(this->took);\n\t@m%s = max(this->took);\n}\n", key,
		key, key);
	if (write_probes(out, c, "entry", is_last, 0)) {
		buffer_string(
			out, "\n/self->at/\n{\n\t@x[pid, ppid, tid, probefunc] = count();\n}\n");
		last = print_last;
	}
	buffer_format(out, "\nprofile:::tick-1s\n{\n%s%s}\n\ndtrace:::END\n{\n%s%s}\n", print_timed,
		last, print_timed, last);
}

void dtrace_program_calls(struct buffer *out, const struct dtrace_calls *c)
{
	write_begin(out, &c->targets);
	write_following(out, &c->targets);
	write_all_probes(out, c, "entry");
	buffer_string(out, "\n/");
	write_condition(out, &c->targets);
	buffer_string(
		out, "/\n{\n\tself->at = timestamp;\n\tself->path = 0;\n\tself->text = \"\";\n");
	for (int i = 0; i < 6 && c->streams; i++)
		buffer_format(out, "\tself->a%d = arg%d;\n", i, i);
	/* errno keeps the error of an earlier call after a call that succeeds. */
	buffer_string(out, "}\n\nsyscall:::return\n/self->at/\n{\n"
			   "\tself->error = (int)arg1 == -1 ? errno : 0;\n}\n");
	if (c->streams) {
		write_paths(out, c);
		write_stream(out, c);
	}
	if (c->counts)
		write_counts(out, c);
	buffer_string(out, "\nsyscall:::return\n/self->at/\n{\n\tself->at = 0;\n\tself->path = 0;\n"
			   "\tself->error = 0;\n}\n");
	write_exit_clauses(out, &c->targets);
	/* A line each second shows that none is missing. Without a reader it ends the program. */
	buffer_string(out, "\nprofile:::tick-1s\n{\n\tprintf(\"t\\t%d\\n\", walltimestamp);\n}\n");
}

/* --- stacks --- */

void dtrace_program_profile(struct buffer *out, const struct dtrace_targets *t, uint32_t hz)
{
	static const char print[] =
		"\tprintf(\"w\\t%d\\n\", walltimestamp);\n"
		"\tprinta(\"s\\t%d\\t%d\\t%d\\t%S\\t%@d%k\\nS\\n\", @s);\n\ttrunc(@s);\n";

	write_begin(out, t);
	write_following(out, t);
	buffer_format(out, "\nprofile:::profile-%uhz\n/arg1 && ", hz);
	write_condition(out, t);
	buffer_format(out, "/\n{\n\t@s[pid, ppid, tid, execname, ustack(%d)] = count();\n}\n",
		STACK_FRAMES);
	write_exit_clauses(out, t);
	buffer_format(out, "\nprofile:::tick-1s\n{\n%s}\n\ndtrace:::END\n{\n%s}\n", print, print);
}
