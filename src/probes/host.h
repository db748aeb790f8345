/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host: samples of the machine: load, memory, pressure, and the tracers that the caller can use.
 * Its records belong to no process.
 */
#pragma once

#include <stddef.h>

#include <sooth/field.h>
#include <sooth/record.h>

enum host_kind {
	HOST_LOAD = 0x0c00,
	HOST_MEMORY = 0x0c01,
	HOST_TRACER = 0x0c02, /* recorded once, at the start */
	HOST_CPU = 0x0c03,    /* record of each online CPU */
	HOST_LIMIT = 0x0c04,
};

struct host_load {
	struct sooth_record record;
	double load_1m, load_5m, load_15m; /* tasks that run or wait uninterruptibly, averaged */
	double cpu_some_10s;		   /* pressure: percent of time that something waited */
	double io_some_10s, io_full_10s;
	uint64_t uptime_ns;
	uint32_t running, tasks; /* threads: ready to run, existing */
	uint32_t cpus;		 /* in use */
	uint8_t load_state, uptime_state;
	uint8_t cpu_state, io_state; /* states of the pressure of CPU and I/O */
	/* Older captures have nothing from here on. */
	uint64_t forks; /* processes and threads started since the host booted */
	uint8_t forks_state;
	uint8_t tasks_state; /* state of running and tasks */
	uint8_t unused[6];
};

#define HOST_LOAD_LEAST 104
_Static_assert(HOST_LOAD_LEAST == offsetof(struct host_load, forks), "records only grow");

/* Times since the host booted; idle_ns includes the time in which a CPU waited for I/O. */
struct host_cpu {
	struct sooth_record record;
	uint64_t busy_ns, idle_ns;
	uint32_t number;
	uint32_t unused;
};

/* A resource that all processes of the host share. */
enum host_resource {
	HOST_TERMINALS, /* pseudo terminals */
	HOST_TASKS,	/* processes and threads */
	HOST_FILES,	/* open files */
	HOST_RESOURCES,
};
extern const struct sooth_names host_resource_names;

struct host_limit {
	struct sooth_record record;
	uint64_t used, limit;
	uint32_t resource; /* enum host_resource */
	uint32_t unused;
};

struct host_memory {
	struct sooth_record record;
	uint64_t total_bytes, free_bytes;
	uint64_t available_bytes; /* memory that programs can get without swapping */
	uint64_t swap_total_bytes, swap_free_bytes;
	double some_10s, full_10s; /* pressure */
	uint8_t memory_state;	   /* state of total and free */
	uint8_t available_state, swap_state, pressure_state;
	uint8_t unused[4];
};

/* The processes that the caller can watch with a tracer now. */
enum host_reach {
	HOST_REACH_NOTHING,
	HOST_REACH_STARTED, /* the tracer reaches only processes that it starts */
	HOST_REACH_OWN,	    /* processes of the caller's user */
	HOST_REACH_ALL,
	HOST_REACHES,
};
extern const struct sooth_names host_reach_names;

struct host_tracer {
	struct sooth_record record;
	uint8_t reach; /* enum host_reach */
	uint8_t path_state, version_state;
	uint8_t missing_state; /* absent: nothing is missing */
	uint8_t unused[4];
	struct sooth_text name;
	struct sooth_text path;
	struct sooth_text version; /* version of the package that it belongs to */
	struct sooth_text purpose;
	struct sooth_text need;	   /* privilege, in words */
	struct sooth_text missing; /* privilege or option that is missing to reach more */
};
