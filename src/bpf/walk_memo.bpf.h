/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Reuses stacks that were walked before. The result of a walk depends only on the registers at its
 * start and the words that it reads, of the stack and of objects of an engine. So the last walk of
 * a thread is kept, frame by frame, with these words. A new walk steps up until it meets a kept
 * frame above which all words are unchanged: the rest is the kept walk. Comparing a word takes some
 * nanoseconds, a step ten times that.
 *
 * Only walks that ended with the stack, for a lasting reason, are kept. If the loader or an exec
 * maps or unmaps code, all kept walks become invalid. One in MEMO_CHECK recognized stacks is walked
 * again, and counted if it differs.
 */
#pragma once

struct kept_walk {
	uint64_t mm, start_ticks;
	uint32_t pid, tid;
	uint32_t generation; /* 0: there is none */
	uint32_t is_claimed;
	uint32_t frames;
	uint32_t recalled;
	struct walk_own own;
	uint64_t engine;
	struct walk_step steps[PROFILE_FRAMES_MAX]; /* the outermost first, and so the words */
	struct walk_word words[WALK_WORDS_MAX];
};

#define KEPT_WALKS 512	      /* a power of two */
#define MEMO_CHECK 256	      /* a power of two */
#define MEMO_STACK (8u << 20) /* bytes above the stack pointer that are read as a part of it */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, KEPT_WALKS);
	__type(key, uint32_t);
	__type(value, struct kept_walk);
} kept_walks SEC(".maps");

static inline void forget_walks(void)
{
	__sync_fetch_and_add(&memos.generation, 1);
}

/* Returns the generation, which also changes when another runtime becomes known. */
static inline uint32_t generation_now(void)
{
	return memos.generation + (uint32_t)(walks_control.known << 20);
}

static inline struct kept_walk *kept_at(uint32_t kept)
{
	return bpf_map_lookup_elem(&kept_walks, &kept);
}

/* --- comparing --- */

/* Reads a word of the stack from a chunk, which is read at once, downwards. */
static inline bool chunk_word(struct walk *w, uint64_t address, uint64_t *word)
{
	uint64_t inside = address - w->notes.chunk_from;

	if (inside >= sizeof(w->notes.chunk)) {
		w->notes.chunk_from = address - (WALK_CHUNK_WORDS - 1) * 8;
		inside = (WALK_CHUNK_WORDS - 1) * 8;
		if (bpf_probe_read_user(w->notes.chunk, sizeof(w->notes.chunk),
			    (const void *)w->notes.chunk_from)) {
			w->notes.chunk_from = 0;
			return false;
		}
	}
	if (inside & 7)
		return false;
	*word = w->notes.chunk[inside / 8 & (WALK_CHUNK_WORDS - 1)];
	return true;
}

static inline bool is_same_word(struct walk *w, const struct walk_word *kept)
{
	uint64_t address = kept->address & ~WALK_FP_WORD, word;

	/* The frame pointer kept by an inner frame is compared separately. */
	if (kept->address & WALK_FP_WORD && address < w->sp)
		return true;
	if (address - w->sp >= MEMO_STACK || !chunk_word(w, address, &word)) {
		if (bpf_probe_read_user(&word, sizeof(word), (const void *)address))
			return false;
	}
	return word == kept->value;
}

/* Returns how many of the first `count` words are the same. */
VERIFIED_ALONE_BY_NUMBERS int same_words(uint32_t walk, uint32_t kept, uint32_t count)
{
	struct walk *w = walk_at(walk);
	struct kept_walk *k = kept_at(kept);
	uint32_t i;

	if (!w || !k)
		return 0;
	w->notes.chunk_from = 0;
	for (i = 0; i < WALK_WORDS_MAX && i < count; i++) {
		if (!is_same_word(w, &k->words[i]))
			break;
	}
	return (int)i;
}

/* Returns whether the current frame of the walk is the kept frame. */
static inline bool is_same_frame(struct walk *w, const struct walk_step *s)
{
	if (s->sp != w->sp || s->pc != w->pc || s->is_exact != w->is_exact ||
		s->has_link != w->has_link || (w->has_link && s->link != w->link))
		return false;
	return !s->uses_fp || (resolve_fp(w) && w->fp == s->fp);
}

