/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/heap/heap_limits.h"

#include <stdio.h>

void heap_limits_emit_opaque(struct backend_run *run, const char *path, uint32_t programs)
{
	char why[HEAP_PATH_BYTES + 128];

	if (!path[0])
		snprintf(why, sizeof(why),
			"no mapped file of the program defines a known allocator function");
	else
		snprintf(why, sizeof(why), "%s%s: no known allocator function was found in it",
			path, programs > 1 ? " and other programs" : "");
	backend_limit(run, HEAP_NO_ALLOCATOR, why,
		"a static program needs its symbol table (not stripped); sooth reads 64-bit files");
}

static void emit_opaque(struct backend_run *run, struct heap_attach *attach, bool is_blind)
{
	char path[HEAP_PATH_BYTES] = "";
	uint32_t programs = heap_attach_opaque(attach, path);

	if (programs || is_blind)
		heap_limits_emit_opaque(run, path, programs);
}

/* Emits a limit if the library's operator new does not call malloc: libstdc++'s does; that of
 * tcmalloc, jemalloc and mimalloc does not. */
static void emit_operator_new(struct backend_run *run, const struct heap_attach *attach)
{
	char what[300];

	if (!attach->operator_new[0])
		return;
	snprintf(what, sizeof(what), "C++ new of %s", attach->operator_new);
	backend_limit(run, what,
		"new of this library does not call its malloc, a return probe on a function that "
		"throws would end the program, and its return instructions were not found",
		"run the program without that library: then new calls malloc");
}

static void emit_left_out(struct backend_run *run, const struct heap_attach *attach)
{
	char what[96];

	if (!attach->left_out)
		return;
	snprintf(what, sizeof(what), "%u allocator functions", attach->left_out);
	backend_limit(run, what,
		"the mapped files have more allocator functions than sooth can probe", "");
}

static void report_unread_allocators(struct backend_run *run, const struct allocators *a)
{
	char what[400];

	if (!a->unread)
		return;
	snprintf(what, sizeof(what), "allocations by functions of %s%s", a->unread_path,
		a->unread > 1 ? " and other files" : "");
	backend_limit(run, what, a->unread_why, "");
}

void heap_limits_emit(struct backend_run *run, struct heap_attach *attach, bool is_blind)
{
	emit_opaque(run, attach, is_blind);
	emit_left_out(run, attach);
	report_unread_allocators(run, &attach->allocators);
	emit_operator_new(run, attach);
}

void heap_limits_emit_unfollowed(struct backend_run *run, uint64_t samples)
{
	char why[128];

	if (!samples)
		return;
	snprintf(why, sizeof(why),
		"blocks sampled before returns were probed count as freed: %llu samples",
		(unsigned long long)samples);
	backend_limit(run, "when some sampled blocks of new processes were freed", why,
		"count every block, also of new processes: sooth heap --in-kernel -p PID");
}
