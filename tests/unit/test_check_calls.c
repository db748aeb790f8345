/* SPDX-License-Identifier: BSD-2-Clause */
/* Findings about system calls, over an observation of five seconds, at both sides of their
 * thresholds. */
#include "call_records.h"
#include "check_records.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "probes/waits.h"
#include "probes/limits.h"
#include "probes/fds.h"
#include "probes/host.h"
#include "probes/short_lived.h"
#include "probes/syscall_flags.h"
#include "probes/threads.h"

#define HERE   ((uint64_t)AT_FDCWD_LINUX)
#define CREATE 0101
#define EMPTY  01000

static double next_s;	/* of the next call */
static double lasts_ms; /* how long each takes */

/* A file and a connection that it has already need not be told: all begins here. */
static void observe(void)
{
	add_source("syscalls");
	process_at(0, (struct proc_process){ 0 }, "caller");
	next_s = 0.001;
	lasts_ms = 0.001;
}

static void observed(void)
{
	process_at(5, (struct proc_process){ 0 }, "caller");
	call_records_fini();
}

static uint32_t next_skipped; /* calls that were only counted, before the next one */
static bool has_other_pids;   /* the next calls: of another PID namespace, or in an older capture */

static void call_of(uint32_t pid, const char *name, int64_t result, const uint64_t arguments[6])
{
	struct syscalls_call call = { .record = head_of(next_s, pid, SYSCALLS_CALL),
		.result = result,
		.duration_ns = (uint64_t)(lasts_ms * (double)NS_PER_MS),
		.skipped = next_skipped,
		.gaps = (uint8_t)((next_skipped ? SYSCALLS_GAP_WINDOW : 0) |
				  (has_other_pids ? 0 : SYSCALLS_OWN_PIDS)),
		.name = "caller" };
	const struct sooth_record *r;

	call.record.tid = pid;
	memcpy(call.arguments, arguments, sizeof(call.arguments));
	r = make_call(&call, name);
	buffer_append(&records, r, record_bytes(r));
	next_s += 0.0005;
}

static void call_with(const char *name, int64_t result, const uint64_t arguments[6])
{
	call_of(PID, name, result, arguments);
}

#define CALL(name, result, ...) call_with(name, result, (const uint64_t[6]){ __VA_ARGS__ })

static void path_at(uint8_t argument, const char *path)
{
	piece(argument, path, strlen(path));
}

static void opens(const char *path, uint64_t flags)
{
	path_at(1, path);
	CALL("openat", 3, HERE, 1, flags);
}

static void looks(const char *path, int64_t result)
{
	path_at(1, path);
	CALL("newfstatat", result, HERE, 1, 1, 0);
}

static void loses(uint64_t count)
{
	struct stream_loss loss = { .record = head_of(4, 0, STREAM_LOSS), .records = count };
	struct record_tail tail[] = { put_text(&loss.source, "syscalls") };

	RECORD_APPEND(&records, &loss, tail, 1);
}

/* --- what holds for all of them --- */

static void no_calls(double lost)
{
	observe();
	if (lost > 0)
		loses((uint64_t)lost);
	observed();
}

static void not_streamed(double value)
{
	(void)value;
	is_there();
}

static void refused_of(double pid)
{
	struct stream_limit limit = { .record = head_of(4, (uint32_t)pid, STREAM_LIMIT) };
	struct record_tail tail[] = { put_text(&limit.what, "system calls") };

	observe();
	RECORD_APPEND(&records, &limit, tail, 1);
	observed();
}

static void observed_for(double s)
{
	observe();
	looks("/a", 0);
	process_at(s, (struct proc_process){ 0 }, "caller");
}

static void test_all(void **state)
{
	static const char *const ids[] = { "syscall-errors", "slow-syscalls", "metadata-storm",
		"small-io", "write-churn", "connect-failing" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		const struct check_case cases[] = {
			{ ids[i], no_calls, 0, NULL, "=fine: no system calls\n" },
			{ ids[i], no_calls, 1, NULL,
				"=blind: records of calls were lost, perhaps all calls of this "
				"process <use a larger buffer: --buffer 128M>\n" },
			{ ids[i], not_streamed, 0, NULL,
				"=blind: this check needs the probe `syscalls`, which was not "
				"recorded <run as root: sooth diagnose>\n" },
			{ ids[i], refused_of, PID, NULL,
				"=blind: sooth may not observe the system calls of this process "
				"<run as root: sooth diagnose>\n" },
			{ ids[i], refused_of, PID + 1, NULL, "=fine: no system calls\n" },
			{ ids[i], observed_for, 0.5, NULL, "fine: " },
			{ ids[i], observed_for, 0.49, NULL,
				"blind: this value needs two samples <observe longer" },
		};

		TRY_CASES(cases);
	}
}

/* --- syscall-errors --- */

static void fails(const char *name, int64_t error, double times)
{
	observe();
	for (int i = 0; i < (int)times; i++) {
		path_at(1, "/data/file");
		CALL(name, error, HERE, 1, 0);
	}
	CALL("getpid", PID, 0);
	observed();
}

static void is_denied(double times)
{
	fails("openat", -EACCES, times);
}

static void has_no_space(double times)
{
	fails("openat", -ENOSPC, times);
}

static void is_closed(double times)
{
	fails("openat", -EBADF, times);
}

static void is_interrupted(double times)
{
	fails("openat", -EINTR, times);
}

/* Its first look is free. */
static void is_missing(double times)
{
	fails("openat", -ENOENT, times);
}

/* To be made, so that its directory is missing; a second and more from the first to the last. */
static void is_made_in_missing(double times)
{
	observe();
	for (int i = 0; i < (int)times; i++) {
		next_s = 0.1 + 0.6 * i;
		path_at(1, "/data/file");
		CALL("openat", -ENOENT, HERE, 1, O_CREAT | O_WRONLY);
	}
	observed();
}

/* As is one for each time that the name was found elsewhere. */
static void is_found_elsewhere(double times)
{
	observe();
	for (int i = 0; i < (int)times; i++) {
		looks("/first/tool", -ENOENT);
		if (i < 100)
			looks("/second/tool", 0);
	}
	observed();
}

static void is_denied_and_lost(double times)
{
	observe();
	for (int i = 0; i < (int)times; i++)
		looks("/data/file", -EACCES);
	loses(7);
	observed();
}

/* In each second so many. */
static void is_denied_lasting(double each)
{
	observe();
	for (int s = 0; s < 5; s++) {
		next_s = s + 0.3;
		for (int i = 0; i < (int)each; i++)
			looks("/data/file", -EACCES);
	}
	observed();
}

/* The same, but not in one of them. */
static void is_denied_with_a_pause(double each)
{
	observe();
	for (int s = 0; s < 5; s++) {
		next_s = s + 0.3;
		for (int i = 0; i < (int)each && s != 2; i++)
			looks("/data/file", -EACCES);
	}
	observed();
}

static void misses_lasting(double opens)
{
	observe();
	for (int i = 0; i < 20; i++) {
		next_s = 0.25 * i + 0.1;
		path_at(1, "/data/file");
		if (opens > 0)
			CALL("openat", -ENOENT, HERE, 1, 0);
		else
			CALL("newfstatat", -ENOENT, HERE, 1, 1, 0);
	}
	observed();
}

static void misses_at(double age_s)
{
	started_s = FROM_S + 5 - age_s;
	misses_lasting(1);
}

struct disk {
	double available; /* of 1000 MiB */
	uint64_t files_available;
	bool is_read_only;
};

static void disk_at(double s, const char *point, struct disk d)
{
	struct fds_filesystem f = { .record = head_of(s, PID, FDS_FILESYSTEM),
		.mount = (uint32_t)strlen(point),
		.total_bytes = 1000ull << 20,
		.free_bytes = (uint64_t)(d.available * (1 << 20)),
		.available_bytes = (uint64_t)(d.available * (1 << 20)),
		.files = 1000,
		.files_available = d.files_available,
		.is_read_only = d.is_read_only };
	struct record_tail tail[] = { put_text(&f.point, point) };

	RECORD_APPEND(&records, &f, tail, 1);
}

static void disks(double s, struct disk d)
{
	struct fds_process end = { .record = head_of(s, PID, FDS_PROCESS) };

	disk_at(s, "/", (struct disk){ 500, 500, false });
	disk_at(s, "/data", d);
	RECORD_APPEND(&records, &end, NULL, 0);
}

static void fails_on(const char *path, int64_t error, struct disk d)
{
	observe();
	disks(0.0001, d);
	path_at(1, path);
	CALL("openat", error, HERE, 1, 0);
	disks(4.9, d);
	observed();
}

static void is_on_disk(double available)
{
	fails_on("/data/file", -ENOSPC, (struct disk){ available, 500, false });
}

static void is_beside_disk(double available)
{
	fails_on("/database/file", -ENOSPC, (struct disk){ available, 500, false });
}

static void is_without_inodes(double left)
{
	fails_on("/data/file", -ENOSPC, (struct disk){ 500, (uint64_t)left, false });
}

static void is_on_read_only(double value)
{
	fails_on("/data/file", -EROFS, (struct disk){ 500, 500, value > 0 });
}

static void is_over_quota(double value)
{
	(void)value;
	fails_on("/data/file", -EDQUOT, (struct disk){ 500, 500, false });
}

/* Many files, each fails once. */
static void fills_disk(double files)
{
	char path[40];

	observe();
	opens("/data/first", CREATE);
	CALL("write", -ENOSPC, 3, 0, 100);
	for (int i = 1; i < (int)files; i++) {
		snprintf(path, sizeof(path), "/data/f%d", i);
		path_at(1, path);
		CALL("openat", -ENOSPC, HERE, 1, CREATE);
	}
	CALL("write", -ENOSPC, 3, 0, 100);
	disks(4.9, (struct disk){ 0, 500, false });
	observed();
}

/* Each write stores so many bytes of 100. */
static void writes_short(double bytes)
{
	observe();
	opens("/data/first", CREATE);
	for (int i = 0; i < 5; i++)
		CALL("write", (int64_t)bytes, 3, 0, 100);
	disks(4.9, (struct disk){ 0, 500, false });
	observed();
}

static void writes_short_with_space(double bytes)
{
	observe();
	opens("/data/first", CREATE);
	CALL("write", (int64_t)bytes, 3, 0, 100);
	disks(4.9, (struct disk){ 500, 500, false });
	observed();
}

/* Each on another path, and the file system is not known. */
static void fails_elsewhere(const char *where, int64_t error, double times)
{
	char path[40];

	observe();
	for (int i = 0; i < (int)times; i++) {
		snprintf(path, sizeof(path), "%s/f%d", where, i);
		path_at(1, path);
		CALL("openat", error, HERE, 1, CREATE);
	}
	CALL("getpid", PID, 0);
	observed();
}

static void has_no_descriptors(double times)
{
	fails_elsewhere("/data", -EMFILE, times);
}

/* The call that a signal interrupted had just failed. */
static void returns_from_signals(double times)
{
	observe();
	for (int i = 0; i < (int)times; i++)
		CALL("rt_sigreturn", -EMFILE, 0);
	CALL("getpid", PID, 0);
	observed();
}

static void is_denied_elsewhere(double times)
{
	fails_elsewhere("/data", -EACCES, times);
}

/* A file system below /dev, which has none otherwise. */
static void fills_shared_memory(double files)
{
	fails_elsewhere("/dev/shm", -ENOSPC, files);
}

/* By its path; one that a shell would take for more than a word is in no command. */
static void denied_at(const char *path)
{
	observe();
	for (int i = 0; i < 100; i++) {
		path_at(1, path);
		CALL("openat", -EACCES, HERE, 1, 0);
	}
	observed();
}

static void is_denied_at_a_word(double value)
{
	(void)value;
	denied_at("/data/key");
}

static void is_denied_at_words(double value)
{
	(void)value;
	denied_at("/data/a;b");
}

static void bind_fails(int times)
{
	const unsigned char address[16] = { 2, 0, 0x1f, 0x90, 127, 0, 0, 1 };

	observe();
	for (int i = 0; i < times; i++) {
		CALL("socket", 3, 2, 1, 0);
		piece(1, address, sizeof(address));
		CALL("bind", -EADDRINUSE, 3, 1, 16);
	}
}

static void port_is_taken_times(double times)
{
	bind_fails((int)times);
	observed();
}

/* A server cannot bind: no process listens there, but connections have the port, those of a process
 * or closed ones. */
static void port_of_connections(double owner)
{
	struct waits_listener l = { .record = head_of(5, PID, WAITS_LISTENER),
		.owner_pid = (uint32_t)owner,
		.owner_start_ticks = owner != 0 ? start_of((uint32_t)owner) : 0,
		.local_port = 8080,
		.connections = 3,
		.family = SOCKETS_INET };
	struct waits_snapshot end = { .record = head_of(5, PID, WAITS_SNAPSHOT) };
	struct record_tail tail[] = { put_text(&l.owner_name, owner != 0 ? "old-worker" : ""),
		put_text(&l.local, "127.0.0.1:8080") };

	bind_fails(60);
	RECORD_APPEND(&records, &l, tail, 2);
	RECORD_APPEND(&records, &end, NULL, 0);
	observed();
}

static void test_remedies(void **state)
{
	static const struct check_case cases[] = {
		{ "syscall-errors", port_is_taken_times, 3, NULL, "medium/high: bind on" },
		{ "syscall-errors", port_is_taken_times, 2, NULL, "fine: " },
		{ "syscall-errors", is_denied_at_a_word, 0, NULL, "|<namei -l /data/key shows" },
		{ "syscall-errors", is_denied_at_words, 0, NULL, "|<sooth trace -Z -p 99 shows" },
		{ "syscall-errors", is_closed, 60, NULL, "|EBADF: the descriptor is closed" },
		{ "syscall-errors", port_of_connections, 0, NULL,
			"|but 3 closed connections (TIME_WAIT) still have it|<set SO_REUSEADDR" },
		{ "syscall-errors", port_of_connections, 72, NULL,
			"|but 3 connections of old-worker (72) still have it|or end that process" },
		{ "syscall-errors", port_is_taken_times, 100, NULL,
			"|bind on 127.0.0.1:8080 keeps failing|<ss -tulnp 'sport = :8080' shows" },
	};

	(void)state;
	TRY_CASES(cases);
}

static void test_scattered(void **state)
{
	static const struct check_case cases[] = {
		{ "syscall-errors", has_no_descriptors, 3, NULL,
			"high/high: openat keeps failing, 3 times, on 3 paths such as /data/f|: "
			"EMFILE (Too many open files)" },
		{ "syscall-errors", has_no_descriptors, 2, NULL, "fine: " },
		{ "syscall-errors", returns_from_signals, 50, NULL, "fine: " },
		{ "syscall-errors", fills_shared_memory, 3, NULL, "high/high: |ENOSPC|on 3 paths" },
		{ "syscall-errors", is_denied_elsewhere, 9, NULL, "fine: " },
	};

	(void)state;
	TRY_CASES(cases);
}

/* So many new files, of a byte each; of the inodes 40 are taken, and so many are left. */
static void makes_files_leaving(int files, uint64_t left)
{
	char path[40];

	observe();
	disks(0.0001, (struct disk){ 500, left + 40, false });
	for (int i = 0; i < files; i++) {
		snprintf(path, sizeof(path), "/data/f%d", i);
		opens(path, CREATE);
		CALL("write", 1, 3, 0, 1);
		CALL("close", 0, 3);
	}
	disks(4.9, (struct disk){ 500, left, false });
	observed();
}

static void makes_files(double files)
{
	makes_files_leaving((int)files, 400);
}

static void leaves_inodes(double left)
{
	makes_files_leaving(40, (uint64_t)left);
}

/* So many new files, which are closed and stay; of the inodes so many are gone. */
static void leaves_files(const char *pattern, int files, uint64_t gone)
{
	char path[40];

	observe();
	disks(0.0001, (struct disk){ 500, 900, false });
	for (int i = 0; i < files; i++) {
		snprintf(path, sizeof(path), "/data/%s%d", pattern, i);
		opens(path, CREATE);
		CALL("write", 100, 3, 0, 100);
		CALL("close", 0, 3);
	}
	disks(4.9, (struct disk){ 500, 900 - gone, false });
	observed();
}

