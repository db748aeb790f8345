/* SPDX-License-Identifier: BSD-2-Clause */
/* Facts about the host and about sooth itself. */
#include "os/linux/host/host.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "os/linux/rights/needs.h"
#include "os/linux/files/procfs.h"

int64_t host_realtime_offset_ns(const struct os *os)
{
	(void)os;
	return (int64_t)(clock_realtime_ns() - clock_monotonic_ns());
}

/* First line of a small file, without the newline; empty when it cannot be read. */
static void read_line(const char *path, char *out, size_t size)
{
	_cleanup_file_ FILE *file = fopen(path, "re");

	out[0] = '\0';
	if (file && fgets(out, (int)size, file))
		out[strcspn(out, "\n")] = '\0';
}

void host_facts(const struct os *os, struct host_facts *facts)
{
	struct utsname system;
	struct sysinfo info;

	*facts = (struct host_facts){ 0 };
	facts->realtime_offset_ns = host_realtime_offset_ns(os);
	facts->boottime_offset_ns = (int64_t)(clock_ns(CLOCK_BOOTTIME) - clock_monotonic_ns());
	if (!uname(&system)) {
		snprintf(facts->hostname, sizeof(facts->hostname), "%s", system.nodename);
		snprintf(facts->os, sizeof(facts->os), "%s", system.sysname);
		snprintf(facts->os_version, sizeof(facts->os_version), "%s", system.release);
		snprintf(facts->architecture, sizeof(facts->architecture), "%s", system.machine);
	}
	if (!sysinfo(&info))
		facts->memory_bytes = (uint64_t)info.totalram * info.mem_unit;
	facts->cpus = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
	facts->page_bytes = (uint32_t)sysconf(_SC_PAGESIZE);
	facts->ticks_per_s = (uint32_t)sysconf(_SC_CLK_TCK);
	read_line("/proc/sys/kernel/random/boot_id", facts->boot_id, sizeof(facts->boot_id));
}

void host_self(const struct os *os, struct self_cost *cost)
{
	struct buffer bytes = { 0 };
	struct procfs_stat stat;

	(void)os;
	cost->cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	cost->rss_bytes = 0;
	if (procfs_read(getpid(), "stat", &bytes, PROCFS_SMALL) >= 0 &&
		procfs_parse_stat(&stat, bytes.data, bytes.size))
		cost->rss_bytes = stat.rss_pages * (uint64_t)sysconf(_SC_PAGESIZE);
	buffer_fini(&bytes);
}

struct fact_list {
	struct environment_fact *facts;
	size_t count, max;
};

static void add_fact(struct fact_list *list, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void add_fact(struct fact_list *list, const char *name, const char *format, ...)
{
	va_list args;

	if (list->count == list->max)
		return;
	list->facts[list->count].name = name;
	va_start(args, format);
	vsnprintf(list->facts[list->count].value, sizeof(list->facts[0].value), format, args);
	va_end(args);
	list->count++;
}

static void add_setting(struct fact_list *list, const char *name, const char *path)
{
	char value[96];

	read_line(path, value, sizeof(value));
	add_fact(list, name, "%s", value[0] ? value : "cannot be read");
}

static void add_container(struct fact_list *list)
{
	char release[96];
	struct stat ns;

	if (!stat("/proc/self/ns/pid", &ns) && ns.st_ino != PID_NAMESPACE_INITIAL)
		add_fact(list, "container",
			"another pid namespace: processes outside are invisible");
	else if (!access("/.dockerenv", F_OK) || !access("/run/.containerenv", F_OK))
		add_fact(list, "container", "yes, with the host's pid namespace");
	else
		add_fact(list, "container", "no");
	read_line("/proc/sys/kernel/osrelease", release, sizeof(release));
	if (strcasestr(release, "microsoft"))
		add_fact(list, "virtual", "WSL: some kernel features are switched off");
}

static void add_hidepid(struct fact_list *list)
{
	char line[512];
	_cleanup_file_ FILE *mounts = fopen("/proc/self/mounts", "re");

	while (mounts && fgets(line, sizeof(line), mounts)) {
		if (strncmp(line, "proc /proc ", 11))
			continue;
		if (strstr(line, "hidepid=") && !strstr(line, "hidepid=0") &&
			!strstr(line, "hidepid=off"))
			add_fact(list, "hidepid", "/proc hides other users' processes");
	}
}

static void add_capabilities(struct fact_list *list)
{
	static const struct {
		unsigned number;
		const char *name;
	} relevant[] = { { 39, "bpf" }, { 38, "perfmon" }, { 19, "sys_ptrace" },
		{ 2, "dac_read_search" }, { 21, "sys_admin" } };
	char text[160] = "";

	for (size_t i = 0; i < ARRAY_SIZE(relevant); i++) {
		if (!needs_has_capability(relevant[i].number))
			continue;
		if (text[0])
			strcat(text, " ");
		strcat(text, relevant[i].name);
	}
	add_fact(list, "capabilities", "%s", text[0] ? text : "none that sooth uses");
}

size_t host_environment(const struct os *os, struct environment_fact *facts, size_t max)
{
	struct fact_list list = { .facts = facts, .max = max };
	struct host_facts host;

	host_facts(os, &host);
	add_fact(&list, "system", "%s %s %s", host.os, host.os_version, host.architecture);
	add_fact(&list, "processors", "%u", host.cpus);
	add_fact(&list, "user", "real %u, effective %u", (unsigned)getuid(), (unsigned)geteuid());
	add_capabilities(&list);
	add_container(&list);
	add_hidepid(&list);
	add_setting(&list, "perf_event_paranoid", "/proc/sys/kernel/perf_event_paranoid");
	add_setting(
		&list, "unprivileged_bpf_disabled", "/proc/sys/kernel/unprivileged_bpf_disabled");
	if (!access("/sys/kernel/security/lockdown", R_OK))
		add_setting(&list, "lockdown", "/sys/kernel/security/lockdown");
	add_fact(&list, "btf", "%s",
		access("/sys/kernel/btf/vmlinux", R_OK) ? "missing" : "/sys/kernel/btf/vmlinux");
	return list.count;
}
