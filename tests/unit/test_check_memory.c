/* SPDX-License-Identifier: BSD-2-Clause */
/* Findings about memory, at both sides of their thresholds. */
#include "check_sockets.h"
#include "check_threads.h"

#include "analyze/answer/causes.h"
#include "probes/host.h"
#include "probes/limits.h"
#include "probes/maps.h"
#include "probes/profile.h"

#define HIDDEN SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION)
#define MB     ((uint64_t)1 << 20)

/* --- memory-growth --- */

/* Resident megabytes, a look each. */
static void resident(const double *megabytes, size_t count, double step_s)
{
	for (size_t i = 0; i < count; i++) {
		process_at(step_s * (double)i,
			(struct proc_process){ .rss_bytes = (uint64_t)(megabytes[i] * (double)MB) },
			"grower");
		all_reported(step_s * (double)i);
	}
}

static void grows_over(double megabytes, size_t count, double step_s)
{
	double all[32];

	for (size_t i = 0; i < count; i++)
		all[i] = 100 + megabytes * (double)i / (double)(count - 1);
	resident(all, count, step_s);
}

/* So many megabytes in five seconds. */
static void grows(double megabytes)
{
	grows_over(megabytes, LOOKS, 1);
}

/* An agent of Claude Code 2.1.X. */
static void agent_grows(double x)
{
	static char path[64];

	snprintf(path, sizeof(path), "/home/me/.local/share/claude/versions/2.1.%.0f", x);
	runs = path;
	grows(20);
}

static void grows_at_looks(double looks)
{
	grows_over(20, (size_t)looks, 1);
}

static void is_young(double age_s)
{
	started_s = FROM_S + LAST_S - age_s;
	grows(20);
}

/* In its first half minute. */
static void starts_with(double megabytes)
{
	started_s = FROM_S + LAST_S - 30;
	grows(megabytes);
}

/* It doubles by so many megabytes, and some is freed on the way. */
static void climbs_and_falls(double megabytes)
{
	const double parts[] = { 0, 0.4, 0.2, 0.7, 0.45, 0.9, 0.6, 1 };
	double all[ARRAY_SIZE(parts)];

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		all[i] = 100 + megabytes * parts[i];
	if (megabytes < 128) /* all of it */
		all[6] = 100;
	resident(all, ARRAY_SIZE(parts), 1);
}

/* At once, in the last second. */
static void rises_at_the_end(double megabytes)
{
	double all[8];

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		all[i] = i + 1 < ARRAY_SIZE(all) ? 100 : 100 + megabytes;
	resident(all, ARRAY_SIZE(all), 1);
}

static void grows_and_stops(double megabytes)
{
	const double all[] = { 100, 100 + megabytes / 2, 100 + megabytes, 100 + megabytes,
		100 + megabytes, 100 + megabytes, 100 + megabytes, 100 + megabytes };

	resident(all, ARRAY_SIZE(all), 1);
}

/* Over four times five seconds; each comes back to so much more than the one before. */
static void lows_rise(double megabytes)
{
	double all[20];

	for (unsigned i = 0; i < ARRAY_SIZE(all); i++)
		all[i] = 100 + (double)(i / 5) * megabytes / 3 + (i % 5) * 10;
	resident(all, ARRAY_SIZE(all), 1);
}

static void comes_back(double kilobytes, double step_s)
{
	double all[30];

	for (unsigned i = 0; i < 30; i++)
		all[i] = 100 + (double)(i / 3) * kilobytes / 1024 + (i % 3 == 1 ? 40 : 0);
	resident(all, 30, step_s);
}

/* It comes back to a little more each time: from 100 MB on by so many kilobytes. */
static void comes_back_to_more(double kilobytes)
{
	comes_back(kilobytes, 1);
}

static void grows_and_ends(double value)
{
	(void)value;
	process_at(0, (struct proc_process){ .rss_bytes = 100 * MB }, "zombie");
	process_at(1, (struct proc_process){ .rss_bytes = 0 }, "zombie");
	process_at(2, (struct proc_process){ .rss_bytes = 200 * MB, .state = 'Z' }, "zombie");
}