/* Returns how many frames of the kept walk are the rest of this walk. */
VERIFIED_ALONE_BY_NUMBERS int meet_kept(uint32_t walk, uint32_t kept)
{
	struct walk *w = walk_at(walk);
	struct kept_walk *k = kept_at(kept);
	struct walk_step *s = 0;
	uint32_t above;

	if (!w || !k)
		return 0;
	above = w->notes.above;
	for (int i = 0; i < PROFILE_FRAMES_MAX && above; i++) {
		s = &k->steps[(above - 1) & (PROFILE_FRAMES_MAX - 1)];
		if (s->sp >= w->sp)
			break;
		above--;
	}
	w->notes.above = above;
	if (!above || !s || !is_same_frame(w, s))
		return 0;
	if (!w->notes.has_compared) {
		w->notes.has_compared = 1;
		w->notes.same = (uint32_t)same_words(walk, kept, s->words);
	}
	if (s->words > w->notes.same || above + w->frames > PROFILE_FRAMES_MAX)
		return 0;
	return (int)above;
}

/* --- a walk with notes --- */

static inline void begin_notes(struct walk *w)
{
	w->notes.fp_at = 0;
	w->notes.count = w->notes.is_spoiled = 0;
	w->notes.has_compared = w->notes.same = w->notes.above = 0;
	w->notes.generation = generation_now();
	w->notes.owner = mix_hash(mix_hash(w->mm, w->raw.record.start_ticks), w->raw.record.pid);
	w->notes.is_noting = 1;
}

VERIFIED_ALONE_BY_NUMBERS int begin_step(uint32_t walk)
{
	struct walk *w = walk_at(walk);
	struct walk_step *s;

	if (!w)
		return 0;
	s = &w->notes.now;
	s->pc = w->pc;
	s->sp = w->sp;
	s->fp = 0;
	s->link = w->link;
	s->is_exact = (uint8_t)w->is_exact;
	s->has_link = (uint8_t)w->has_link;
	s->uses_fp = s->sets_fp = 0;
	w->notes.own_here = 0;
	w->notes.beside_below = (uint32_t)w->besides;
	return 0;
}

/* Hashes the frame that was put, and the words beside it. */
static inline uint64_t hash_of_frame(const struct walk *w, uint32_t at, uint32_t besides)
{
	uint64_t hash;

	at = (at & (PROFILE_FRAMES_MAX - 1)) * FRAME_WORDS;
	hash = mix_hash(mix_hash(1, w->tail[at]), w->tail[at + 1]);
	return w->besides == besides ? hash : mix_hash(hash, hash_of_beside(w, besides));
}

/* Ends a step, after the frame was put and its words were read. */
VERIFIED_ALONE_BY_NUMBERS int end_step(uint32_t walk)
{
	struct walk *w = walk_at(walk);
	uint32_t at;

	if (!w)
		return 0;
	at = w->frames - 1;
	w->notes.now.hash = hash_of_frame(w, at, w->notes.beside_below);
	w->notes.now.words = (uint16_t)w->notes.count;
	w->notes.now.has_own = (uint8_t)w->notes.own_here;
	w->notes.steps[at & (PROFILE_FRAMES_MAX - 1)] = w->notes.now;
	return 0;
}

/* Steps up to the end of the stack, or to the first of the kept frames that are the rest; returns
 * how many these are. */
VERIFIED_ALONE_BY_NUMBERS int walk_to_kept(uint32_t walk, uint32_t kept)
{
	for (int i = 0; i <= PROFILE_FRAMES_MAX; i++) {
		int above = meet_kept(walk, kept), goes_on;

		if (above)
			return above;
		begin_step(walk);
		if (!put_frame(walk))
			break;
		goes_on = step_up(walk);
		end_step(walk);
		if (!goes_on)
			break;
	}
	return 0;
}

/* Adds the frames of the walk to the hash of the frames above, in w->address. */
VERIFIED_ALONE_BY_NUMBERS int hash_steps(uint32_t walk)
{
	struct walk *w = walk_at(walk);
	uint32_t frames;
	uint64_t hash;

	if (!w)
		return 0;
	hash = w->address;
	frames = w->frames;
	for (uint32_t i = 0; i < PROFILE_FRAMES_MAX && i < frames; i++) {
		struct walk_step *s = &w->notes.steps[(frames - 1 - i) & (PROFILE_FRAMES_MAX - 1)];

		hash = mix_hash(hash, s->hash);
		s->hash = hash;
	}
	w->address = hash;
	return 0;
}

