/* SPDX-License-Identifier: BSD-2-Clause */
/* Needs are tested without attaching anything: doctor tests them all, also for an unprivileged
 * user. */
#include "os/linux/rights/needs.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/linux/files/procfs.h"
#include "os/linux/files/task_files.h"
#include "os/linux/rights/capabilities.h"
#include "symbols/instruction.h"

bool needs_has_capability(unsigned capability)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	if (syscall(SYS_capget, &header, data))
		return false;
	return data[capability / 32].effective & 1u << capability % 32;
}

uint64_t needs_inner_pid_namespace(void)
{
	struct stat ns;

	return stat("/proc/self/ns/pid", &ns) || ns.st_ino == PID_NAMESPACE_INITIAL ? 0 : ns.st_ino;
}

bool needs_is_in_user_namespace(void)
{
	struct stat ns;

	return !stat("/proc/self/ns/user", &ns) && ns.st_ino != USER_NAMESPACE_INITIAL;
}

/* Returns whether /proc has the PIDs of sooth's own PID namespace: then only that numbers sooth. */
static bool has_own_procfs(void)
{
	struct buffer status = { 0 };
	unsigned numberings = 0;
	uint32_t inner;

	if (procfs_read_at(AT_FDCWD, "/proc/self/status", &status, PROCFS_SMALL) >= 0)
		numberings = task_status_inner_pid(&inner, status.data, status.size);
	buffer_fini(&status);
	return numberings <= 1;
}

static int test_procfs(const struct os *os, struct sooth_error *err)
{
	(void)os;
	bool is_there = !access("/proc/self/stat", R_OK);

	if (is_there && has_own_procfs())
		return 0;
	error_set(err, -EOPNOTSUPP, SOOTH_FAULT_UNSUPPORTED, "read processes in /proc");
	if (!is_there) {
		error_why(err, "no procfs is mounted there");
		error_missing(err, "a mounted procfs");
		return error_remedy(err, "mount -t proc proc /proc");
	}
	error_why(err, "/proc shows the process ids of another pid namespace than sooth's");
	error_missing(err, "a procfs of sooth's own pid namespace");
	return error_remedy(err, "mount -t proc proc /proc (unshare has the option --mount-proc)");
}

/* Makes the call in a child: a filter may kill the process that makes it. Without arguments the
 * kernel's own answer is another one. */
static bool is_refused(long call)
{
	const struct rlimit none = { 0 };
	pid_t child = (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);
	int status;

	if (!child) {
		setrlimit(RLIMIT_CORE, &none);
		_exit(syscall(call, NULL, NULL, 0, 0, 0) && (errno == EPERM || errno == ENOSYS));
	}
	if (child < 0)
		return false;
	while (waitpid(child, &status, __WALL) < 0) {
		if (errno != EINTR)
			return false;
	}
	return !WIFEXITED(status) || WEXITSTATUS(status);
}

bool needs_is_filtered(long call)
{
	static atomic_int known[2]; /* 0: not tested yet; 1: allowed; 2: refused */
	atomic_int *at = &known[call == SYS_bpf];

	if (prctl(PR_GET_SECCOMP) != SECCOMP_MODE_FILTER)
		return false;
	if (!*at)
		*at = is_refused(call) ? 2 : 1;
	return *at == 2;
}

static bool has_bpf_capabilities(void)
{
	return needs_has_capability(CAP_SYS_ADMIN) ||
	       (needs_has_capability(CAP_BPF) && needs_has_capability(CAP_PERFMON));
}

static const char *bpf_reason(void)
{
	if (needs_is_in_user_namespace())
		return "capabilities of a user namespace (rootless container) do not allow BPF";
	return has_bpf_capabilities() && needs_is_filtered(SYS_bpf)
		       ? "a seccomp filter (of the container) refuses bpf(2)"
		       : "sooth does not have cap_bpf and cap_perfmon";
}

bool needs_has_lost_capabilities(void)
{
	return prctl(PR_CAPBSET_READ, CAP_BPF) == 0 && prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN) == 0;
}

const char *needs_bpf_remedy(void)
{
	if (needs_is_in_user_namespace())
		return "run sooth on the host, or in a container that root starts with: "
		       "--cap-add BPF,PERFMON,SYS_PTRACE --security-opt seccomp=unconfined";
	if (needs_has_lost_capabilities())
		return needs_is_filtered(SYS_bpf)
			       ? "start the container with: --cap-add BPF,PERFMON,SYS_PTRACE "
				 "--security-opt seccomp=unconfined"
			       : "start the container with: --cap-add BPF,PERFMON,SYS_PTRACE";
	if (has_bpf_capabilities() && needs_is_filtered(SYS_bpf))
		return "start the container with: --security-opt seccomp=unconfined";
	return "run sooth as root, or give it the capabilities once: sudo setcap "
	       "cap_bpf,cap_perfmon+ep \"$(command -v sooth)\"";
}