static void leaves_temporary(double files)
{
	leaves_files("tmp", (int)files, 10);
}

static void leaves_in_a_folder(double files)
{
	leaves_files("scratch/f", (int)files, 10);
}

static void leaves_others(double files)
{
	leaves_files("f", (int)files, 10);
}

/* Another process removes most of them. */
static void leaves_removed(double gone)
{
	leaves_files("tmp", 20, (uint64_t)gone);
}

static void test_left_files(void **state)
{
	static const struct check_case cases[] = {
		{ "filling-up", leaves_temporary, 20, NULL,
			"low/medium: leaves temporary files behind: 4.0 new a second in /data, "
			"none removed|[files: 20 over|<remove each file|find /data -maxdepth 1" },
		{ "filling-up", leaves_temporary, 19, NULL, "fine: " },
		{ "filling-up", leaves_temporary, 19, "filling-up.min-files=19", "low/medium: " },
		{ "filling-up", leaves_in_a_folder, 20, NULL, "low/medium: |/data/scratch, none" },
		{ "filling-up", leaves_others, 20, NULL, "fine: " },
		{ "filling-up", leaves_removed, 10, NULL, "low/medium: " },
		{ "filling-up", leaves_removed, 9, NULL, "fine: " },
	};

	(void)state;
	TRY_CASES(cases);
}

/* Empty ones, and directories: no byte is written. */
static void makes_empty(bool are_directories, double remain)
{
	char path[40];

	observe();
	disks(0.0001, (struct disk){ 500, 440, false });
	for (int i = 0; i < 40; i++) {
		snprintf(path, sizeof(path), "/data/f%d", i);
		if (are_directories) {
			path_at(1, path);
			CALL("mkdirat", 0, HERE, 1, 0);
		} else {
			opens(path, CREATE);
			CALL("close", 0, 3);
		}
		if (i < (int)remain)
			continue;
		path_at(1, path);
		CALL("unlinkat", 0, HERE, 1, 0);
	}
	disks(4.9, (struct disk){ 500, 400, false });
	observed();
}

static void makes_empty_files(double remain)
{
	makes_empty(false, remain);
}

static void makes_directories(double remain)
{
	makes_empty(true, remain);
}

static void test_inodes(void **state)
{
	static const struct check_case cases[] = {
		{ "filling-up", leaves_inodes, 400, NULL,
			"high/high: uses up the inodes of /data: 8 new files a second, such as "
			"/data/f|; none are left in 49 s|[inodes left: 400]|[inodes taken "
			"meanwhile: 40 over " },
		{ "filling-up", leaves_inodes, 600, NULL, "medium/high: " },
		{ "filling-up", leaves_inodes, 600, "filling-up.max-time=70", "fine: " },
		/* Others take most of them. */
		{ "filling-up", makes_files, 20, NULL, "high/high: " },
		{ "filling-up", makes_files, 19, NULL, "fine: " },
		{ "filling-up", makes_empty_files, 20, NULL, "high/high: " },
		{ "filling-up", makes_empty_files, 19, NULL, "fine: " },
		{ "filling-up", makes_directories, 20, NULL, "high/high: " },
		{ "filling-up", makes_directories, 19, NULL, "fine: " },
	};

	(void)state;
	TRY_CASES(cases);
}

/* What takes the space: a deleted file of another process, or so many files of none. */
static void is_on_disk_of(double files)
{
	struct limits_holder h = {
		.amount = 900 << 20, .count = 1, .resource = LIMITS_SHARED_SPACE
	};

	observe();
	disks(0.0001, (struct disk){ 0, 500, false });
	path_at(1, "/data/file");
	CALL("openat", -ENOSPC, HERE, 1, 0);
	disks(4.9, (struct disk){ 0, 500, false });
	used_by(4.9, h, "small", "/", "/other");
	h.amount = 50 << 20;
	h.holder_pid = 71;
	used_by(4.9, h, "small", "/data", "/data/small");
	h.amount = 800 << 20;
	h.holder_pid = files > 0 ? 0 : 72;
	h.is_deleted = files == 0;
	h.count = (uint32_t)files;
	used_by(4.9, h, "logger", "/data", files > 0 ? "cache-*.html" : "/data/logs/app.log.1");
	h = (struct limits_holder){ .holder_pid = 73, .resource = LIMITS_SHARED_MOUNT };
	used_by(4.9, h, "fetcher", "/data", "");
	used_by_end(4.9);
	observed();
}

static void has_no_terminal(double of_other)
{
	struct limits_holder h = {
		.amount = (uint64_t)of_other, .holder_pid = 71, .resource = LIMITS_SHARED_TERMINALS
	};

	observe();
	for (int i = 0; i < 5; i++) {
		path_at(1, "/dev/ptmx");
		CALL("openat", -ENOSPC, HERE, 1, 0);
	}
	if (of_other)
		used_by(4.9, h, "agent", "", "");
	used_by_end(4.9);
	observed();
}

static void test_disk_user(void **state)
{
	static const struct check_case cases[] = {
		{ "syscall-errors", has_no_terminal, 24, NULL,
			"high/high: openat on /dev/ptmx|: no pseudo terminal is free; agent (71) "
			"has 24" },
		{ "syscall-errors", has_no_terminal, 0, NULL,
			"high/high: openat on /dev/ptmx|: no pseudo terminal is free|!agent" },
		{ "syscall-errors", is_on_disk_of, 0, NULL,
			"high/high: openat on /data/file fails, 1 time: no space left on /data "
			"(100 % used), 800 MiB of it /data/logs/app.log.1 (deleted), which logger "
			"(72) has open |!fetcher|sooth inspect --fds 72>" },
		{ "syscall-errors", is_on_disk_of, 30, NULL,
			"high/high: |, 800 MiB of it /data/cache-*.html (30 files, which no "
			"process has open); also in this mount namespace: fetcher (73) {|sooth "
			"inspect --fds 99>" },
	};

	(void)state;
	TRY_CASES(cases);
}

static void test_full_disk(void **state)
{
	static const struct check_case cases[] = {
		{ "syscall-errors", is_on_disk, 0, NULL,
			"=high/high: openat on /data/file fails, 1 time: no space left on /data "
			"(100 % used) {path /data/file} [error: ENOSPC] [file system: /data] "
			"[space left: 0B] [size: 1000M] [inodes left: 500] [failures: 0.20 a "
			"second over 5.00s] [times: 1 over 5.00s] [time from the first to the last "
			"failure: 0ns] <free space: du -xh /data | sort -h | tail; deleted files "
			"that are open: sooth inspect --fds 99>\n" },
		{ "syscall-errors", is_on_disk, 20, NULL, "high/high: |(98 % used)" },
		{ "syscall-errors", is_on_disk, 25, NULL, "fine: " },
		{ "syscall-errors", is_on_disk, 0, "syscall-errors.min-space=2", "fine: " },
		{ "syscall-errors", is_beside_disk, 0, NULL, "fine: " },
		{ "syscall-errors", is_without_inodes, 0, NULL,
			"high/high: |no inodes left on /data (all 1000 are in use)" },
		{ "syscall-errors", is_without_inodes, 1, NULL, "fine: " },
		{ "syscall-errors", is_on_read_only, 1, NULL,
			"high/high: |, 1 time: /data is read-only" },
		{ "syscall-errors", is_on_read_only, 0, NULL, "fine: " },
		{ "syscall-errors", is_over_quota, 0, NULL,
			"high/high: |the disk quota on /data is used up" },
		{ "syscall-errors", fills_disk, 30, NULL,
			"high/high: writes to /data/first fail, 31 times: no space left on /data "
			"(100 % used)|[paths: 30]" },
		{ "syscall-errors", writes_short, 99, NULL,
			"high/high: writes to /data/first fail, 5 times: no space left on /data "
			"(100 % used)" },
		{ "syscall-errors", writes_short, 100, NULL, "fine: 0 errors" },
		{ "syscall-errors", writes_short_with_space, 99, NULL, "fine: 0 errors" },
	};

	(void)state;
	TRY_CASES(cases);
}

/* Tries over so many seconds; the file is there each time. */
static void tries_to_lock(const char *path, const char *name, int64_t error, double seconds)
{
	observe();
	for (int i = 0; i < 3; i++) {
		next_s = 0.1 + seconds * i / 2;
		path_at(1, path);
		if (!strcmp(name, "openat"))
			CALL("openat", error, HERE, 1, CREATE);
		else
			CALL("mkdirat", error, HERE, 1, 0);
	}
	observed();
}

/* --- lock-refused --- */

/* flock(2) over so many seconds; the last attempt returns `result`. */
static void asks_for_lock(double seconds, int64_t result)
{
	observe();
	opens("/data/state", 1);
	for (int i = 0; i < 3; i++) {
		next_s = 0.1 + seconds * i / 2;
		CALL("flock", i == 2 ? result : -EAGAIN, 3, 6);
	}
	observed();
}

static void is_refused_for(double seconds)
{
	asks_for_lock(seconds, -EAGAIN);
}

static void is_refused_until(double result)
{
	asks_for_lock(4.5, (int64_t)result);
}

static void test_lock_refused(void **state)
{
	static const struct check_case cases[] = {
		{ "lock-refused", is_refused_for, 4.1, NULL,
			"medium/medium: /data/state is locked by another process for at least 4.1 "
			"s|was "
			"refused 3 "
			"times|<lslocks" },
		{ "lock-refused", is_refused_for, 3.9, NULL, "blind: a lock on a file is refused" },
		{ "lock-refused", is_refused_until, -EACCES, NULL, "medium/medium: " },
		{ "lock-refused", is_refused_until, 0, NULL, "fine: no lock" },
	};

	(void)state;
	TRY_CASES(cases);
}

static void lock_exists(double seconds)
{
	tries_to_lock("/r/.git/index.lock", "openat", -EEXIST, seconds);
}

static void other_file_exists(double seconds)
{
	tries_to_lock("/r/.git/index", "openat", -EEXIST, seconds);
}

static void folder_of_locks_exists(double seconds)
{
	tries_to_lock("/r/lock", "mkdirat", -EEXIST, seconds);
}

/* The kernel starts no process; so many are in its control group, of 8. */
static void starts_none(double used)
{
	struct limits_process end = { .record = head_of(LOOKS - 1, PID, LIMITS_PROCESS) };
	struct limits_group g = { .record = head_of(LOOKS - 1, PID, LIMITS_GROUP),
		.version = 2,
		.used = (uint64_t)used,
		.reached_state = SOOTH_STATE_ABSENT,
		.limit = 8 };
	struct record_tail tail[] = { put_text(&g.name, "pids"), put_text(&g.path, "/box") };

	observe();
	for (int i = 0; i < 3; i++) {
		next_s = 0.1 + i;
		CALL("clone3", -EAGAIN, 0, 88);
	}
	RECORD_APPEND(&records, &g, tail, 2);
	RECORD_APPEND(&records, &end, NULL, 0);
	observed();
}

/* Another process of its group has so many, or the user, who may have six, so many threads. */
static void starts_none_beside(double tasks)
{
	struct limits_holder h = {
		.holder_pid = 71, .amount = (uint64_t)tasks, .resource = LIMITS_SHARED_TASKS
	};

	used_by(LOOKS - 1, h, "pool", "/other", "");
	h.holder_pid = 72;
	used_by(LOOKS - 1, h, "pool", "/box", "");
	starts_none(8);
}

static void starts_none_of_user(double tasks)
{
	struct proc_process other = { .record.pid = 72, .threads = (uint32_t)tasks };
	struct limits_resource l = { .record = head_of(LOOKS - 1, PID, LIMITS_RESOURCE),
		.soft = 6 };
	struct record_tail tail[] = { put_text(&l.name, "NPROC") };

	process_at(0, other, "pool");
	RECORD_APPEND(&records, &l, tail, 1);
	starts_none(7);
}

static void starts_few(double error)
{
	observe();
	for (int i = 0; i < 2; i++)
		CALL("clone", -(int64_t)error, 0, 0);
	observed();
}

/* Each of another directory; its user may have so many watches, or instances. */
static void watches_no_more(double limit)
{
	struct fds_process end = { .record = head_of(LOOKS - 1, PID, FDS_PROCESS),
		.soft_limit = 1024,
		.descriptors = 4,
		.watches = 30,
		.watches_max = (uint32_t)limit,
		.inotify_state = limit > 0 ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };

	observe();
	for (int i = 0; i < 3; i++) {
		char path[] = "/p/0";

		path[3] = (char)('0' + i);
		next_s = 0.1 + i;
		path_at(1, path);
		CALL("inotify_add_watch", -ENOSPC, 3, 1, 2);
	}
	RECORD_APPEND(&records, &end, NULL, 0);
	observed();
}

/* Another process of the user has so many; some could not be read. */
static void watches_beside(double count)
{
	struct limits_holder h = { .holder_pid = 72,
		.amount = (uint64_t)count,
		.unread = 3,
		.resource = LIMITS_SHARED_INSTANCES };

	used_by(LOOKS - 1, h, "other", "", "");
	h.resource = LIMITS_SHARED_WATCHES;
	used_by(LOOKS - 1, h, "editor", "", "");
	used_by_end(LOOKS - 1);
	watches_no_more(count < 0 ? 0 : 30);
}

static void watches_one_less(double limit)
{
	(void)limit;
	observe();
	for (int i = 0; i < 2; i++) {
		path_at(1, "/p");
		CALL("inotify_add_watch", -ENOSPC, 3, 1, 2);
	}
	observed();
}

/* So many descriptors are open, of four that it may have. */
static void opens_no_instance(double descriptors)
{
	struct fds_process end = { .record = head_of(LOOKS - 1, PID, FDS_PROCESS),
		.soft_limit = 4,
		.descriptors = (uint32_t)descriptors,
		.instances_max = 128 };

	observe();
	for (int i = 0; i < 3; i++) {
		next_s = 0.1 + i;
		CALL("inotify_init1", -EMFILE, 0);
	}
	RECORD_APPEND(&records, &end, NULL, 0);
	observed();
}

/* An error that means a limit, not what its name says. */
static void meets_limit(const char *name, int error)
{
	observe();
	for (int i = 0; i < 3; i++) {
		next_s = 0.1 + i;
		CALL(name, -error, 0);
	}
	observed();
}

static void adds_keys(double error)
{
	meets_limit("add_key", (int)error);
}

static void watches_by_epoll(double error)
{
	meets_limit("epoll_ctl", (int)error);
}

/* Answers of HTTP with that status, and `good` others behind the first one. */
static void is_answered(double status, int good)
{
	static const unsigned char address[16] = { 2, 0, 0x1f, 0x90, 127, 0, 0, 1 };
	char digits[8];

	observe();
	CALL("socket", 3, 2, 1, 0);
	piece(1, address, sizeof(address));
	CALL("connect", 0, 3, 0, sizeof(address));
	for (int i = 0; i < 4 + good; i++) {
		next_s = 0.1 + i;
		snprintf(digits, sizeof(digits), "%d", i > 0 && i <= good ? 200 : (int)status);
		piece_of(1, SYSCALLS_PART_STATUS, digits, SYSCALLS_STATUS_DIGITS);
		CALL("read", 80, 3, 0x1000, 4096);
	}
	observed();
}

/* TLS on one connection after the other: a hello, what the server says, what the process says then.
 */
