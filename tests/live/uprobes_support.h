/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of user-space probes are about: programs that make a known number
 * of calls, BPF programs that count, and a look at what tracefs holds.
 */
#ifndef SOOTH_TESTS_UPROBES_SUPPORT_H
#define SOOTH_TESTS_UPROBES_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "os/linux/files/procfs.h"
#include "os/linux/uprobes/tracefs.h"
#include "os/linux/uprobes/uprobes.h"

#define TIMEOUT_NS 20000000000 /* a bound against hanging, not a claim about speed */

/* --- counting --- */

/* Hits by the lowest 12 bits of the instruction pointer, which a mapping keeps; or all in one. */
struct counter {
	int map, program;
};

struct counter make_counter(bool by_place);
uint64_t counted(const struct counter *c, uint64_t offset);
void free_counter(struct counter *c);

/* --- places --- */

/* Functions of this program. */
#define PROBED_COUNT 8
void probed_places(struct prober_place *places);
/* One whose first instruction the kernel refuses. */
uint64_t refused_offset(void);

/* malloc(3) and its family, free() last. */
#define FAMILY_COUNT 6
#define FAMILY_FREE  (FAMILY_COUNT - 1)
/* At the entries, or where site_choose() has them for a return; how many are behind the entry. */
unsigned family_places(struct prober_place *places, bool is_chosen);
void skip_with_own_malloc(void);

/* --- targets --- */

struct shared {
	volatile unsigned ready;
	volatile bool go, stop, kept;
	volatile pid_t other;
};

struct target {
	pid_t pid;
	struct shared *shared;
	int hold;
};

#define TIMES 1000

/* A fork of the test that does this. */
void start_forked(struct target *target, int (*work)(struct shared *shared));
/* One that executes the program once it goes: all of WORKERS, new threads and
 * children and programs, call each probed function TIMES times. */
#define WORKERS 6
void start_executed(struct target *target, const char *path);
void pause_executed(struct target *target); /* has executed it, and has not begun */
int finish(struct target *target);	    /* go, and its exit status, or minus its signal */
int run_executed(char **argv);
pid_t reaped_pid(void);
void copy_own_program(const char *path);

void until_go(const struct shared *shared);
int work_in_threads(struct shared *shared); /* four threads and two children */
#define THREAD_WORKERS 6
int fork_in_child(struct shared *shared); /* a child that goes on once it is kept */
#define CHILD_FORKS 50
#define CHILD_CALLS (CHILD_FORKS * 11)
int work_in_family(struct shared *shared);     /* each of it TIMES times, free() for all */
int work_until_stopped(struct shared *shared); /* three threads */
int fork_until_stopped(struct shared *shared);

/* --- what is there --- */

void await(const volatile unsigned *value, unsigned wanted);
void await_file(pid_t pid, const char *name, const char *text);
unsigned count_files(pid_t pid, const char *folder);
unsigned definitions(pid_t owner);
void await_definitions(pid_t owner, unsigned count);
pid_t guard_of(pid_t owner);

struct uprobes *open_uprobes(void);
unsigned define(struct uprobes *u, const struct prober_place *places, size_t count, bool is_return,
	const struct counter *counter);
unsigned attach_all(struct uprobes *u, unsigned event, pid_t pid); /* how many threads */
void close_uprobes(struct uprobes *u); /* nothing of this process is left then */

#endif