static int test_bpf(const struct os *os, struct sooth_error *err)
{
	(void)os;
	if (has_bpf_capabilities() && !needs_is_in_user_namespace() && !needs_is_filtered(SYS_bpf))
		return 0;
	error_set(err, -EPERM, SOOTH_FAULT_PRIVILEGE, "use BPF to watch processes");
	error_why(err, "%s", bpf_reason());
	error_missing(err, "cap_bpf and cap_perfmon, or root");
	return error_remedy(err, "%s", needs_bpf_remedy());
}

static int test_btf(const struct os *os, struct sooth_error *err)
{
	(void)os;
	if (!access("/sys/kernel/btf/vmlinux", R_OK))
		return 0;
	bool has_sysfs = !access("/sys/kernel", F_OK);

	error_set(err, -EOPNOTSUPP, SOOTH_FAULT_UNSUPPORTED, "use BPF to watch processes");
	error_why(err,
		has_sysfs ? "this kernel has no type information" : "no sysfs is mounted on /sys");
	error_missing(err, "the kernel's type information, /sys/kernel/btf/vmlinux");
	return error_remedy(err, has_sysfs ? "use a kernel built with CONFIG_DEBUG_INFO_BTF"
					   : "mount -t sysfs sysfs /sys");
}

uint32_t needs_kernel_release(void)
{
	struct utsname system;
	unsigned major, minor;

	if (uname(&system) || sscanf(system.release, "%u.%u", &major, &minor) != 2)
		return 0;
	return KERNEL_RELEASE(major, minor);
}

static int refuse_kernel(
	const char *tried, const char *missing, const char *remedy, struct sooth_error *err)
{
	struct utsname system = { 0 };

	uname(&system);
	error_set(err, -EOPNOTSUPP, SOOTH_FAULT_UNSUPPORTED, "%s", tried);
	error_why(err, "this kernel is %s", system.release);
	error_missing(err, "%s", missing);
	return error_remedy(err, "%s", remedy);
}

static int test_bpf_ring(const struct os *os, struct sooth_error *err)
{
	(void)os;
	if (needs_kernel_release() >= KERNEL_RELEASE(5, 8))
		return 0;
	return refuse_kernel("use a BPF ring buffer",
		"the ring buffer and task iterators, new in Linux 5.8", "use a newer kernel", err);
}

/* Tests whether probes can be defined in tracefs, and opened as perf events on threads of other
 * processes. */
static int test_uprobe_events(const struct os *os, struct sooth_error *err)
{
	(void)os;
	if (!needs_has_capability(CAP_SYS_ADMIN) || needs_is_in_user_namespace()) {
		error_set(err, -EPERM, SOOTH_FAULT_PRIVILEGE, "probe functions of a program");
		error_why(err, "sooth does not have the capability cap_sys_admin");
		error_missing(err, "root: probes that children inherit are defined in tracefs");
		return error_remedy(err, prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN) == 0
						 ? "start the container with: --cap-add SYS_ADMIN"
						 : "run sooth as root");
	}
	if (!access("/sys/bus/event_source/devices/uprobe", F_OK))
		return 0;
	error_set(err, -EOPNOTSUPP, SOOTH_FAULT_UNSUPPORTED, "probe functions of a program");
	error_why(err, "/sys/bus/event_source/devices/uprobe: %s", strerror(errno));
	error_missing(err, "uprobes in the kernel, and a mounted sysfs");
	return error_remedy(err, "use a kernel built with CONFIG_UPROBE_EVENTS");
}

/* Tests the time namespace: in another one /proc shows start times by another clock than BPF
 * programs see. Before 5.6 there was only the initial one. */
static int test_time_namespace(const struct os *os, struct sooth_error *err)
{
	struct stat ns;

	(void)os;
	if (stat("/proc/self/ns/time", &ns) || ns.st_ino == TIME_NAMESPACE_INITIAL)
		return 0;
	error_set(err, -EOPNOTSUPP, SOOTH_FAULT_UNSUPPORTED,
		"watch processes by BPF from inside a time namespace");
	error_why(err, "BPF programs see the clocks of the host, not those of this namespace");
	error_missing(err, "the initial time namespace");
	return error_remedy(err, "run sooth on the host, or as: nsenter --time=/proc/1/ns/time "
				 "sooth ...");
}

static int test_uprobe_multi(const struct os *os, struct sooth_error *err)
{
	(void)os;
	if (needs_kernel_release() >= KERNEL_RELEASE(6, 6))
		return 0;
	return refuse_kernel("probe functions by BPF links",
		"links of type uprobe_multi, new in Linux 6.6",
		"run sooth as root: these links are not needed then", err);
}

const struct need need_procfs = { "procfs", "/proc is mounted", test_procfs };
const struct need need_bpf = { "bpf", "cap_bpf and cap_perfmon, or root", test_bpf };
const struct need need_btf = { "btf", "the kernel's type information", test_btf };
const struct need need_uprobe_multi = { "uprobe-multi", "Linux 6.6 or later", test_uprobe_multi };
const struct need need_bpf_ring = { "bpf-ring", "Linux 5.8 or later", test_bpf_ring };
const struct need need_uprobe_events = { "uprobe-events", "root, and uprobes in the kernel",
	test_uprobe_events };
const struct need need_time_namespace = { "time-namespace", "the initial time namespace",
	test_time_namespace };