static void shakes_hands_by(bool is_1_2, uint8_t there, uint8_t here, uint16_t length)
{
	static const unsigned char address[16] = { 2, 0, 0x1f, 0x90, 127, 0, 0, 1 };
	static const char server[] = "\1api.example";
	const struct syscalls_tls_record hello = { .type = 22, .length = 500 };
	const struct syscalls_tls_record of_server = { .type = there, .length = 2 };
	const struct syscalls_tls_record own[] = { { .type = is_1_2 ? 22 : 20, .length = 1 },
		{ .type = here, .length = length } };

	observe();
	for (int i = 0; i < 4; i++) {
		next_s = 0.1 + i;
		CALL("socket", 3, 2, 1, 0);
		piece(1, address, sizeof(address));
		CALL("connect", 0, 3, 0, sizeof(address));
		piece_of(1, SYSCALLS_PART_TLS, &hello, sizeof(hello));
		piece_of(1, SYSCALLS_PART_SERVER, server, sizeof(server) - 1);
		CALL("write", 517, 3, 0x1000, 517);
		piece_of(1, SYSCALLS_PART_TLS, &of_server, sizeof(of_server));
		CALL("read", 80, 3, 0x1000, 4096);
		piece_of(1, SYSCALLS_PART_TLS, own, sizeof(own));
		CALL("write", 80, 3, 0x1000, 80);
		CALL("close", 0, 3);
	}
	observed();
}

static void shakes_hands(uint8_t there, uint8_t here, uint16_t length)
{
	shakes_hands_by(false, there, here, length);
}

static void distrusts(double length)
{
	shakes_hands(22, 23, (uint16_t)length);
}

/* The same as the server: the hello of a client, what the process says, what the client says then.
 */
static void serves_hands_by(bool is_1_2, bool is_again, uint16_t length)
{
	static const unsigned char address[16] = { 2, 0, 0x1f, 0x90, 127, 0, 0, 1 };
	const struct syscalls_tls_record hello = { .type = 22, .length = 500 };
	const struct syscalls_tls_record own = { .type = 22, .length = 90 };
	const struct syscalls_tls_record client[] = { { .type = is_1_2 ? 22 : 20, .length = 1 },
		{ .type = 23, .length = length } };

	observe();
	CALL("socket", 5, 2, 1, 0);
	piece(1, address, sizeof(address));
	CALL("bind", 0, 5, 1, sizeof(address));
	CALL("listen", 0, 5, 10);
	for (int i = 0; i < 4; i++) {
		next_s = 0.1 + i;
		CALL("accept4", 3, 5, 0, 0, 0);
		piece_of(1, SYSCALLS_PART_TLS, &hello, sizeof(hello));
		CALL("read", 5, 3, 0x1000, 5);
		piece_of(1, SYSCALLS_PART_TLS, &own, sizeof(own));
		CALL("write", 900, 3, 0x1000, 900);
		piece_of(1, SYSCALLS_PART_TLS, client, sizeof(client));
		CALL("read", 80, 3, 0x1000, 4096);
		if (is_again) {
			piece_of(1, SYSCALLS_PART_TLS, &client[1], sizeof(client[1]));
			CALL("read", 80, 3, 0x1000, 4096);
		}
		CALL("read", 0, 3, 0x1000, 4096);
		CALL("close", 0, 3);
	}
	observed();
}

static void is_distrusted(double length)
{
	serves_hands_by(false, false, (uint16_t)length);
}

static void is_asked(double length)
{
	serves_hands_by(false, true, (uint16_t)length);
}

static void is_asked_by_tls_1_2(double length)
{
	serves_hands_by(true, false, (uint16_t)length);
}

static void sends_by_tls_1_2(double length)
{
	shakes_hands_by(true, 22, 23, (uint16_t)length);
}

static void alerts(double there)
{
	shakes_hands((uint8_t)there, 22, 40);
}

static void test_tls_failing(void **state)
{
	static const struct check_case cases[] = {
		{ "tls-failing", distrusts, 19, NULL,
			"low/high: TLS with 127.0.0.1:8080 (api.example) fails: 4 of 4 handshakes; "
			"this process refuses the server" },
		{ "tls-failing", distrusts, 53, NULL, "|this process refuses the server" },
		{ "tls-failing", distrusts, 81, NULL, "fine: " },
		{ "tls-failing", is_distrusted, 19, NULL,
			"low/medium: TLS with clients on 127.0.0.1:8080 fails: 4 of 4 handshakes; "
			"the clients end them" },
		{ "tls-failing", is_distrusted, 53, NULL, "low/medium: |the clients end them" },
		{ "tls-failing", is_asked, 53, NULL, "fine: " },
		{ "tls-failing", is_asked_by_tls_1_2, 53, NULL, "fine: " },
		{ "tls-failing", is_asked_by_tls_1_2, 19, NULL, "low/medium: " },
		{ "tls-failing", distrusts, 19, "tls-failing.min-times=5", "fine: " },
		{ "tls-failing", sends_by_tls_1_2, 53, NULL, "fine: " },
		{ "tls-failing", alerts, 21, NULL, "low/high: |the server refuses them" },
		{ "tls-failing", alerts, 22, NULL, "|this process refuses the server" },
		{ "tls-failing", alerts, 20, NULL, "|closed before any data" },
	};

	(void)state;
	TRY_CASES(cases);
}

static void is_refused_by_status(double status)
{
	is_answered(status, 0);
}

static void is_refused_often(double times)
{
	static const unsigned char address[16] = { 2, 0, 0x1f, 0x90, 127, 0, 0, 1 };

	observe();
	CALL("socket", 3, 2, 1, 0);
	piece(1, address, sizeof(address));
	CALL("connect", 0, 3, 0, sizeof(address));
	for (int i = 0; i < (int)times; i++) {
		next_s = 0.1 + i * 4.8 / times;
		piece_of(1, SYSCALLS_PART_STATUS, "503", SYSCALLS_STATUS_DIGITS);
		CALL("read", 80, 3, 0x1000, 4096);
	}
	observed();
}

static void is_refused_at_times(double status)
{
	is_answered(status, 3);
}

/* Answers of a database, of which every `every` th is an error. */
static void get_answers(uint8_t database, const char *code, int every)
{
	static const unsigned char address[16] = { 2, 0, 0x1f, 0x90, 127, 0, 0, 1 };
	struct syscalls_database_error error = { .database = database };

	strncpy(error.code, code, sizeof(error.code) - 1);
	observe();
	CALL("socket", 3, 2, 1, 0);
	piece(1, address, sizeof(address));
	CALL("connect", 0, 3, 0, sizeof(address));
	for (int i = 0; i < 20; i++) {
		next_s = 0.1 + i * 0.1;
		if (i % every == 0)
			piece_of(1, SYSCALLS_PART_DATABASE_ERROR, &error, sizeof(error));
		CALL("read", 80, 3, 0x1000, 4096);
	}
}

static void has_answers(uint8_t database, const char *code, int every)
{
	get_answers(database, code, every);
	observed();
}

static void has_no_connection_left(double every)
{
	has_answers(SYSCALLS_POSTGRES, "53300", (int)every);
}

/* The server refuses writes; a file system is full, or 0: none. */
static void refuses_writes(double is_full)
{
	struct limits_holder h = { .amount = 800 << 20,
		.count = 1,
		.holder_pid = 72,
		.resource = LIMITS_SHARED_SPACE,
		.is_deleted = true };

	struct proc_process server = { .record.pid = 60 };
	struct waits_listener l = { .record = head_of(5, PID, WAITS_LISTENER),
		.owner_start_ticks = start_of(60),
		.owner_pid = 60,
		.owners = 1,
		.local_port = 8080,
		.family = SOCKETS_INET };
	struct waits_snapshot end = { .record = head_of(5, PID, WAITS_SNAPSHOT) };
	struct record_tail tail[] = { put_text(&l.owner_name, "redis-server"),
		put_text(&l.local, "127.0.0.1:8080") };

	get_answers(SYSCALLS_REDIS, "MISCONF", 1);
	process_at(5, server, "redis-server");
	RECORD_APPEND(&records, &l, tail, 2);
	RECORD_APPEND(&records, &end, NULL, 0);
	if (is_full)
		used_by(4.9, h, "logger", "/data", "/data/app.log.1");
	used_by_end(4.9);
	observed();
}

static void has_an_unknown_error(double every)
{
	has_answers(SYSCALLS_MYSQL, "3999", (int)every);
}

static void is_sent_elsewhere(double every)
{
	has_answers(SYSCALLS_REDIS, "MOVED", (int)every);
}

static void has_a_foreign_code(double every)
{
	has_answers(SYSCALLS_POSTGRES, "\x1b[31m", (int)every);
}

static void binds(double error)
{
	static const unsigned char address[16] = { 2, 0, 0x1f, 0x90, 127, 0, 0, 1 };

	observe();
	for (int i = 0; i < 60; i++) {
		next_s = 0.05 + 4.9 * i / 60;
		piece(1, address, sizeof(address));
		CALL("bind", -(int64_t)error, 5, 1, sizeof(address));
	}
	observed();
}

