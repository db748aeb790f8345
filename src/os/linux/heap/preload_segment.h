/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory that a process shares (preload/layout.h), read: what stands there may have been
 * written by anything in the process, so an index is compared with what sooth itself knows, and
 * words are copied before they are looked at.
 */
#ifndef SOOTH_OS_LINUX_PRELOAD_SEGMENT_H
#define SOOTH_OS_LINUX_PRELOAD_SEGMENT_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"
#include "model/process_id.h"
#include "os/linux/heap/preload_clock.h"
#include "os/linux/heap/preload_stacks.h"
#include "preload/layout.h"

/* How far one slot is read, and for which process. */
struct preload_reading {
	bool is_known;		   /* its process is, and it is read */
	bool is_gone;		   /* that had ended before: nothing more will come */
	struct process_id process; /* of its thread: the program's, or one forked from it */
	preload_program program;
	uint32_t pid; /* as the process has it */
	uint32_t tid;
	uint64_t tail;	     /* words read so far: the program cannot change it */
	uint64_t last_ticks; /* of the last record */
	uint64_t lost;	     /* that were reported */
	uint64_t begin_ns;
	uint64_t since_ns;		 /* its process is not known */
	uint64_t looked_ns, complete_ns; /* all records up to then were read */
	uint32_t asked;			 /* the last ask that was seen */
};

struct preload_segment {
	unsigned char *memory; /* NULL for a moment: see preload_segment_is_mapped() */
	int fd;
	uint64_t inode; /* of its memory, as mappings name it */
	struct process_id process;
	uint32_t pid; /* of it, as the process itself has it */
	preload_program program;
	struct preload_stacks *stacks; /* NULL: not requested */
	struct preload_reading slots[PRELOAD_SLOTS];
	bool is_over;	   /* its program has ended, or runs another one */
	uint64_t left_out; /* calls without a slot that were reported */
	uint32_t around;   /* PRELOAD_AROUND_* read so far */
	bool is_coarse;	   /* a thread of it has no clock */
	bool gave_up;
	/* Finds the process of a slot that is not the program's own: fills `process` and `program`
	 * of the reading. False: not yet. NULL: there are no others. */
	bool (*find)(
		void *user, struct preload_segment *s, struct preload_reading *r, uint32_t parent);
	void *user;
};

/* Losses in the readings. */
struct preload_missing {
	uint64_t lost;	  /* records that found no room */
	uint64_t damaged; /* rings with something that is no record */
	uint64_t unknown; /* threads whose process was not found */
	uint64_t gave_up; /* programs that record no more, because sooth gave no sign of life */
};

/* Makes one for a process that has `pid` in its own namespace. NULL: failed, err is filled. */
struct preload_segment *preload_segment_new(
	const struct process_id *process, uint32_t pid, struct sooth_error *err);
/* Memory that cannot be cut, and is not kept at an exec; its descriptor, or a negative errno. */
int preload_memory(size_t size, const char *name);
/* Wakes the thread if it waits for that. */
void preload_slot_changed(struct preload_slot *slot);
struct preload_slot *preload_segment_slot(const struct preload_segment *s, unsigned slot);
/* Slots, from the first, that were ever in use. */
unsigned preload_segment_used_slots(const struct preload_segment *s);
unsigned preload_segment_unknown_slots(const struct preload_segment *s);
/* Whether a process still has it: the kernel forbids writing only where none could. */
bool preload_segment_is_mapped(struct preload_segment *s);
void preload_segment_free(struct preload_segment *s);
/* Appends what was written since the last time, as heap.call; true: there was something. Lowers
 * *complete_ns, the time before this, to what is complete. */
bool preload_segment_read(struct preload_segment *s, const struct preload_clock *clock,
	struct buffer *out, struct preload_missing *missing, uint64_t *complete_ns);
/* Appends the counts of a slot, as heap.count, and empties them. */
void preload_segment_count(struct preload_segment *s, unsigned slot,
	const struct preload_clock *clock, uint64_t now_ns, struct buffer *out);
/* The thread of a slot has ended, and all is read. */
void preload_segment_release(struct preload_segment *s, unsigned slot);

#endif
