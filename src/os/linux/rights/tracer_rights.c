/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rights of tracers that the caller starts. The rules are the kernel's: ptrace(2) with Yama
 * (Documentation/admin-guide/LSM/Yama.rst), perf_event_open(2) with
 * Documentation/admin-guide/perf-security.rst (values above 2 come from patches of distributions),
 * and the capabilities of capabilities(7).
 *
 * Cannot be seen: what SELinux, AppArmor, seccomp or lockdown would refuse.
 */
#include "os/linux/rights/tracer_rights.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/linux/rights/capabilities.h"
#include "os/linux/files/procfs.h"

#define BIT(capability)	 (UINT64_C(1) << (capability))
#define CAPABILITIES_MAX 63

static const char *const needs[TRACER_WAYS] = {
	[TRACER_STARTS] = "no privilege for programs that it starts",
	[TRACER_STARTS_OR_PTRACE] =
		"no privilege for programs that it starts; other processes: as ptrace",
	[TRACER_PTRACE] = "ptrace; own processes: yama.ptrace_scope 0; all: cap_sys_ptrace",
	[TRACER_PERF] = "own processes: perf_event_paranoid up to 2; all: cap_perfmon",
	[TRACER_PERF_STARTS] = "perf_event_paranoid up to 1, or cap_perfmon",
	[TRACER_BPF] = "root, or cap_bpf and cap_perfmon",
	[TRACER_TRACEFS] = "root, or access to /sys/kernel/tracing",
	[TRACER_PACKETS] = "cap_net_raw",
	[TRACER_FANOTIFY] = "cap_sys_admin",
	[TRACER_MODULE] = "root, or its own group: a kernel module",
	[TRACER_ROOT] = "root",
};

const char *tracer_way_need(enum tracer_way way)
{
	return needs[way];
}

/* --- the caller's privileges --- */

static int read_setting(const char *path)
{
	struct buffer text = { 0 };
	int value = TRACER_UNKNOWN;

	if (procfs_read_at(AT_FDCWD, path, &text, PROCFS_SMALL) >= 0) {
		struct cursor c = cursor_over(text.data, text.size);
		int64_t found = cursor_signed(&c);

		if (!c.failed && found > TRACER_UNKNOWN && found < 100)
			value = (int)found;
	}
	buffer_fini(&text);
	return value;
}

/* Returns P'(permitted) of a program without file privileges: for root the whole bounding set, for
 * others the ambient set. */
static uint64_t after_exec(bool is_root)
{
	uint64_t found = 0;

	for (unsigned i = 0; i < CAPABILITIES_MAX; i++) {
		int has = is_root ? prctl(PR_CAPBSET_READ, i, 0, 0, 0)
				  : prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, i, 0, 0);

		if (has < 0)
			break;
		if (has)
			found |= BIT(i);
	}
	return found;
}

void tracer_rights_read(struct tracer_rights *rights)
{
	struct stat ns;
	bool is_initial = !stat("/proc/self/ns/user", &ns) && ns.st_ino == USER_NAMESPACE_INITIAL;

	assert(rights);
	*rights = (struct tracer_rights){ .is_root = !getuid() && is_initial };
	rights->inner = after_exec(!getuid());
	rights->bounding = after_exec(true);
	rights->capabilities = is_initial ? rights->inner : 0;
	rights->gets_from_files = is_initial && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0;
	rights->may_use_tracefs = !access("/sys/kernel/tracing/tracing_on", R_OK | W_OK) ||
				  !access("/sys/kernel/debug/tracing/tracing_on", R_OK | W_OK);
	rights->ptrace_scope = read_setting("/proc/sys/kernel/yama/ptrace_scope");
	rights->perf_event_paranoid = read_setting("/proc/sys/kernel/perf_event_paranoid");
}

/* --- rules --- */

static struct tracer_verdict verdict_of(enum host_reach reach, const char *missing)
{
	return (struct tracer_verdict){ reach, missing };
}

static struct tracer_verdict all_or_nothing(bool has, const char *missing)
{
	return has ? verdict_of(HOST_REACH_ALL, NULL) : verdict_of(HOST_REACH_NOTHING, missing);
}

static struct tracer_verdict diagnose_ptrace(const struct tracer_rights *r, uint64_t capabilities)
{
	bool may_all = (capabilities | r->inner) & BIT(CAP_SYS_PTRACE);

