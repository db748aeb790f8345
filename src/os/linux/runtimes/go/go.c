/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The goroutines of a Go program, in groups: a group has goroutines that began with the same
 * function and wait for the same reason. They are read from memory without stopping the process, so
 * a group may mix two moments.
 *
 * Not seen: programs without a symbol table (-ldflags -s), goroutines beyond the limit.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/linux/files/maps.h"
#include "os/linux/files/process_clock.h"
#include "os/linux/files/read_memory.h"
#include "os/linux/files/timed_open.h"
#include "os/linux/runtimes/go/go_layout.h"
#include "os/linux/runtimes/runtime.h"
#include "os/linux/syscalls/native_abi.h"
#include "os/linux/waits/wait_reader.h"
#include "symbols/elf_address.h"
#include "symbols/elf_exports.h"
#include "symbols/elf_sections.h"

#define MAPS_BYTES  (256 << 10)
#define ALL_MAX	    (1u << 17) /* most goroutines that are read */
#define AT_ONCE	    256
#define FIRST_MAX   8
#define GROUPS_MAX  24
#define FRAMES_MAX  16
#define STACK_MAX   (UINT64_C(1) << 30)
#define REASON_SIZE 48
#define READ_MS	    1000

enum symbol { ALL, MAIN, REASONS, SYMBOLS };

static const char *const symbol_names[SYMBOLS] = { "runtime.allgs", "runtime.main",
	"runtime.waitReasonStrings" };

/* The last program that was read: values that do not change while the process runs it. */
struct go_program {
	struct runtime_state of;
	uint64_t start_ticks;
	uint32_t pid;
	bool is_go;
	int file; /* executable of the process; negative: not open */
	uint64_t
		code_from; /* where byte 0 of the file would be loaded by the mapping of its code */
	uint64_t code_to;
	uint64_t at[SYMBOLS]; /* addresses in the process */
	unsigned reasons;
};

struct group {
	uint64_t start, count, longest_ns; /* longest_ns 0: not known */
	uint64_t frames[FRAMES_MAX];
	unsigned depth;
	uint8_t status, reason;
	bool is_main;
	char text[REASON_SIZE]; /* text of the reason */
};

/* Filled in by the child of a timeout_call(): plain data. */
struct look {
	pid_t pid;
	uint64_t at[SYMBOLS];
	uint64_t now_ns; /* time by the target's clock; UINT64_MAX: it could not be read */
	unsigned reasons;
	struct go_layout layout;
	struct go_goroutine some[AT_ONCE];
	struct group groups[GROUPS_MAX];
	unsigned count;
	bool is_read, is_cut;
};

static void init(void *state)
{
	((struct go_program *)state)->file = -1;
}

static void fini(void *state)
{
	cleanup_close(&((struct go_program *)state)->file);
}

/* --- memory, in the child --- */

static size_t read_goroutines(struct look *l, uint64_t list, size_t count)
{
	uint64_t addresses[AT_ONCE];
	struct iovec here[AT_ONCE], there[AT_ONCE];
	ssize_t got;

	if (!do_read_memory(l->pid, list, addresses, count * sizeof(*addresses)))
		return 0;
	for (size_t i = 0; i < count; i++) {
		l->some[i].address = addresses[i];
		here[i] = (struct iovec){ l->some[i].bytes, GO_BYTES };
		there[i] = (struct iovec){ (void *)addresses[i], GO_BYTES };
	}
	got = process_vm_readv(l->pid, here, count, there, count, 0);
	return got < 0 ? 0 : (size_t)got / GO_BYTES;
}

/* Walks up the frame pointers, which Go keeps in every function. */
static void walk_frames(const struct look *l, const struct go_goroutine *g, struct group *out)
{
	uint64_t low = go_number_at(g, l->layout.stack_pointer), high = go_number_at(g, 8);
	uint64_t frame = go_number_at(g, l->layout.frame), both[2];

	/* Go 1.25 has one word less in front of the frame pointer. */
	if (frame < low || frame >= high)
		frame = go_number_at(g, l->layout.frame - 8u);
	while (out->depth < FRAMES_MAX && frame >= low && frame < high && high - low < STACK_MAX &&
		do_read_memory(l->pid, frame, both, sizeof(both)) && both[1]) {
		out->frames[out->depth++] = both[1];
		low = frame + 1;
		frame = both[0];
	}
}

static void read_reason(const struct look *l, struct group *g)
{
	uint64_t string[2];

	if (g->reason < l->reasons &&
		do_read_memory(l->pid, l->at[REASONS] + g->reason * sizeof(string), string,
			sizeof(string)) &&
		string[1] < sizeof(g->text) &&
		!do_read_memory(l->pid, string[0], g->text, string[1]))
		g->text[0] = '\0';
}

static bool is_waiting(enum go_status status)
{
	return status == GO_WAITING || status == GO_PREEMPTED;
}

