/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the memory that a process shares with sooth (preload/layout.h). Any code of the process may
 * have written there: an index is compared with what sooth itself knows, and words are copied
 * before sooth examines them. */
#pragma once

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"
#include "model/process_id.h"
#include "os/linux/heap/preload/preload_clock.h"
#include "os/linux/heap/preload/preload_stacks.h"
#include "preload/layout.h"

/* How far one slot is read, and for which process. */
struct preload_reading {
	bool is_known;		   /* the process is known, and its records are read */
	bool is_gone;		   /* the process had ended earlier: no more records will come */
	struct process_id process; /* process of its thread: the segment's, or one forked from it */
	preload_program program;
	uint32_t pid; /* PID as the process itself sees it */
	uint32_t tid;
	uint64_t tail;	     /* words read so far; kept here, where the program cannot change it */
	uint64_t last_ticks; /* ticks of the last record */
	uint64_t lost;	     /* lost records that were reported */
	uint64_t begin_ns;
	uint64_t since_ns;		 /* since when the process has been searched for */
	uint64_t looked_ns, complete_ns; /* all records up to then were read */
	uint32_t asked;			 /* the last request that sooth has seen */
};

struct preload_segment {
	unsigned char *memory; /* NULL for a moment: see preload_segment_is_mapped() */
	int fd;
	uint64_t inode; /* inode of the memory, as mappings show it */
	struct process_id process;
	uint32_t pid; /* its PID as the process itself sees it */
	preload_program program;
	struct preload_stacks *stacks; /* NULL: not requested */
	struct preload_reading slots[PRELOAD_SLOTS];
	bool is_over;	   /* the program has ended, or the process runs another program */
	uint64_t left_out; /* reported calls that had no slot */
	uint32_t around;   /* PRELOAD_AROUND_* read so far */
	bool is_coarse;	   /* a thread of the process has no clock */
	bool gave_up;
	/* Finds the process of a slot that does not belong to the segment's own process: sets
	 * `process` and `program` of *r. False: not found yet. NULL: there are no other
	 * processes. */
	bool (*find)(
		void *user, struct preload_segment *s, struct preload_reading *r, uint32_t parent);
	void *user;
};

/* Losses found while reading. */
struct preload_missing {
	uint64_t lost;	  /* records for which a ring had no room */
	uint64_t damaged; /* rings that contain something that is no record */
	uint64_t unknown; /* threads whose process was not found */
	uint64_t gave_up; /* programs that record no more, because sooth gave no sign of life */
};

/* Makes a segment for a process whose PID in its own namespace is `pid`. NULL: failed, err is
 * filled. */
struct preload_segment *preload_segment_new(
	const struct process_id *process, uint32_t pid, struct sooth_error *err);
/* Makes memory that cannot shrink and is closed at an exec. Returns its descriptor, or a negative
 * errno. */
int preload_memory(size_t size, const char *name);
/* Wakes the thread of the slot, if it waits for a change. */
void preload_slot_changed(struct preload_slot *slot);
struct preload_slot *preload_segment_slot(const struct preload_segment *s, unsigned slot);
/* Returns the number of slots, from the first, that were ever in use. */
unsigned preload_segment_used_slots(const struct preload_segment *s);
unsigned preload_segment_unknown_slots(const struct preload_segment *s);
/* Returns whether a process still maps the memory: the kernel allows the seal against writing only
 * when no process could write. */
bool preload_segment_is_mapped(struct preload_segment *s);
void preload_segment_free(struct preload_segment *s);
/* Appends the calls written since the last reading, as heap.call; true: there were some. If records
 * may still be missing before *complete_ns, lowers it to the time before which none is. */
bool preload_segment_read(struct preload_segment *s, const struct preload_clock *clock,
	struct buffer *out, struct preload_missing *missing, uint64_t *complete_ns);
/* Appends the counts of a slot, as heap.count, and resets them. */
void preload_segment_count(struct preload_segment *s, unsigned slot,
	const struct preload_clock *clock, uint64_t now_ns, struct buffer *out);
/* Frees a slot whose thread has ended, when all its records are read. */
void preload_segment_release(struct preload_segment *s, unsigned slot);