	if (r->ptrace_scope >= 3)
		return verdict_of(HOST_REACH_NOTHING,
			"kernel.yama.ptrace_scope below 3, which only a restart of the host sets");
	if (may_all)
		return verdict_of(HOST_REACH_ALL, NULL);
	if (r->ptrace_scope == 2)
		return verdict_of(
			HOST_REACH_NOTHING, "cap_sys_ptrace, or kernel.yama.ptrace_scope=1");
	if (r->ptrace_scope == 1)
		return verdict_of(
			HOST_REACH_STARTED, "cap_sys_ptrace, or kernel.yama.ptrace_scope=0");
	return verdict_of(HOST_REACH_OWN, "cap_sys_ptrace, for processes of other users");
}

static struct tracer_verdict diagnose_perf(const struct tracer_rights *r, uint64_t capabilities)
{
	if (capabilities & (BIT(CAP_PERFMON) | BIT(CAP_SYS_ADMIN)))
		return verdict_of(HOST_REACH_ALL, NULL);
	if (r->perf_event_paranoid == TRACER_UNKNOWN)
		return verdict_of(HOST_REACH_NOTHING, "perf events in the kernel");
	if (r->perf_event_paranoid > 2)
		return verdict_of(
			HOST_REACH_NOTHING, "cap_perfmon, or kernel.perf_event_paranoid=2");
	if (r->perf_event_paranoid > 1)
		return verdict_of(HOST_REACH_OWN,
			"cap_perfmon, or kernel.perf_event_paranoid=1: for the kernel's part");
	if (r->perf_event_paranoid > 0)
		return verdict_of(HOST_REACH_OWN,
			"cap_perfmon, or kernel.perf_event_paranoid=0: for all processors");
	return verdict_of(HOST_REACH_ALL, NULL);
}

static struct tracer_verdict diagnose_started_perf(
	const struct tracer_rights *r, uint64_t capabilities)
{
	if (capabilities & (BIT(CAP_PERFMON) | BIT(CAP_SYS_ADMIN)) ||
		(r->perf_event_paranoid != TRACER_UNKNOWN && r->perf_event_paranoid <= 1))
		return verdict_of(HOST_REACH_STARTED, NULL);
	return verdict_of(HOST_REACH_NOTHING, "kernel.perf_event_paranoid=1, or cap_perfmon");
}

static struct tracer_verdict diagnose_started_or_ptrace(
	const struct tracer_rights *r, uint64_t capabilities)
{
	struct tracer_verdict j = diagnose_ptrace(r, capabilities);

	if (j.reach < HOST_REACH_STARTED)
		j.reach = HOST_REACH_STARTED;
	return j;
}

static bool has_bpf(uint64_t capabilities)
{
	return capabilities & BIT(CAP_SYS_ADMIN) ||
	       (capabilities & BIT(CAP_BPF) && capabilities & BIT(CAP_PERFMON));
}

struct tracer_verdict tracer_rights_decide(
	const struct tracer_rights *r, enum tracer_way way, uint64_t of_file)
{
	assert(r);

	uint64_t has = r->capabilities | (r->gets_from_files ? of_file & r->bounding : 0);

	switch (way) {
	case TRACER_STARTS:
		return verdict_of(HOST_REACH_STARTED, NULL);
	case TRACER_STARTS_OR_PTRACE:
		return diagnose_started_or_ptrace(r, has);
	case TRACER_PTRACE:
		return diagnose_ptrace(r, has);
	case TRACER_PERF:
		return diagnose_perf(r, has);
	case TRACER_PERF_STARTS:
		return diagnose_started_perf(r, has);
	case TRACER_BPF:
		return all_or_nothing(has_bpf(has), "root, or cap_bpf and cap_perfmon");
	case TRACER_TRACEFS:
		return all_or_nothing(has & BIT(CAP_SYS_ADMIN) || r->may_use_tracefs, needs[way]);
	case TRACER_PACKETS:
		return all_or_nothing((has | r->inner) & BIT(CAP_NET_RAW), "cap_net_raw");
	case TRACER_FANOTIFY:
		return all_or_nothing(has & BIT(CAP_SYS_ADMIN), "cap_sys_admin");
	case TRACER_MODULE:
		return all_or_nothing(has & BIT(CAP_SYS_MODULE), "root: cap_sys_module");
	default:
		return all_or_nothing(r->is_root, "root");
	}
}
