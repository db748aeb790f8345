/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Probes on the allocators of a tree of processes. Allocators are found in the files that the
 * processes have mapped, events are defined as new files are found, and each event is attached to
 * every followed thread. Returns are attached before entries, or a call entered in between would
 * seem never to return.
 */
#pragma once

#include "base/map.h"
#include "bpf/heap.h"
#include "collect/backend.h"
#include "os/linux/heap/allocators.h"
#include "os/linux/heap/heap_return_links.h"
#include "os/linux/bpf/follow.h"
#include "os/linux/uprobes/links_holder.h"
#include "os/linux/uprobes/prober.h"

#define HEAP_LATE_EVENTS_BYTES (2 * sizeof(unsigned))

/* Used by several threads, the collector's and those that pause programs: each function locks. */
struct heap_attach {
	pthread_mutex_t lock;
	struct follow *follow;
	struct heap_places *places;
	struct allocators allocators;
	const struct prober_type *type;
	void *prober;
	struct links_holder holder; /* has the links if their overhead is limited */
	bool has_left;		    /* it has closed them, and that was said */
	unsigned events;	    /* number of events defined so far */
	struct buffer late;	    /* a byte per event: 1 if it is for late files (heap_late.h) */
	struct map late_files;	    /* device and inode -> events of the file */
	struct heap_return_links return_links; /* links of one process, not events at returns */
	uint64_t returns;	   /* bits: events at returns, for the other processes */
	struct map late_processes; /* uint32_t: processes with late files, and their children */
	char operator_new[256];	   /* the first allocator with an unseen operator new; "": none */
	struct {
		bool is_tried;
		int entry, returning; /* events that also probe sooth's own functions; -1: none */
	} own;
	uint32_t sites;
	uint32_t left_out; /* functions for which there was no room */
	uint64_t attach_ns;
	struct buffer probed;  /* for each file: time when its probes were attached, path, NUL */
	struct buffer pending; /* records, for the next drain */
	struct map programs;   /* device and inode -> path: those that were executed */
	/* uint32_t: only these processes are probed; NULL: all that are followed. */
	struct map *only;
	struct sooth_error
		failure; /* the first failure of a program that has begun; code 0: none */
};

/* Names of the BPF programs for entries, one for each table (struct heap_places). */
extern const char *const heap_entry_programs[HEAP_TABLES];

int heap_attach_open(struct heap_attach *a, const struct prober_type *type, struct follow *follow,
	struct heap_places *places, const struct log *log, struct sooth_error *err);
/* Lets the probes leave also while sooth is stopped. */
int heap_attach_hold(struct heap_attach *a, struct sooth_error *err);
/* Says that sooth is not stopped. False, only once: the probes have left, because it was. */
bool heap_attach_beat(struct heap_attach *a);
/* Examines a process. 1: a file that it has mapped defines an allocator, 0: none does. New files
 * are probed in all followed threads. Code of these files may have run unseen since `since_ns`,
 * which is reported as a gap; 0: the process is stopped, or has not run such code yet. */
int heap_attach_examine(struct heap_attach *a, const struct process_id *process, uint64_t since_ns,
	struct sooth_error *err);
/* Reports a gap of each library whose probes came late: the process loaded libraries at `since_ns`,
 * and ran on. To be called before heap_attach_examine(). */
void heap_attach_missed(struct heap_attach *a, const struct process_id *process, uint64_t since_ns);
/* Reports that calls of the file at `path` are missing since `since_ns`. */
void heap_report_gap(struct heap_attach *a, const struct process_id *process, uint64_t since_ns,
	const char *path);
/* Returns whether a file that a process has mapped defines an allocator (allocators_define()). */
bool heap_attach_defines(
	struct heap_attach *a, pid_t pid, const char *path, uint64_t device, uint64_t inode);
/* Reports a process that ended before it could be examined, and may have had its own allocator. */
void heap_attach_ended(struct heap_attach *a, const struct process_id *process, uint64_t since_ns);
/* Returns whether a program was examined before, or is found now to define no allocator, even if
 * its process has ended. Its libraries may still be new. */
bool heap_attach_knows(struct heap_attach *a, const char *path, uint64_t device, uint64_t inode);
/* Notes a program that was executed. */
void heap_attach_program(struct heap_attach *a, const struct heap_begun *begun);
/* Returns how many of the executed programs allocate in a way that is not seen; `path` gets the
 * path of the first. */
uint32_t heap_attach_opaque(struct heap_attach *a, char path[HEAP_PATH_BYTES]);
/* Returns whether the environment of a process names a library to load first: that may be an
 * allocator. */
bool heap_attach_preloads(struct heap_attach *a, const struct process_id *process);
/* Attaches the existing events to the threads of a process that was not followed before. since_ns:
 * as in heap_attach_examine(). */
int heap_attach_process(struct heap_attach *a, const struct process_id *process, uint64_t since_ns,
	struct sooth_error *err);
/* Chooses how returns are probed, before a process is attached to. The first such process gets
 * return links, if the kernel supports them. */
int heap_attach_choose_returns(
	struct heap_attach *a, const struct process_id *process, struct sooth_error *err);
/* Notes that the process was forked at `forked_ns`. If its parent has return links, the process
 * gets events at returns. */
int heap_attach_forked(struct heap_attach *a, const struct process_id *process, uint32_t parent,
	uint64_t forked_ns, struct sooth_error *err);
/* Notes for the prober a child that was forked, or one that has ended (is_over). */
int heap_attach_child(struct heap_attach *a, const struct process_id *process, bool is_over,
	struct sooth_error *err);
/* heap_attach_only() returns whether a process is one of `only`, or there is no such set.
 * heap_attach_only_set() adds the process, or removes it. */
bool heap_attach_only(struct heap_attach *a, uint32_t pid);
bool heap_attach_only_set(struct heap_attach *a, uint32_t pid, bool is_probed);
/* Gives threads that read files for `a` the calling thread's priority, from now on. */
void heap_attach_hurry(struct heap_attach *a);
/* heap_attach_fail() keeps a failure for the next drain, which takes it with
 * heap_attach_failure(). */
void heap_attach_fail(struct heap_attach *a, const struct sooth_error *failure);
bool heap_attach_failure(struct heap_attach *a, struct sooth_error *failure);
/* Keeps a record for the next drain, which takes it with heap_attach_reported(). */
void heap_attach_emit(struct heap_attach *a, struct sooth_record *record, size_t size);
void heap_attach_reported(struct heap_attach *a, struct buffer *out);
/* Makes the calling thread hit the probes of sooth's own functions (uprobes/trap_cost.h) at
 * entries, or also at returns, until heap_attach_own_over(). 0: there are no such probes. */
int heap_attach_own(struct heap_attach *a, bool is_return, struct sooth_error *err);
void heap_attach_own_over(struct heap_attach *a);
size_t heap_attach_descriptors(const struct heap_attach *a);
/* Removes the breakpoints. */
void heap_attach_detach(struct heap_attach *a);
/* Removes everything. Returns how long that took. */
void heap_attach_close(struct heap_attach *a, uint64_t *detach_ns);