static void test_syscall_errors(void **state)
{
	static const struct check_case cases[] = {
		{ "syscall-errors", is_denied, 50, NULL,
			"=medium/high: openat on /data/file keeps failing, 50 times: EACCES "
			"(Permission denied) {path /data/file} [failures: 10 a second over 5.00s] "
			"[times: 50 over 5.00s] [time from the first to the last failure: 24.5ms] "
			"<namei -l /data/file shows owner and mode of each part; the process runs "
			"as user 0>\n" },
		{ "syscall-errors", is_denied, 49, NULL,
			"=fine: 49 errors in 50 calls, none repeated often\n" },
		{ "syscall-errors", is_denied, 50, "syscall-errors.min-times=50", "medium/" },
		{ "syscall-errors", is_denied, 50, "syscall-errors.min-times=51", "fine: " },
		{ "syscall-errors", has_no_space, 3, NULL, "high/high: |ENOSPC|, 3 times" },
		{ "syscall-errors", has_no_space, 2, NULL, "fine: " },
		{ "syscall-errors", is_denied_lasting, 2, NULL,
			"medium/high: newfstatat on /data/file keeps failing, 10 times: EACCES" },
		{ "syscall-errors", is_denied_lasting, 1, NULL, "fine: " },
		{ "syscall-errors", is_denied_with_a_pause, 4, NULL, "fine: " },
		{ "syscall-errors", misses_lasting, 1, NULL,
			"low/high: openat on /data/file keeps failing, 19 times: ENOENT" },
		{ "syscall-errors", misses_lasting, 0, NULL, "fine: " },
		{ "syscall-errors", misses_at, 60, NULL, "low/high: openat on /data/file keeps" },
		{ "syscall-errors", misses_at, 59, NULL, "fine: " },
		{ "syscall-errors", misses_at, 59, "syscall-errors.min-age-missing=0",
			"low/high: openat on /data/file keeps" },
		{ "syscall-errors", is_made_in_missing, 3, NULL,
			"medium/high: openat on /data/file keeps failing, 3 times: ENOENT: the "
			"directory in which the file is to be made does not exist|<make that "
			"directory" },
		{ "syscall-errors", is_made_in_missing, 2, NULL, "fine: " },
		{ "syscall-errors", is_interrupted, 500, NULL, "fine: 0 errors in 501" },
		{ "syscall-errors", is_missing, 501, NULL,
			"medium/high: |, 500 times|[failures including path searches: 501 " },
		{ "syscall-errors", is_missing, 500, NULL, "fine: " },
		{ "syscall-errors", is_found_elsewhere, 601, NULL, "medium/high: |, 500 times" },
		{ "syscall-errors", is_found_elsewhere, 600, NULL, "fine: " },
		{ "syscall-errors", is_denied_and_lost, 50, NULL,
			"medium/medium: |(unseen: calls with lost records (7)" },
		{ "syscall-errors", lock_exists, 2.6, NULL,
			"low/medium: waits for a lock: lock file /r/.git/index.lock exists; 3 "
			"tries "
			"{path /r/.git/index.lock}|(unseen: whether a process still works under "
			"that "
			"lock)|<if no program works under it" },
		{ "syscall-errors", lock_exists, 2.4, NULL, "fine: " },
		{ "syscall-errors", lock_exists, 2.6, "syscall-errors.min-commands=4", "fine: " },
		{ "syscall-errors", other_file_exists, 2.6, NULL, "fine: " },
		{ "syscall-errors", folder_of_locks_exists, 2.6, NULL,
			"low/medium: waits for a lock: lock file /r/lock exists" },
		{ "syscall-errors", starts_none, 8, NULL,
			"high/high: cannot start processes or threads: its control group /box has "
			"reached its limit of 8; clone3 failed 3 times|[control group: /box]" },
		{ "syscall-errors", starts_none, 7, NULL,
			"high/medium: cannot start processes or threads: a limit of processes is "
			"reached; clone3 failed with EAGAIN 3 times|(unseen: which limit" },
		{ "syscall-errors", starts_none_beside, 7, NULL,
			"high/high: cannot start processes or threads: its control group /box has "
			"reached its limit of 8; pool (72) has 7; clone3 failed 3 times|!(71)" },
		{ "syscall-errors", starts_none_of_user, 5, NULL,
			"high/medium: cannot start processes or threads: its user has reached the "
			"limit of 6 (ulimit -u); pool (72) has 5, this process 1; clone3 failed 3 "
			"times|!which limit" },
		{ "syscall-errors", starts_none_of_user, 4, NULL,
			"high/medium: |: a limit of processes is reached; clone3|(unseen: which "
			"limit" },
		{ "syscall-errors", starts_few, EAGAIN, NULL, "fine: 2 errors in 2 calls" },
		{ "syscall-errors", watches_no_more, 30, NULL,
			"high/high: cannot watch more files for changes: the user's limit of "
			"inotify watches (30) is reached; inotify_add_watch failed 3 times|[times: "
			"3 over 5.00s]|[limit: 30]" },
		{ "syscall-errors", watches_no_more, 0, NULL,
			"high/high: cannot watch more files for changes: the user's limit of "
			"inotify watches is reached|(unseen: the value of the limit" },
		{ "syscall-errors", watches_no_more, 30, "syscall-errors.min-grave=4", "fine: " },
		{ "syscall-errors", watches_beside, 27, NULL,
			"high/high: cannot watch more files for changes: the user's limit of "
			"inotify watches (30) is reached; editor (72) has 27; inotify_add_watch "
			"failed 3 times|(unseen: the descriptors of 3 processes|!process that uses "
			"most" },
		{ "syscall-errors", watches_one_less, 30, NULL, "fine: 2 errors in 2 calls" },
		{ "syscall-errors", opens_no_instance, 3, NULL,
			"high/high: cannot watch files for changes: the user's limit of inotify "
			"instances (128) is reached; inotify_init1 failed 3 times" },
		{ "syscall-errors", opens_no_instance, 4, NULL,
			"high/high: inotify_init1|: all 4 descriptors that it may open are in use: "
			"EMFILE" },
		{ "syscall-errors", adds_keys, EDQUOT, NULL,
			"high/high: add_key keeps failing, 3 times: the user's quota of keys is "
			"used up: EDQUOT|</proc/key-users" },
		{ "syscall-errors", watches_by_epoll, ENOSPC, NULL,
			"high/high: epoll_ctl keeps failing, 3 times: the user's limit of epoll "
			"watches is reached: ENOSPC" },
		{ "syscall-errors", watches_by_epoll, EIO, NULL,
			"high/high: epoll_ctl keeps failing, 3 times: EIO: the device or file "
			"system failed" },
		{ "requests-refused", is_refused_by_status, 429, NULL,
			"low/high: 127.0.0.1:8080 refuses its requests: 4 of 4 answers are errors, "
			"HTTP "
			"429 (too many requests)" },
		{ "requests-refused", is_refused_by_status, 429, "requests-refused.many=4",
			"medium/high: " },
		{ "requests-refused", is_refused_by_status, 404, NULL, "fine: " },
		{ "requests-refused", is_refused_by_status, 429, "requests-refused.min-answers=5",
			"fine: " },
		{ "requests-refused", is_refused_at_times, 503, NULL, "fine: " },
		{ "requests-refused", is_refused_often, 51, NULL,
			"medium/high: |; it asks again at once, 10 times a second, without a "
			"pause" },
		{ "requests-refused", is_refused_often, 49, NULL, "medium/high: |!asks again" },
		{ "database-errors", has_no_connection_left, 2, NULL,
			"medium/high: PostgreSQL at 127.0.0.1:8080 answers with errors, 10 of 20 "
			"times: "
			"too many connections (53300)" },
		{ "database-errors", has_no_connection_left, 2, "database-errors.many=11",
			"low/high: " },
		{ "database-errors", has_no_connection_left, 5, NULL, "fine: " },
		{ "database-errors", refuses_writes, 1, NULL,
			"medium/high: |refuses writes (MISCONF); perhaps because /data is full, "
			"800 MiB of it /data/app.log.1 (deleted), which logger (72) has open" },
		{ "database-errors", refuses_writes, 0, NULL,
			"medium/high: |refuses writes (MISCONF) {|!perhaps because" },
		{ "database-errors", has_an_unknown_error, 1, NULL,
			"medium/high: MySQL at 127.0.0.1:8080 answers with errors, 20 of 20 times: "
			"3999" },
		{ "database-errors", is_sent_elsewhere, 1, NULL, "fine: " },
		{ "database-errors", has_a_foreign_code, 1, NULL, "fine: " },
		{ "syscall-errors", binds, EADDRINUSE, NULL,
			"medium/high: bind on 127.0.0.1:8080 keeps failing, 60 times: EADDRINUSE "
			"(Address already in use)" },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- slow-syscalls --- */

/* Five that take so long, of a file. */
static void syncs(double each_ms)
{
	observe();
	opens("/data/file", CREATE);
	lasts_ms = each_ms;
	for (int i = 0; i < 5; i++) {
		next_s += each_ms / 1000;
		CALL("fsync", 0, 3);
	}
	lasts_ms = 0.001;
}

static void threads_stood(double ms, double switches)
{
	for (int i = 0; i < 2; i++) {
		struct threads_thread t = { .record = head_of(5.0 * i, PID, THREADS_THREAD),
			.thread_start_ticks = 1,
			.waited_ns = (uint64_t)(i * ms * (double)NS_PER_MS),
			.voluntary_switches = (uint64_t)(i * switches),
			.state = 'S' };
		struct threads_process p = { .record = head_of(5.0 * i, PID, THREADS_PROCESS),
			.threads = 1 };

		t.record.tid = PID;
		RECORD_APPEND(&records, &t, NULL, 0);
		RECORD_APPEND(&records, &p, NULL, 0);
	}
}

static void threads_waited(double ms)
{
	threads_stood(ms, 0);
}

static void syncs_slowly(double each_ms)
{
	syncs(each_ms);
	threads_waited(0);
	observed();
}

/* A thread waits for the disk, and its control group may write so many bytes a second, of which it
 * writes 1000. */
static void syncs_with_limit(double limit)
{
	syncs(200);
	for (int i = 0; i < LOOKS; i++) {
		struct threads_thread t = { .record = head_of(i, PID, THREADS_THREAD),
			.thread_start_ticks = 1,
			.written_bytes = 1000 * (uint64_t)i,
			.state = 'D' };
		struct threads_process p = { .record = head_of(i, PID, THREADS_PROCESS),
			.threads = 1 };

		t.record.tid = PID;
		RECORD_APPEND(&records, &t, NULL, 0);
		RECORD_APPEND(&records, &p, NULL, 0);
	}
	struct limits_group g = { .record = head_of(LOOKS - 1, PID, LIMITS_GROUP),
		.version = 2,
		.limit = (uint64_t)limit };
	struct limits_process end = { .record = head_of(LOOKS - 1, PID, LIMITS_PROCESS) };
	struct record_tail tail[] = { put_text(&g.name, "io-write"), put_text(&g.path, "/box") };

	RECORD_APPEND(&records, &g, tail, 2);
	RECORD_APPEND(&records, &end, NULL, 0);
	observed();
}

static void syncs_unseen(double each_ms)
{
	syncs(each_ms);
	observed();
}

/* 1000 ms in calls. */
static void syncs_in_queue(double waited_ms)
{
	syncs(200);
	threads_waited(waited_ms);
	observed();
}

static void syncs_times(double times)
{
	observe();
	opens("/data/file", CREATE);
	lasts_ms = 300;
	for (int i = 0; i < (int)times; i++)
		CALL("fsync", 0, 3);
	threads_waited(0);
	observed();
}

/* Each 14 ms. */
static void syncs_often(double a_second)
{
	observe();
	opens("/data/file", CREATE);
	lasts_ms = 14;
	for (int i = 0; i < (int)(5 * a_second); i++)
		CALL("fdatasync", 0, 3);
	threads_waited(0);
	observed();
}

/* 4200 ms in calls, and a part of that in the queue for a CPU. */
static void syncs_often_in_queue(double waited_ms)
{
	observe();
	opens("/data/file", CREATE);
	lasts_ms = 14;
	for (int i = 0; i < 300; i++)
		CALL("fdatasync", 0, 3);
	threads_waited(waited_ms);
	observed();
}

/* To a file that it had open, with these flags. */
static void writes_through(double flags)
{
	observe();
	for (int i = 0; i < 2; i++) {
		struct fds_descriptor d = { .record = head_of(5.0 * i, PID, FDS_DESCRIPTOR),
			.fd = 3,
			.type = FDS_FILE,
			.flags = (uint32_t)flags };
		struct fds_process p = { .record = head_of(5.0 * i, PID, FDS_PROCESS),
			.descriptors = 1 };
		struct record_tail tail[] = { put_text(&d.path, "/data/file") };

		RECORD_APPEND(&records, &d, tail, 1);
		RECORD_APPEND(&records, &p, NULL, 0);
		if (i)
			break;
		lasts_ms = 14;
		for (int k = 0; k < 300; k++)
			CALL("write", 100, 3, 0, 100);
	}
	threads_waited(0);
	observed();
}

static void sleeps_times(double times)
{
	observe();
	lasts_ms = 300;
	for (int i = 0; i < (int)times; i++)
		CALL("clock_nanosleep", 0, 1, 0, 1);
	threads_waited(0);
	observed();
}

static void test_slow_syscalls(void **state)
{
	static const struct check_case cases[] = {
		{ "slow-syscalls", syncs_slowly, 200, NULL,

			"=medium/high: fsync on /data/file is slow: p99 200 ms, 20 % of the "
			"observed time {path /data/file} [p99: 200ms] [longest: 200ms] [calls: 5 "
			"over 5.00s] [total time: 1.00s over 5.00s] [time in which the threads "
			"waited for a CPU: 0ns over 5.00s] [path: /data/file: 1.00s in 5 calls, "
			"longest 200ms] <sooth trace --filter 'duration_ns > 10000000' -p 99 shows "
			"each slow call; check what it works on (disk, file system, memory)>\n" },
		/* A tenth of the time: half a second. */
		{ "slow-syscalls", syncs_slowly, 100, NULL,
			"medium/high: |10 % of the observed time" },
		{ "slow-syscalls", syncs_with_limit, 1000, NULL, "low/high: fsync on /data/file" },
		{ "slow-syscalls", syncs_with_limit, 5000, NULL, "medium/high: fsync on /data" },
		{ "slow-syscalls", syncs_slowly, 99, NULL, "=fine: longest call: 99.0ms\n" },
		{ "slow-syscalls", syncs_slowly, 200, "slow-syscalls.min-share=20", "medium/" },
		{ "slow-syscalls", syncs_slowly, 200, "slow-syscalls.min-share=20.1", "fine: " },
		{ "slow-syscalls", syncs_slowly, 200, "slow-syscalls.min-p99=200ms", "medium/" },
		{ "slow-syscalls", syncs_slowly, 200, "slow-syscalls.min-p99=201ms", "fine: " },
		{ "slow-syscalls", syncs_unseen, 200, NULL,
			"low/low: |(unseen: how long the threads waited" },
		{ "slow-syscalls", syncs_in_queue, 500, NULL,
			"medium/high: |[time in which the threads waited for a CPU: 500ms" },
		{ "slow-syscalls", syncs_in_queue, 501, NULL, "fine: " },
		{ "slow-syscalls", syncs_often_in_queue, 3900, NULL,
			"medium/high: spends 84 % of the time in fdatasync: 60 a second on "
			"/data/file {" },
		{ "slow-syscalls", syncs_often_in_queue, 4000, NULL,
			"low/low: spends 84 % of the time in fdatasync: 60 a second on "
			"/data/file; nearly all of it waiting for a CPU" },
		{ "slow-syscalls", writes_through, 0x1000, NULL,
			"medium/high: spends 84 % of the time in write: 60 a second on "
			"/data/file|[opened with: O_DSYNC|<write larger parts" },
		{ "slow-syscalls", writes_through, 0x101000, NULL, "medium/high: spends" },
		{ "slow-syscalls", writes_through, 0x2000, NULL, "fine: " },
		{ "slow-syscalls", syncs_often, 60, NULL,
			"medium/high: spends 84 % of the time in fdatasync: 60 a second on "
			"/data/file" },
		{ "slow-syscalls", syncs_often, 60, "slow-syscalls.min-sync-share=85", "fine: " },
		{ "slow-syscalls", syncs_often, 50, NULL, "medium/" },
		{ "slow-syscalls", syncs_often, 49, NULL, "fine: " },
		{ "slow-syscalls", syncs_times, 5, NULL, "medium/high: fsync on /data/file" },
		{ "slow-syscalls", syncs_times, 4, NULL, "fine: " },
		{ "slow-syscalls", sleeps_times, 5, NULL, "fine: longest call: 0ns" },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- metadata-storm --- */

/* So many times about each of five files in a folder; the first of each is free. */
static void asks_in(const char *folder, double times, double each_ms)
{
	char path[32];

	observe();
	lasts_ms = each_ms;
	for (int i = 0; i < (int)times * 5; i++) {
		snprintf(path, sizeof(path), "%s/%d", folder, i % 5);
		looks(path, 0);
	}
	observed();
}

static void asks(double times)
{
	asks_in("/work", times, 0.03);
}

static void asks_made_up(double times)
{
	asks_in("/proc/self", times, 0.03);
}

/* So many hundredths of a thread's time. */
static void asks_for(double percent)
{
	asks_in("/work", 501, percent * 0.02);
}

/* One in 500 of its calls is recorded, of 60 files at so many times. */
static void asks_often(double times)
{
	char path[32];

	observe();
	next_skipped = 499;
	lasts_ms = 0.02;
	for (int time = 0; time < (int)times; time++) {
		next_s = 0.1 + time;
		for (int i = 0; i < 60; i++) {
			snprintf(path, sizeof(path), "/work/%d/a", i);
			looks(path, 0);
		}
	}
	next_skipped = 0;
	observed();
}

/* By the descriptor that it has, whose path is empty. */
static void asks_by_descriptor(double times)
{
	observe();
	opens("/work/one", 0);
	lasts_ms = 0.03;
	for (int i = 0; i < (int)times * 5; i++) {
		path_at(1, "");
		CALL("newfstatat", 0, 3, 1, 1, 0x1000);
	}
	observed();
}

static void asks_about(double files)
{
	char path[32];

	observe();
	lasts_ms = 0.03;
	for (int i = 0; i < 3000; i++) {
		snprintf(path, sizeof(path), "/work/%d", i % (int)files);
		looks(path, 0);
	}
	observed();
}

/* And reads it so many times. */
static void asks_and_reads(double times)
{
	observe();
	lasts_ms = 0.03;
	for (int i = 0; i < 2501 + 101; i++)
		looks("/work/one", 0);
	opens("/work/one", 0);
	for (int i = 0; i < (int)times; i++)
		CALL("read", 100, 3, 0, 4096);
	observed();
}

/* --- repeated-reads --- */

/* So many times opened and read, each after so many reads of another file. */
static void reads_beside(double times, int others)
{
	observe();
	path_at(1, "/work/input");
	CALL("openat", 4, HERE, 1, 0);
	for (int i = 0; i < (int)times; i++) {
		opens("/work/token.json", 0);
		CALL("read", 100, 3, 0, 4096);
		CALL("close", 0, 3);
		for (int n = 0; n < others; n++)
			CALL("read", 100, 4, 0, 100);
	}
	observed();
}

static void reads_again(double times)
{
	reads_beside(times, 0);
}

static void reads_and_works(double times)
{
	reads_beside(times, 1);
}

static void reads_on(double times)
{
	observe();
	opens("/work/token.json", 0);
	for (int i = 0; i < (int)times; i++)
		CALL("read", 100, 3, 0, 4096);
	observed();
}

/* Two files below one directory, each so many times from its beginning to its end. */
static void reads_whole(double times)
{
	observe();
	for (int i = 0; i < (int)times; i++) {
		for (int file = 0; file < 2; file++) {
			opens(file ? "/work/log/a.json" : "/work/log/old/b.json", 0);
			for (int part = 0; part < 4; part++)
				CALL("read", 1 << 20, 3, 0, 1 << 20);
			CALL("read", 0, 3, 0, 1 << 20);
			CALL("close", 0, 3);
		}
	}
	observed();
}

/* As much in all, of one file that goes on. */
static void reads_large(double times)
{
	observe();
	opens("/work/log/a.json", 0);
	for (int i = 0; i < 8 * (int)times; i++)
		CALL("read", 1 << 20, 3, 0, 1 << 20);
	observed();
}

static void reads_whole_and_sends(double megabytes)
{
	static const unsigned char address[16] = { 2, 0, 0x1f, 0x90, 127, 0, 0, 1 };

	observe();
	CALL("socket", 3, 2, 1, 0);
	piece(1, address, sizeof(address));
	CALL("connect", 0, 3, 0, sizeof(address));
	for (int i = 0; i < (int)megabytes; i++)
		CALL("write", 1 << 20, 3, 0, 1 << 20);
	CALL("close", 0, 3);
	for (int i = 0; i < 3; i++) {
		opens("/work/log/a.json", 0);
		CALL("pread64", 8 << 20, 3, 0, 8 << 20, 0);
		CALL("close", 0, 3);
	}
	observed();
}

/* Three times from its beginning, and so many blocks elsewhere. */
static void reads_parts(double parts)
{
	observe();
	for (int i = 0; i < 3; i++) {
		opens("/work/log/a.json", 0);
		for (int part = 0; part < 10; part++)
			CALL("read", 1 << 20, 3, 0, 1 << 20);
		for (int part = 0; part < (int)parts; part++)
			CALL("pread64", 4096, 3, 0, 4096, 0x500000 + (part + 1) * 8192);
		CALL("close", 0, 3);
	}
	observed();
}

static void test_files_read_again(void **state)
{
	static const struct check_case cases[] = {
		{ "repeated-reads", reads_whole, 5, NULL,
			"low/high: reads /work/log/old/b.json and /work/log/a.json (8.0 MiB) whole "
			"again and again, 8.0 MiB a second|[times that each byte was read: 5 " },
		{ "repeated-reads", reads_whole, 50, NULL, "medium/high: " },
		{ "repeated-reads", reads_whole, 3, NULL, "low/high: " },
		{ "repeated-reads", reads_whole, 2, NULL, "fine: " },
		{ "repeated-reads", reads_whole, 2, "repeated-reads.min-times=2", "low/high: " },
		{ "repeated-reads", reads_whole, 3, "repeated-reads.min-bytes=10000000", "fine: " },
		{ "repeated-reads", reads_large, 5, NULL, "fine: " },
		{ "repeated-reads", reads_parts, 1, NULL, "low/high: " },
		{ "repeated-reads", reads_parts, 2, NULL, "fine: " },
		{ "repeated-reads", reads_whole_and_sends, 5, NULL, "low/high: " },
		{ "repeated-reads", reads_whole_and_sends, 7, NULL, "fine: " },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- thread-churn --- */

#define CLONES_THREAD 0x3d0f00

static void starts_threads(double count, uint32_t alive, uint64_t flags)
{
	add_source("syscalls");
	next_s = 0.001;
	lasts_ms = 0.001;
	for (int i = 0; i < LOOKS; i++)
		process_at(i, (struct proc_process){ .threads = i ? alive : 1 }, "caller");
	for (int i = 0; i < (int)count; i++)
		CALL("clone", 5000 + i, flags, HERE);
	observed();
}

static void starts_short_threads(double count)
{
	starts_threads(count, 3, CLONES_THREAD);
}

static void starts_processes(double count)
{
	starts_threads(count, 3, 17);
}

static void fills_pool(double alive)
{
	starts_threads(1200, (uint32_t)alive, CLONES_THREAD);
}

static void test_thread_churn(void **state)
{
	static const struct check_case cases[] = {
		{ "thread-churn", starts_short_threads, 1005, NULL,
			"low/high: starts 201 threads a second, and has at most 3 in any sample: "
			"each ends at once|<give the tasks to threads that "
			"stay" },
		{ "thread-churn", starts_short_threads, 995, NULL, "fine: " },
		{ "thread-churn", starts_short_threads, 995, "thread-churn.min-rate=190",
			"low/high: " },
		{ "thread-churn", starts_short_threads, 1005, "thread-churn.many=201",
			"medium/high: " },
		{ "thread-churn", starts_processes, 1200, NULL, "fine: " },
		{ "thread-churn", fills_pool, 590, NULL, "low/high: " },
		{ "thread-churn", fills_pool, 605, NULL, "fine: " },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- feeds-itself --- */

/* Appends to a file, and reads so much of each write again by another descriptor. */
static void follows_file(const char *path, int times, int64_t again)
{
	observe();
	opens(path, 0);
	path_at(1, path);
	CALL("openat", 4, HERE, 1, 0x401); /* O_WRONLY | O_APPEND */
	for (int i = 0; i < times; i++) {
		CALL("write", 1024, 4, 0, 1024);
		if (again)
			CALL("read", again, 3, 0, 4096);
	}
	observed();
}

static void follows_log(double times)
{
	follows_file("/work/app.log", (int)times, 1024);
}

static void follows_part_of_log(double again)
{
	follows_file("/work/app.log", 20, (int64_t)again);
}

static void follows_store(double is_log)
{
	follows_file(is_log > 0 ? "/work/log.1" : "/work/catalog.db", 20, 1024);
}

static void test_feeds_itself(void **state)
{
	static const struct check_case cases[] = {
		{ "feeds-itself", follows_log, 20, NULL,
			"medium/medium: reads /work/app.log, to which it writes itself, 4.0 KiB a "
			"second: it feeds itself" },
		{ "feeds-itself", follows_log, 5, NULL, "medium/" },
		{ "feeds-itself", follows_log, 4, NULL, "fine: " },
		{ "feeds-itself", follows_log, 20, "feeds-itself.min-rate=5000", "fine: " },
		{ "feeds-itself", follows_part_of_log, 512, NULL, "medium/" },
		{ "feeds-itself", follows_part_of_log, 511, NULL, "fine: " },
		{ "feeds-itself", follows_store, 1, NULL, "medium/" },
		{ "feeds-itself", follows_store, 0, NULL, "fine: " },
	};

	(void)state;
	TRY_CASES(cases);
}

static void test_repeated_reads(void **state)
{
	static const struct check_case cases[] = {
		{ "repeated-reads", reads_again, 1005, NULL,
			"medium/high: reads /work/token.json over and over, 201 times a second "
			"(100 bytes each)|<sooth profile 99" },
		{ "repeated-reads", reads_again, 255, NULL, "low/high: " },
		{ "repeated-reads", reads_again, 245, NULL, "fine: " },
		{ "repeated-reads", reads_again, 245, "repeated-reads.min-rate=40", "low/high: " },
		{ "repeated-reads", reads_and_works, 1005, NULL, "fine: " },
		{ "repeated-reads", reads_on, 1005, NULL, "fine: " },
	};

	(void)state;
	TRY_CASES(cases);
}

static void test_metadata_storm(void **state)
{
	static const struct check_case cases[] = {
		{ "metadata-storm", asks, 501, NULL,
			"low/high: looks up the same 5 files over and over: 500 times a second, "
			"mostly in /work {path /work} [repeated lookups: 500 a second over 5.00s] "
			"[share of one thread's time spent in repeated lookups: 1.50 % over 5.00s] "
			"[lookups per file: 501 over 5.00s] [lookups, total: 2505 over 5.00s] "
			"[directory: /work: 2500 lookups] [file: /work/" },
		{ "metadata-storm", asks, 500, NULL,
			"=fine: 500 lookups a second, 499 of them repeated: 1.5 % of a thread's "
			"time\n" },
		{ "metadata-storm", asks_for, 1.01, NULL, "low/high: " },
		{ "metadata-storm", asks_for, 10, NULL, "medium/high: " },
		{ "metadata-storm", asks_for, 9.9, NULL, "low/high: " },
		{ "metadata-storm", asks_for, 0.99, NULL, "fine: " },
		{ "metadata-storm", asks_for, 0.99, "metadata-storm.min-share=0.9", "low/high: " },
		{ "metadata-storm", asks_often, 2, NULL,
			"medium/medium: looks up the same files over and over: |below /work" },
		{ "metadata-storm", asks_often, 1, NULL, "fine: " },
		{ "metadata-storm", asks_made_up, 501, NULL,
			"fine: 501 lookups a second, 0 of them" },
		{ "metadata-storm", asks_by_descriptor, 501, NULL,
			"fine: 0 lookups a second, 0 of them" },
		/* Five times each. */
		{ "metadata-storm", asks_about, 600, "metadata-storm.min-rate=480", "low/" },
		{ "metadata-storm", asks_about, 601, "metadata-storm.min-rate=1", "fine: " },
		{ "metadata-storm", asks_about, 600, "metadata-storm.min-rate=481", "fine: " },
		{ "metadata-storm", asks_and_reads, 51, NULL,
			"low/high: looks up one file over and over" },
		{ "metadata-storm", asks_and_reads, 52, NULL, "fine: " },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- small-io --- */

/* Reads all that it asks for. */
static void reads(double times, uint64_t size)
{
	observe();
	opens("/data/file", 2);
	for (int i = 0; i < (int)times; i++)
		CALL("read", (int64_t)size, 3, 0, size);
}

static void reads_little(double times)
{
	reads(times, 4);
	observed();
}

static void reads_of_size(double size)
{
	reads(5000, (uint64_t)size);
	observed();
}

static void reads_more_too(double times)
{
	reads(5000, 4);
	for (int i = 0; i < (int)times; i++)
		CALL("read", 4096, 3, 0, 4096);
	observed();
}

static void writes_little(double times)
{
	observe();
	opens("/data/file", 2);
	for (int i = 0; i < (int)times; i++)
		CALL("write", 4, 3, 0, 4);
	observed();
}

static void sends_little(double times)
{
	observe();
	CALL("socket", 3, 2, 1, 0);
	for (int i = 0; i < (int)times; i++)
		CALL("sendto", 4, 3, 0, 4);
	observed();
}

static void reads_device(double times)
{
	observe();
	opens("/dev/thing", 2);
	for (int i = 0; i < (int)times; i++)
		CALL("read", 4, 3, 0, 4);
	observed();
}

/* So many reads of a byte, and so many waits, of a pipe that it had open. */
static void reads_pipe_of(double reads_count, double waits, bool writes_too)
{
	struct fds_descriptor d = {
		.record = head_of(0, PID, FDS_DESCRIPTOR), .fd = 3, .type = FDS_PIPE
	};
	struct fds_process p = { .record = head_of(0, PID, FDS_PROCESS), .descriptors = 1 };
	struct record_tail tail[] = { put_text(&d.path, "pipe:[7]") };

	observe();
	RECORD_APPEND(&records, &d, tail, 1);
	RECORD_APPEND(&records, &p, NULL, 0);
	if (writes_too)
		CALL("write", 1, 3, 0, 1);
	for (int i = 0; i < (int)reads_count; i++)
		CALL("read", 1, 3, 0, 1);
	threads_stood(0, waits);
	observed();
}

static void reads_pipe(double count)
{
	reads_pipe_of(count, 10, false);
}

static void reads_pipe_and_waits(double waits)
{
	reads_pipe_of(5000, waits, false);
}

static void reads_own_pipe(double count)
{
	reads_pipe_of(count, 10, true);
}

static void test_small_io(void **state)
{
	static const struct check_case cases[] = {
		{ "small-io", reads_little, 5000, NULL,
			"=medium/high: reads /data/file 4 bytes at a time, 1000 times a second "
			"{path /data/file} [small calls: 1000 a second over 5.00s] [bytes per "
			"call: 4B over 5.00s] [share of small calls among all calls on this file "
			"or peer: 100 % over 5.00s] [share of the observed time spent in these "
			"calls: 0.10 % over 5.00s] <read larger blocks, for example with a "
			"buffered reader>\n" },
		{ "small-io", reads_little, 4999, NULL,
			"=fine: no frequent small reads or writes\n" },
		{ "small-io", reads_of_size, 63, NULL, "medium/high: reads /data/file 63 bytes" },
		{ "small-io", reads_of_size, 64, NULL, "fine: " },
		{ "small-io", reads_of_size, 64, "small-io.max-size=65", "medium/" },
		{ "small-io", reads_of_size, 0, NULL, "fine: " },
		{ "small-io", reads_more_too, 1250, NULL,
			"medium/|[share of small calls among all calls on this file or peer: 80 "
			"%" },
		{ "small-io", reads_more_too, 1251, NULL, "fine: " },
		{ "small-io", writes_little, 5000, NULL,
			"medium/high: writes /data/file|<write larger blocks" },
		{ "small-io", writes_little, 4999, NULL, "fine: " },
		/* The first one follows no other. */
		{ "small-io", sends_little, 5001, NULL,
			"medium/high: writes TCP |{connection TCP}" },
		{ "small-io", sends_little, 5000, NULL, "fine: " },
		{ "small-io", reads_device, 5000, NULL, "fine: " },
		{ "small-io", reads_pipe, 5000, "small-io.min-rate=100",
			"medium/high: reads pipe:[7] 1 byte at a time, 1000 times a second "
			"|<read larger blocks; a shell's read takes a pipe byte by byte" },
		{ "small-io", reads_pipe, 4999, "small-io.min-rate=100", "fine: " },
		{ "small-io", reads_pipe_and_waits, 1250, "small-io.min-rate=100", "medium/" },
		{ "small-io", reads_pipe_and_waits, 1251, "small-io.min-rate=100", "fine: " },
		{ "small-io", reads_own_pipe, 5000, "small-io.min-rate=100", "fine: " },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- write-churn --- */

#define MB (1 << 20)

/* Empties a file and writes it, so many times; what is there at the end is not gone. */
static void rewrites(double times)
{
	observe();
	for (int i = 0; i < (int)times; i++) {
		opens("/data/state", CREATE | EMPTY);
		CALL("write", MB, 3, 0, MB);
		CALL("close", 0, 3);
	}
	observed();
}

static void rewrites_large(double times)
{
	observe();
	for (int i = 0; i < (int)times; i++) {
		opens("/data/state", CREATE | EMPTY);
		CALL("write", 10 * MB, 3, 0, 10 * MB);
		CALL("close", 0, 3);
	}
	observed();
}

/* As a reading of its descriptors tells, it holds so many megabytes by now. */
static void rewrites_and_holds(double megabytes)
{
	struct fds_descriptor d = { .record = head_of(4, PID, FDS_DESCRIPTOR),
		.fd = 3,
		.type = FDS_FILE,
		.size_bytes = (uint64_t)(megabytes * MB) };
	struct fds_process p = { .record = head_of(4, PID, FDS_PROCESS), .descriptors = 1 };
	struct record_tail tail[] = { put_text(&d.path, "/data/state") };

	rewrites_large(4);
	RECORD_APPEND(&records, &d, tail, 1);
	RECORD_APPEND(&records, &p, NULL, 0);
}

static void removes(double times)
{
	observe();
	for (int i = 0; i < (int)times; i++) {
		opens("/data/new", CREATE);
		CALL("write", MB, 3, 0, MB);
		CALL("close", 0, 3);
		path_at(1, "/data/new");
		CALL("unlinkat", 0, HERE, 1, 0);
	}
	observed();
}

static void removes_many(double times)
{
	char path[32];

	observe();
	for (int i = 0; i < (int)times; i++) {
		snprintf(path, sizeof(path), "/data/%d", i);
		opens(path, CREATE);
		CALL("write", 10 * MB, 3, 0, 10 * MB);
		CALL("close", 0, 3);
		path_at(1, path);
		CALL("unlinkat", 0, HERE, 1, 0);
	}
	observed();
}

/* The first time it is no more than written. */
static void writes_in_place(double times)
{
	observe();
	opens("/data/db", 2);
	for (int i = 0; i < (int)times; i++)
		CALL("pwrite64", 16 * MB, 3, 0, 16 * MB, 0);
	observed();
}

static void rewrites_device(double times)
{
	observe();
	for (int i = 0; i < (int)times; i++) {
		opens("/dev/shm/state", CREATE | EMPTY);
		CALL("write", MB, 3, 0, MB);
	}
	observed();
}

static void test_write_churn(void **state)
{
	static const struct check_case cases[] = {
		{ "write-churn", rewrites, 6, NULL,
			"=medium/high: rewrites /data/state over and over: 5 times, 1.0 a second "
			"{path /data/state} [written and discarded: 1.0M a second over 5.00s] "
			"[discarded, total: 5.0M over 5.00s] [bytes that remain in the files: "
			"1.0M] [times: 5 over 5.00s] (unseen: how much is written through mmap, "
			"and whether the file system is in memory (tmpfs)) <sooth trace --io -p 99 "
			"shows bytes per file; the fix: write only what changed, or less "
			"often>\n" },
		{ "write-churn", rewrites, 5, NULL, "=fine: little is rewritten or removed\n" },
		{ "write-churn", rewrites_large, 4, NULL, "medium/high: |: 3 times" },
		{ "write-churn", rewrites_large, 3, NULL, "fine: " },
		{ "write-churn", rewrites_large, 4, "write-churn.min-ratio=3.1", "fine: " },
		{ "write-churn", rewrites_and_holds, 10, NULL,
			"medium/|[bytes that remain in the files: 10.0M]" },
		{ "write-churn", rewrites_and_holds, 10.1, NULL, "fine: " },
		{ "write-churn", removes, 5, NULL,
			"medium/high: writes and removes /data/new: 5 times, 1.0 a second {path "
			"/data/new}|!remaining|!last file" },
		{ "write-churn", removes, 4, NULL, "fine: " },
		{ "write-churn", removes_many, 3, NULL,
			"medium/high: writes and removes files in /data: 3, |{path /data}|[last "
			"file: /data/2]" },
		{ "write-churn", removes_many, 2, NULL, "fine: " },
		{ "write-churn", writes_in_place, 11, NULL,
			"medium/high: overwrites the same parts of /data/db over|[overwritten: "
			"32.0M a second|<collect changes" },
		{ "write-churn", writes_in_place, 10, NULL, "fine: " },
		{ "write-churn", rewrites_device, 50, NULL, "fine: " },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- watch-flood: growth --- */

static void watches_are(double s, double count)
{
	struct fds_process p = { .record = head_of(s, PID, FDS_PROCESS),
		.watches = (uint32_t)count,
		.watches_max = 1000,
		.instances_max = 10 };

	RECORD_APPEND(&records, &p, NULL, 0);
}

/* So many in each half second until then; `kept` of all of them remain. */
static void adds_watches(double until_s, double kept)
{
	double added = 0;

	observe();
	watches_are(0, 100);
	for (double s = 0.1; s < until_s; s += 0.5) {
		next_s = s;
		for (int i = 0; i < 10; i++, added++)
			CALL("inotify_add_watch", (int64_t)added + 1, 3, 1, 0x100);
	}
	next_s = 4.9;
	CALL("inotify_rm_watch", 0, 3, 1);
	watches_are(5, 100 + added * kept);
	observed();
}

static void adds_until(double s)
{
	adds_watches(s, 1);
}

static void adds_and_keeps(double percent)
{
	adds_watches(5, percent / 100);
}

static void has_more_watches(double count)
{
	is_there();
	watches_are(0, 100);
	watches_are(5, 100 + count);
}

static void test_watches_grow(void **state)
{
	static const struct check_case cases[] = {
		{ "watch-flood", adds_until, 5, NULL,
			"medium/medium: watches more and more files and directories: 100 more, 1 "
			"removed, 200 in all|[growth: 20 a second|[seconds in which watches were "
			"added: 5|[time until the limit is reached: 40" },
		{ "watch-flood", adds_until, 4.5, NULL, "medium/medium: watches more" },
		{ "watch-flood", adds_until, 3.5, NULL, "=fine: watches: 170, instances: 0\n" },
		{ "watch-flood", adds_until, 0.5, "watch-flood.min-gain=1",
			"=fine: watches: 110, instances: 0\n" },
		{ "watch-flood", adds_and_keeps, 50, NULL, "medium/medium: watches more" },
		{ "watch-flood", adds_and_keeps, 49, NULL, "fine: watches: 149" },
		{ "watch-flood", adds_and_keeps, 100, "watch-flood.min-gain=101", "fine: " },
		{ "watch-flood", adds_and_keeps, 100, "watch-flood.min-rate=20.1", "fine: " },
		{ "watch-flood", adds_and_keeps, 100, "watch-flood.min-age=1000s", "fine: " },
		{ "watch-flood", has_more_watches, 40, NULL,
			"blind: the process has more inotify watches than before" },
		{ "watch-flood", has_more_watches, 39, NULL, "fine: watches: 139" },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- connect-failing --- */

static void connects(unsigned char last, int64_t result)
{
	unsigned char bytes[16] = { 2, 0, 1, 187, 10, 0, 0, last }; /* port 443 */

	CALL("socket", 9, 2, 1, 0);
	piece(1, bytes, sizeof(bytes));
	CALL("connect", result, 9, 1, 16);
	CALL("close", 0, 9);
}

enum { CUT_AT_ONCE, GETS_ANSWER, SHUTS_DOWN, CLOSES_ITSELF, IS_RESET };

static void connects_and(unsigned how)
{
	unsigned char bytes[16] = { 2, 0, 1, 187, 10, 0, 0, 1 };

	CALL("socket", 9, 2, 1, 0);
	piece(1, bytes, sizeof(bytes));
	CALL("connect", 0, 9, 1, 16);
	CALL("write", 5, 9, 1, 5);
	if (how == SHUTS_DOWN)
		CALL("shutdown", 0, 9, 1);
	if (how == GETS_ANSWER)
		CALL("read", 7, 9, 1, 4096);
	if (how == IS_RESET)
		CALL("read", -ECONNRESET, 9, 1, 4096);
	else if (how != CLOSES_ITSELF)
		CALL("read", 0, 9, 1, 4096);
	CALL("close", 0, 9);
}

/* Four connections, half a second apart. */
static void connects_four_times(double how)
{
	observe();
	for (int i = 0; i < 4; i++, next_s += 0.5)
		connects_and((unsigned)how);
	observed();
}

static void is_cut_for(double s)
{
	observe();
	for (int i = 0; i < 4; i++, next_s += s / 3)
		connects_and(CUT_AT_ONCE);
	observed();
}

/* So many with an answer, before those without. */
static void is_cut_later(double answered)
{
	observe();
	for (int i = 0; i < (int)answered; i++)
		connects_and(GETS_ANSWER);
	for (int i = 0; i < 6; i++, next_s += 0.5)
		connects_and(CUT_AT_ONCE);
	observed();
}

static void is_answered_at_last(double value)
{
	(void)value;
	observe();
	for (int i = 0; i < 6; i++, next_s += 0.5)
		connects_and(CUT_AT_ONCE);
	connects_and(GETS_ANSWER);
	observed();
}

static void is_cut_and_lost(double value)
{
	(void)value;
	observe();
	for (int i = 0; i < 6; i++, next_s += 0.5)
		connects_and(CUT_AT_ONCE);
	loses(1);
	observed();
}

static void is_refused(double times)
{
	observe();
	for (int i = 0; i < (int)times; i++)
		connects(1, -ECONNREFUSED);
	CALL("getpid", PID, 0);
	observed();
}

/* No local port is free: another process has so many connections to that peer; of 40, the others
 * are closed. */
static void has_no_port(double others)
{
	struct limits_holder h = {
		.holder_pid = 72, .amount = (uint64_t)others, .resource = LIMITS_SHARED_PORTS
	};

	observe();
	used_by(4, h, "elsewhere", "10.0.0.2:443", "");
	if (others > 0)
		used_by(4, h, "crawler", "10.0.0.1:443", "");
	h = (struct limits_holder){ .amount = 40 - (uint64_t)others,
		.resource = LIMITS_SHARED_PORTS };
	if (h.amount)
		used_by(4, h, "", "10.0.0.1:443", "");
	used_by_end(4);
	for (int i = 0; i < 8; i++)
		connects(1, -EADDRNOTAVAIL);
	observed();
}

static void test_no_port(void **state)
{
	static const struct check_case cases[] = {
		{ "connect-failing", has_no_port, 40, NULL,
			"medium/high: cannot connect to 10.0.0.1:443 (HTTPS): no local port is "
			"free for this address; 8 of 8 attempts failed|; crawler (72) has 40 of "
			"the 40 connections to it |!elsewhere|<keep fewer connections open" },
		{ "connect-failing", has_no_port, 0, NULL,
			"medium/high: |; 40 closed connections to it still have them (TIME_WAIT), "
			"this end closed them, and no process has an open one" },
		{ "connect-failing", has_no_port, 10, NULL,
			"medium/high: |; 30 closed connections to it still have them (TIME_WAIT), "
			"this end closed them |!no process has" },
	};

	(void)state;
	TRY_CASES(cases);
}

/* It is reached so many times first. */
static void was_reached(double times)
{
	observe();
	for (int i = 0; i < (int)times; i++)
		connects(1, 0);
	for (int i = 0; i < 12; i++)
		connects(1, -ECONNREFUSED);
	observed();
}

static void is_reached_at_last(double value)
{
	(void)value;
	observe();
	for (int i = 0; i < 12; i++)
		connects(1, -ECONNREFUSED);
	connects(1, 0);
	observed();
}

/* Another address makes some of them good. */
static void is_excused(double times)
{
	observe();
	for (int i = 0; i < 8; i++) {
		connects(1, -ECONNREFUSED);
		if (i < (int)times)
			connects(2, 0);
	}
	observed();
}

/* One after another, the pauses doubling. */
static void is_refused_slowly(double pause_s)
{
	observe();
	connects(1, -ECONNREFUSED);
	next_s += pause_s;
	connects(1, -ECONNREFUSED);
	observed();
}

static void is_reached_slowly(double pause_s)
{
	observe();
	connects(1, 0);
	next_s += pause_s;
	connects(1, -ECONNREFUSED);
	connects(1, -ECONNREFUSED);
	observed();
}

static void is_refused_and_lost(double times)
{
	observe();
	for (int i = 0; i < (int)times; i++)
		connects(1, i % 2 ? -ECONNREFUSED : -ETIMEDOUT);
	loses(1);
	observed();
}

enum { ANSWERED = 1, NEVER_WAITS = 2, TO_MANY = 4 };

/* So many datagrams, `pause_s` apart; what is different stands in `how`. */
static void asks_by_datagram(int times, double pause_s, unsigned how)
{
	unsigned char address[16] = { 2, 0, 0, 53, 10, 0, 0, 9 };
	const unsigned char polled[8] = { 3, 0, 0, 0, 1 };

	if (how & TO_MANY)
		address[4] = 224;
	observe();
	CALL("socket", 3, 2, 2, 0);
	piece(1, address, sizeof(address));
	CALL("connect", 0, 3, 1, sizeof(address));
	for (int i = 0; i < times; i++) {
		CALL("sendto", 1, 3, 0, 1, 0, 0, 0);
		next_s += pause_s;
		if (how & NEVER_WAITS)
			continue;
		piece(0, polled, sizeof(polled));
		CALL("poll", 0, 1, 1, 100);
	}
	if (how & ANSWERED)
		CALL("recvfrom", 1, 3, 0, 1);
	observed();
}

static void asks_in_vain(double times)
{
	asks_by_datagram((int)times, 2.2, 0);
}

static void asks_often_in_vain(double times)
{
	asks_by_datagram((int)times, 0.8, 0);
}

static void asks_for_seconds(double pause_s)
{
	asks_by_datagram(2, pause_s, 0);
}

static void asks_otherwise(double how)
{
	asks_by_datagram(5, 0.8, (unsigned)how);
}

/* The first of two name servers answers nothing, and the resolver waits so long for it. */
static void asks_silent_server(double wait_s)
{
	unsigned char address[16] = { 2, 0, 0, 53, 10, 0, 0, 9 };
	const unsigned char polled[8] = { 3, 0, 0, 0, 1 };

	observe();
	for (int i = 0; i < 2; i++) {
		address[7] = (unsigned char)(9 + i);
		CALL("socket", 3, 2, 2, 0);
		piece(1, address, sizeof(address));
		CALL("connect", 0, 3, 1, sizeof(address));
		CALL("sendto", 1, 3, 0, 1, 0, 0, 0);
		lasts_ms = i ? 1 : wait_s * 1000;
		next_s += lasts_ms / 1000;
		piece(0, polled, sizeof(polled));
		CALL("poll", i, 1, 1, 5000);
		lasts_ms = 0.001;
		if (i)
			CALL("recvfrom", 1, 3, 0, 1);
		CALL("close", 0, 3);
	}
	observed();
}

static void test_silent_name_server(void **state)
{
	static const struct check_case cases[] = {
		{ "connect-failing", asks_silent_server, 3, NULL,
			"medium/medium: name lookups are slow: the name server 10.0.0.9:53 does "
			"not answer; 1 request waited 3 s each before another was asked" },
		{ "connect-failing", asks_silent_server, 1.9, NULL,
			"fine: 1 connect, 1 succeeded" },
		{ "connect-failing", asks_silent_server, 3, "connect-failing.min-wait=3001ms",
			"fine: 1 connect, 1 succeeded" },
	};

	(void)state;
	TRY_CASES(cases);
}

static void test_dead_proxy(void **state)
{
	static const struct check_case named[] = {
		{ "connect-failing", is_refused, 4, NULL,
			"medium/high: cannot connect to 10.0.0.1:443 (the proxy in https_proxy): 4 "
			"of 4 attempts failed (4 times ECONNREFUSED: Connection refused) "
			"{connection 10.0.0.1:443} [failures: 4 over 5.00s] [attempts: 0.80 a "
			"second over 5.00s] [errors: 4 times ECONNREFUSED: Connection refused] "
			"[time since the first attempt that was seen: 5.00s] <start the proxy at "
			"10.0.0.1:443, or start this program without https_proxy in its "
			"environment>\n" },
	};
	static const struct check_case other[] = {
		{ "connect-failing", is_refused, 4, NULL,
			"medium/high: cannot connect to 10.0.0.1:443 (HTTPS): " },
	};
	static const char *const others[] = { "https_proxy=10.0.0.1:444",
		"https_proxy=10.0.0.2:443", "https_proxy=localhost:443", "https_proxy",
		"https_proxy=proxy.example:443", "" };

	(void)state;
	proxies = "https_proxy=10.0.0.1:443";
	TRY_CASES(named);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		proxies = others[i];
		TRY_CASES(other);
	}
}

static void test_connect_failing(void **state)
{
	static const struct check_case cases[] = {
		{ "connect-failing", is_refused, 4, NULL,
			"=medium/high: cannot connect to 10.0.0.1:443 (HTTPS): 4 of 4 attempts "
			"failed (4 times ECONNREFUSED: Connection refused) {connection "
			"10.0.0.1:443} [failures: 4 over 5.00s] [attempts: 0.80 a second over "
			"5.00s] [errors: 4 times ECONNREFUSED: Connection refused] [time since the "
			"first attempt that was seen: 5.00s] <check that "
			"10.0.0.1:443 is up and accepts connections (servers on this host: ss "
			"-tlnx), or retry less often>\n" },
		{ "connect-failing", is_refused, 3, NULL,
			"=blind: none of 3 connects was seen to succeed, too few to call that "
			"failing: 10.0.0.1:443 (3 times ECONNREFUSED: Connection refused) "
			"<observe longer: --duration 30>\n" },
		{ "connect-failing", is_refused_slowly, 1.1, NULL,
			"medium/high: cannot connect to 10.0.0.1:443 (HTTPS): 2 of 2 attempts " },
		{ "connect-failing", is_refused_slowly, 0.9, NULL, "blind: none of 2 connects " },
		{ "connect-failing", is_refused_slowly, 1.1, "connect-failing.min-retries=3",
			"blind: none of 2 connects " },
		{ "connect-failing", is_reached_slowly, 1.1, NULL,
			"=fine: 3 connects, 1 succeeded\n" },
		{ "connect-failing", is_refused, 0, NULL, "=fine: no connects\n" },
		{ "connect-failing", was_reached, 4, NULL,
			"medium/high: |[succeeded: 4 over 5.00s]" },
		{ "connect-failing", was_reached, 5, NULL, "=fine: 17 connects, 5 succeeded\n" },
		{ "connect-failing", is_reached_at_last, 0, NULL,
			"fine: 13 connects, 1 succeeded" },
		{ "connect-failing", is_excused, 4, NULL,
			"medium/high: |: 4 of 8 attempts|[another address worked: 4 " },
		{ "connect-failing", is_excused, 5, NULL, "fine: " },
		{ "connect-failing", is_refused_and_lost, 4, NULL,
			"medium/medium: |2 times ETIMEDOUT: |, 2 times ECONNREFUSED: |(unseen: "
			"calls with lost records (1)" },
		{ "connect-failing", connects_four_times, CUT_AT_ONCE, NULL,
			"medium/high: 10.0.0.1:443 (HTTPS) closes its connections at once, without "
			"an answer: 4 of 4, after |[of these, after the process had sent "
			"something: 4" },
		{ "connect-failing", connects_four_times, IS_RESET, NULL,
			"medium/high: 10.0.0.1:443 (HTTPS) closes its connections at once" },
		{ "connect-failing", connects_four_times, GETS_ANSWER, NULL,
			"=fine: 4 connects, 4 succeeded\n" },
		{ "connect-failing", connects_four_times, SHUTS_DOWN, NULL, "fine: " },
		{ "connect-failing", connects_four_times, CLOSES_ITSELF, NULL, "fine: " },
		{ "connect-failing", connects_four_times, CUT_AT_ONCE,
			"connect-failing.min-failures=5", "fine: " },
		{ "connect-failing", is_cut_for, 1, NULL, "medium/high: 10.0.0.1:443" },
		{ "connect-failing", is_cut_for, 0.9, NULL, "fine: " },
		{ "connect-failing", is_cut_later, 2, NULL, "medium/high: 10.0.0.1:443" },
		{ "connect-failing", is_cut_later, 3, NULL, "fine: " },
		{ "connect-failing", is_answered_at_last, 0, NULL, "fine: " },
		{ "connect-failing", is_cut_and_lost, 0, NULL, "fine: " },
		{ "connect-failing", asks_in_vain, 2, NULL,
			"low/medium: no answer from 10.0.0.9:53 (UDP): 2 requests sent, nothing "
			"received|[waits for an answer that ended by timeout: 2 over" },
		{ "connect-failing", asks_in_vain, 1, NULL, "fine: " },
		{ "connect-failing", asks_often_in_vain, 4, NULL, "medium/medium: no answer from" },
		{ "connect-failing", asks_often_in_vain, 3, NULL, "fine: " },
		{ "connect-failing", asks_for_seconds, 2.0, NULL, "low/medium: no answer from" },
		{ "connect-failing", asks_for_seconds, 1.9, NULL, "fine: " },
		{ "connect-failing", asks_otherwise, 0, NULL, "medium/medium: no answer from" },
		{ "connect-failing", asks_otherwise, ANSWERED, NULL, "fine: " },
		{ "connect-failing", asks_otherwise, NEVER_WAITS, NULL, "fine: " },
		{ "connect-failing", asks_otherwise, TO_MANY, NULL, "fine: " },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- file-watcher-busy --- */

struct watching {
	const char *path; /* that is watched */
	uint32_t mask;
	int events;
	bool appends;
};

/* A watcher, by the descriptor 9, that rewrites /src/out so often. */
static void wakes(const struct watching *w, double times)
{
	struct fds_descriptor d = {
		.record = head_of(4, PID, FDS_DESCRIPTOR), .fd = 9, .type = FDS_INOTIFY
	};
	struct fds_watch watch = { .record = head_of(4, PID, FDS_WATCH), .fd = 9, .mask = w->mask };
	struct fds_process p = { .record = head_of(4, PID, FDS_PROCESS), .descriptors = 1 };
	struct record_tail tail[] = { put_text(&d.path, "anon_inode:inotify") };
	struct record_tail watched[] = { put_text(&watch.path, w->path) };

	observe();
	for (int i = 0; i < (int)times; i++) {
		opens("/src/out", w->appends ? CREATE : CREATE | EMPTY);
		CALL("write", 10, 3, 0, 10);
		CALL("close", 0, 3);
	}
	for (int i = 0; i < w->events; i++)
		CALL("read", 32, 9, 0, 4096);
	RECORD_APPEND(&records, &d, tail, 1);
	RECORD_APPEND(&records, &watch, watched, 1);
	RECORD_APPEND(&records, &p, NULL, 0);
	observed();
}

static void wakes_itself(double times)
{
	wakes(&(struct watching){ .path = "/src", .mask = 2, .events = 10 }, times);
}

/* So many others are ready to run, on two processors. */
static void wakes_in_a_crowd(double running)
{
	struct host_load load = {
		.record = head_of(0, 0, HOST_LOAD), .running = (uint32_t)running, .cpus = 2
	};

	RECORD_APPEND(&records, &load, NULL, 0);
	wakes_itself(6);
	load.record = head_of(5, 0, HOST_LOAD);
	RECORD_APPEND(&records, &load, NULL, 0);
}

static void wakes_by_file(double times)
{
	wakes(&(struct watching){ .path = "/src/out", .mask = 8, .events = 10 }, times);
}

static void writes_beside(double times)
{
	wakes(&(struct watching){ .path = "/source", .mask = 2, .events = 10 }, times);
}

static void appends_there(double times)
{
	wakes(&(struct watching){ .path = "/src", .mask = 2, .events = 10, .appends = true },
		times);
}

/* Only removals wake it. */
static void is_not_woken(double times)
{
	wakes(&(struct watching){ .path = "/src", .mask = 0x200, .events = 10 }, times);
}

static void reads_events(double events)
{
	wakes(&(struct watching){ .path = "/src", .mask = 2, .events = (int)events }, 11);
}

/* The first time there is nothing to replace. */
static void test_file_watcher_busy(void **state)
{
	static const struct check_case cases[] = {
		{ "file-watcher-busy", wakes_itself, 11, NULL,
			"low/high: wakes itself: it rewrites /src/out, which it watches, 2.0 times "
			"a "
			"second {path /src/out}|<write results to a directory that is not "
			"watched" },
		{ "file-watcher-busy", wakes_itself, 6, NULL, "low/" },
		{ "file-watcher-busy", wakes_itself, 5, NULL,
			"=fine: it rewrites watched files 4 times, and reads 10 events\n" },
		{ "file-watcher-busy", wakes_in_a_crowd, 10, "file-watcher-busy.min-rate=2",
			"low/" },
		{ "file-watcher-busy", wakes_in_a_crowd, 4, "file-watcher-busy.min-rate=2",
			"fine: " },
		{ "file-watcher-busy", wakes_itself, 501, NULL, "medium/" },
		{ "file-watcher-busy", wakes_by_file, 11, NULL, "low/" },
		{ "file-watcher-busy", writes_beside, 11, NULL,
			"=fine: it rewrites nothing that it watches\n" },
		{ "file-watcher-busy", appends_there, 11, NULL, "fine: " },
		{ "file-watcher-busy", is_not_woken, 11, NULL,
			"=fine: it watches no files, or their paths are not known\n" },
		{ "file-watcher-busy", reads_events, 40, NULL, "low/" },
		{ "file-watcher-busy", reads_events, 41, NULL, "fine: " },
		{ "file-watcher-busy", reads_events, 0, NULL, "fine: " },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- left-behind --- */

struct leaving {
	uint32_t session, parents_session;
	int64_t result;
	const char *directory;
	bool is_terminal, is_deleted, is_silent;
	int misses;	 /* opens of a file that is not there */
	int reads;	 /* of the descriptor, at its end */
	bool is_input;	 /* the descriptor */
	uint32_t caught; /* signals */
	double cpu;	 /* percent */
};

static void leaves(const struct leaving *l, double writes)
{
	struct fds_descriptor d = { .record = head_of(4, PID, FDS_DESCRIPTOR),
		.fd = l->is_input ? 0 : 1,
		.type = l->is_terminal ? FDS_PTY : FDS_PIPE,
		.is_deleted = l->is_deleted };
	struct fds_process end = { .record = head_of(4, PID, FDS_PROCESS), .descriptors = 1 };
	struct waits_signals signals = {
		.record = head_of(4, PID, WAITS_SIGNALS), .node_pid = PID, .caught = l->caught
	};
	struct waits_snapshot chain = { .record = head_of(4, PID, WAITS_SNAPSHOT) };
	struct record_tail tail[] = { put_text(
		&d.path, l->is_terminal ? "/dev/pts/1" : "pipe:[7]") };

	if (!l->is_silent)
		add_source("syscalls");
	next_s = 0.001;
	lasts_ms = 0.001;
	for (int i = 0; i < LOOKS; i++) {
		struct proc_process p = { .record = head_of(i, PID, PROC_PROCESS),
			.ppid = 1,
			.threads = 1,
			.state = 'S',
			.cpu_ns = (uint64_t)(l->cpu / 100 * i * NS_PER_S),
			.session = l->session };
		struct record_tail texts[] = { put_text(&p.name, "left"),
			put_text(&p.executable, runs), put_text(&p.directory, l->directory) };

		process_at(i,
			(struct proc_process){ .record.pid = 1, .session = l->parents_session },
			"init");
		RECORD_APPEND(&records, &p, texts, 3);
		all_reported(i);
	}
	for (int i = 0; i < (int)writes; i++)
		CALL("write", l->result, 1, 0, 10);
	for (int i = 0; i < l->reads; i++)
		CALL("read", 0, 0, 0, 10);
	for (int i = 0; i < l->misses; i++) {
		path_at(1, "/work/file");
		CALL("openat", -ENOENT, HERE, 1, 0);
	}
	RECORD_APPEND(&records, &d, tail, 1);
	RECORD_APPEND(&records, &end, NULL, 0);
	RECORD_APPEND(&records, &signals, NULL, 0);
	RECORD_APPEND(&records, &chain, NULL, 0);
	call_records_fini();
}

#define LEFT .session = 70, .parents_session = 1, .directory = "/work"

static void is_unread(double writes)
{
	leaves(&(struct leaving){ LEFT, .result = -EPIPE }, writes);
}

static void is_read(double writes)
{
	leaves(&(struct leaving){ LEFT, .result = 10 }, writes);
}

static void is_in_session_of_parent(double session)
{
	leaves(&(struct leaving){ .session = (uint32_t)session,
		       .parents_session = 70,
		       .directory = "/work",
		       .result = -EPIPE },
		5);
}

static void is_without_terminal(double deleted)
{
	leaves(&(struct leaving){ LEFT, .is_terminal = true, .is_deleted = deleted > 0 }, 0);
}

/* Its parent is that of before: it is in its session. */
static void works_without_terminal(double cpu)
{
	leaves(&(struct leaving){ .session = 70,
		       .parents_session = 70,
		       .directory = "/work",
		       .is_terminal = true,
		       .is_deleted = true,
		       .is_input = true,
		       .cpu = cpu },
		0);
}

static void leads_without_terminal(double caught)
{
	leaves(&(struct leaving){ .session = PID,
		       .parents_session = 1,
		       .directory = "/work",
		       .is_terminal = true,
		       .is_deleted = true,
		       .is_input = true,
		       .caught = (uint32_t)caught,
		       .cpu = 50 },
		0);
}

/* It ignores SIGHUP, or leads its session: that it goes on may be meant, but not these reads. */
static void reads_closed_terminal(double reads)
{
	leaves(&(struct leaving){ .session = PID,
		       .parents_session = 1,
		       .directory = "/work",
		       .is_terminal = true,
		       .is_deleted = true,
		       .is_input = true,
		       .reads = (int)reads,
		       .cpu = 12 },
		0);
}

/* Its client, at the other end of the pipe, has ended. */
static void reads_ended_pipe(double reads)
{
	leaves(&(struct leaving){ .session = PID,
		       .parents_session = 1,
		       .directory = "/work",
		       .is_input = true,
		       .reads = (int)reads,
		       .cpu = 6 },
		0);
}

static void works_at_terminal(double cpu)
{
	leaves(&(struct leaving){ .session = 70,
		       .parents_session = 70,
		       .directory = "/work",
		       .is_terminal = true,
		       .is_input = true,
		       .cpu = cpu },
		0);
}

static void is_without_directory(double session)
{
	leaves(&(struct leaving){ .session = (uint32_t)session,
		       .parents_session = 1,
		       .directory = "/work (deleted)" },
		0);
}

static void misses_its_directory(double session)
{
	leaves(&(struct leaving){ .session = (uint32_t)session,
		       .parents_session = 1,
		       .directory = "/work (deleted)",
		       .misses = 600 },
		0);
}

static void is_not_followed(double value)
{
	(void)value;
	leaves(&(struct leaving){ LEFT, .is_silent = true }, 0);
}

static void test_left_behind(void **state)
{
	static const struct check_case cases[] = {
		{ "left-behind", is_unread, 2, NULL,
			"medium/high: left behind: its parent has ended, and nothing reads its "
			"output [known by: now a child of init (1), which is not in its session "
			"70] [writes to its output that failed with EPIPE: 2 |<if the process is "
			"not needed: sooth kill --any 99" },
		{ "left-behind", is_unread, 1, NULL, "fine: " },
		{ "left-behind", is_unread, 2, "left-behind.min-age=86000s", "blind: " },
		{ "left-behind", is_read, 5, NULL,
			"=fine: its parent has ended, and its output leads somewhere\n" },
		{ "left-behind", is_in_session_of_parent, 71, NULL, "medium/high: " },
		{ "left-behind", is_in_session_of_parent, 70, NULL,
			"=fine: no evidence that its parent has ended\n" },
		{ "left-behind", is_in_session_of_parent, PID, NULL, "fine: " },
		{ "left-behind", is_in_session_of_parent, 1, NULL, "fine: " },
		{ "left-behind", is_in_session_of_parent, 0, NULL, "fine: " },
		{ "left-behind", is_without_terminal, 1, NULL,
			"low/medium: left behind: its parent has ended, and its terminal is "
			"closed" },
		{ "left-behind", is_without_terminal, 0, NULL, "fine: " },
		{ "left-behind", works_without_terminal, 50, NULL,
			"low/high: its terminal was closed, and it works on: 50.0 % CPU|[known by: "
			"fd 0 is a pseudo terminal that was closed]" },
		{ "left-behind", works_without_terminal, 0, NULL, "fine: " },
		{ "left-behind", works_without_terminal, 50, "left-behind.min-cpu=60", "fine: " },
		{ "left-behind", works_at_terminal, 50, NULL, "fine: " },
		{ "left-behind", reads_closed_terminal, 400, NULL,
			"medium/high: reads its terminal again and again, which was closed: end of "
			"file on fd 0, 80 times a second; uses 12 % of a CPU" },
		{ "left-behind", reads_closed_terminal, 200, NULL, "fine: " },
		{ "left-behind", reads_ended_pipe, 400, NULL,
			"medium/high: reads its input again and again, which has ended, because no "
			"process can write to it any more: end of file on fd 0, 80 times a "
			"second|[known by: fd 0 is a pipe without a writer]" },
		{ "left-behind", reads_ended_pipe, 200, NULL, "fine: " },
		{ "left-behind", leads_without_terminal, 1, NULL, "low/high: its terminal was" },
		{ "left-behind", leads_without_terminal, 2, NULL, "fine: " },
		{ "left-behind", is_without_directory, 70, NULL,
			"low/medium: left behind: its parent has ended, and its working directory "
			"was deleted" },
		{ "left-behind", is_without_directory, PID, NULL, "fine: " },
		{ "left-behind", is_not_followed, 0, NULL, "blind: " },
		{ "left-behind", misses_its_directory, 70, NULL, "medium/" },
		{ "syscall-errors", misses_its_directory, 70, NULL,
			"low/high: its working directory was deleted: openat on /work/file keeps "
			"failing, 599 times: ENOENT|<restart it in a directory that exists>" },
		{ "syscall-errors", misses_its_directory, PID, NULL,
			"medium/high: its working directory was deleted: openat on /work/file" },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- calls of children that fail --- */

static struct child_failure {
	const char *call, *path;
	int error;
	uint32_t status;	 /* as wait(2) has it */
	double before_end_s;	 /* the failure */
	const char *used_by_cwd; /* working directory of another process; NULL: there is none */
	int closes;		 /* of numbers that are not open, by each child */
} child_failure;

static void child_fails(uint32_t pid)
{
	const uint64_t by_path[6] = { 0 }, by_directory[6] = { HERE };
	struct short_lived_exit e = { .record = head_of(next_s + child_failure.before_end_s, pid,
					      SHORT_LIVED_PROCESS),
		.parent_pid = PID,
		.parent_start_ticks = start_of(PID),
		.life_ns = 2 * NS_PER_MS,
		.status = child_failure.status,
		.name = "umount" };

	next_skipped = child_failure.closes ? (uint32_t)child_failure.closes / 10 - 1 : 0;
	for (uint64_t fd = 3; child_failure.closes && fd < 13; fd++)
		call_of(pid, "close", -EBADF, (const uint64_t[6]){ fd });
	next_skipped = 0;
	if (!strcmp(child_failure.call, "openat")) {
		path_at(1, child_failure.path);
		call_of(pid, child_failure.call, -child_failure.error, by_directory);
	} else if (!strcmp(child_failure.call, "flock")) {
		path_at(1, child_failure.path);
		call_of(pid, "openat", 3, by_directory);
		call_of(pid, "flock", -child_failure.error, (const uint64_t[6]){ 3 });
	} else {
		path_at(0, child_failure.path);
		call_of(pid, child_failure.call, -child_failure.error, by_path);
	}
	RECORD_APPEND(&records, &e, NULL, 0);
}

static void children_fail_with(const struct child_failure *f, double count)
{
	struct short_lived_watch watch = { .record = head_of(0, 0, SHORT_LIVED_WATCH) };
	struct proc_process p = {
		.record = head_of(5, 70, PROC_PROCESS), .ppid = 1, .threads = 1, .state = 'S'
	};
	struct record_tail tail[] = { put_text(&p.name, "perl"),
		put_text(&p.executable, "/bin/perl"), put_text(&p.directory, f->used_by_cwd) };

	child_failure = *f;
	child_failure.status = f->status ? f->status : 32 << 8;
	add_source("short_lived");
	RECORD_APPEND(&records, &watch, NULL, 0);
	observe();
	looks("/a", 0);
	for (uint32_t i = 0; i < (uint32_t)count; i++) {
		next_s = 1 + i;
		child_fails(1000 + i);
	}
	if (f->used_by_cwd)
		RECORD_APPEND(&records, &p, tail, ARRAY_SIZE(tail));
	observed();
	all_reported(5);
}

static void children_miss_directory(double count)
{
	children_fail_with(
		&(struct child_failure){ "chdir", "/gone", ENOENT, .status = 127 << 8 }, count);
}

static void children_go_on(double s)
{
	children_fail_with(
		&(struct child_failure){ "chdir", "/gone", ENOENT, .before_end_s = s }, 3);
}

static void children_miss_file(double is_removal)
{
	children_fail_with(&(struct child_failure){ .call = is_removal > 0 ? "unlink" : "openat",
				   .path = "/gone",
				   .error = ENOENT },
		3);
}

static void children_find_it_in_use(double error)
{
	children_fail_with(
		&(struct child_failure){ .call = "umount2", .path = "/mnt/a", .error = (int)error },
		3);
}

static void children_find_it_used_by(double is_below)
{
	children_fail_with(&(struct child_failure){ "umount2", "/mnt/a", EBUSY,
				   .used_by_cwd = is_below > 0 ? "/mnt/a/out" : "/mnt/abc" },
		3);
}

/* Its commands are refused the lock of a database that process 60, if there is one, has. */
static void children_find_it_locked(double owner)
{
	struct waits_held_lock l = { .record = head_of(5, PID, WAITS_HELD_LOCK),
		.owner_start_ticks = start_of(60),
		.owner_pid = 60,
		.is_exclusive = 1 };
	struct waits_snapshot end = { .record = head_of(5, PID, WAITS_SNAPSHOT) };
	struct record_tail tail[] = { put_text(&l.owner_name, "chat"),
		put_text(&l.path, owner > 0 ? "/r/s.db" : "/r/other.db") };

	children_fail_with(
		&(struct child_failure){ "flock", "/r/s.db", EAGAIN, .status = 5 << 8 }, 3);
	RECORD_APPEND(&records, &l, tail, 2);
	RECORD_APPEND(&records, &end, NULL, 0);
}

static void children_close_unopened(double closes)
{
	children_fail_with(&(struct child_failure){ "unlink", "/gone", ENOENT, .status = 1 << 8,
				   .closes = (int)closes },
		3);
}

static void asks_directory(double times)
{
	observe();
	for (int i = 0; i < (int)times; i++)
		CALL("getcwd", -ENOENT, 0, 4096);
	observed();
}

static void closes_unopened(double skipped)
{
	observe();
	next_skipped = (uint32_t)skipped;
	for (uint64_t fd = 3; fd < 13; fd++)
		CALL("close", -EBADF, fd);
	next_skipped = 0;
	observed();
}

static void test_children_fail(void **state)
{
	static const struct check_case cases[] = {
		{ "syscall-errors", children_miss_directory, 3, NULL,
			"medium/medium: its children (umount) keep failing, 3 of them: chdir on "
			"/gone: ENOENT (No such file or directory) {" },
		{ "syscall-errors", children_close_unopened, 4000, NULL,
			"medium/high: its children call close on numbers that are not open "
			"(EBADF), 100 % of their calls: at least 4000 times in one of them "
			"[children that do so: 3 over |" },
		{ "syscall-errors", children_close_unopened, 2000, NULL, "fine: " },
		{ "syscall-errors", closes_unopened, 399, NULL,
			"medium/high: it calls close on numbers that are not open (EBADF), 100 % "
			"of its calls: at least 4000 times" },
		{ "syscall-errors", closes_unopened, 199, NULL, "fine: " },
		{ "syscall-errors", asks_directory, 60, NULL,
			"medium/high: its working directory was deleted: getcwd keeps failing, 60 "
			"times: ENOENT (No such file or directory)|<restart it in a directory that "
			"exists>" },
		{ "syscall-errors", asks_directory, 10, NULL, "fine: " },
		{ "children-failing", children_miss_directory, 4, NULL,
			"fine: children fail: reported as syscall-errors" },
		{ "syscall-errors", children_miss_directory, 2, NULL, "fine: " },
		{ "syscall-errors", children_go_on, 0.4, NULL, "medium/medium: " },
		{ "syscall-errors", children_go_on, 0.6, NULL, "fine: " },
		/* A search, and what need not be there. */
		{ "syscall-errors", children_miss_file, 0, NULL, "fine: " },
		{ "syscall-errors", children_miss_file, 1, NULL, "fine: " },
		{ "syscall-errors", children_find_it_in_use, EBUSY, NULL,
			"medium/medium: |3 of them: umount2 on /mnt/a: EBUSY: it is in use "
			"{|<fuser -v /mnt/a lists the processes that use it; of a mount: fuser -vm "
			"/mnt/a" },
		{ "syscall-errors", children_find_it_in_use, EINVAL, NULL, "fine: " },
		{ "syscall-errors", children_find_it_used_by, 1, NULL,
			"|3 of them: umount2 on /mnt/a: EBUSY: it is in use: perl (70) has its "
			"working directory /mnt/a/out" },
		{ "syscall-errors", children_find_it_used_by, 0, NULL, "|it is in use {" },
		{ "syscall-errors", children_find_it_locked, 1, NULL,
			"medium/medium: |3 of them: the database /r/s.db is locked by chat (60) "
			"{|<sooth why 60 shows what the process with the lock does>" },
		{ "syscall-errors", children_find_it_locked, 0, NULL,
			"|3 of them: the database /r/s.db is locked by another process {|<fuser -v "
			"/r/s.db" },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- requests to end --- */

#define SHELL 500

static struct requests {
	const char *executable; /* of the receiver */
	double each_s;
	double child_from_s; /* of the receiver; 0: none */
	uint8_t term;
	char state;
	bool is_gone; /* at the end */
	uint64_t signal;
	const char *by_descriptor; /* what it is; NULL: by PID */
	bool by_children;	   /* each by another one */
} requests;

static void receives(double s)
{
	struct proc_process p = { .record = head_of(s, SHELL, PROC_PROCESS),
		.ppid = PID,
		.threads = 1,
		.state = requests.state,
		.term = requests.term };
	struct record_tail tail[] = {
		put_text(&p.name,
			path_base(span_of(requests.executable, strlen(requests.executable))).data),
		put_text(&p.executable, requests.executable)
	};

	if (!requests.is_gone)
		RECORD_APPEND(&records, &p, tail, ARRAY_SIZE(tail));
	if (requests.child_from_s > 0 && s >= requests.child_from_s - 1)
		process_at(s, (struct proc_process){ .record.pid = 501, .ppid = SHELL }, "node");
}

static void has_pidfd(void)
{
	struct fds_descriptor d = {
		.record = head_of(4, PID, FDS_DESCRIPTOR), .fd = 7, .type = FDS_PIDFD
	};
	struct fds_process p = { .record = head_of(4, PID, FDS_PROCESS), .descriptors = 1 };
	struct record_tail tail[] = { put_text(&d.detail, requests.by_descriptor) };

	RECORD_APPEND(&records, &d, tail, 1);
	RECORD_APPEND(&records, &p, NULL, 0);
}

static void ends_after_request(uint32_t pid)
{
	struct short_lived_exit e = { .record = head_of(next_s, pid, SHORT_LIVED_PROCESS),
		.parent_pid = PID,
		.parent_start_ticks = start_of(PID),
		.life_ns = 2 * NS_PER_MS,
		.name = "pkill" };

	RECORD_APPEND(&records, &e, NULL, 0);
}

/* So many, one each `each_s`. */
static void requests_end(double count)
{
	add_source("waits");
	observe();
	receives(0);
	for (int i = 0; i < (int)count; i++) {
		next_s = 1 + i * requests.each_s;
		if (requests.by_descriptor)
			CALL("pidfd_send_signal", 0, 7, requests.signal);
		else
			call_of(requests.by_children ? 600 + (uint32_t)i : PID, "kill", 0,
				(const uint64_t[6]){ SHELL, requests.signal });
		if (requests.by_children)
			ends_after_request(600 + (uint32_t)i);
	}
	receives(5);
	if (requests.by_descriptor)
		has_pidfd();
	observed();
	all_reported(5);
}

static void requests_with(const struct requests *r, double count)
{
	requests = *r;
	requests.state = r->state ? r->state : 'S';
	requests.signal = r->signal ? r->signal : SIGTERM;
	requests.each_s = r->each_s > 0 ? r->each_s : 1.5;
	requests.executable = r->executable ? r->executable : "/bin/bash";
	requests_end(count);
}

static void requests_of_shell(double count)
{
	requests_with(&(struct requests){ .term = PROC_TERM_HANDLED, .child_from_s = 1 }, count);
}

/* The command in the foreground ends, and the trap runs, between two signals. */
static void requests_of_shell_that_goes_on(double from_s)
{
	requests_with(&(struct requests){ .term = PROC_TERM_HANDLED, .child_from_s = from_s }, 3);
}

static void requests_of_program(double term)
{
	requests_with(&(struct requests){ .term = (uint8_t)term, .executable = "/bin/db" }, 3);
}

static void requests_of_state(double state)
{
	requests_with(&(struct requests){ .state = (char)state }, 3);
}

static void requests_by(double signal)
{
	requests_with(&(struct requests){ .signal = (uint64_t)signal }, 3);
}

static void kills_in_state(double state)
{
	requests_with(&(struct requests){ .signal = SIGKILL, .state = (char)state }, 3);
}

static void requests_by_descriptor(double is_known)
{
	requests_with(&(struct requests){ .by_descriptor = is_known > 0 ? "pid 500" : "" }, 3);
}

static void requests_by_children(double count)
{
	struct short_lived_watch watch = { .record = head_of(0, 0, SHORT_LIVED_WATCH) };

	add_source("short_lived");
	RECORD_APPEND(&records, &watch, NULL, 0);
	requests_with(&(struct requests){ .by_children = true }, count);
}

/* The same number is another process there. */
static void requests_of_namespace(double count)
{
	has_other_pids = true;
	requests_of_shell(count);
	has_other_pids = false;
}

static void requests_by_children_of_namespace(double count)
{
	has_other_pids = true;
	requests_by_children(count);
	has_other_pids = false;
}

static void requests_by_descriptor_of_namespace(double is_known)
{
	has_other_pids = true;
	requests_by_descriptor(is_known);
	has_other_pids = false;
}

static void requests_each(double s)
{
	requests_with(&(struct requests){ .term = PROC_TERM_IGNORED, .each_s = s }, 3);
}

static void requests_until_gone(double count)
{
	requests_with(&(struct requests){ .is_gone = true }, count);
}

/* A shell with a trap, whose wait for a child is interrupted so often. */
static void shell_at(double s)
{
	process_at(s, (struct proc_process){ .term = PROC_TERM_HANDLED }, "bash");
	process_at(s, (struct proc_process){ .record.pid = 501, .ppid = PID }, "node");
}

static void has_trap(double count)
{
	runs = "/bin/bash";
	add_source("waits");
	add_source("syscalls");
	lasts_ms = 0.001;
	shell_at(0);
	for (int i = 0; i < (int)count; i++) {
		next_s = 1 + i;
		CALL("wait4", -LINUX_ERESTARTSYS, (uint64_t)-1);
		CALL("rt_sigreturn", -EINTR, 0);
	}
	shell_at(5);
	all_reported(5);
}

/* The trap runs at once, in the builtin command wait. */
static void has_trap_and_acts(double calls)
{
	has_trap(3);
	for (int i = 0; i < (int)calls; i++)
		CALL("write", 5, 1, 0, 5);
	call_records_fini();
}

static void test_requests(void **state)
{
	static const struct check_case cases[] = {
		{ "signal-pending", requests_of_shell, 3, NULL,
			"medium/medium: sends SIGTERM to bash (500) again and again, 3 times in "
			"3.0 s, and that one runs on: a shell runs its trap for SIGTERM only when "
			"the command in its foreground has ended, and it has one child, node (501) "
			"[signals sent: 3 over 3.00s] <sooth kill --any 501 ends that command|" },
		{ "signal-pending", requests_of_shell, 2, NULL, "blind: " },
		{ "signal-pending", requests_of_shell, 2, "signal-pending.min-sent=2", "blind: " },
		{ "signal-pending", requests_of_shell_that_goes_on, 4, NULL,
			"low/medium: |and that one runs on (it handles SIGTERM itself) [" },
		{ "signal-pending", requests_of_program, PROC_TERM_HANDLED, NULL,
			"low/medium: |and that one runs on (it handles SIGTERM itself) [|<sooth "
			"why "
			"500 " },
		{ "signal-pending", requests_of_program, PROC_TERM_IGNORED, NULL,
			"medium/medium: |and that one runs on: it ignores SIGTERM [" },
		{ "signal-pending", requests_of_program, PROC_TERM_ENDS, NULL,
			"low/medium: |3 times in 3.0 s, and that one runs on [" },
		{ "signal-pending", requests_of_state, 'Z', NULL,
			"medium/medium: |that one has ended, but its parent does not reap" },
		{ "signal-pending", requests_of_state, 'D', NULL, "medium/medium: |interrupt [" },
		{ "signal-pending", requests_of_state, 'T', NULL, "medium/medium: |stopped" },
		{ "signal-pending", requests_by, SIGKILL, NULL, "blind: " },
		{ "signal-pending", kills_in_state, 'D', NULL,
			"medium/medium: sends SIGKILL to |" },
		/* A server that is to read its configuration again; a question whether it is there.
		 */
		{ "signal-pending", requests_by, SIGHUP, NULL, "blind: " },
		{ "signal-pending", requests_by, SIGCHLD, NULL, "blind: " },
		{ "signal-pending", requests_by_descriptor, 1, NULL,
			"low/medium: sends SIGTERM to bash (500) again and again, 3 times " },
		{ "signal-pending", requests_by_descriptor, 0, NULL, "blind: " },
		{ "signal-pending", requests_by_children, 3, NULL,
			"low/medium: sends SIGTERM to bash (500) again and again, 3 times " },
		{ "signal-pending", requests_by_children, 2, NULL, "blind: " },
		{ "signal-pending", requests_of_namespace, 3, NULL, "blind: " },
		{ "signal-pending", requests_by_children_of_namespace, 3, NULL, "blind: " },
		{ "signal-pending", requests_by_descriptor_of_namespace, 1, NULL, "low/medium: " },
		{ "signal-pending", requests_each, 1.5, NULL, "medium/medium: " },
		{ "signal-pending", requests_each, 1.4, NULL, "blind: " },
		{ "signal-pending", requests_each, 1.4, "signal-pending.min-sent-time=2s",
			"medium/medium: " },
		{ "signal-pending", requests_until_gone, 3, NULL, "blind: " },
		/* Only the receiver is diagnosed. */
		{ "signal-pending", has_trap, 3, NULL,
			"medium/medium: was sent a signal that it has a trap for, 3 times, and has "
			"not run it: a shell does that only when the command in its foreground has "
			"ended, and it has one child, node (501) [interrupted waits: 3] (unseen: "
			"which signal, and which process sent it) <sooth kill --any 501 ends " },
		{ "signal-pending", has_trap, 1, NULL, "low/medium: |for, 1 time, and has " },
		{ "signal-pending", has_trap, 3, "signal-pending.min-time=4100ms", "blind: " },
		{ "signal-pending", has_trap_and_acts, 1, NULL, "medium/medium: " },
		{ "signal-pending", has_trap_and_acts, 2, NULL, "blind: " },
	};

	(void)state;
	TRY_CASES(cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lock_refused),
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_file_watcher_busy),
		cmocka_unit_test(test_left_behind),
		cmocka_unit_test(test_syscall_errors),
		cmocka_unit_test(test_disk_user),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_scattered),
		cmocka_unit_test(test_remedies),
		cmocka_unit_test(test_inodes),
		cmocka_unit_test(test_left_files),
		cmocka_unit_test(test_slow_syscalls),
		cmocka_unit_test(test_metadata_storm),
		cmocka_unit_test(test_repeated_reads),
		cmocka_unit_test(test_thread_churn),
		cmocka_unit_test(test_files_read_again),
		cmocka_unit_test(test_feeds_itself),
		cmocka_unit_test(test_tls_failing),
		cmocka_unit_test(test_small_io),
		cmocka_unit_test(test_write_churn),
		cmocka_unit_test(test_watches_grow),
		cmocka_unit_test(test_no_port),
		cmocka_unit_test(test_connect_failing),
		cmocka_unit_test(test_dead_proxy),
		cmocka_unit_test(test_silent_name_server),
		cmocka_unit_test(test_children_fail),
		cmocka_unit_test(test_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