/* Returns the group of a goroutine; NULL: there are more groups than are kept. */
static struct group *group_of(
	struct look *l, const struct go_goroutine *g, uint8_t status, uint8_t reason, bool is_main)
{
	uint64_t start = go_number_at(g, l->layout.start);
	struct group *new;

	for (unsigned i = 0; i < l->count; i++) {
		struct group *old = &l->groups[i];

		if (old->start == start && old->status == status && old->reason == reason &&
			!old->is_main)
			return old;
	}
	if (l->count == GROUPS_MAX) {
		l->is_cut = true;
		return NULL;
	}
	new = &l->groups[l->count++];
	*new = (struct group){
		.start = start, .status = status, .reason = reason, .is_main = is_main
	};
	if (is_waiting(status)) {
		read_reason(l, new);
		walk_frames(l, g, new);
	}
	return new;
}

static void add_goroutine(struct look *l, const struct go_goroutine *g, bool is_main)
{
	enum go_status status = go_status_of(&l->layout, g);
	uint64_t since = go_number_at(g, l->layout.since);
	bool waits = is_waiting(status);
	struct group *of;

	if (!status || status == GO_DEAD || status >= GO_STATES)
		return;
	of = group_of(l, g, (uint8_t)status, waits ? (uint8_t)go_number_at(g, l->layout.reason) : 0,
		is_main);
	if (!of)
		return;
	of->count++;
	if (waits && since && l->now_ns != UINT64_MAX && since < l->now_ns &&
		l->now_ns - since > of->longest_ns)
		of->longest_ns = l->now_ns - since;
}

static void run_goroutines_job(void *argument)
{
	struct look *l = argument;
	uint64_t list[2]; /* address and length of a slice of pointers */
	size_t got, count, done = 0;

	if (!do_read_memory(l->pid, l->at[ALL], list, sizeof(list)) || !list[1])
		return;
	count = list[1] < ALL_MAX ? list[1] : ALL_MAX;
	l->is_cut = count != list[1];
	got = read_goroutines(l, list[0], count < FIRST_MAX ? count : FIRST_MAX);
	if (!go_layout_find(&l->layout, l->some, got, l->at[MAIN], l->now_ns))
		return;
	for (; done < count; done += got) {
		size_t next = count - done < AT_ONCE ? count - done : AT_ONCE;

		got = read_goroutines(l, list[0] + done * sizeof(uint64_t), next);
		for (size_t i = 0; i < got; i++)
			add_goroutine(l, &l->some[i], !done && !i);
		if (got != next)
			break;
	}
	l->is_read = done >= count;
}

/* --- the program --- */

static bool has_sections(int fd)
{
	static const char *const names[] = { ".go.buildinfo", ".gopclntab" };
	uint64_t found = 0;

	return !elf_sections(fd, names, ARRAY_SIZE(names), &found) && found;
}

struct symbols_job {
	int file;
	bool is_go;
	uint64_t shift;
	struct elf_export found[SYMBOLS];
};

static void run_symbols_job(void *argument)
{
	struct symbols_job *j = argument;
	struct elf_export found[SYMBOLS];
	struct elf_exports all = { .found = found };

	if (!has_sections(j->file) || !elf_symbols_find(j->file, symbol_names, SYMBOLS, &all))
		return;
	memcpy(j->found, found, sizeof(found));
	j->shift = all.code_shift;
	j->is_go = found[ALL].address && found[MAIN].address && found[REASONS].address;
}

/* Finds the code of a program: the first executable mapping of its executable file. */
static bool find_code(struct wait_reader *r, const struct wait_node *n, struct go_program *p)
{
	struct maps_line line;
	struct stat st;

	if (fstat(p->file, &st) || procfs_read_at(n->process, "maps", &r->more, MAPS_BYTES))
		return false;
	maps_for_each (&line, r->more) {
		if (line.is_executable && line.inode == st.st_ino) {
			p->code_from = line.from - line.offset;
			p->code_to = line.to;
			return true;
		}
	}
	return false;
}

static void open_program(struct wait_reader *r, const struct wait_node *n, struct go_program *p)
{
	struct symbols_job job = { 0 };

	p->file = timed_open_regular(&r->timeout, n->process, "exe", TIMEOUT_MS);
	if (p->file < 0)
		return;
	timeout_call_file(&r->timeout, run_symbols_job, &job, sizeof(job), p->file, READ_MS);
	p->is_go = job.is_go && find_code(r, n, p);
	for (size_t i = 0; i < SYMBOLS; i++)
		p->at[i] = p->code_from - job.shift + job.found[i].address;
	p->reasons = (unsigned)(job.found[REASONS].size / (2 * sizeof(uint64_t)));
	if (p->reasons > GO_REASONS)
		p->reasons = GO_REASONS;
}

