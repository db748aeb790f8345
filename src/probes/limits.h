/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * limits: the limits of a process and how much of each is used: resource limits, limits and use of
 * its control groups, pressure, its OOM score. LIMITS_PROCESS ends the records of one snapshot.
 */
#pragma once

#include <stddef.h>

#include <sooth/field.h>
#include <sooth/record.h>

enum limits_kind {
	LIMITS_RESOURCE = 0x0a00,
	LIMITS_GROUP = 0x0a01,
	LIMITS_PRESSURE = 0x0a02,
	LIMITS_PROCESS = 0x0a03, /* ends the records of one snapshot */
	LIMITS_SEGMENTS = 0x0a04,
	LIMITS_HOLDER = 0x0a05,
};

/* A resource that processes use together, and whose limit is near. */
enum limits_shared {
	LIMITS_SHARED_CPU,	 /* CPU time of a control group; `amount` is unset */
	LIMITS_SHARED_MEMORY,	 /* memory of a control group, bytes */
	LIMITS_SHARED_TASKS,	 /* processes and threads of a control group */
	LIMITS_SHARED_CPUS,	 /* CPUs that the process may run on; `amount` is unset */
	LIMITS_SHARED_WATCHES,	 /* inotify watches of one user in one user namespace */
	LIMITS_SHARED_INSTANCES, /* inotify instances of one user in one user namespace */
	LIMITS_SHARED_PORTS,	 /* connections to one peer */
	LIMITS_SHARED_SPACE,	 /* space of a full file system, bytes of one file */
	LIMITS_SHARED_MOUNT,	 /* another process on that full file system; `amount` is unset */
	LIMITS_SHARED_TERMINALS, /* pseudo terminals that a process of this mount namespace runs */
	LIMITS_SHARED,
};
extern const struct sooth_names limits_shared_names; /* names by enum limits_shared */

enum limits_unit { LIMITS_NUMBER, LIMITS_BYTES, LIMITS_SECONDS, LIMITS_MICROSECONDS, LIMITS_UNITS };
extern const struct sooth_names limits_unit_names; /* names by enum limits_unit */

/* One resource limit of getrlimit(2). */
struct limits_resource {
	struct sooth_record record;
	uint64_t soft, hard;
	uint64_t used;
	uint32_t unit;			/* enum limits_unit */
	uint8_t soft_state, hard_state; /* absent: unlimited */
	uint8_t used_state;		/* absent: the limit has no use to compare */
	uint8_t unused;
	struct sooth_text name; /* name as `prlimit` has it: "NOFILE" */
};

/* One resource of a control group: its use and its limit. */
struct limits_group {
	struct sooth_record record;
	uint64_t used;
	uint64_t limit;
	uint64_t peak;	  /* the most that was used */
	uint64_t reached; /* times that use reached the limit */
	uint64_t kills;	  /* processes that the kernel killed because this resource ran out */
	uint32_t version; /* 1 or 2 */
	uint32_t unit;	  /* enum limits_unit */
	uint8_t used_state, limit_state; /* limit absent: none set */
	uint8_t peak_state, reached_state, kills_state;
	uint8_t is_inherited; /* path and values are of an ancestor group, which has a limit */
	uint8_t unused[2];
	struct sooth_text name; /* "memory", "memory+swap", "swap", "memory-high", "pids", "cpu" (us
				   a second), "io-read", "io-write" (bytes a
				   second, of the device with the least) */
	struct sooth_text path; /* path of the group in its hierarchy */
	/* Older captures have nothing from here on. */
	uint64_t file_bytes; /* files' pages in `used`, which the kernel frees when needed */
	uint8_t file_state;  /* state of file_bytes; absent: the resource is not memory */
	uint8_t unused2[7];
};

#define LIMITS_GROUP_LEAST 104
_Static_assert(LIMITS_GROUP_LEAST == offsetof(struct limits_group, file_bytes), "only grows");

/* Pressure stall information: share of time that some, or all, tasks waited. */
struct limits_pressure {
	struct sooth_record record;
	double some_10s, some_60s, some_300s; /* percent */
	double full_10s, full_60s, full_300s;
	uint8_t full_state; /* absent for the cpu of the host, which has no such value */
	uint8_t is_host;    /* the pressure is of the host, else of the process's control group */
	uint8_t unused[6];
	struct sooth_text resource; /* "cpu", "memory", "io" */
	struct sooth_text path;	    /* path of the group; empty: the host */
};

/* Segments of System V shared memory (shmget(2)) that the process created and that still exist.
 * None of this: it is in another IPC namespace, or may not be looked at. */
struct limits_segments {
	struct sooth_record record;
	uint64_t segments, bytes;
	uint64_t unattached, unattached_bytes; /* segments of these that no process has mapped */
	uint64_t all_segments;		       /* segments of all processes */
	uint64_t segments_max;		       /* kernel.shmmni; 0: not read */
};

/* A process that uses a shared resource whose limit is near: the observed process, or another one.
 * Recorded at the end of an interval. */
struct limits_holder {
	struct sooth_record record; /* the observed process */
	uint64_t amount;
	uint64_t holder_start_ticks;
	uint32_t holder_pid; /* 0: no process has it: a connection in TIME_WAIT, closed files */
	uint32_t count;	     /* files; `amount` is the sum of their sizes */
	uint32_t unread;     /* other processes, which were not read */
	uint8_t resource;    /* enum limits_shared */
	uint8_t is_deleted;  /* the file has no name any more */
	uint8_t unused[2];
	char holder_name[16];	 /* comm */
	struct sooth_text place; /* control group, list of CPUs, peer, mount point */
	struct sooth_text path;	 /* path of the file for space, "cache-*.html" for several; for a
				  * process  limit: the script */
};

struct limits_process {
	struct sooth_record record;
	int64_t oom_score;		 /* higher ones are killed first; proc_pid_oom_score(5) */
	int64_t oom_score_adjustment;	 /* -1000: never */
	uint64_t memory_available_bytes; /* memory available on the host */
	uint64_t memory_bytes;
	uint8_t oom_state;
	uint8_t resources_state;
	uint8_t groups_state;
	uint8_t pressure_state; /* reason why there is no pressure */
	uint8_t memory_state;
	uint8_t unused[3];
};
