/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Holds --mb mebibytes of anonymous memory, every page of it written with its own value, so that
 * it counts as resident and cannot be merged. The kernel may still swap it out.
 */
#include "workload.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/mman.h>

#define MIB (UINT64_C(1) << 20)

static uint64_t size_mb = 64;

static int run(const struct workload *w)
{
	size_t size = size_mb * MIB, page = (size_t)sysconf(_SC_PAGESIZE);
	autotruth truth = { 0 };
	uint64_t state = w->seed;
	char *memory;
	int err;

	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return -errno;
	for (size_t at = 0; at < size; at += page)
		*(volatile uint64_t *)(memory + at) = random_next(&state);
	err = truth_begin(&truth);
	if (!err) {
		fprintf(truth.out, "anon_bytes_min %zu\n", size);
		err = truth_commit(&truth, w);
	}
	if (!err)
		err = workload_stay(w);
	munmap(memory, size);
	return err;
}

static const struct param params[] = {
	{ "mb", "M", "how much, in MiB (64)", PARAM_NUMBER, &size_mb, 1, 65536 },
	{ 0 },
};

const struct scenario scenario_hog = {
	.name = "hog",
	.help = "holds memory, all of it touched",
	.params = params,
	.run = run,
};
