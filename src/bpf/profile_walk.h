/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The memory of a walk up a stack, in the kernel and in user space. A file that includes the steps
 * of a walk has to define only:
 *
 *	bool walk_read(struct walk *w, void *out, uint32_t size, uint64_t address);
 */
#pragma once

#include "bpf/profile.h"

#define WALK_NODE_BYTES 256 /* bytes of a node in a tree of mappings */

struct walk_mapping {
	uint64_t from, to;
	uint64_t shift; /* address - shift: offset in the file */
	uint64_t file;
	uint64_t vma;
	uint32_t is_code;
	uint32_t unused;
};

#define HASH_FACTOR 0x9e3779b97f4a7c15ULL /* 2^64 by the golden ratio */

#ifdef WALK_NOTES
static inline uint64_t mix_hash(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * HASH_FACTOR;
	return hash ^ hash >> 29;
}

/* Words that a walk has read, frame by frame, for walk_memo.bpf.h. */
#define WALK_WORDS_MAX	 256
#define WALK_CHUNK_WORDS 128	      /* a power of two */
#define WALK_FP_WORD	 (1ULL << 63) /* in an address: the frame pointer of an inner frame */

struct walk_word {
	uint64_t address, value;
};

struct walk_step {
	uint64_t pc, sp, fp, link; /* registers at the beginning of the step */
	uint64_t hash;	 /* hash of the frame; kept: of the frame and all frames above it */
	uint16_t words;	 /* words that were read up to the end of the step */
	uint8_t uses_fp; /* the frame pointer from below; kept: it, or one above */
	uint8_t sets_fp;
	uint8_t is_exact, has_link;
	uint8_t has_own; /* kept: it, or one above */
	uint8_t unused;
};

struct walk_notes {
	uint64_t fp_at; /* the frame pointer is there, and not read yet; 0: it is in the walk */
	uint64_t hash;	/* hash of all frames */
	uint64_t owner; /* owner of the places: the process */
	uint32_t is_noting;
	uint32_t is_spoiled; /* the walk read too much, or values that cannot be compared */
	uint32_t count;
	uint32_t generation;
	uint32_t is_place_known;
	int32_t found;	/* unwind rule of the known place, or why it has none */
	uint32_t above; /* frames of the kept walk that may still be met */
	uint32_t has_compared;
	uint32_t same; /* words of the kept walk, from the start of the thread on */
	uint32_t own_here, beside_below; /* words of the current frame of the walk */
	struct walk_step now;
	struct walk_step steps[PROFILE_FRAMES_MAX]; /* the innermost first */
	struct walk_word words[WALK_WORDS_MAX];
	uint64_t chunk_from; /* address in the stack; 0: no chunk was read */
	uint64_t chunk[WALK_CHUNK_WORDS];
};
#endif

/* State of the steps of a runtime that keeps its frames outside the stack. */
struct walk_own {
	uint64_t file;	/* engine of the runtime; 0: it is not on the stack */
	uint64_t state; /* address of the runtime's state */
	uint64_t type;	/* type of function objects */
	uint64_t frame; /* the next frame; 0: none is left */
	uint64_t words; /* words written so far */
};

struct walk {
	uint64_t pc, sp, fp, link;
	uint64_t mm;
	uint64_t address; /* argument of find_mapping() */
	struct walk_mapping mapping;
	struct unwind_rule rule;
	uint32_t is_exact; /* pc is the interrupted instruction, not the one after a call */
	uint32_t has_link; /* aarch64: the link register is known */
	uint32_t end;
	uint32_t frames;
	uint32_t tables_only; /* frame pointers are not followed */
	uint32_t index;	      /* index of this memory, in the kernel */
	uint32_t is_claimed;  /* used if walks of several threads may run on a CPU at once */
	uint32_t unused;
	uint64_t node[WALK_NODE_BYTES / 8];
	struct profile_raw raw;
	uint64_t tail[PROFILE_TAIL_MOST];
	struct walk_own own;
	uint64_t besides; /* frames with words beside them */
	uint64_t beside[PROFILE_FRAMES_MAX * PROFILE_FRAME_WORDS];
#ifdef WALK_NOTES
	struct walk_notes notes;
#endif
};

/* For the verifier, without a branch. */
#define WALK_TAIL_MASK 1023

_Static_assert(sizeof(((struct walk *)0)->tail) / 8 > WALK_TAIL_MASK + 2 &&
		       PROFILE_TAIL_WORDS <= WALK_TAIL_MASK,
	"all frames have room");

/* Returns the index for the next word that a runtime has beside the stack. */
static inline uint32_t walk_own_at(const struct walk *w)
{
	return (uint32_t)(2 * w->frames + w->raw.kernel_frames + w->own.words) & WALK_TAIL_MASK;
}

/* Puts words beside the current frame of the walk. The caller checks that there is room. */
static inline void walk_put_beside(struct walk *w, uint64_t head, uint64_t first, uint64_t second,
	uint64_t third, uint64_t last)
{
	uint64_t at = (w->besides & (PROFILE_FRAMES_MAX - 1)) * PROFILE_FRAME_WORDS;

	w->beside[at] = head;
	w->beside[at + 1] = first;
	w->beside[at + 2] = second;
	w->beside[at + 3] = third;
	w->beside[at + 4] = last;
	w->besides++;
}