static void mapping_at(double s, uint64_t megabytes, uint64_t resident_mb, const char *path)
{
	struct maps_mapping m = { .record = head_of(s, PID, MAPS_MAPPING),
		.from = path ? 0x40000000 : 0x10000000,
		.rss_bytes = resident_mb * MB,
		.inode = path && path[0] == '/' ? 7 : 0,
		.protection = MAPS_READ | MAPS_WRITE,
		.path_state = path ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
	struct record_tail tail[] = { put_text(&m.path, path) };

	m.to = m.from + megabytes * MB;
	RECORD_APPEND(&records, &m, tail, 1);
}

static void runtime_found(double s, int runtime)
{
	struct maps_runtime_found found = { .record = head_of(s, PID, MAPS_RUNTIME),
		.runtime = (uint32_t)runtime };

	RECORD_APPEND(&records, &found, NULL, 0);
}

static void maps_read(double s, int runtime, uint8_t figures_state)
{
	struct maps_process p = { .record = head_of(s, PID, MAPS_PROCESS),
		.mappings = 2,
		.figures_state = figures_state };

	if (runtime >= 0)
		runtime_found(s, runtime);
	RECORD_APPEND(&records, &p, NULL, 0);
}

/* A heap of V8 of that age, which gains so many megabytes in `steps` and then stays. */
static void young_heap(double megabytes, const double steps[8], double age_s)
{
	double all[8];

	started_s = FROM_S + 7 - age_s;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		all[i] = 100 + megabytes * steps[i];
	resident(all, ARRAY_SIZE(all), 1);
	maps_read(7, MAPS_V8, HIDDEN);
}

static void heap_is_collected(double age_s)
{
	young_heap(110, (const double[]){ 0, 0.4, 0.2, 0.7, 0.45, 0.9, 0.6, 1 }, age_s);
}

static void heap_has_started(double age_s)
{
	young_heap(110, (const double[]){ 0, 0.6, 0.8, 0.9, 0.94, 0.96, 0.98, 1 }, age_s);
}

static void heap_leaks(double age_s)
{
	young_heap(110, (const double[]){ 0, 0.2, 0.3, 0.45, 0.4, 0.65, 0.8, 1 }, age_s);
}

static void heap_of_agent_leaks(double age_s)
{
	runs = "/home/me/.local/share/claude/versions/2.1.328";
	heap_leaks(age_s);
}

/* That many of the twenty that it gains are its own; the rest are pages of a file. */
static void gains_own(double own)
{
	grows(20);
	for (int reading = 0; reading < 2; reading++) {
		mapping_at(reading * LAST_S, 500 + (uint64_t)(reading * own),
			50 + (uint64_t)(reading * own), NULL);
		mapping_at(reading * LAST_S, 500, 50 + (uint64_t)(reading * (20 - own)), "/data");
		maps_read(reading * LAST_S, -1, SOOTH_STATE_VALUE);
	}
}

/* In ten steps, in memory of its own. */
static void grows_slowly(double megabytes)
{
	grows_over(megabytes, 11, 0.5);
	for (int reading = 0; reading < 2; reading++) {
		mapping_at(reading * LAST_S, 500 + (uint64_t)(reading * 5),
			50 + (uint64_t)(reading * 5), NULL);
		maps_read(reading * LAST_S, -1, SOOTH_STATE_VALUE);
	}
}

/* That many of twenty are pages of shared memory that was there; the others are of a file. */
static void touches_shared(double megabytes)
{
	grows(20);
	for (int reading = 0; reading < 2; reading++) {
		mapping_at(
			reading * LAST_S, 500, 50 + (uint64_t)(reading * megabytes), "/dev/shm/x");
		maps_read(reading * LAST_S, -1, SOOTH_STATE_VALUE);
	}
}

static void maps_shared(double megabytes)
{
	grows(20);
	for (int reading = 0; reading < 2; reading++) {
		uint64_t size = 50 + (uint64_t)(reading * megabytes);

		mapping_at(reading * LAST_S, size, size, "/dev/shm/x");
		maps_read(reading * LAST_S, -1, SOOTH_STATE_VALUE);
	}
}

static void gains_unseen(double state)
{
	grows(20);
	for (int reading = 0; reading < 2; reading++) {
		mapping_at(reading * LAST_S, 500 + (uint64_t)reading * 20,
			50 + (uint64_t)reading * 20, NULL);
		maps_read(reading * LAST_S, -1, (uint8_t)state);
	}
}

/* So many of the 20 MB are in new mappings; the others fill one that was there. */
static void maps_anew(double megabytes)
{
	grows(20);
	for (int reading = 0; reading < 2; reading++) {
		mapping_at(reading * LAST_S, 500 + (uint64_t)(reading * megabytes),
			10 + (uint64_t)reading * 20, NULL);
		maps_read(reading * LAST_S, -1, SOOTH_STATE_VALUE);
	}
}

static void fills_for(double seconds)
{
	grows_over(20, LOOKS, seconds / LAST_S);
	for (int reading = 0; reading < 2; reading++) {
		mapping_at(reading * seconds, 500, 10 + (uint64_t)reading * 20, NULL);
		maps_read(reading * seconds, -1, SOOTH_STATE_VALUE);
	}
}

/* In its first ten seconds, at one rate, to so many megabytes in all. */
static void starts_and_has(double megabytes)
{
	started_s = FROM_S + LAST_S - 10;
	grows(20);
	for (int reading = 0; reading < 2; reading++) {
		mapping_at(reading * LAST_S, 500 + (uint64_t)reading * 20,
			(uint64_t)megabytes - 20 + (uint64_t)reading * 20, NULL);
		maps_read(reading * LAST_S, -1, SOOTH_STATE_VALUE);
	}
}

/* The same, not at one rate: by so many megabytes less in the middle. */
static void starts_unevenly(double megabytes)
{
	double all[LOOKS];

	started_s = FROM_S + LAST_S - 10;
	for (int i = 0; i < LOOKS; i++)
		all[i] = 10 + 4 * i - (i > 0 && i < LAST_S ? megabytes : 0);
	resident(all, LOOKS, 1);
	for (int reading = 0; reading < 2; reading++) {
		mapping_at(reading * LAST_S, 500 + (uint64_t)reading * 20,
			10 + (uint64_t)reading * 20, NULL);
		maps_read(reading * LAST_S, -1, SOOTH_STATE_VALUE);
	}
}

static void is_young_and_gains(double megabytes)
{
	started_s = FROM_S + LAST_S - 20;
	grows(megabytes);
}

static void grows_as(const char *name, double age_s)
{
	started_s = FROM_S + LAST_S - age_s;
	for (int i = 0; i < LOOKS; i++) {
		process_at(i, (struct proc_process){ .rss_bytes = (100 + 20 * (uint64_t)i) * MB },
			name);
		all_reported(i);
	}
}

static void grows_as_compiler(double age_s)
{
	grows_as("cc1plus", age_s);
}

static void grows_as_clang(double age_s)
{
	grows_as("clang-14", age_s);
}

static void grows_as_daemon(double age_s)
{
	grows_as("clangd-14", age_s);
}

/* A V8 heap of so many kilobytes more, evenly; it has twice its gain. */
static void heap_gains(double kilobytes, double age_s, double all_mb)
{
	double gain_mb = kilobytes / 1024;

	started_s = FROM_S + LAST_S - age_s;
	grows_over(gain_mb, 11, 0.5);
	for (int reading = 0; reading < 2; reading++) {
		mapping_at(reading * LAST_S, 500,
			(uint64_t)(all_mb + 0.5) - (uint64_t)(reading ? 0 : gain_mb + 0.5), NULL);
		maps_read(reading * LAST_S, MAPS_V8, SOOTH_STATE_VALUE);
	}
}

static void heap_of_young_gains(double kilobytes)
{
	heap_gains(kilobytes, 10, 50);
}

/* 24 MB in 5 s, after 10 s: as much as all of 48. */
static void heap_of_young_has(double megabytes)
{
	heap_gains(24 * 1024, 10, megabytes);
}

#define CLIMB_POINTS 26
#define CLIMB_STEP_S 0.82
#define CLIMB_S	     (CLIMB_STEP_S * (CLIMB_POINTS - 1))

static void heap_maps_grow(double megabytes, int runtime)
{
	for (int reading = 0; reading < 2; reading++) {
		mapping_at(reading * CLIMB_S, 500, 100 + (uint64_t)(reading * megabytes), NULL);
		maps_read(reading * CLIMB_S, runtime, SOOTH_STATE_VALUE);
	}
}

/* A heap that had 100 megabytes, over 20.5 s. */
static void heap_climbs(double megabytes, double age_s, int runtime)
{
	started_s = FROM_S + CLIMB_S - age_s;
	grows_over(megabytes, CLIMB_POINTS, CLIMB_STEP_S);
	heap_maps_grow(megabytes, runtime);
}

/* By pieces, of which so many megabytes of ten come in the last third; one is given back. */
static void heap_climbs_late(double late)
{
	double all[CLIMB_POINTS], early = 10 - late;

	started_s = FROM_S + CLIMB_S - 40;
	for (int i = 0; i < CLIMB_POINTS; i++)
		all[i] = 100 + (i < 6		? early / 2
				       : i < 17 ? early
				       : i < 25 ? early + late / 2
						: 10);
	all[0] = 100;
	all[9] -= 1;
	resident(all, CLIMB_POINTS, CLIMB_STEP_S);
	heap_maps_grow(10, MAPS_V8);
}

static void heap_climbs_in(double runtime)
{
	heap_climbs(8, 28, (int)runtime);
}

static void heap_climbs_by(double megabytes)
{
	heap_climbs(megabytes, 28, MAPS_V8);
}

static void heap_climbs_at(double age_s)
{
	heap_climbs(8, age_s, MAPS_V8);
}

static void heap_of_old_gains(double kilobytes)
{
	heap_gains(kilobytes, 80, 70);
}

static void heap_of_old_has(double megabytes)
{
	heap_gains(5 * 1024, 80, megabytes);
}

/* A runtime with a heap of its own beside glibc's, which grows. */
static void grows_by_malloc(double runtime)
{
	grows(20);
	for (int reading = 0; reading < 2; reading++) {
		mapping_at(reading * LAST_S, 500 + (uint64_t)reading * 20,
			50 + (uint64_t)reading * 20, "[heap]");
		runtime_found(reading * LAST_S, MAPS_GLIBC);
		maps_read(reading * LAST_S, (int)runtime, SOOTH_STATE_VALUE);
	}
}

/* Neither of its heap nor of malloc. */
static void grows_beside_heap(double runtime)
{
	grows(20);
	for (int reading = 0; reading < 2; reading++) {
		mapping_at(reading * LAST_S, 500 + (uint64_t)reading * 20,
			50 + (uint64_t)reading * 20, NULL);
		maps_read(reading * LAST_S, (int)runtime, SOOTH_STATE_VALUE);
	}
}

/* Of the connections one is closed at its end only at the last sample. */
static void grows_beside_gone(double count)
{
	grows_beside_heap(-1);
	for (int reading = 0; reading < 2; reading++) {
		for (uint32_t i = 1; i <= (uint32_t)count + 1; i++)
			socket_at(
				reading * LAST_S, (struct sockets_socket){ .inode = i,
							  .state = reading || i <= (uint32_t)count
									   ? SOCKETS_CLOSE_WAIT
									   : SOCKETS_ESTABLISHED });
		sockets_read(reading * LAST_S, (uint32_t)count + 1, SOOTH_STATE_VALUE);
	}
}

static void runs_on(double runtime)
{
	grows(20);
	maps_read(0, (int)runtime, HIDDEN);
	maps_read(LAST_S, (int)runtime, HIDDEN);
}

/* It collects garbage, and is watched for so long. */
static void collects_for(double seconds)
{
	grows_over(50, LOOKS, seconds / LAST_S);
	maps_read(seconds, MAPS_V8, HIDDEN);
}

static void climbs_with_collector(double megabytes)
{
	grows(megabytes);
	maps_read(LAST_S, MAPS_JAVA, HIDDEN);
}

/* It is collected now and then, over so long from one low to another, and more stays each time. */
static void is_collected_for(double seconds)
{
	comes_back(3000, seconds / 24);
	maps_read(seconds, MAPS_JAVASCRIPTCORE, HIDDEN);
}

/* For a minute; from 100 MB on so much. */
static void collects_and_gains(double megabytes)
{
	grows_over(megabytes, LOOKS, 12);
	maps_read(60, MAPS_GO, HIDDEN);
}

static void host_memory(double available_mb, struct host_memory m)
{
	m.record = head_of(LAST_S, 0, HOST_MEMORY);
	m.total_bytes = 1000 * MB;
	m.available_bytes = (uint64_t)(available_mb * (double)MB);
	RECORD_APPEND(&records, &m, NULL, 0);
}

static void grows_with_left(double megabytes)
{
	grows(20);
	host_memory(megabytes, (struct host_memory){ 0 });
}

static void group(double s, uint32_t pid, const char *name, struct limits_group g)
{
	struct record_tail tail[] = { put_text(&g.name, name), put_text(&g.path, "/box") };

	g.record = head_of(s, pid, LIMITS_GROUP);
	g.version = 2;
	RECORD_APPEND(&records, &g, tail, 2);
}

static void limits_read(double s, uint32_t pid, struct limits_process p)
{
	p.record = head_of(s, pid, LIMITS_PROCESS);
	RECORD_APPEND(&records, &p, NULL, 0);
}

static void grows_in_group(double limit_mb)
{
	grows_with_left(100000);
	group(LAST_S, PID, "memory",
		(struct limits_group){ .used = 200 * MB,
			.limit = (uint64_t)(limit_mb * (double)MB),
			.file_bytes = 50 * MB });
	limits_read(LAST_S, PID, (struct limits_process){ 0 });
}

/* Pages of that many megabytes, of 20 MiB more, were touched in remember(). */
static void grows_in(double megabytes)
{
	static const char *const names[] = { "malloc", "remember" };
	static const char *const files[] = { "/lib/libc.so.6", "/srv/server" };
	uint32_t frames[2];

	for (uint32_t i = 0; i < 2; i++) {
		struct profile_frame f = { .record = head_of(LOOKS, 0, PROFILE_FRAME),
			.frame = frames[i] = i + 1,
			.frame_kind = PROFILE_USER,
			.begin = 0x1200,
			.build_id_state = SOOTH_STATE_ABSENT };
		struct record_tail tail[] = { put_text(&f.function, names[i]),
			put_text(&f.file, files[i]) };

		RECORD_APPEND(&records, &f, tail, 2);
	}
	struct profile_stack d = {
		.record = head_of(LOOKS, 0, PROFILE_STACK), .stack = 1, .end = PROFILE_WHOLE
	};
	struct record_tail tail[] = { { &d.frames, frames, sizeof(frames) } };

	RECORD_APPEND(&records, &d, tail, 1);
	for (int i = 0; i < 32; i++) {
		struct profile_page p = { .record = head_of(1 + 0.1 * i, PID, PROFILE_PAGE),
			.stack = 1,
			.faults = (uint32_t)(megabytes * 8) };

		RECORD_APPEND(&records, &p, NULL, 0);
	}
	grows(20);
}

static void test_growth(void **state)
{
	static const struct check_case cases[] = {
		{ "memory-growth", grows, 16, NULL,
			"=medium/medium: memory grows: 16.0 MiB more in 5 s [resident memory when "
			"the observation started: 100M] [resident memory when the observation "
			"ended: 116M] [growth: 3.2M a second over 5.00s] [steadiness: grew in 5 of "
			"5 equal time slices of the observation] [process age: 16m35s] (unseen: "
			"which "
			"kind of memory grows: the mappings were listed only once) (unseen: how "
			"much more memory the process can use) <sooth heap --leaks -d 30 -p "
			"99 shows which code keeps more and more; a restart frees the memory>\n" },
		{ "memory-growth", grows, 15.9, NULL,
			"=blind: 15.9 MiB more in 5 s: too little to decide whether it goes on "
			"<observe longer: --duration 60>\n" },
		{ "memory-growth", grows_in, 10, NULL,
			"medium/medium: memory grows: 20.0 MiB more in 5 s, most of it touched by "
			"remember "
			"(server)|" },
		{ "memory-growth", grows_in, 60, NULL,
			"medium/medium: memory grows: 20.0 MiB more in 5 s, most of it touched by "
			"remember" },
		{ "memory-growth", grows_in, 9, NULL,
			"medium/medium: memory grows: 20.0 MiB more in 5 s|" },
		{ "memory-growth", grows_in, 61, NULL,
			"medium/medium: memory grows: 20.0 MiB more in 5 s|" },
		{ "memory-growth", grows, 4, NULL, "blind: 4.0 MiB more in 5 s: too little" },
		{ "memory-growth", grows, 3.9, NULL, "fine: 100M resident, then 104M" },
		{ "memory-growth", starts_with, 10, NULL,
			"=blind: memory grew 10.0 MiB in 5 s, too early to judge <try again "
			"later>\n" },
		{ "memory-growth", is_young_and_gains, 3.9, NULL,
			"fine: 100M resident, then 104M" },
		{ "memory-growth", grows_as_compiler, 599, NULL, "blind: a compiler, compressor" },
		{ "memory-growth", grows_as_compiler, 600, NULL, "medium/" },
		{ "memory-growth", grows_as_clang, 500, NULL, "blind: a compiler, compressor" },
		{ "memory-growth", grows_as_daemon, 500, NULL, "medium/" },
		{ "memory-growth", grows, 20, "memory-growth.min-rate=4M", "medium/" },
		{ "memory-growth", grows, 20, "memory-growth.min-rate=4097K",
			"=blind: memory grows more slowly than min-rate <observe longer: "
			"--duration 30>\n" },
		{ "memory-growth", grows, 20, "memory-growth.noise=4M",
			"blind: memory grew 20.0 MiB in 5 s: in too few" },
		{ "memory-growth", grows, 20, "memory-growth.noise=4095K", "medium/" },
		{ "memory-growth", agent_grows, 216, NULL,
			"medium/medium: |age: 16m35s] [known fault: from Claude Code 2.1.238 on, "
			"the tool results of subagents no longer stay in memory (CHANGELOG "
			"2.1.238)] (" },
		{ "memory-growth", agent_grows, 238, NULL, "medium/medium: |age: 16m35s] (" },
		{ "memory-growth", grows_at_looks, 5, NULL,
			"medium/medium: |4 of 4 equal time slices of the observation" },
		{ "memory-growth", grows_at_looks, 4, NULL,
			"=blind: the observation has too few samples <observe longer: --duration "
			"30>\n" },
		{ "memory-growth", is_young, 60, NULL, "medium/" },
		{ "memory-growth", is_young, 59, NULL,
			"=blind: memory grew 20.0 MiB in 5 s, too early to judge <try again "
			"later>\n" },
		{ "memory-growth", starts_with, 64, NULL,
			"low/low: memory grows: 64.0 MiB more in 5 s|(unseen: whether the "
			"process is still starting: it was started only recently)|<sooth heap" },
		{ "memory-growth", starts_with, 63.9, NULL, "blind: memory grew 63.9 MiB in 5 s" },
		{ "memory-growth", climbs_and_falls, 128, NULL,
			"low/low: memory grows: |(unseen: whether this is a cache" },
		{ "memory-growth", climbs_and_falls, 110, NULL, "fine: 100M resident, then " },
		{ "memory-growth", rises_at_the_end, 16, NULL,
			"=blind: memory grew 16.0 MiB in 7 s: in too few steps to call that a "
			"leak <observe longer: --duration 30>\n" },
		{ "memory-growth", rises_at_the_end, 15.9, NULL, "fine: 100M resident, then 116M" },
		{ "memory-growth", grows_and_stops, 40, NULL,
			"blind: memory grew 40.0 MiB in 7 s: then it stopped: a cache" },
		{ "memory-growth", grows_and_stops, 15, NULL, "fine: 100M resident, then 115M" },
		{ "memory-growth", grows_slowly, 4, NULL,
			"low/low: memory grows in anonymous memory: "
			"4.0 MiB more" },
		{ "memory-growth", grows_slowly, 3.9, NULL, "fine: " },
		{ "memory-growth", lows_rise, 20, NULL,
			"medium/medium: memory grows: |, although some was freed 3 times" },
		{ "memory-growth", lows_rise, 15.9, NULL, "blind: 15.9 MiB more in 19 s: " },
		{ "memory-growth", comes_back_to_more, 3000, NULL,
			"medium/medium: memory grows: |, although some was freed 9 times" },
		{ "memory-growth", comes_back_to_more, 1900, NULL,
			"blind: 14.8 MiB more in 24 s: " },
		{ "memory-growth", comes_back_to_more, 400, NULL, "fine: " },
		{ "memory-growth", grows_and_ends, 0, NULL, "blind: " },
		{ "memory-growth", grows_with_left, 400, NULL,
			"high/medium: |[memory left: 400M] [time until the memory that is left is "
			"used up: 1m40s]" },
		/* Foresight is a hundred intervals: 500 s at four megabytes a second. */
		{ "memory-growth", grows_with_left, 2000, NULL, "high/" },
		{ "memory-growth", grows_with_left, 2001, NULL, "medium/|!used up in" },
		{ "memory-growth", grows_in_group, 300, NULL, "high/|memory left: 150M]" },
		{ "memory-growth", grows_in_group, 100, NULL, "high/|memory left: 50.0M]" },
	};

	(void)state;
	TRY_CASES(cases);
}

static void test_growth_kinds(void **state)
{
	static const struct check_case cases[] = {
		{ "memory-growth", gains_own, 16, NULL,
			"medium/medium: memory grows in anonymous memory: 20.0 MiB more|[what "
			"grew: 16.0M more in anonymous memory, now 66.0M] [what grew: 4.0M more in "
			"file pages, now 54.0M]|<sooth heap --pages -d 30 -p 99|!(unseen: which "
			"kind" },
		{ "memory-growth", gains_own, 15, NULL, "fine: |mostly file pages" },
		{ "memory-growth", gains_unseen, SOOTH_STATE_VALUE, NULL, "medium/|!(unseen: in" },
		{ "memory-growth", gains_unseen, HIDDEN, NULL, "medium/|(unseen: which kind" },
		{ "memory-growth", runs_on, MAPS_GLIBC, NULL, "medium/|<sooth heap" },
		{ "memory-growth", runs_on, MAPS_JAVASCRIPTCORE, NULL,
			"blind: memory grew | a garbage collection may" },
		{ "memory-growth", grows_by_malloc, MAPS_V8,
			"memory-growth.collector-time=5s memory-growth.collector-share=20",
			"medium/medium: memory grows in the glibc heap: |<sooth heap --leaks -d 30 "
			"-p 99" },
		{ "memory-growth", grows_beside_heap, MAPS_V8,
			"memory-growth.collector-time=5s memory-growth.collector-share=20",
			"medium/medium: memory grows in anonymous memory outside of the JavaScript "
			"heap: 20.0 MiB more|<sooth heap --pages -d 30 -p 99" },
		{ "memory-growth", grows_beside_heap, -1, NULL,
			"medium/medium: memory grows in anonymous memory: 20.0 MiB more" },
		{ "memory-growth", grows_beside_gone, 2, NULL,
			"medium/medium: memory grows in anonymous memory: 20.0 MiB more in 5 s; 2 "
			"peers have closed their connection, which it keeps open (CLOSE_WAIT)" },
		{ "memory-growth", grows_beside_gone, 1, NULL, "medium/medium: |!CLOSE_WAIT" },
		{ "memory-growth", runs_on, MAPS_V8,
			"memory-growth.collector-time=5s memory-growth.collector-share=20",
			"medium/|(unseen: whether a full garbage|<if the process was started with "
			"node" },
		{ "memory-growth", runs_on, MAPS_GO,
			"memory-growth.collector-time=5s memory-growth.collector-share=20",
			"medium/|<if the program serves net/http/pprof" },
		{ "memory-growth", runs_on, MAPS_JAVASCRIPTCORE,
			"memory-growth.collector-time=5s memory-growth.collector-share=20",
			"medium/|<have the program write" },
		{ "memory-growth", runs_on, MAPS_V8,
			"memory-growth.collector-time=5s memory-growth.collector-share=21",
			"blind: " },
		{ "memory-growth", is_collected_for, 60, NULL, "medium/|some was freed 9 times" },
		{ "memory-growth", is_collected_for, 59, NULL,
			"blind: memory grew | a garbage collection may" },
		{ "memory-growth", collects_for, 60, NULL, "medium/" },
		{ "memory-growth", collects_for, 59, NULL, "blind: |<observe longer: --dur" },
		{ "memory-growth", climbs_with_collector, 64, NULL,
			"low/low: memory grows: 64.0 MiB more|(unseen: whether a full "
			"garbage|<sooth heap --ask-runtime -d 10 99 " },
		{ "memory-growth", heap_leaks, 20, NULL, "low/low: memory grows: 110 MiB more" },
		{ "memory-growth", heap_of_agent_leaks, 20, NULL, "blind: |too early to judge" },
		{ "memory-growth", heap_of_agent_leaks, 60, NULL, "low/low: memory grows: " },
		{ "memory-growth", heap_is_collected, 20, NULL,
			"=blind: memory grew 110 MiB in 7 s, too early to judge <try again "
			"later>\n" },
		{ "memory-growth", heap_has_started, 20, NULL, "blind: memory grew 110 MiB" },
		{ "memory-growth", heap_has_started, 60, NULL, "low/low: memory grows: " },
		{ "memory-growth", climbs_with_collector, 63, NULL, "blind: |may still free it" },
		{ "memory-growth", touches_shared, 16, NULL,
			"=blind: shared memory that was mapped before is being filled: a buffer, "
			"or a "
			"leak <observe longer: --duration 5m>\n" },
		{ "memory-growth", touches_shared, 15, NULL, "fine: |mostly file pages" },
		{ "memory-growth", maps_shared, 20, NULL,
			"medium/medium: memory grows in shared memory: |<sooth inspect --maps 99" },
		{ "memory-growth", maps_anew, 16, NULL, "medium/" },
		{ "memory-growth", maps_anew, 15, NULL,
			"=blind: memory that was mapped before is being filled: a buffer, or a "
			"leak <observe longer: --duration 5m>\n" },
		{ "memory-growth", fills_for, 60, NULL, "medium/" },
		{ "memory-growth", fills_for, 59, NULL, "blind: memory that was mapped" },
		{ "memory-growth", starts_and_has, 100, NULL,
			"low/low: |(unseen: whether the process is still starting" },
		{ "memory-growth", starts_and_has, 101, NULL, "blind: memory grew " },
		{ "memory-growth", starts_unevenly, 4.9, NULL, "low/low: " },
		{ "memory-growth", starts_unevenly, 7, NULL, "blind: memory grew " },
		{ "memory-growth", heap_climbs_by, 6, NULL, "low/low: memory grows" },
		{ "memory-growth", heap_climbs_by, 5, NULL, "blind: memory grew 5.0 MiB" },
		{ "memory-growth", heap_climbs_in, MAPS_V8, NULL, "low/low: memory grows" },
		{ "memory-growth", heap_climbs_in, MAPS_GO, NULL, "blind: memory grew 8.0 MiB" },
		{ "memory-growth", heap_climbs_at, 23.6, NULL, "low/low: memory grows" },
		{ "memory-growth", heap_climbs_at, 23.4, NULL, "blind: memory grew 8.0 MiB" },
		{ "memory-growth", heap_climbs_late, 2, NULL, "low/low: memory grows" },
		{ "memory-growth", heap_climbs_late, 1, NULL, "blind: |memory grew 10.0 MiB" },
		{ "memory-growth", heap_of_young_gains, 24576, NULL,
			"low/low: |(unseen: whether a full garbage collection" },
		{ "memory-growth", heap_of_young_gains, 24000, NULL, "blind: memory grew " },
		{ "memory-growth", heap_of_young_has, 120, NULL, "low/low: " },
		{ "memory-growth", heap_of_young_has, 122, NULL, "blind: memory grew " },
		{ "memory-growth", heap_of_old_gains, 5120, NULL, "low/low: " },
		{ "memory-growth", heap_of_old_gains, 3900, NULL, "fine: " },
		{ "memory-growth", heap_of_old_has, 64, NULL, "low/low: " },
		{ "memory-growth", heap_of_old_has, 63, NULL, "blind: 5.0 MiB more in 5 s" },
		{ "memory-growth", collects_and_gains, 50, NULL, "medium/" },
		{ "memory-growth", collects_and_gains, 49, NULL, "blind: " },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- limit-near: memory mappings --- */

static void maps_many(double mappings)
{
	for (int reading = 0; reading < 2; reading++) {
		struct maps_process p = { .record = head_of(reading * LAST_S, PID, MAPS_PROCESS),
			.mappings = (uint32_t)mappings,
			.mappings_max = 1000 };

		process_at(reading * LAST_S, (struct proc_process){ .rss_bytes = MB }, "mapper");
		all_reported(reading * LAST_S);
		for (uint32_t i = 0; i < p.mappings; i++)
			mapping_at(reading * LAST_S, 1, 0, i ? "/data/index" : NULL);
		RECORD_APPEND(&records, &p, NULL, 0);
	}
}

static void test_mappings_near_limit(void **state)
{
	static const struct check_case cases[] = {
		{ "limit-near", maps_many, 800, NULL,
			"high/high: almost out of memory mappings: 800 of 1000 in use, 799 of them "
			"/data/index; at the limit mmap, malloc and new threads fail (ENOMEM) "
			"[memory mappings: 800] [limit: 1000] [used: 80 %] <as root: sysctl "
			"vm.max_map_count=4000 raises the limit; sooth inspect --maps 99 shows "
			"what uses it>" },
		{ "limit-near", maps_many, 1002, NULL,
			"high/high: out of memory mappings: 1000 of 1000 in use, 1001 of them "
			"/data/index; mmap, malloc and new threads fail (ENOMEM)" },
		{ "limit-near", maps_many, 799, NULL, "fine: |memory mappings: 799 of 1000" },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- segments-left --- */

/* Eight more, some of which nobody has mapped any more. */
static void makes_segments(uint64_t unused_then, uint64_t unused_now, uint64_t all)
{
	is_there();
	for (int i = 0; i < 2; i++) {
		uint64_t unused = i ? unused_now : unused_then;
		struct limits_segments s = { .record = head_of(i * LAST_S, PID, LIMITS_SEGMENTS),
			.segments = 3 + (uint64_t)i * 8,
			.bytes = (3 + (uint64_t)i * 8) * MB,
			.unattached = unused,
			.unattached_bytes = unused * MB,
			.all_segments = all,
			.segments_max = 4096 };

		RECORD_APPEND(&records, &s, NULL, 0);
		limits_read(i * LAST_S, PID, (struct limits_process){ 0 });
	}
}

static void leaves_segments(double gain)
{
	makes_segments(1, 1 + (uint64_t)gain, 20);
}

static void leaves_segments_of_many(double all)
{
	makes_segments(0, 4, (uint64_t)all);
}

static void removes_segments(double unused)
{
	makes_segments((uint64_t)unused, 0, 20);
}

static void has_hidden_segments(double value)
{
	(void)value;
	is_there();
	limits_read(LAST_S, PID, (struct limits_process){ 0 });
}

static void test_segments_left(void **state)
{
	static const struct check_case cases[] = {
		{ "segments-left", leaves_segments, 4, NULL,
			"medium/high: leaves shared memory behind: 4 more System V segments in 5 s "
			"that no process uses, now 5 with 5.0 MiB|[growth: 0.80 a second over" },
		{ "segments-left", leaves_segments, 3, NULL,
			"fine: unused segments of System V shared memory: 1, then 4" },
		{ "segments-left", leaves_segments, 5, "segments-left.many=6M", "high/high: " },
		{ "segments-left", leaves_segments_of_many, 3276, NULL, "medium/high: " },
		{ "segments-left", leaves_segments_of_many, 3277, NULL, "high/high: " },
		{ "segments-left", removes_segments, 4, NULL, "fine: unused segments" },
		{ "segments-left", has_hidden_segments, 0, NULL,
			"blind: its System V shared memory was not read twice" },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- memory-pressure --- */

static void in_group(struct limits_group g, const char *name)
{
	is_there();
	group(LAST_S, PID, name, g);
	limits_read(LAST_S, PID, (struct limits_process){ .oom_score = 700 });
}

/* The group may have a thousand megabytes; these are not of files. */
static void group_holds(double megabytes)
{
	in_group((struct limits_group){ .used = (uint64_t)((megabytes + 50) * (double)MB),
			 .limit = 1000 * MB,
			 .file_bytes = 50 * MB },
		"memory");
}

/* Most of it by another process. */
static void group_is_held(double megabytes)
{
	struct limits_holder h = { .holder_pid = 72,
		.amount = (uint64_t)megabytes * MB,
		.resource = LIMITS_SHARED_MEMORY };

	used_by(LAST_S, h, "java", "/box", "");
	group_holds(950);
}

static void group_is_named(double which)
{
	static const char *const names[] = { "memory", "memory+swap", "memory-high", "swap",
		"pids" };

	in_group((struct limits_group){ .used = 950 * MB, .limit = 1000 * MB },
		names[(size_t)which]);
}

static void files_are_unknown(double state)
{
	in_group(
		(struct limits_group){
			.used = 950 * MB, .limit = 1000 * MB, .file_state = (uint8_t)state },
		"memory");
}

static void group_has_no_limit(double state)
{
	in_group(
		(struct limits_group){
			.used = 950 * MB, .limit = 1000 * MB, .limit_state = (uint8_t)state },
		"memory");
}

static void group_killed(double kills)
{
	is_there();
	for (int reading = 0; reading < 2; reading++) {
		group(reading * LAST_S, PID, "memory",
			(struct limits_group){ .used = 100 * MB,
				.limit = 1000 * MB,
				.kills = 3 + (uint64_t)(reading * kills) });
		limits_read(reading * LAST_S, PID, (struct limits_process){ .oom_score = 700 });
	}
}

static void group_waits(double percent)
{
	struct limits_pressure p = {
		.record = head_of(LAST_S, PID, LIMITS_PRESSURE), .some_10s = 99, .full_10s = percent
	};
	struct record_tail tail[] = { put_text(&p.resource, "memory"), put_text(&p.path, "/box") };

	is_there();
	RECORD_APPEND(&records, &p, tail, 2);
	group(LAST_S, PID, "memory", (struct limits_group){ .used = MB, .limit = 1000 * MB });
	limits_read(LAST_S, PID, (struct limits_process){ .oom_score = 700 });
}

/* Another one of the group, which was asked about too. */
/* A limit of 48 MB, used nearly all by file pages; `hits` and `faults` in a second. */
static void hits_limit(const char *name, double hits, double faults)
{
	is_there();
	for (int reading = 0; reading < 2; reading++) {
		group(reading * LAST_S, PID, name,
			(struct limits_group){ .used = 48 * MB,
				.limit = 48 * MB,
				.file_bytes = 46 * MB,
				.reached = 1000 + (uint64_t)(reading * LAST_S * hits) });
		limits_read(reading * LAST_S, PID, (struct limits_process){ .oom_score = 700 });
	}
	thread((struct thread_made){ .cpu = 20, .major_faults = faults });
	threads_read(1);
}

static void faults_at_limit(double faults)
{
	hits_limit("memory", 60000, faults);
}

static void faults_at_high(double hits)
{
	hits_limit("memory-high", hits, 160);
}

static void other_has_score(double score)
{
	struct limits_group g = { .used = 950 * MB, .limit = 1000 * MB };

	ask_for(PID, 200);
	for (int i = 0; i < LOOKS; i++) {
		process_at(i, (struct proc_process){ 0 }, "thing");
		process_at(i, (struct proc_process){ .record.pid = 200 }, "other");
		all_reported(i);
	}
	group(LAST_S, PID, "memory", g);
	limits_read(LAST_S, PID, (struct limits_process){ .oom_score = 700 });
	group(LAST_S, 200, "memory", g);
	limits_read(LAST_S, 200,
		(struct limits_process){ .oom_score = (int64_t)score,
			.oom_score_adjustment = score < 0 ? -1000 : 0 });
}

static void groups_are_hidden(double state)
{
	is_there();
	limits_read(LAST_S, PID, (struct limits_process){ .groups_state = (uint8_t)state });
}

static void host_has_left(double available_mb)
{
	is_there();
	host_memory(available_mb, (struct host_memory){ .swap_free_bytes = 10 * MB });
}

static void host_has_no_swap(double available_mb)
{
	is_there();
	host_memory(available_mb, (struct host_memory){ .swap_free_bytes = 0 });
}

static void host_waits(double percent)
{
	is_there();
	host_memory(900, (struct host_memory){ .some_10s = 99, .full_10s = percent });
}

static void host_pressure_is_hidden(double state)
{
	is_there();
	host_memory(900, (struct host_memory){ .full_10s = 50, .pressure_state = (uint8_t)state });
}

static void host_is_hidden(double state)
{
	is_there();
	host_memory(10, (struct host_memory){ .available_state = (uint8_t)state });
}

static void test_pressure(void **state)
{
	static const struct check_case cases[] = {
		{ "memory-pressure", group_holds, 900, NULL,
			"=high/high: the control group is almost out of memory: 900 MiB of 1000 "
			"MiB in use; at the limit the kernel kills a process [control group: /box] "
			"[limit: 1000M] [memory in use, not counting file pages: 900M] [used: 90 "
			"%] [file pages: 50.0M] [limit hits: 0] [processes of the control group "
			"killed for lack of memory, ever: 0] [killed first: thing (99), oom_score "
			"700, "
			"highest of 1 sampled] (unseen: how long tasks of the control group waited "
			"for memory: the kernel does not record it) (unseen: whether a process "
			"that was not sampled has a higher oom_score) <end processes that are not "
			"needed (sooth ps --sort -rss lists the largest), or raise the limit "
			"(docker update --memory 8g CONTAINER, systemctl set-property UNIT "
			"MemoryMax=8G)>\n" },
		{ "memory-pressure", group_holds, 899, NULL,
			"=fine: memory in use: 90 % of the limit of the control group\n" },
		{ "memory-pressure", group_holds, 979, NULL, "high/high: " },
		{ "memory-pressure", group_is_held, 800, NULL,
			"high/high: the control group is almost out of memory: 950 MiB of 1000 MiB "
			"in use; java (72) has 800 MiB; at the limit the kernel kills a process" },
		{ "memory-pressure", group_holds, 980, NULL, "critical/high: " },
		{ "memory-pressure", group_is_named, 0, NULL, "high/high: |used: 95 %" },
		{ "memory-pressure", group_is_named, 1, NULL, "high/" },
		{ "memory-pressure", group_is_named, 2, NULL, "high/" },
		{ "memory-pressure", group_is_named, 3, NULL,
			"=fine: the control group has no memory limit\n" },
		{ "memory-pressure", group_is_named, 4, NULL, "fine: " },
		{ "memory-pressure", files_are_unknown, HIDDEN, NULL,
			"high/low: |(unseen: how much of this memory is file pages" },
		{ "memory-pressure", group_has_no_limit, SOOTH_STATE_ABSENT, NULL,
			"fine: the control group has no memory limit" },
		{ "memory-pressure", group_killed, 1, NULL,
			"high/high: out of memory: 1 process of the control group was "
			"killed|[processes of the control group killed during the observation: 1 "
			"over 5.00s]" },
		{ "memory-pressure", group_killed, 2, NULL,
			"high/high: out of memory: 2 processes of |were" },
		{ "memory-pressure", group_killed, 0, NULL, "fine: memory in use: 10 % of" },
		{ "memory-pressure", group_waits, 15, NULL,
			"medium/high: all processes of the control group wait for memory, 15 "
			"%|[share of the time in which some tasks waited for memory: 99 % over "
			"10.0s]" },
		{ "memory-pressure", group_waits, 14, NULL, "fine: " },
		{ "memory-pressure", faults_at_limit, 160, NULL,
			"=medium/medium: its control group is at its memory limit of 48.0 MiB: 160 "
			"major faults a second, the limit was hit 300000 times in 5 s [control "
			"group: /box] [limit: 48.0M] [memory in use: 48.0M] [file pages: 46.0M] "
			"[limit hits: 60000 a second over 5.00s] [major faults: 160 a second over "
			"5.00s] (unseen: whether the process reads the same pages again: a file "
			"that it reads once through a mapping looks the same) <raise the memory "
			"limit of /box (docker update --memory 8g CONTAINER, systemctl "
			"set-property UNIT MemoryMax=8G), or let the process use less memory>\n" },
		{ "memory-pressure", faults_at_limit, 30, NULL, "medium/medium: " },
		{ "memory-pressure", faults_at_limit, 29, NULL,
			"fine: memory in use: 4 % of the limit" },
		{ "memory-pressure", faults_at_limit, 0, NULL, "fine: " },
		{ "memory-pressure", faults_at_high, 5, NULL,
			"medium/medium: |, the limit was hit 25 times in 5 s" },
		{ "memory-pressure", faults_at_high, 4, NULL, "fine: " },
		{ "memory-pressure", other_has_score, 700, NULL, "high/|of 2 sampled" },
		{ "memory-pressure", other_has_score, 701, NULL,
			"=fine: reported for 200, which would be killed first\n" },
		{ "200 memory-pressure", other_has_score, 701, NULL, "high/" },
		{ "200 memory-pressure", other_has_score, 700, NULL, "fine: |reported for 99" },
		{ "memory-pressure", other_has_score, -1, NULL, "high/|of 2 sampled" },
		{ "memory-pressure", groups_are_hidden, HIDDEN, NULL, "blind: " },
		{ "memory-pressure", host_has_left, 0, NULL, "blind: " },
		{ "host memory-pressure", host_has_left, 50, NULL,
			"=high/high: the host is almost out of memory: 50.0 MiB of 1000 MiB left; "
			"when nothing is left, the kernel kills a process [total memory: 1000M] "
			"[available memory: 50.0M] [used: 95 %] [free swap: 10.0M] [share of the "
			"time in which some tasks waited for memory: 0 % over 10.0s] [share of the "
			"time in which all tasks waited for memory: 0 % over 10.0s] (unseen: which "
			"process the kernel would kill first: no oom_score was read) <end "
			"processes that are not needed: sooth ps -a --sort -rss lists the "
			"largest>\n" },
		{ "host memory-pressure", host_has_left, 51, NULL,
			"=fine: 95 % of the host's memory in use\n" },
		{ "host memory-pressure", host_has_left, 20, NULL, "high/" },
		{ "host memory-pressure", host_has_no_swap, 20, NULL, "critical/" },
		{ "host memory-pressure", host_has_no_swap, 21, NULL, "high/" },
		{ "host memory-pressure", host_has_left, 1200, NULL, "fine: 0 %" },
		{ "host memory-pressure", host_waits, 15, NULL,
			"medium/high: all processes on the host wait for memory, 15 %" },
		{ "host memory-pressure", host_waits, 14, NULL, "fine: 10 %" },
		{ "host memory-pressure", host_pressure_is_hidden, HIDDEN, NULL, "fine: 10 %" },
		{ "host memory-pressure", host_is_hidden, HIDDEN, NULL, "blind: " },
		{ "host memory-pressure", grows, 0, NULL, "blind: " },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- a Java heap --- */

static void has_java_heap(double last_mb, uint64_t collections)
{
	grows(0);
	add_source("maps");
	for (int i = 0; i < 2; i++) {
		double s = i * (LOOKS - 1);
		struct maps_managed_heap h = { .record = head_of(s, PID, MAPS_MANAGED_HEAP),
			.old_bytes = (i ? (uint64_t)last_mb : 20) << 20,
			.collections = 5 + (i ? collections : 0) };
		struct maps_process end = { .record = head_of(s, PID, MAPS_PROCESS) };

		RECORD_APPEND(&records, &h, NULL, 0);
		RECORD_APPEND(&records, &end, NULL, 0);
	}
}

static void keeps_in_java(double last_mb)
{
	has_java_heap(last_mb, 2);
}

static void keeps_in_one_collection(double last_mb)
{
	has_java_heap(last_mb, 1);
}

static void test_java_heap(void **state)
{
	static const struct check_case cases[] = {
		{ "memory-growth", keeps_in_java, 24, NULL,
			"low/medium: the Java heap keeps more after each collection: 20.0 MiB, "
			"then 24.0 MiB in the old generation, after 2 collections" },
		{ "memory-growth", keeps_in_java, 23, NULL, "fine: " },
		{ "memory-growth", keeps_in_one_collection, 30, NULL, "fine: " },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- output-unread --- */

struct output {
	uint64_t before, queued, taken; /* bytes in the socket, and read by the peer meanwhile */
	uint64_t gained_mb;
};

static void sends(const struct output *o)
{
	is_there();
	for (int reading = 0; reading < 2; reading++) {
		mapping_at(reading * LAST_S, 500 + reading * o->gained_mb,
			50 + reading * o->gained_mb, NULL);
		maps_read(reading * LAST_S, -1, SOOTH_STATE_VALUE);
	}
	connection((struct sockets_socket){ .send_queue_bytes = o->before, .sent_bytes = 1000 },
		(struct sockets_socket){
			.send_queue_bytes = o->queued, .sent_bytes = 1000 + o->taken });
}

static void sends_of(double queued)
{
	sends(&(struct output){ 1 << 20, (uint64_t)queued, 0, 10 });
}

static void sends_after(double before)
{
	sends(&(struct output){ (uint64_t)before, 64 << 10, 0, 10 });
}

static void sends_beside(double taken)
{
	sends(&(struct output){ 64 << 10, 64 << 10, (uint64_t)taken, 10 });
}

static void sends_and_gains(double megabytes)
{
	sends(&(struct output){ 64 << 10, 64 << 10, 0, (uint64_t)megabytes });
}

static void test_output_unread(void **state)
{
	static const struct check_case cases[] = {
		{ "output-unread", sends_of, 32 << 10, NULL,
			"medium/medium: 10.0.0.1:443 does not read what it is sent, and this "
			"process keeps the rest in its memory: 10.0 MiB more in 5 s|<look at the "
			"peer" },
		{ "output-unread", sends_of, (32 << 10) - 1, NULL, "fine: its peers read" },
		{ "output-unread", sends_after, 32 << 10, NULL, "medium/" },
		{ "output-unread", sends_after, (32 << 10) - 1, NULL, "fine: its peers read" },
		{ "output-unread", sends_beside, 4096, NULL, "medium/" },
		{ "output-unread", sends_beside, 4097, NULL, "medium/medium: |reads only slowly" },
		{ "output-unread", sends_beside, 1 << 20, NULL, "medium/medium: |reads only" },
		{ "output-unread", sends_beside, (1 << 20) + 1, NULL, "fine: its peers read" },
		{ "output-unread", sends_and_gains, 1, NULL, "medium/" },
		{ "output-unread", sends_and_gains, 0, NULL, "fine: a peer does not read, and" },
		{ "output-unread", sends_and_gains, 1, "output-unread.min-rate=210000", "fine: " },
	};

	(void)state;
	TRY_CASES(cases);
}

/* A thing (99) that sends to a node (77), which is in that state. */
static void sends_to(char state)
{
	struct waits_snapshot end = { .record = head_of(LAST_S, PID, WAITS_SNAPSHOT) };

	begin_stream();
	add_source("waits");
	ask_for(PID, 77);
	for (int i = 0; i < LOOKS; i++) {
		process_at(i, (struct proc_process){ .descriptors = 10 }, "thing");
		process_at(i, (struct proc_process){ .record.pid = 77, .state = state }, "node");
		all_reported(i);
	}
	for (int reading = 0; reading < 2; reading++) {
		mapping_at(reading * LAST_S, 500 + reading * 10, 50 + reading * 10, NULL);
		maps_read(reading * LAST_S, -1, SOOTH_STATE_VALUE);
	}
	connection((struct sockets_socket){ .send_queue_bytes = 64 << 10, .fd = 7 },
		(struct sockets_socket){ .send_queue_bytes = 64 << 10, .fd = 7 });
	put_peer(LAST_S, (struct waits_peer){ .unread_bytes = 64 << 10, .fd = 7 });
	RECORD_APPEND(&records, &end, NULL, 0);
}

/* The number of causes, the first one, and what follows from it. */
static void expect_causes(size_t count, const char *first, const char *effect)
{
	const struct batch batch = { records.data, records.size };
	struct check_settings set;
	struct findings_options options = { .settings = &set };
	struct diagnosis diagnosis = { 0 };
	struct buffer text = { 0 };
	struct sooth_error err;
	struct causes causes;

	check_settings_init(&set);
	assert_int_equal(diagnosis_init(&diagnosis, &options, &err), 0);
	diagnosis_input_add_batch(&diagnosis.input, &batch);
	assert_int_equal(diagnosis_run(&diagnosis, &err), 0);
	assert_int_equal(causes_find(&causes, &diagnosis, NULL), 0);
	assert_int_equal(causes.sick, count);
	cause_put(&causes.all[0], &diagnosis, &text);
	assert_ptr_equal(strstr(buffer_cstr(&text), first), buffer_cstr(&text));
	buffer_reset(&text);
	assert_int_equal(causes.all[0].victim_count, *effect ? 1 : 0);
	if (*effect)
		cause_put_effect(&causes.all[0], &diagnosis, 0, &text);
	assert_ptr_equal(strstr(buffer_cstr(&text), effect), buffer_cstr(&text));
	causes_fini(&causes);
	diagnosis_fini(&diagnosis);
	buffer_fini(&text);
}

/* What is wrong with the reader is the cause; a reader of which nothing is found is none. */
static void test_unread_follows_its_reader(void **state)
{
	(void)state;
	sends_to('T');
	expect_causes(1, "node 77: stopped by SIGSTOP",
		"  consequence: thing 99: node (77) on 10.0.0.1:443 does not read what it is sent, "
		"and this process keeps the rest in its memory: 10.0 MiB more");
	sends_to('S');
	expect_causes(1, "thing 99: node (77) on 10.0.0.1:443 does not read", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_output_unread),
		cmocka_unit_test(test_unread_follows_its_reader),
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_growth_kinds),
		cmocka_unit_test(test_mappings_near_limit),
		cmocka_unit_test(test_segments_left),
		cmocka_unit_test(test_pressure),
		cmocka_unit_test(test_java_heap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
