/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that are read of a Linux host, and what tracers may do by the kernel's rules. */
#include "support.h"

#include "os/linux/rights/capabilities.h"
#include "os/linux/host/host_files.h"
#include "os/linux/host/tracers.h"
#include "os/linux/rights/tracer_rights.h"

#define TEXT(text) (text), strlen(text)
#define BIT(n)	   (UINT64_C(1) << (n))

static void test_load(void **state)
{
	struct host_load_file f;

	(void)state;
	assert_true(host_load_parse(&f, TEXT("0.64 12.08 100.44 3/95 31987\n")));
	assert_true(f.load_1m == 0.64 && f.load_5m == 12.08 && f.load_15m == 100.44);
	assert_int_equal(f.running, 3);
	assert_int_equal(f.tasks, 95);
	assert_false(host_load_parse(&f, TEXT("0.64 12.08 100.44 3")));
	assert_false(host_load_parse(&f, TEXT("0.64 12.08 3/95 1")));
	assert_false(host_load_parse(&f, TEXT("-1.00 1.00 1.00 1/1 1")));
	assert_false(host_load_parse(&f, TEXT("0.6x 12.08 100.44 3/95 1")));
	assert_false(host_load_parse(&f, TEXT("0.64 12.08 100.44 3/4294967296 1")));
	assert_false(host_load_parse(&f, "", 0));
}

static void test_cpu(void **state)
{
	uint64_t busy = 1, idle = 1;
	uint32_t number = 1;

	(void)state;
	assert_true(
		host_cpu_parse(&number, &busy, &idle, TEXT("cpu3 1 2 4 100 50 8 16 32 64 128")));
	assert_int_equal(number, 3);
	assert_int_equal(busy, 1 + 2 + 4 + 8 + 16 + 32);
	assert_int_equal(idle, 150);
	assert_false(host_cpu_parse(&number, &busy, &idle, TEXT("cpu  1 2 4 100 50 8 16 32")));
	assert_false(host_cpu_parse(&number, &busy, &idle, TEXT("cpu3 1 2 4 100 50 8 16")));
	assert_false(host_cpu_parse(
		&number, &busy, &idle, TEXT("cpu3 1 2 18446744073709551615 100 50 8 16 32")));
	assert_false(host_cpu_parse(&number, &busy, &idle, TEXT("intr 1 2 3")));
	assert_int_equal(busy, 63);
}

static void test_uptime(void **state)
{
	uint64_t ns = 1;

	(void)state;
	assert_true(host_uptime_parse(&ns, TEXT("13787.05 27139.60\n")));
	assert_int_equal(ns, UINT64_C(13787050000000));
	assert_false(host_uptime_parse(&ns, TEXT("13787\n")));
	assert_false(host_uptime_parse(&ns, TEXT("99999999999999.00 1.00\n")));
	assert_int_equal(ns, UINT64_C(13787050000000));
}

static void test_memory(void **state)
{
	static const char file[] = "MemTotal:       24596012 kB\nMemFree:        22864756 kB\n"
				   "HugePages_Total:       0\nSwapTotal:             0 kB\n";
	uint64_t bytes = 7;

	(void)state;
	assert_true(host_memory_parse(&bytes, "MemFree:", TEXT(file)));
	assert_int_equal(bytes, UINT64_C(22864756) * 1024);
	assert_true(host_memory_parse(&bytes, "SwapTotal:", TEXT(file)));
	assert_int_equal(bytes, 0);
	assert_false(host_memory_parse(&bytes, "MemAvailable:", TEXT(file)));
	assert_false(host_memory_parse(&bytes, "HugePages_Total:", TEXT(file)));
	assert_false(host_memory_parse(&bytes, "MemFree:", TEXT("MemFree: 99999999999999999 kB")));
}

static void test_capability(void **state)
{
	/* Bytes that `setcap cap_net_raw,cap_perfmon+ep` writes. */
	static const unsigned char two[] = { 1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0,
		0, 0, 0, 0 };
	static const unsigned char one[] = { 0, 0, 0, 1, 0, 0x20, 0, 0, 0, 0, 0, 0 };
	uint64_t permitted;

	(void)state;
	assert_true(host_capability_parse(&permitted, two, sizeof(two)));
	assert_int_equal(permitted, BIT(CAP_NET_RAW) | BIT(CAP_PERFMON));
	assert_false(host_capability_parse(&permitted, two, 12));
	assert_true(host_capability_parse(&permitted, one, sizeof(one)));
	assert_int_equal(permitted, BIT(CAP_NET_RAW));
	assert_false(host_capability_parse(&permitted, "\0\0\0\7aaaabbbbcccc", 16));
}

static bool find(char version[64], const char *name, const char *list, bool is_apk)
{
	struct span package = span_of(name, strlen(name)), found;

	if (!(is_apk ? package_list_apk : package_list_dpkg)(&found, package, TEXT(list)))
		return false;
	snprintf(version, 64, "%.*s", (int)found.size, found.data);
	return true;
}

static void test_packages(void **state)
{
	static const char dpkg[] =
		"Package: strace-doc\nStatus: install ok installed\nVersion: 9\n\n"
		"Package: strace\nStatus: install ok installed\nDescription: x\n Version: 8\n"
		"Version: 6.1-0.1\n\n"
		"Package: gdb\nStatus: deinstall ok config-files\nVersion: 13\n\n"
		"Package: perf\nStatus: install ok installed\n";
	static const char apk[] = "C:Q1\nP:strace\nV:6.5-r0\nA:x86_64\n\nP:gdb\n";
	char version[64];

	(void)state;
	assert_true(find(version, "strace", dpkg, false));
	assert_string_equal(version, "6.1-0.1");
	assert_false(find(version, "gdb", dpkg, false)); /* removed, its settings stayed */
	assert_false(find(version, "perf", dpkg, false));
	assert_false(find(version, "trace", dpkg, false));
	assert_false(find(version, "strace\nStatus: x", dpkg, false));
	assert_true(find(version, "strace", apk, true));
	assert_string_equal(version, "6.5-r0");
	assert_false(find(version, "gdb", apk, true));
}

