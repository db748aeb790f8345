/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Needs are tested by looking, not by trying to attach: doctor asks them all,
 * and an unprivileged user must get an answer as well.
 */
#include "os/linux/needs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "os/linux/capabilities.h"

const char needs_bpf_remedy[] = "run as root, or once: setcap cap_bpf,cap_perfmon+ep on "
				"sooth";

bool needs_has_capability(unsigned capability)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	if (syscall(SYS_capget, &header, data))
		return false;
	return data[capability / 32].effective & 1u << capability % 32;
}

static int test_procfs(const struct os *os, struct sooth_error *err)
{
	(void)os;
	if (!access("/proc/self/stat", R_OK))
		return 0;
	error_errno(err, -errno, "read /proc/self/stat");
	error_missing(err, "a mounted procfs");
	return error_remedy(err, "mount -t proc proc /proc");
}

static int test_bpf(const struct os *os, struct sooth_error *err)
{
	(void)os;
	if (needs_has_capability(CAP_SYS_ADMIN) ||
		(needs_has_capability(CAP_BPF) && needs_has_capability(CAP_PERFMON)))
		return 0;
	error_set(err, -EPERM, SOOTH_FAULT_PRIVILEGE, "use BPF to watch processes");
	error_why(err, "this process has not the capabilities cap_bpf and cap_perfmon");
	error_missing(err, "cap_bpf and cap_perfmon, or root");
	return error_remedy(err, "%s", needs_bpf_remedy);
}

static int test_btf(const struct os *os, struct sooth_error *err)
{
	(void)os;
	if (!access("/sys/kernel/btf/vmlinux", R_OK))
		return 0;
	error_set(err, -EOPNOTSUPP, SOOTH_FAULT_UNSUPPORTED, "read /sys/kernel/btf/vmlinux");
	error_why(err, "%s", strerror(errno));
	error_missing(err, "the kernel's type information (BTF)");
	return error_remedy(
		err, "use a kernel built with CONFIG_DEBUG_INFO_BTF, and mount sysfs on /sys");
}

static bool kernel_is(unsigned major, unsigned minor, struct utsname *system)
{
	unsigned has_major = 0, has_minor = 0;

	if (uname(system) || sscanf(system->release, "%u.%u", &has_major, &has_minor) != 2)
		return false;
	return has_major > major || (has_major == major && has_minor >= minor);
}

/* In tracing programs with 5.11, in all of them with 5.12; map types cannot be probed without
 * privilege, the release can. */
bool needs_have_task_storage(void)
{
	struct utsname system;

	return kernel_is(5, 12, &system);
}

static int test_bpf_ring(const struct os *os, struct sooth_error *err)
{
	struct utsname system = { 0 };

	(void)os;
	if (kernel_is(5, 8, &system))
		return 0;
	error_set(err, -EOPNOTSUPP, SOOTH_FAULT_UNSUPPORTED, "use a BPF ring buffer");
	error_why(err, "this kernel is %s", system.release);
	error_missing(err, "the ring buffer and task iterators, which came with Linux 5.8");
	return error_remedy(err, "use a newer kernel");
}

/* Definitions in tracefs, and opening them as perf events on others' threads. */
static int test_uprobe_events(const struct os *os, struct sooth_error *err)
{
	(void)os;
	if (!needs_has_capability(CAP_SYS_ADMIN)) {
		error_set(err, -EPERM, SOOTH_FAULT_PRIVILEGE, "probe functions of a program");
		error_why(err, "this process has not the capability cap_sys_admin");
		error_missing(err, "root: probes that children inherit are defined in tracefs");
		return error_remedy(err, "run sooth as root");
	}
	if (!access("/sys/bus/event_source/devices/uprobe", F_OK))
		return 0;
	error_set(err, -EOPNOTSUPP, SOOTH_FAULT_UNSUPPORTED, "probe functions of a program");
	error_why(err, "/sys/bus/event_source/devices/uprobe: %s", strerror(errno));
	error_missing(err, "uprobes in the kernel, and a mounted sysfs");
	return error_remedy(err, "use a kernel built with CONFIG_UPROBE_EVENTS");
}

/* The kernel side names processes by their pid in the initial namespace; procfs here by its own. */
static int test_pid_namespace(const struct os *os, struct sooth_error *err)
{
	struct stat ns;

	(void)os;
	if (stat("/proc/self/ns/pid", &ns) || ns.st_ino == PID_NAMESPACE_INITIAL)
		return 0;
	error_set(err, -EOPNOTSUPP, SOOTH_FAULT_UNSUPPORTED,
		"watch processes from a pid namespace");
	error_why(err, "process ids here are not those that the kernel's programs see");
	error_missing(err, "the initial pid namespace");
	return error_remedy(
		err, "run sooth on the host, or in a container with the host's (--pid=host)");
}

const struct need need_procfs = { "procfs", "/proc is mounted", test_procfs };
const struct need need_bpf = { "bpf", "cap_bpf and cap_perfmon, or root", test_bpf };
const struct need need_btf = { "btf", "the kernel's type information", test_btf };
static int test_uprobe_multi(const struct os *os, struct sooth_error *err)
{
	struct utsname system = { 0 };

	(void)os;
	if (kernel_is(6, 6, &system))
		return 0;
	error_set(err, -EOPNOTSUPP, SOOTH_FAULT_UNSUPPORTED, "probe functions by BPF links");
	error_why(err, "this kernel is %s", system.release);
	error_missing(err, "links of type uprobe_multi, which came with Linux 6.6");
	return error_remedy(err, "run sooth as root: then it needs none");
}

const struct need need_uprobe_multi = { "uprobe-multi", "Linux 6.6 or later", test_uprobe_multi };
const struct need need_bpf_ring = { "bpf-ring", "Linux 5.8 or later", test_bpf_ring };
const struct need need_uprobe_events = { "uprobe-events", "root, and uprobes in the kernel",
	test_uprobe_events };
const struct need need_pid_namespace = { "pid-namespace", "the initial pid namespace",
	test_pid_namespace };
