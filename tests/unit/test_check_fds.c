/* SPDX-License-Identifier: BSD-2-Clause */
/* Findings about descriptors and watches, at both sides of their thresholds. */
#include "check_records.h"

#include "probes/fds.h"
#include "probes/host.h"

#define NO_LIMIT (-1.0)

static uint64_t limit_of(double value)
{
	return value < 0 ? UINT64_MAX : (uint64_t)value;
}

/* --- records --- */

static void descriptor_at(double s, struct fds_descriptor d, const char *path)
{
	struct record_tail tail[] = { put_text(&d.path, path) };

	d.record = head_of(s, PID, FDS_DESCRIPTOR);
	d.path_state = path ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	RECORD_APPEND(&records, &d, tail, 1);
}

static void watch_at(double s, uint32_t pid, uint32_t fd, uint64_t inode, const char *path)
{
	struct fds_watch w = { .record = head_of(s, pid, FDS_WATCH),
		.inode = inode,
		.fd = fd,
		.path_state = path ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
	struct record_tail tail[] = { put_text(&w.path, path) };

	RECORD_APPEND(&records, &w, tail, 1);
}

static void snapshot_ends(double s, uint32_t pid, struct fds_process p)
{
	p.record = head_of(s + 0.01, pid, FDS_PROCESS);
	RECORD_APPEND(&records, &p, NULL, 0);
}

/* --- old-file-followed --- */

static void successor_at(double s, uint64_t inode)
{
	struct fds_successor n = { .record = head_of(s, PID, FDS_SUCCESSOR),
		.fd = 5,
		.inode = inode,
		.size_bytes = 2048 };
	struct record_tail tail[] = { put_text(&n.path, "/var/app.log") };

	RECORD_APPEND(&records, &n, tail, 1);
}

static struct fds_descriptor old_file(void)
{
	return (struct fds_descriptor){ .fd = 5,
		.type = FDS_FILE,
		.inode = 77,
		.access = FDS_ACCESS_READ,
		.offset = 100,
		.size_bytes = 100 };
}

/* The inode that it watches, where another file has the name at both looks. */
static void watches_old(double inode)
{
	is_there();
	for (int reading = 0; reading < 2; reading++) {
		descriptor_at(5.0 * reading, old_file(), "/var/app.log.1");
		watch_at(5.0 * reading, PID, 6, (uint64_t)inode, NULL);
		successor_at(5.0 * reading, 78);
		snapshot_ends(5.0 * reading, PID, (struct fds_process){ .descriptors = 2 });
	}
}

/* It opens the present file between the looks if it follows the name. */
static void opens_new(double inode)
{
	struct fds_descriptor d = old_file();

	is_there();
	descriptor_at(0, d, "/var/app.log.1");
	watch_at(0, PID, 6, 77, NULL);
	successor_at(0, 78);
	snapshot_ends(0, PID, (struct fds_process){ .descriptors = 2 });
	d.inode = (uint64_t)inode;
	descriptor_at(5, d, "/var/app.log.1");
	watch_at(5, PID, 6, (uint64_t)inode, NULL);
	successor_at(5, 78);
	snapshot_ends(5, PID, (struct fds_process){ .descriptors = 2 });
}

static void test_old_file_followed(void **state)
{
	static const struct check_case cases[] = {
		{ "old-file-followed", watches_old, 77, NULL,
			"medium/high: follows /var/app.log, which was renamed to /var/app.log.1: "
			"the "
			"file of that name is another one now (2.0 KiB)|" },
		{ "old-file-followed", watches_old, 76, NULL, "fine: " },
		{ "old-file-followed", opens_new, 77, NULL, "medium/high: " },
		{ "old-file-followed", opens_new, 79, NULL, "fine: " },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- fd-leak --- */

/* So many samples, so far apart, by `counts`. */
static void counts_at(const uint32_t *counts, size_t count, double step_s)
{
	for (size_t i = 0; i < count; i++) {
		process_at(step_s * (double)i, (struct proc_process){ .descriptors = counts[i] },
			"leaky");
		all_reported(step_s * (double)i);
	}
}

/* Evenly, over five windows of a second: 20 in all gains four a second. */
static void gains(double all)
{
	for (int i = 0; i < LOOKS; i++) {
		process_at(i, (struct proc_process){ .descriptors = 10 + (uint32_t)(i * all / 5) },
			"leaky");
		all_reported(i);
	}
}

/* Each descriptor is of a file of its own. */
static const char *file_of(uint32_t fd)
{
	static char path[32];

	snprintf(path, sizeof(path), "/home/me/project/%u", fd);
	return path;
}

static void gains_with_kinds(double all)
{
	gains(all);
	for (int reading = 0; reading < 2; reading++) {
		for (uint32_t fd = 0; fd < 10 + reading * (uint32_t)all; fd++)
			descriptor_at(5.0 * reading,
				(struct fds_descriptor){
					.fd = fd, .type = fd < 8 ? FDS_TCP : FDS_FILE },
				fd < 8 ? NULL : file_of(fd));
		snapshot_ends(5.0 * reading, PID,
			(struct fds_process){
				.soft_limit = 1024, .descriptors = 10 + reading * (uint32_t)all });
	}
}

/* 40 more, of which so many are of epoll and the others unix sockets. */
static void gains_of_two_kinds(double of_epoll)
{
	gains(40);
	for (int reading = 0; reading < 2; reading++) {
		for (uint32_t fd = 0; fd < 10 + reading * 40u; fd++)
			descriptor_at(5.0 * reading,
				(struct fds_descriptor){ .fd = fd,
					.type = fd >= 10 && fd < 10 + (uint32_t)of_epoll
							? FDS_EPOLL
							: FDS_UNIX },
				NULL);
		snapshot_ends(5.0 * reading, PID, (struct fds_process){ 0 });
	}
}

static void connects(double connections, uint8_t is_accepted)
{
	struct waits_snapshot end = { .record = head_of(5, PID, WAITS_SNAPSHOT) };

	gains(20);
	for (int reading = 0; reading < 2; reading++) {
		for (uint32_t fd = 0; fd < 10 + reading * 20u; fd++)
			descriptor_at(5.0 * reading,
				(struct fds_descriptor){ .fd = fd, .type = FDS_TCP }, NULL);
		snapshot_ends(5.0 * reading, PID, (struct fds_process){ 0 });
	}
	put_peer(5, (struct waits_peer){
			    .connections = (uint32_t)connections, .is_accepted = is_accepted });
	RECORD_APPEND(&records, &end, NULL, 0);
}

static void accepts_from(double connections)
{
	connects(connections, 1);
}

static void makes(double connections)
{
	connects(connections, 0);
}

/* Evenly over so many seconds, all of that type. */
static void drips(double gain, double seconds, uint8_t type)
{
	for (int i = 0; i < LOOKS; i++) {
		process_at(i * seconds / 5,
			(struct proc_process){ .descriptors = 10 + (uint32_t)(i * gain / 5) },
			"leaky");
		all_reported(i * seconds / 5);
	}
	for (int reading = 0; reading < 2; reading++) {
		for (uint32_t fd = 0; fd < 10 + reading * (uint32_t)gain; fd++)
			descriptor_at(seconds * reading,
				(struct fds_descriptor){ .fd = fd, .type = type },
				type == FDS_FILE ? "/home/me/project/file" : NULL);
		snapshot_ends(seconds * reading, PID, (struct fds_process){ .soft_limit = 1024 });
	}
}

static void drips_files(double gain)
{
	drips(gain, 5, FDS_FILE);
}

static void drips_connections(double gain)
{
	drips(gain, 5, FDS_TCP);
}

static void drips_for(double seconds)
{
	drips(5, seconds, FDS_TCP);
}

static void has_many(double count)
{
	counts_at((const uint32_t[]){ 1000, 1000, 1000, 1000, 1000, 1000 }, 6, 1);
	for (int reading = 0; reading < 2; reading++) {
		for (uint32_t fd = 0; fd < (uint32_t)count; fd++)
			descriptor_at(5.0 * reading,
				(struct fds_descriptor){ .fd = fd, .type = FDS_FILE },
				"/home/me/project/file");
		snapshot_ends(5.0 * reading, PID, (struct fds_process){ .soft_limit = 10240 });
	}
}

static void gains_under_limit(double limit)
{
	gains(20);
	snapshot_ends(0, PID, (struct fds_process){ .soft_limit = 0, .descriptors = 10 });
	snapshot_ends(5, PID, (struct fds_process){ .soft_limit = limit_of(limit) });
}

static void gains_for_longer(double looks)
{
	uint32_t counts[16];

	for (uint32_t i = 0; i < 16; i++)
		counts[i] = 10 + 5 * i;
	counts_at(counts, (size_t)looks, 1);
}

/* It grows each second, and falls once by so many. */
static void falls_once(double by)
{
	uint32_t counts[] = { 10, 20, 30, 40, 50, 60, 70, 80, 90, 100 };

	counts[5] = 50 - (uint32_t)by;
	counts_at(counts, ARRAY_SIZE(counts), 1);
}

static void grew_at_first(double last)
{
	const uint32_t counts[] = { 10, 20, 30, 40, 50, (uint32_t)last };

	counts_at(counts, ARRAY_SIZE(counts), 1);
}

/* In so many of eight windows. */
static void grows_now_and_then(double windows)
{
	uint32_t counts[9] = { 10 };
	uint32_t still = 8 - (uint32_t)windows;

	for (uint32_t i = 1; i < 9; i++)
		counts[i] = counts[i - 1] + (i <= still ? 0 : 10);
	counts_at(counts, ARRAY_SIZE(counts), 1);
}

static void just_started(double age_s)
{
	started_s = FROM_S + 5 - age_s;
	gains(20);
}

/* Nine seconds old, and so many more each second; what grows is seen. */
static void young_leak(double more)
{
	uint32_t counts[10];

	started_s = FROM_S;
	for (uint32_t i = 0; i < 10; i++)
		counts[i] = 10 + (uint32_t)more * i;
	counts_at(counts, 10, 1);
}

static void unread(double last_state)
{
	for (int i = 0; i < LOOKS; i++)
		process_at(i,
			(struct proc_process){ .descriptors = 10 + 10 * (uint32_t)i,
				.descriptors_state = i == 0 && !last_state ? SOOTH_STATE_VALUE
									   : (uint8_t)last_state },
			"hidden");
}

static void one_sample_of_two(double value)
{
	(void)value;
	process_at(0, (struct proc_process){ .descriptors_state = SOOTH_STATE_ABSENT }, "thing");
	process_at(1, (struct proc_process){ .descriptors = 10 }, "thing");
}

static void test_fd_leak(void **state)
{
	static const struct check_case cases[] = {
		{ "fd-leak", gains, 10, NULL,
			"high/medium: leaks descriptors: 10 more |[open descriptors when the "
			"observation started: 10]|[open descriptors when the observation ended: "
			"20]|[growth: 2 a second over 5.00s]|[steadiness: grew in 5 of 5 equal "
			"time slices of the observation]|(unseen: which kind|(unseen: how many "
			"descriptors|--fds 99 " },
		{ "fd-leak", accepts_from, 25, NULL,
			"high/medium: leaks descriptors: 20 more, most of them tcp; 25 of its 25 "
			"connections are from node (77)|<sooth diagnose 77 shows the process" },
		{ "fd-leak", makes, 25, NULL,
			"high/medium: leaks descriptors: 20 more, most of them tcp; 25 of its 25 "
			"connections are with node (77)|<sooth inspect --fds 99 lists" },
		{ "fd-leak", accepts_from, 19, NULL,
			"high/medium: leaks descriptors: 20 more, most of them tcp|!connections" },
		{ "fd-leak", gains_of_two_kinds, 10, NULL,
			"high/medium: leaks descriptors: 40 more, 30 unix and 10 " },
		{ "fd-leak", gains_of_two_kinds, 9, NULL,
			"high/medium: leaks descriptors: 40 more, most of them unix" },
		{ "fd-leak", gains, 9, NULL, "fine: 10 descriptors, then 19" },
		{ "fd-leak", gains, 0, NULL, "fine: 10 descriptors, then 10" },
		{ "fd-leak", gains, 20, "fd-leak.min-rate=4", "high/medium: " },
		{ "fd-leak", gains, 20, "fd-leak.min-rate=4.01", "fine: 10 descriptors, then 30" },
		{ "fd-leak", gains, 20, "fd-leak.min-gain=20", "high/medium: " },
		{ "fd-leak", gains, 20, "fd-leak.min-gain=20.5", "fine: " },
		{ "fd-leak", gains, 20, "fd-leak.min-windows=5", "high/medium: " },
		{ "fd-leak", gains, 20, "fd-leak.min-windows=6",
			"blind: the observation has too few samples <observe longer: --duration "
			"30>" },
		{ "fd-leak", gains_for_longer, 9, NULL,
			"high/high: |8 of 8 equal time slices of the observation" },
		{ "fd-leak", gains_for_longer, 8, NULL,
			"high/medium: |7 of 7 equal time slices of the observation" },
		{ "fd-leak", falls_once, 10, NULL,
			"high/high: |8 of 9 equal time slices of the observation" },
		{ "fd-leak", falls_once, 11, NULL, "fine: " },
		{ "fd-leak", grew_at_first, 60, NULL, "high/medium: " },
		{ "fd-leak", grew_at_first, 50, NULL, "fine: " },
		{ "fd-leak", grows_now_and_then, 6, NULL,
			"high/high: |6 of 8 equal time slices of the observation" },
		{ "fd-leak", grows_now_and_then, 5, NULL, "fine: " },
		{ "fd-leak", just_started, 11, NULL, "high/medium: " },
		{ "fd-leak", just_started, 10, NULL, "high/medium: " },
		{ "fd-leak", just_started, 9, NULL,
			"blind: this check needs a process older than 10 s" },
		{ "fd-leak", young_leak, 5, NULL,
			"low/low: leaks descriptors: 45 more|(unseen: whether it is still "
			"starting" },
		{ "fd-leak", young_leak, 4, NULL,
			"blind: this check needs a process older than 10 s" },
		{ "fd-leak", young_leak, 4, "fd-leak.min-gain-young=36", "low/low: " },
		{ "fd-leak", young_leak, 0, NULL, "=fine: 10 descriptors, then 10\n" },
		{ "fd-leak", unread, SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION), NULL,
			"blind: |<run sooth as the user of the process, or as root>" },
		/* There is nobody left who might be looked at. */
		{ "fd-leak", unread, SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED), NULL,
			"blind: the process exited before sooth could read this|!<run" },
		{ "fd-leak", one_sample_of_two, 0, NULL,
			"blind: this value needs two samples <observe longer" },
		{ "fd-leak", gains, 20, "fd-leak=off", "" },
		{ "fd-leak", gains, 20, "fd-leak=low", "low/medium: " },
	};

	(void)state;
	TRY_CASES(cases);
}

static void test_fd_leak_kinds(void **state)
{
	static const struct check_case cases[] = {
		{ "fd-leak", drips_files, 5, NULL,
			"medium/medium: leaks descriptors slowly: 5 more, most of them one "
			"file, /home/me/project/file " },
		{ "fd-leak", drips_files, 3, NULL, "fine: " },
		{ "fd-leak", drips_files, 5, "fd-leak.min-rate=1.1", "fine: " },
		{ "fd-leak", drips_connections, 9, NULL, "fine: " },
		{ "fd-leak", drips_for, 20, NULL, "medium/medium: leaks descriptors slowly: 5 " },
		{ "fd-leak", drips_for, 19, NULL, "fine: " },
		{ "fd-leak", drips_for, 90, NULL, "medium/medium: " },
		{ "fd-leak", drips_for, 110, NULL, "fine: " },
		{ "fd-leak", has_many, 1000, NULL,
			"=info/high: has 1000 descriptors of one kind open: files below "
			"/home/me/project "
			"[descriptors of that kind: 1000] [descriptors of that kind when the "
			"observation started: 1000] <sooth inspect --fds 99 lists the descriptors; "
			"restarting the process closes them>\n" },
		{ "fd-leak", has_many, 999, NULL, "fine: " },
		{ "fd-leak", gains_with_kinds, 20, NULL,
			"high/medium: |20 more, most of them files below /home/me/project |[what "
			"grew: "
			"file /home/me/project: 2, then 22]|[soft limit: "
			"1024]|!tcp|!(unseen:|[time until the process reaches its descriptor "
			"limit: " },
		{ "fd-leak", gains_under_limit, 130, NULL,
			"high/medium: |[soft limit: 130]|[time until the process reaches its "
			"descriptor limit: 25" },
		/* Foresight is a hundred intervals: 500 s at 4 a second. */
		{ "fd-leak", gains_under_limit, 2030, NULL, "high/|descriptor limit: 8" },
		{ "fd-leak", gains_under_limit, 2034, NULL,
			"high/|[soft limit: 2034]|!reached in" },
		{ "fd-leak", gains_under_limit, 20, NULL, "high/|descriptor limit: 0" },
		{ "fd-leak", gains_under_limit, NO_LIMIT, NULL,
			"high/|(unseen: how many descriptors" },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- fd-limit-near --- */

static struct fds_process at_limit = { .soft_limit = 1000, .hard_limit = 4000 };

static void has_descriptors(double count)
{
	struct fds_process p = at_limit;

	is_there();
	p.descriptors = (uint32_t)count;
	snapshot_ends(5, PID, p);
}

/* So many are of one file, of ten. */
static void has_one_file(double count)
{
	is_there();
	for (uint32_t fd = 3; fd < 13; fd++)
		descriptor_at(5, (struct fds_descriptor){ .fd = fd, .type = FDS_FILE },
			fd - 3 < (uint32_t)count ? "/srv/shop.conf"
			: fd % 2		 ? "/a"
						 : "/b");
	snapshot_ends(5, PID, (struct fds_process){ .soft_limit = 10, .descriptors = 10 });
}

static void has_hard_limit(double hard)
{
	is_there();
	snapshot_ends(5, PID,
		(struct fds_process){
			.soft_limit = 1000, .hard_limit = (uint64_t)hard, .descriptors = 900 });
}

static void has_no_limit(double soft)
{
	is_there();
	snapshot_ends(
		5, PID, (struct fds_process){ .soft_limit = limit_of(soft), .descriptors = 900 });
}

static void limit_is_hidden(double state)
{
	is_there();
	snapshot_ends(5, PID,
		(struct fds_process){
			.soft_limit = 1000, .descriptors = 900, .limit_state = (uint8_t)state });
}

static void descriptors_are_hidden(double state)
{
	is_there();
	snapshot_ends(5, PID,
		(struct fds_process){ .soft_limit = 1000,
			.descriptors = 900,
			.descriptors_state = (uint8_t)state });
}

static void nothing_read(double value)
{
	(void)value;
	is_there();
}

static void test_fd_limit_near(void **state)
{
	static const struct check_case cases[] = {
		{ "fd-limit-near", has_descriptors, 800, NULL,
			"high/high: almost out of descriptors: 800 of 1000 in use|[used: 80 "
			"%]|<raise the limit now: prlimit --pid 99 --nofile=4000:4000; " },
		{ "fd-limit-near", has_one_file, 5, NULL,
			"critical/high: out of descriptors: 10 of 10 in use, 5 of them "
			"/srv/shop.conf; every" },
		{ "fd-limit-near", has_one_file, 4, NULL,
			"critical/high: out of descriptors: 10 of 10 in use; every" },
		{ "fd-limit-near", has_descriptors, 799, NULL, "fine: descriptors: 799 of 1000" },
		{ "fd-limit-near", has_descriptors, 969, NULL, "high/high: " },
		{ "fd-limit-near", has_descriptors, 970, NULL, "critical/high: " },
		{ "fd-limit-near", has_descriptors, 970, "fd-limit-near=medium", "medium/high: " },
		{ "fd-limit-near", has_descriptors, 1000, NULL, "critical/high: |[used: 100 %]" },
		{ "fd-limit-near", has_descriptors, 1001, NULL,
			"fine: descriptors: 1001 of 1000, a limit that was set later" },
		{ "fd-limit-near", has_hard_limit, 1001, NULL,
			"high/high: |<raise the limit now: prlimit --pid 99 --nofile=1001:1001; "
			"sooth inspect --fds 99 shows" },
		{ "fd-limit-near", has_hard_limit, 1000, NULL,
			"high/high: |<as root: prlimit --pid 99 --nofile=4000:4000 (else" },
		{ "fd-limit-near", has_no_limit, NO_LIMIT, NULL, "fine: descriptors: no limit" },
		{ "fd-limit-near", limit_is_hidden, SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION),
			NULL, "blind: |<run sooth as the user of the process" },
		{ "fd-limit-near", descriptors_are_hidden,
			SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION), NULL,
			"blind: |<run sooth as the user of the process" },
		{ "fd-limit-near", descriptors_are_hidden, SOOTH_STATE_TRUNCATED, NULL,
			"high/high: " },
		{ "fd-limit-near", nothing_read, 0, NULL, "blind: " },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- watches --- */

/* Two instances; watches of files in two directories, the first with two of three. */
static void watches(uint32_t told, uint32_t all, struct fds_process p)
{
	is_there();
	for (uint32_t fd = 3; fd < 5; fd++)
		descriptor_at(5, (struct fds_descriptor){ .fd = fd, .type = FDS_INOTIFY }, NULL);
	for (uint32_t i = 0; i < told; i++)
		watch_at(5, PID, 3 + i % 2, 1 + i / 2, i % 3 ? "/work/a" : "/work/b");
	p.watches = all;
	p.descriptors = 2;
	snapshot_ends(5, PID, p);
}

static void has_watches(double count)
{
	watches((uint32_t)count, (uint32_t)count, (struct fds_process){ .watches_max = 1000000 });
}

static void has_share_of_watches(double max)
{
	watches(30, 30, (struct fds_process){ .watches_max = (uint32_t)max, .instances_max = 128 });
}

static void has_watches_unread(double told)
{
	watches((uint32_t)told, 20000,
		(struct fds_process){
			.inotify_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED) });
}

/* So many instances, and all but one watch nothing. */
static void has_instances(double count)
{
	is_there();
	for (uint32_t fd = 0; fd < (uint32_t)count; fd++)
		descriptor_at(5, (struct fds_descriptor){ .fd = fd, .type = FDS_INOTIFY }, NULL);
	watch_at(5, PID, 0, 1, NULL);
	snapshot_ends(5, PID,
		(struct fds_process){ .watches = 1,
			.descriptors = (uint32_t)count,
			.watches_max = 1000,
			.instances_max = 100 });
}

static void test_watch_flood(void **state)
{
	static const struct check_case cases[] = {
		{ "watch-flood", has_watches, 10000, NULL,
			"medium/high: watches 10000 files and directories for changes, 6666 of "
			"them below /work/a|{path /work/a|[different files: 5000]|[instances: "
			"2]|[share of the user's limit of inotify watches: 1 %]|[directory: "
			"/work/a: 6666]|[directory: /work/b: 3334]|!(unseen:" },
		{ "watch-flood", has_watches, 9999, NULL, "fine: watches: 9999, instances: 2" },
		{ "watch-flood", has_share_of_watches, 60, NULL,
			"medium/high: |inotify watches: 50 %]" },
		{ "watch-flood", has_share_of_watches, 61, NULL, "fine: watches: 30" },
		{ "watch-flood", has_watches_unread, 0, NULL,
			"medium/high: watches 20000 files and directories for changes |(unseen: "
			"which files 20000 more|(unseen: which directories|(unseen: how many "
			"watches the user" },
		{ "watch-flood", has_instances, 17, NULL,
			"medium/medium: leaks inotify instances: 16 are open|[instances: "
			"17]|[inotify instances that the user may have: 100]" },
		{ "watch-flood", has_instances, 16, NULL, "fine: watches: 1, instances: 16" },
		{ "watch-flood", descriptors_are_hidden,
			SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION), NULL, "blind: " },
		{ "watch-flood", nothing_read, 0, NULL, "blind: " },
	};

	(void)state;
	TRY_CASES(cases);
}

/* Another process of the same user has so many watches. */
static void with_another(double its)
{
	for (int i = 0; i < LOOKS; i++) {
		process_at(i, (struct proc_process){ 0 }, "thing");
		process_at(i, (struct proc_process){ .record.pid = 200 }, "other");
		process_at(i, (struct proc_process){ .record.pid = 201 }, "unread");
		process_at(i, (struct proc_process){ .record.pid = 202, .uid = 7 }, "foreign");
		all_reported(i);
	}
	descriptor_at(5, (struct fds_descriptor){ .fd = 3, .type = FDS_INOTIFY }, NULL);
	snapshot_ends(5, PID,
		(struct fds_process){ .watches = 50,
			.descriptors = 1,
			.watches_max = 100,
			.instances_max = 100 });
	snapshot_ends(5, 200,
		(struct fds_process){
			.watches = (uint32_t)its, .watches_max = 100, .instances_max = 100 });
	snapshot_ends(5, 202,
		(struct fds_process){ .watches = 1000, .watches_max = 100, .instances_max = 100 });
}

static void test_watch_limit_near(void **state)
{
	static const struct check_case cases[] = {
		{ "watch-limit-near", has_share_of_watches, 37, NULL,
			"high/high: almost out of inotify watches: 30 of 37 that the user may have "
			"are in "
			"use;|[used: 81.1 %]|max_user_watches=148 " },
		{ "watch-limit-near", has_share_of_watches, 38, NULL,
			"fine: inotify watches: 30 of 38; inotify instances: 2 of 128" },
		{ "watch-limit-near", has_share_of_watches, 60, "watch-limit-near.percent=50",
			"high/high: " },
		{ "watch-limit-near", has_share_of_watches, 60, "watch-limit-near.percent=51",
			"fine: " },
		{ "watch-limit-near", has_instances, 80, NULL,
			"high/high: almost out of inotify instances: 80 of 100 that the user may "
			"have|max_user_instances=400 " },
		{ "watch-limit-near", has_instances, 79, NULL, "fine: " },
		{ "watch-limit-near", has_instances, 101, NULL,
			"high/high: |(unseen: how many inotify instances the user" },
		{ "watch-limit-near", has_instances, 100, NULL,
			"high/high: |!how many inotify instances the user" },
		/* With the other one's 30 it is 80 of 100. */
		{ "watch-limit-near", with_another, 30, NULL,
			"high/medium: almost out of inotify watches: 80 of 100 that the user may "
			"have are in use, 50 by this process|(unseen: inotify watches of 1 of the "
			"user's 3 processes|[number of the user's processes that were sampled: "
			"2]" },
		{ "watch-limit-near", with_another, 29, NULL,
			"fine: inotify watches: 79 of 100 (2 of the user's 3 processes" },
		/* The process with the most watches has the finding; of equals, the lowest pid. */
		{ "watch-limit-near", with_another, 50, NULL, "high/medium: " },
		{ "watch-limit-near", with_another, 51, NULL, "fine: " },
		{ "watch-limit-near", has_watches_unread, 0, NULL,
			"blind: the limits of the process are in another user namespace" },
		{ "watch-limit-near", descriptors_are_hidden,
			SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION), NULL,
			"blind: |<run sooth as the user of the process" },
		{ "watch-limit-near", nothing_read, 0, NULL, "blind: " },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- filling-up --- */

#define MIB (1ull << 20)

static double left_mib; /* at the end */
static double used_mib; /* of the file system meanwhile; negative: as the file grew */

static void space_at(double s, double left)
{
	struct fds_filesystem f = { .record = head_of(s, PID, FDS_FILESYSTEM),
		.mount = 7,
		.total_bytes = 1000 * MIB,
		.free_bytes = (uint64_t)(left * (double)MIB),
		.available_bytes = (uint64_t)(left * (double)MIB) };
	struct record_tail tail[] = { put_text(&f.point, "/mnt") };

	RECORD_APPEND(&records, &f, tail, 1);
}

static void file_at(double s, double size_mib, struct fds_descriptor d)
{
	d.fd = 5;
	d.inode = 77;
	d.mount = 7;
	d.type = d.type ? d.type : FDS_FILE;
	d.access = d.access ? d.access : FDS_ACCESS_WRITE;
	d.size_bytes = (uint64_t)(size_mib * (double)MIB);
	descriptor_at(s, d, "/mnt/log");
}

static void grows_as(double gain_mib, struct fds_descriptor d)
{
	counts_at((const uint32_t[]){ 3, 3, 3, 3, 3, 3 }, 6, 1);
	file_at(0, 1, d);
	space_at(0, left_mib + (used_mib < 0 ? gain_mib : used_mib));
	snapshot_ends(0, PID, (struct fds_process){ .descriptors = 1 });
	file_at(5, 1 + gain_mib, d);
	space_at(5, left_mib);
	snapshot_ends(5, PID, (struct fds_process){ .descriptors = 1 });
}

static void grows_on(double left, double used, double gain_mib)
{
	left_mib = left;
	used_mib = used;
	grows_as(gain_mib, (struct fds_descriptor){ 0 });
}

static void grows_with_500_left(double gain)
{
	grows_on(500, -1, gain);
}

static void grows_with_40_left(double gain)
{
	grows_on(40, -1, gain);
}

static void grows_sparse(double used)
{
	grows_on(100, used, 20);
}

static void grows_nearly_full(double left)
{
	grows_on(left, -1, 0.01);
}

static void grows_deleted(double gain)
{
	left_mib = 100;
	used_mib = -1;
	grows_as(gain, (struct fds_descriptor){ .type = FDS_DELETED });
}

/* There is room for weeks. */
static void grows_deleted_with_room(double gain)
{
	left_mib = 1e7;
	used_mib = -1;
	grows_as(gain, (struct fds_descriptor){ .type = FDS_DELETED });
}

/* A log, by how it was opened. */
static void log_grows_deleted(double gain_kib)
{
	left_mib = 1e7;
	used_mib = -1;
	grows_as(gain_kib / 1024, (struct fds_descriptor){ .type = FDS_DELETED, .flags = 02001 });
}

static void is_appended_with_left(double gain, double left)
{
	left_mib = left;
	used_mib = -1;
	grows_as(gain, (struct fds_descriptor){ .flags = 02000 });
}

static void appends_with_room(double gain)
{
	is_appended_with_left(gain, 1e5);
}

static void appends_with_left(double left)
{
	is_appended_with_left(10, left);
}

static void is_read_while_it_grows(double gain)
{
	left_mib = 100;
	used_mib = -1;
	grows_as(gain, (struct fds_descriptor){ .access = FDS_ACCESS_READ });
}

static void host_has(double available_mib)
{
	struct host_memory memory = { .record = head_of(5, 0, HOST_MEMORY),
		.available_bytes = (uint64_t)(available_mib * (double)MIB) };

	RECORD_APPEND(&records, &memory, NULL, 0);
}

static void grows_in_memory(double available_mib)
{
	left_mib = 500;
	used_mib = -1;
	grows_as(50, (struct fds_descriptor){ .type = FDS_MEMFD });
	host_has(available_mib);
}

/* It is at its end: written by calls. */
static void writes_to_memory(double gain_mib)
{
	left_mib = 1e7;
	used_mib = -1;
	host_has(1e7);
	grows_as(gain_mib, (struct fds_descriptor){ .type = FDS_MEMFD, .offset = 1000 * MIB });
}

static void sets_size_in_memory(double gain_mib)
{
	left_mib = 1e7;
	used_mib = -1;
	host_has(1e7);
	grows_as(gain_mib, (struct fds_descriptor){ .type = FDS_MEMFD, .offset = MIB });
}

static void test_filling_up(void **state)
{
	static const struct check_case cases[] = {
		{ "filling-up", grows_with_500_left, 10, NULL,
			"=medium/low: fills /mnt: /mnt/log grows by 2.0 MiB a second; full in 4 "
			"min 10 s {fd 5} {path /mnt/log} [file: /mnt/log] [growth: 2.0M a second "
			"over 5.00s] [file system: /mnt] [space left: 500M] [time until it is "
			"full: 4m10s] [used: 50 %] [gained: 10.0M over 5.00s] [size of the file: "
			"11.0M] (unseen: whether the file is emptied from time to time, and files "
			"that were closed: calls were not observed) <stop or limit what it writes "
			"(sooth trace --io -p 99); free space: du -xh /mnt | sort -h | tail>\n" },
		{ "filling-up", grows_with_500_left, 8, NULL,
			"=fine: its files grew by 8.0 MiB in 5 s\n" },
		{ "filling-up", grows_with_500_left, 8, "filling-up.max-time=400s",
			"medium/low: " },
		{ "filling-up", grows_with_500_left, 50, NULL, "high/low: " },
		{ "filling-up", grows_with_40_left, 0.9, NULL,
			"medium/low: writes to a nearly full file system: /mnt is 96 % used, 40.0 "
			"MiB left; /mnt/log grows|" },
		{ "filling-up", grows_with_40_left, 0, NULL, "=fine: no file of it grew\n" },
		{ "filling-up", grows_nearly_full, 50, NULL, "medium/low: |95 % used" },
		{ "filling-up", grows_nearly_full, 51, NULL, "fine: " },
		{ "filling-up", grows_nearly_full, 50, "filling-up.max-left=49M", "fine: " },
		{ "filling-up", grows_sparse, 5, NULL, "high/low: " },
		{ "filling-up", grows_sparse, 4, NULL, "fine: " },
		{ "filling-up", grows_deleted, 20, NULL,
			"high/low: |/mnt/log (deleted) grows|the file is deleted but open: " },
		{ "filling-up", grows_deleted_with_room, 15, NULL,
			"low/low: writes 3.0 MiB a second to a deleted file, /mnt/log: its space "
			"is "
			"not given back until it is closed {fd 5}" },
		{ "filling-up", grows_deleted_with_room, 14, NULL, "fine: its files grew by" },
		{ "filling-up", grows_deleted_with_room, 15, "filling-up.deleted-rate=4M",
			"fine: " },
		{ "filling-up", log_grows_deleted, 321, NULL, "low/low: writes 64.2 KiB a second" },
		{ "filling-up", log_grows_deleted, 319, NULL, "fine: its files grew by" },
		{ "filling-up", log_grows_deleted, 321, "filling-up.log-size=2M", "fine: " },
		{ "filling-up", appends_with_room, 10, NULL,
			"info/low: fills /mnt: /mnt/log grows by 2.0 MiB a second; full in 13 h 53 "
			"min" },
		{ "filling-up", appends_with_room, 5, NULL, "fine: " },
		{ "filling-up", appends_with_left, 172800, NULL, "info/low: " },
		{ "filling-up", appends_with_left, 172801, NULL, "fine: " },
		{ "filling-up", is_read_while_it_grows, 20, NULL, "fine: no file of it grew" },
		{ "filling-up", grows_in_memory, 1000, NULL,
			"medium/low: fills memory: /mnt/log grows by 10.0 MiB a second; full in 1 "
			"min 40 s|[file system: memory]" },
		{ "filling-up", grows_in_memory, 3100, NULL, "fine: " },
		{ "filling-up", writes_to_memory, 16, NULL,
			"low/low: adds 3.2 MiB a second to /mnt/log, a file in memory: this memory "
			"is not counted as memory of the process|<the file has no name: its "
			"space" },
		{ "filling-up", writes_to_memory, 15.9, NULL, "fine: " },
		{ "filling-up", sets_size_in_memory, 100, NULL, "fine: " },
	};

	(void)state;
	TRY_CASES(cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_old_file_followed),
		cmocka_unit_test(test_fd_leak),
		cmocka_unit_test(test_fd_leak_kinds),
		cmocka_unit_test(test_filling_up),
		cmocka_unit_test(test_fd_limit_near),
		cmocka_unit_test(test_watch_flood),
		cmocka_unit_test(test_watch_limit_near),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
