/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The kinds that every stream has, whatever is probed: the observer and the observed processes,
 * begin and end, losses, limits, cost, and the starts and exits of the target's processes. Shared
 * with the kernel side.
 *
 * Kind numbers are part of the capture format: 0x00NN here, one high byte for each probe. A number
 * never gets a new meaning. A kind with the bit 0x80 is a definition: it is repeated at the head of
 * each segment.
 */
#pragma once

#include <sooth/record.h>

#define KIND_DEFINITION	 0x0080
#define KIND_STREAM_LAST 0x00ff /* kinds above belong to probes */

enum stream_kind {
	STREAM_SEGMENT = 0x0081, /* definition: host, versions, clocks */
	STREAM_SCHEMA = 0x0082,	 /* definition: a kind, its name and fields */
	STREAM_SOURCE = 0x0083,	 /* definition: probe, backend, why no better backend works */
	STREAM_TARGET = 0x0084,	 /* definition: the requested target */
	STREAM_BEGIN = 0x0085,	 /* definition: observation starts */
	STREAM_AGENT = 0x0086,	 /* definition: an agent that the user has defined */
	STREAM_END = 0x0006,	 /* observation ends, and why */
	STREAM_TICK = 0x0007,
	STREAM_LOSS = 0x0008,
	STREAM_LIMIT = 0x0009, /* something that sooth could not see */
	STREAM_SELF = 0x000a,  /* what the collector cost so far */
	STREAM_MARK = 0x000b,  /* a phase begins, or recording was paused or resumed, on request */
	PROCESS_JOIN = 0x0010, /* a process joined the target */
	PROCESS_EXEC = 0x0011,
	PROCESS_LEAVE = 0x0012,
};

struct stream_segment {
	struct sooth_record record;
	int64_t realtime_offset_ns; /* CLOCK_REALTIME - CLOCK_MONOTONIC */
	int64_t boottime_offset_ns; /* CLOCK_BOOTTIME - CLOCK_MONOTONIC */
	uint64_t memory_bytes;
	uint32_t cpus;
	uint32_t page_bytes;
	uint32_t ticks_per_s;
	uint32_t format; /* version of the capture format */
	struct sooth_text sooth_version;
	struct sooth_text hostname;
	struct sooth_text os;
	struct sooth_text os_version;
	struct sooth_text architecture;
	struct sooth_text boot_id;
};

struct stream_schema {
	struct sooth_record record;
	uint32_t kind;
	uint32_t class_;
	struct sooth_text name;
	struct sooth_text fields; /* lines of "name type unit offset size state_offset" */
};

struct stream_source {
	struct sooth_record record;
	uint32_t source;
	uint16_t others_ns; /* cost of one call to another process, as bench/ measured it */
	uint8_t others_state;
	uint8_t unused;
	struct sooth_text probe;
	struct sooth_text backend;
	struct sooth_text fallback_reason; /* why no better backend runs; empty: the best runs */
};

struct stream_target {
	struct sooth_record record;
	struct sooth_text pids;	    /* list */
	struct sooth_text command;  /* args, masked; of a launched command or the one pid */
	struct sooth_text selector; /* "pid", "command", "user 1000", "host" */
};

struct stream_begin {
	struct sooth_record record;
};

/* The text of a file in which the user defines an agent, without comments: a capture explains
 * itself on other hosts. */
struct stream_agent {
	struct sooth_record record;
	struct sooth_text file; /* file name, without folders */
	struct sooth_text text; /* text as recognize/agent_text.h reads it */
};

enum stream_end_reason {
	STREAM_END_DURATION = 1, /* the requested time is over */
	STREAM_END_TARGET = 2,	 /* every process of the target ended */
	STREAM_END_STOPPED = 3,	 /* stopped on request */
};

struct stream_end {
	struct sooth_record record;
	uint32_t reason;
	int32_t child_status; /* wait status of a launched command, -1: none or still running */
};

struct stream_tick {
	struct sooth_record record;
	int64_t realtime_offset_ns;
};

struct stream_loss {
	struct sooth_record record;
	uint64_t from_ns;
	uint64_t records;
	uint64_t bytes;
	struct sooth_text source; /* probe, or part of sooth */
	struct sooth_text reason;
};

struct stream_limit {
	struct sooth_record record;
	struct sooth_text what;
	struct sooth_text reason;
	struct sooth_text remedy;
};

struct stream_self {
	struct sooth_record record;
	uint64_t cpu_ns;
	uint64_t rss_bytes;
	uint64_t records; /* records of the stream before this block */
	uint64_t bytes;
};

enum stream_mark_what {
	STREAM_MARK_PHASE = 1,
	STREAM_MARK_PAUSE = 2,
	STREAM_MARK_RESUME = 3,
	STREAM_MARK_SNAPSHOT = 4, /* everything up to this time is reported */
};

#define STREAM_MARK_MAX 255 /* bytes of a name */

struct stream_mark {
	struct sooth_record record;
	uint32_t what;
	uint32_t unused;
	struct sooth_text name; /* name of the phase that begins; else empty */
};

#define PROCESS_NAME_SIZE 16 /* TASK_COMM_LEN */

struct process_join {
	struct sooth_record record; /* the child */
	uint64_t parent_start_ticks;
	uint32_t parent_pid;
	uint32_t unused;
	char name[PROCESS_NAME_SIZE];
};

#define PROCESS_ARGUMENTS_MAX 511 /* bytes of a command line */

struct process_exec {
	struct sooth_record record;
	char name[PROCESS_NAME_SIZE];
	/* Older captures have nothing from here on. */
	struct sooth_text arguments; /* arguments with NULs between, masked */
	uint8_t arguments_state;
	uint8_t unused[7];
};

#define PROCESS_EXEC_LEAST 48

struct process_leave {
	struct sooth_record record;
	uint32_t status; /* status as wait() gives it */
	uint8_t status_state;
	uint8_t unused[3];
	char name[PROCESS_NAME_SIZE];
};