/* --- what tracers may --- */

/* An ordinary user of a host without Yama. */
static struct tracer_rights user(void)
{
	return (struct tracer_rights){ .bounding = UINT64_MAX,
		.gets_from_files = true,
		.ptrace_scope = TRACER_UNKNOWN,
		.perf_event_paranoid = 2 };
}

static enum host_reach reach(const struct tracer_rights *r, enum tracer_way way)
{
	struct tracer_verdict j = tracer_rights_decide(r, way, 0);

	/* Who cannot reach everything is told why; what cannot be had is not missing. */
	assert_true(j.missing || j.reach == HOST_REACH_ALL || way == TRACER_STARTS ||
		    way == TRACER_PERF_STARTS);
	assert_non_null(tracer_way_need(way));
	return j.reach;
}

static void test_ptrace(void **state)
{
	static const enum host_reach by_scope[] = { HOST_REACH_OWN, HOST_REACH_STARTED,
		HOST_REACH_NOTHING, HOST_REACH_NOTHING };
	struct tracer_rights r = user();

	(void)state;
	assert_int_equal(reach(&r, TRACER_PTRACE), HOST_REACH_OWN);
	for (int scope = 0; scope < 4; scope++) {
		r.ptrace_scope = scope;
		assert_int_equal(reach(&r, TRACER_PTRACE), by_scope[scope]);
		assert_true(reach(&r, TRACER_STARTS_OR_PTRACE) >= HOST_REACH_STARTED);
	}
	r.capabilities = r.inner = BIT(CAP_SYS_PTRACE);
	assert_int_equal(reach(&r, TRACER_PTRACE), HOST_REACH_NOTHING); /* nobody attaches */
	r.ptrace_scope = 2;
	assert_int_equal(reach(&r, TRACER_PTRACE), HOST_REACH_ALL);
}

static void test_perf(void **state)
{
	static const struct {
		int paranoid;
		enum host_reach reach, started;
	} rows[] = { { -1, HOST_REACH_ALL, HOST_REACH_STARTED },
		{ 0, HOST_REACH_ALL, HOST_REACH_STARTED },
		{ 1, HOST_REACH_OWN, HOST_REACH_STARTED },
		{ 2, HOST_REACH_OWN, HOST_REACH_NOTHING },
		{ 4, HOST_REACH_NOTHING, HOST_REACH_NOTHING },
		{ TRACER_UNKNOWN, HOST_REACH_NOTHING, HOST_REACH_NOTHING } };
	struct tracer_rights r = user();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		r.perf_event_paranoid = rows[i].paranoid;
		assert_int_equal(reach(&r, TRACER_PERF), rows[i].reach);
		assert_int_equal(reach(&r, TRACER_PERF_STARTS), rows[i].started);
	}
	r.capabilities = BIT(CAP_PERFMON);
	r.perf_event_paranoid = 4;
	assert_int_equal(reach(&r, TRACER_PERF), HOST_REACH_ALL);
	assert_int_equal(reach(&r, TRACER_BPF), HOST_REACH_NOTHING);
	r.capabilities |= BIT(CAP_BPF);
	assert_int_equal(reach(&r, TRACER_BPF), HOST_REACH_ALL);
}

static void test_root_and_files(void **state)
{
	struct tracer_rights r = user();

	(void)state;
	assert_int_equal(reach(&r, TRACER_ROOT), HOST_REACH_NOTHING);
	assert_int_equal(reach(&r, TRACER_TRACEFS), HOST_REACH_NOTHING);
	assert_int_equal(reach(&r, TRACER_PACKETS), HOST_REACH_NOTHING);
	r.may_use_tracefs = r.is_root = true;
	assert_int_equal(reach(&r, TRACER_ROOT), HOST_REACH_ALL);
	assert_int_equal(reach(&r, TRACER_TRACEFS), HOST_REACH_ALL);
	/* The file brings it, unless the bounding set or no_new_privs forbids. */
	assert_int_equal(
		tracer_rights_decide(&r, TRACER_PACKETS, BIT(CAP_NET_RAW)).reach, HOST_REACH_ALL);
	r.bounding = 0;
	assert_int_equal(tracer_rights_decide(&r, TRACER_PACKETS, BIT(CAP_NET_RAW)).reach,
		HOST_REACH_NOTHING);
	r.bounding = UINT64_MAX;
	r.gets_from_files = false;
	assert_int_equal(tracer_rights_decide(&r, TRACER_PACKETS, BIT(CAP_NET_RAW)).reach,
		HOST_REACH_NOTHING);
	/* In a user namespace of one's own packets are seen, the kernel is not. */
	r.inner = UINT64_MAX;
	assert_int_equal(reach(&r, TRACER_PACKETS), HOST_REACH_ALL);
	assert_int_equal(reach(&r, TRACER_BPF), HOST_REACH_NOTHING);
	assert_int_equal(reach(&r, TRACER_MODULE), HOST_REACH_NOTHING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_cpu),
		cmocka_unit_test(test_uptime),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_capability),
		cmocka_unit_test(test_packages),
		cmocka_unit_test(test_ptrace),
		cmocka_unit_test(test_perf),
		cmocka_unit_test(test_root_and_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