/* --- keeping --- */

/* Copies the words that the walk has read behind the first `above` words of the kept walk. */
VERIFIED_ALONE_BY_NUMBERS int keep_words(uint32_t walk, uint32_t kept, uint32_t above)
{
	struct walk *w = walk_at(walk);
	struct kept_walk *k = kept_at(kept);
	uint32_t count;

	if (!w || !k)
		return 0;
	count = w->notes.count;
	for (uint32_t i = 0; i < WALK_WORDS_MAX && i < count; i++)
		k->words[(above + i) & (WALK_WORDS_MAX - 1)] =
			w->notes.words[(count - 1 - i) & (WALK_WORDS_MAX - 1)];
	return 0;
}

/* Adds the needs of the frame above to the values that a frame needs from below. */
static inline void inherit_needs(struct walk_step *s, const struct walk_step *above)
{
	s->has_own |= above->has_own;
	if (s->uses_fp || s->sets_fp)
		return;
	s->uses_fp = above->uses_fp;
	s->fp = above->fp;
}

/* Copies frame `at` of the walk to frame `to` of the kept walk. `words`: number of words that all
 * frames of the kept walk depend on. */
VERIFIED_ALONE_BY_NUMBERS int keep_step(
	uint32_t walk, uint32_t kept, uint32_t at, uint32_t to, uint32_t words)
{
	struct walk *w = walk_at(walk);
	struct kept_walk *k = kept_at(kept);
	struct walk_step *s;

	if (!w || !k)
		return 0;
	s = &k->steps[to & (PROFILE_FRAMES_MAX - 1)];
	*s = w->notes.steps[at & (PROFILE_FRAMES_MAX - 1)];
	s->words = (uint16_t)words;
	if (at)
		s->words -= w->notes.steps[(at - 1) & (PROFILE_FRAMES_MAX - 1)].words;
	if (to)
		inherit_needs(s, &k->steps[(to - 1) & (PROFILE_FRAMES_MAX - 1)]);
	return 0;
}

/* Copies the walk's frames behind the first `above` frames of the kept walk. `words`: number of
 * words that those frames depend on. */
VERIFIED_ALONE_BY_NUMBERS int keep_steps(
	uint32_t walk, uint32_t kept, uint32_t above, uint32_t words)
{
	struct walk *w = walk_at(walk);
	uint32_t frames;

	if (!w)
		return 0;
	frames = w->frames;
	words += w->notes.count;
	for (uint32_t i = 0; i < PROFILE_FRAMES_MAX && i < frames; i++)
		keep_step(walk, kept, frames - 1 - i, above + i, words);
	return 0;
}

static inline bool is_lasting_end(uint32_t end)
{
	return end == PROFILE_WHOLE || end == PROFILE_NO_ROW || end == PROFILE_RULE ||
	       end == PROFILE_STUCK;
}

/* Keeps the walk for the next sample; call hash_steps() first. If the walk stopped at a frame that
 * the kept walk has too, its callers are the `above` outermost frames of the kept walk. */
static inline void keep_walk(struct walk *w, struct kept_walk *k, uint32_t kept, uint32_t above)
{
	uint32_t words = above ? k->steps[(above - 1) & (PROFILE_FRAMES_MAX - 1)].words : 0;

	if (w->notes.is_spoiled || (!above && !is_lasting_end(w->end)) ||
		words + w->notes.count > WALK_WORDS_MAX || above + w->frames > PROFILE_FRAMES_MAX) {
		k->generation = 0;
		return;
	}
	keep_words(w->index, kept, words);
	keep_steps(w->index, kept, above, words);
	k->frames = above + w->frames;
	k->generation = w->notes.generation;
	k->mm = w->mm;
	k->start_ticks = w->raw.record.start_ticks;
	k->pid = w->raw.record.pid;
	k->tid = w->raw.record.tid;
	k->engine = w->raw.engine;
	k->own = w->own;
}

static inline bool is_of_thread(const struct walk *w, const struct kept_walk *k)
{
	return k->generation == w->notes.generation && k->mm == w->mm &&
	       k->tid == w->raw.record.tid && k->pid == w->raw.record.pid &&
	       k->start_ticks == w->raw.record.start_ticks;
}
