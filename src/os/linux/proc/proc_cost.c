/* SPDX-License-Identifier: BSD-2-Clause */
/* Costs of a sample. */
#include "os/linux/proc/proc_cost.h"

#include <sys/stat.h>

/* Measured by bench/scan: loading the iterator; and a process by its files and by the iterator,
 * the first time it is seen, and later. */
#define NS_BPF_BEGIN	5000000
#define NS_PROCFS_FIRST 27000
#define NS_PROCFS_AGAIN 12000
#define NS_BPF_FIRST	3300
#define NS_BPF_AGAIN	1600

#define SAMPLES_OF_MANY 20 /* at least, in a run that takes samples repeatedly */

static uint64_t expected_samples(const struct probe_options *options)
{
	if (options->interest & INTEREST_ONCE)
		return 1;
	return options->observer.sample_ns ? SAMPLES_OF_MANY : 2;
}

/* Returns the cost of one sample; one-time costs are divided among all samples. */
static uint64_t cost_of_sample(const struct probe_options *options, uint64_t processes,
	uint64_t begin, uint64_t first, uint64_t again)
{
	uint64_t n = expected_samples(options);

	return (begin + processes * (first + (n - 1) * again)) / n;
}

uint64_t proc_cost_of_procfs(const struct probe_options *options, uint64_t processes)
{
	return cost_of_sample(options, processes, 0, NS_PROCFS_FIRST, NS_PROCFS_AGAIN);
}

uint64_t proc_cost_of_bpf(const struct probe_options *options, uint64_t processes)
{
	/* It always reads all processes, so it does not suit a few. */
	if (!options->is_host && !options->has_uid)
		return UINT64_MAX;
	return cost_of_sample(options, processes, NS_BPF_BEGIN, NS_BPF_FIRST, NS_BPF_AGAIN);
}

/* Estimates the number of processes. The link count of /proc includes the host's processes
 * (fs/proc/root.c), besides some ten folders. */
static uint64_t count_processes(const struct probe_options *options)
{
	struct stat st;

	if (!options->is_host && !options->has_uid)
		return options->process_count;
	return stat("/proc", &st) ? 0 : st.st_nlink;
}

uint64_t proc_cost_procfs(const struct probe_options *options)
{
	return proc_cost_of_procfs(options, count_processes(options));
}

uint64_t proc_cost_bpf(const struct probe_options *options)
{
	return proc_cost_of_bpf(options, count_processes(options));
}
