/* SPDX-License-Identifier: BSD-2-Clause */
/* Parsers for files of limits: /proc/PID/limits, /proc/pressure, those of control groups. */
#pragma once

#include "base/cursor.h"
#include "probes/limits.h"

/* Source of the used amount of a limited resource. */
enum limits_use {
	LIMITS_USE_NONE,    /* nothing counts against the limit */
	LIMITS_USE_UNKNOWN, /* the amount is expensive or impossible to read */
	LIMITS_USE_CPU,
	LIMITS_USE_FDS,
	LIMITS_USE_SIGNALS,
	LIMITS_USE_STATUS, /* a line of /proc/PID/status, in kB */
};

/* A line of /proc/PID/limits. */
struct limits_line {
	struct span name; /* "NOFILE"; an unknown one as in the file */
	uint64_t soft, hard;
	bool has_soft, has_hard; /* false: unlimited */
	enum limits_unit unit;
	enum limits_use use;
	const char *status; /* the name of the line, with its colon */
};

bool limits_line_parse(struct limits_line *out, struct span line);

struct pressure_line {
	bool is_full; /* else "some" */
	double share_10s, share_60s, share_300s;
};

bool pressure_line_parse(struct pressure_line *out, struct span line);
/* A field's state, from 0 or the negative errno of reading a pressure file. */
uint8_t pressure_state(int status);

/* A line of /proc/sysvipc/shm; false: its title, or invalid. */
struct segment_line {
	uint64_t bytes;
	uint32_t creator;  /* pid */
	uint64_t attached; /* number of processes that map the segment */
	uint64_t change_s; /* time of creation or change of owner, s since 1970 */
};

bool segment_line_parse(struct segment_line *out, struct span line);

/* Parses a file with a single value; false: invalid. "max" and the kernel's values for "no limit"
 * become UINT64_MAX. */
bool group_value_parse(uint64_t *value, const void *data, size_t size);
/* Parses the value after a word in a file with lines of "word value". */
bool group_event_parse(uint64_t *value, const char *word, const void *data, size_t size);
/* Parses cpu.max: "max 100000" or "50000 100000"; the limit is in microseconds per second. */
bool group_cpu_parse(uint64_t *limit, const void *data, size_t size);
/* Parses the least limit of all devices; UINT64_MAX: none is set. A line is "8:0 1048576", or with
 * a word such as "wbps": "8:0 rbps=max wbps=1048576 riops=max wiops=max" (io.max). */
bool group_io_parse(uint64_t *limit, const char *word, const void *data, size_t size);

/* A line of /proc/PID/cgroup: "4:memory:/path", "0::/path". */
struct group_line {
	struct span controllers; /* empty: version 2 */
	struct span path;
};

bool group_line_parse(struct group_line *out, struct span line);
/* Returns whether a list "cpu,cpuacct" has the word. */
bool group_list_has(struct span list, const char *word);

/* A line of /proc/PID/mountinfo; paths are not unescaped: a blank is \040. */
struct group_mount_line {
	struct span root, point, type, options;
};

bool group_mount_parse(struct group_mount_line *out, struct span line);
