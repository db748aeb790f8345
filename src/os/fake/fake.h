/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An operating system driven by a script, for tests: its clock moves only when the test moves it,
 * its processes do what the test says, and the observer sees that through the same struct backend
 * as on a real system. All state is in os->script, so a test may have several.
 *
 * Like a real kernel it follows forks itself, counts or streams according to the interest in a
 * process, and hands counts over when they are complete: when the process ends, when it is no
 * longer followed, when the source stops.
 */
#pragma once

#include <sooth/field.h>
#include "os/os.h"
#include "probes/heap.h"

#define FAKE_START_NS	   (1000 * (uint64_t)1000000000)
#define FAKE_PROCESSES_MAX 256
#define FAKE_MEMORY_BYTES  ((uint64_t)8 << 30)

struct fake;

/* A process as the test may change it at any time; texts are borrowed. */
struct fake_process {
	struct process_id id;
	uint32_t ppid, uid;
	char name[PROCESS_NAME_SIZE];
	bool is_alive;
	bool is_before_exec; /* launched, not yet released */
	bool is_refused;     /* watching it is refused */
	int status;	     /* status as wait() returns it, once it ended */
	/* Read by the proc probe. */
	uint64_t cpu_ns, rss_bytes, vsz_bytes;
	uint32_t threads, descriptors;
	char state;
	bool is_deleted;
	uint8_t arguments_state, executable_state, directory_state;
	const char *arguments; /* NUL-separated */
	size_t arguments_size;
	const char *executable;
	const char *directory;
};

/* A system call that returns now. */
struct fake_call {
	uint32_t tid; /* 0: the main thread */
	uint32_t number;
	uint16_t abi;
	int64_t result;
	uint64_t duration_ns;
	bool never_returns; /* exit */
	const char *path;   /* the first argument, if it is a path */
};

/* Steps that can be made to fail: a step fails with the code until the code is set to 0. */
enum fake_step {
	FAKE_NEED_SCRIPTED, /* the need of syscalls/scripted */
	FAKE_NEED_SECOND,
	FAKE_OPEN,
	FAKE_SET,
	FAKE_START,
	FAKE_DRAIN,
	FAKE_STOP,
	FAKE_RELEASE, /* the exec of a launched command */
	FAKE_STEPS,
};

/* Requests to backends, summed over all sources. */
struct fake_counts {
	unsigned opened, started, stopped, closed;
	unsigned sets;	  /* number of calls of set() of the syscalls backends */
	unsigned samples; /* samples of proc */
	unsigned pausing; /* sources opened that may pause a command */
};

/* Makes a fake system; NULL: out of memory. */
struct fake *fake_new(void);
void fake_free(struct fake *f);
const struct os *fake_os(const struct fake *f);
const struct fake_counts *fake_counts(const struct fake *f);
void fake_fail(struct fake *f, enum fake_step step, int code);

uint64_t fake_now(const struct fake *f);
void fake_advance(struct fake *f, uint64_t ns);
/* Sets CLOCK_REALTIME: its distance to the monotonic clock changes. */
void fake_set_realtime_offset(struct fake *f, int64_t ns);
/* Sets a function that is called while the observer waits, after the clock moved by its timeout.
 * Its result is that of the wait: 0, or -EINTR. */
void fake_on_wait(struct fake *f, int (*hook)(void *user), void *user);

/* Sets a function that is called once, at the next request to a syscalls backend to follow or
 * release a process. */
void fake_on_set(struct fake *f, void (*hook)(void *user), void *user);

/* --- processes --- */

struct fake_process *fake_add(struct fake *f, uint32_t pid, uint32_t uid, const char *name);
struct fake_process *fake_find(struct fake *f, uint32_t pid); /* the youngest with that pid */
struct fake_process *fake_fork(struct fake *f, struct fake_process *parent, uint32_t pid);
void fake_exec(struct fake *f, struct fake_process *p, const char *name);
void fake_call(struct fake *f, struct fake_process *p, const struct fake_call *call);
/* Adds an allocation. `call` has everything but its header, which is filled in here: now, in the
 * main thread. */
void fake_allocate(struct fake *f, struct fake_process *p, const struct heap_call *call);
void fake_end(struct fake *f, struct fake_process *p, int status);
/* Removes a process whose exit event is lost, or comes later by fake_emit_end(). */
void fake_vanish(struct fake *f, struct fake_process *p, int status);
void fake_emit_end(struct fake *f, struct fake_process *p);

/* --- what sources deliver with the next drain --- */

/* Adds a record as it is, of any process; in the order of calls. */
void fake_record(struct fake *f, const struct sooth_record *record);
void fake_lose(struct fake *f, uint64_t records, uint64_t bytes, const char *reason);

/* --- requests to backends --- */

/* Returns the interest in a process of all open syscalls sources together. */
unsigned fake_interest(const struct fake *f, const struct fake_process *p);
/* Returns the number of processes that proc sources would sample. */
size_t fake_members(const struct fake *f);
