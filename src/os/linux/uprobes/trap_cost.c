/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/uprobes/trap_cost.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

#define BATCHES 16
#define CALLS	128 /* number of calls in a batch */
#define STEPS	8   /* stepped calls in a batch: some 10 us each */

/* Instructions that no compiler changes. Like the instructions probed in other files they are
 * emulated by the kernel, except the return. */
__asm__(".text\n"
	".globl sooth_trap_function\n"
	".hidden sooth_trap_function\n"
	".type sooth_trap_function, %function\n"
	"sooth_trap_function:\n"
	"\tnop\n"
	"\tret\n"
	".size sooth_trap_function, .-sooth_trap_function\n"
	".globl sooth_trap_stepped\n"
	".hidden sooth_trap_stepped\n"
	".type sooth_trap_stepped, %function\n"
	"sooth_trap_stepped:\n"
	"\tret\n"
	".size sooth_trap_stepped, .-sooth_trap_stepped\n");

extern void sooth_trap_function(void);
extern void sooth_trap_stepped(void);

struct own_code {
	uint64_t address, offset;
	char path[4096];
};

static int find_own(struct dl_phdr_info *info, size_t size, void *user)
{
	struct own_code *own = user;
	uint64_t address = own->address - info->dlpi_addr;
	const char *path = info->dlpi_name && *info->dlpi_name ? info->dlpi_name : "/proc/self/exe";

	(void)size;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type != PT_LOAD || address < p->p_vaddr ||
			address - p->p_vaddr >= p->p_filesz)
			continue;
		own->offset = address - p->p_vaddr + p->p_offset;
		snprintf(own->path, sizeof(own->path), "%s", path);
		return 1;
	}
	return 0;
}

int trap_cost_places(struct trap_cost_places *out, struct sooth_error *err)
{
	struct own_code own = { .address = (uint64_t)(uintptr_t)sooth_trap_function };

	assert(out);
	if (!dl_iterate_phdr(find_own, &own))
		return error_errno(err, -ENOENT, "find sooth's own code");
	out->file = open(own.path, O_RDONLY | O_CLOEXEC);
	if (out->file < 0)
		return error_errno(err, -errno, "open %s", own.path);
	out->function = own.offset;
	out->stepped = own.offset + (uint64_t)(uintptr_t)sooth_trap_stepped - own.address;
	return 0;
}

static int compare_by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Returns the time in the median batch: the thread may lose its CPU in some batches. */
static uint32_t time_calls(void (*function)(void), unsigned count)
{
	uint64_t took_ns[BATCHES];

	for (unsigned i = 0; i < BATCHES; i++) {
		uint64_t began_ns = clock_monotonic_ns();

		for (unsigned k = 0; k < count; k++)
			function();
		took_ns[i] = clock_monotonic_ns() - began_ns;
	}
	qsort(took_ns, BATCHES, sizeof(*took_ns), compare_by_value);
	return (uint32_t)(took_ns[BATCHES / 2] / count);
}

uint32_t trap_cost_function_ns(void)
{
	return time_calls(sooth_trap_function, CALLS);
}

uint32_t trap_cost_stepped_ns(void)
{
	return time_calls(sooth_trap_stepped, STEPS);
}