/* Finds the program of a process. False: it is no Go program, or its memory may not be read. */
static bool find_program(struct wait_reader *r, const struct wait_node *n, struct go_program *p)
{
	if (p->pid != n->stat.pid || p->start_ticks != n->stat.start_ticks) {
		fini(p);
		p->pid = n->stat.pid;
		p->start_ticks = n->stat.start_ticks;
		p->is_go = false;
		open_program(r, n, p);
	}
	return p->is_go;
}

/* --- names and records --- */

/* Returns whether a function belongs to the runtime, not to the program. */
static bool is_of_runtime(const char *name)
{
	return !strncmp(name, "runtime.", 8) || !strncmp(name, "internal/", 9) ||
	       !strncmp(name, "runtime/", 8);
}

static bool is_of_waits(const char *name)
{
	static const char *const packages[] = { "sync.", "sync/", "time.", "context.", "net.",
		"net/", "os.", "os/", "io.", "bufio.", "syscall.", "golang.org/x/", "crypto/",
		"vendor/" };

	return SPAN_ANY(span_of_string(name), span_starts, packages);
}

struct group_names {
	struct elf_address start, frames[FRAMES_MAX];
	const char *by, *at; /* "": not found */
};

static void name_frames(const struct go_program *p, const struct group *g, struct group_names *out)
{
	struct elf_address all[1 + FRAMES_MAX] = { { .offset = g->start - p->code_from } };

	for (unsigned i = 0; i < g->depth; i++)
		all[1 + i].offset = g->frames[i] - 1 - p->code_from;
	elf_addresses(p->file, all, 1 + g->depth);
	out->start = all[0];
	out->by = out->at = "";
	for (unsigned i = 0; i < g->depth; i++) {
		struct elf_address *f = &out->frames[i];

		*f = all[1 + i];
		if (!f->is_found || is_of_runtime(f->name))
			continue;
		if (!is_of_waits(f->name)) {
			out->at = f->name;
			break;
		}
		out->by = f->name; /* the last one stays: the function that the program called */
	}
}

static enum waits_goroutine_state state_of(const struct group *g)
{
	if (is_waiting(g->status))
		return WAITS_GOROUTINE_WAITS;
	return g->status == GO_CALL ? WAITS_GOROUTINE_CALLS : WAITS_GOROUTINE_RUNS;
}

static void add_group(struct wait_reader *r, const struct wait_node *n, const struct go_program *p,
	const struct look *l, const struct group *g)
{
	bool waits = is_waiting(g->status);
	struct group_names names;

	name_frames(p, g, &names);
	if (!g->is_main && names.start.is_found && is_of_runtime(names.start.name))
		return;
	struct waits_goroutines row = { .record = wait_record(r, 0, WAITS_GOROUTINES),
		.node_start_ticks = n->stat.start_ticks,
		.count = g->count,
		.count_state = l->is_cut ? SOOTH_STATE_TRUNCATED : SOOTH_STATE_VALUE,
		.longest_ns = g->longest_ns,
		.longest_state = g->longest_ns ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.node_pid = n->stat.pid,
		.is_main = g->is_main,
		.state = state_of(g),
		.reason_state = waits && g->text[0] ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.at_state = *names.by || *names.at ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
	const char *start = names.start.is_found ? names.start.name : "";
	struct record_tail tail[] = { { &row.reason, g->text, strlen(g->text) },
		{ &row.by, names.by, strlen(names.by) }, { &row.at, names.at, strlen(names.at) },
		{ &row.start, start, strlen(start) } };

	RECORD_APPEND(&r->run->out, &row, tail, ARRAY_SIZE(tail));
}

static void write_waits(void *state, struct wait_reader *r, struct wait_node *n)
{
	struct go_program *p = state;
	struct look *l = NULL;

	if (!n->depth && n->may_read && n->abi == ABI_64 && find_program(r, n, p))
		l = calloc(1, sizeof(*l));
	if (!l)
		return;
	if (!process_clock_now(n->process, CLOCK_MONOTONIC, &l->now_ns))
		l->now_ns = UINT64_MAX;
	l->pid = wait_node_living(n);
	l->reasons = p->reasons;
	memcpy(l->at, p->at, sizeof(l->at));
	if (!timeout_call(&r->timeout, run_goroutines_job, NULL, l, sizeof(*l), -1, READ_MS) &&
		l->is_read) {
		for (unsigned i = 0; i < l->count; i++)
			add_group(r, n, p, l, &l->groups[i]);
	}
	free(l);
}

const struct runtime runtime_go = {
	.title = "Go",
	.signs = { MAPS_GO, .sections = { ".go.buildinfo", ".gopclntab" } },
	.heap = { .name = "the Go heap",
		.why = "Go takes its memory from the kernel, not from malloc",
		.remedy = "if the program serves net/http/pprof: go tool pprof "
			  "http://ADDRESS/debug/pprof/heap shows the heap" },
	.state_size = sizeof(struct go_program),
	.init = init,
	.fini = fini,
	.waits = write_waits,
};
