/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/runtimes/jsc/jsc_calibrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/map.h"
#include "os/linux/runtimes/jsc/jsc_votes.h"
#include "symbols/bun.h"

#define OBJECT_WORDS	 26 /* words of a cell that are examined */
#define CALLEE_WORDS	 8  /* a function has few members */
#define NAME_WORDS	 16 /* of an UnlinkedFunctionExecutable: another one is behind it */
#define PROVIDER_WORDS	 16 /* of a FunctionExecutable: another one is behind it */
#define CODE_WORDS	 60 /* of a compiled code object */
#define RANGE_WORDS	 12
#define TEXT_8_BIT	 4
#define NAME_LETTERS	 48
#define NAME_OF		 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_$0123456789"
#define CELL_TYPE	 5
#define TIER_INTERPRETER 2
#define TIER_FTL	 5
#define NATIVE_BEFORE	 4 /* executable types before it: host, program, module, eval, function */
#define TYPES_PERCENT	 95
#define PASSED_PERCENT	 90
#define PASSED_LEAST	 20
#define TIER_BYTES	 32 /* of a compiled code object, in which its tier is searched for */
#define TIER_LEAST	 3
#define WRONG_PERCENT                                                                              \
	5 /* code blocks that may not fit, because the engine freed them while they were read */
#define CODE_UNIT	   16
#define FUNCTION_BYTES_MAX (1u << 20)

struct object {
	uint64_t words[OBJECT_WORDS];
};

/* A pair that is used, with the words of its objects. */
struct sample {
	const struct jsc_pair *pair;
	struct object callee, block, executable, unlinked;
	bool is_function; /* the function and the code block have the same executable */
};

struct work {
	jsc_read read;
	void *user;
	struct jsc_layout *layout;
	struct sample *samples; /* samples of the half that decides */
	size_t count;
	struct jsc_votes votes;
	char *reason;
	size_t reason_size;
};

static bool is_cell(uint64_t address)
{
	return address && !(address & 0xffff000000000007ULL);
}

static bool read_words(const struct work *w, uint64_t address, uint64_t *out, size_t words)
{
	return is_cell(address) && w->read(w->user, address, out, words * sizeof(*out));
}

static bool set_reason(struct work *w, const char *what, const struct jsc_result *r)
{
	if (!r)
		snprintf(w->reason, w->reason_size, "%s", what);
	else
		snprintf(w->reason, w->reason_size,
			"%s: %u different functions fit one place, %u another; %u are needed, and "
			"%u times as many",
			what, r->votes, r->next, JSC_VOTES_LEAST, JSC_VOTES_TIMES);
	return false;
}

static uint8_t type_of(const struct object *o)
{
	return (uint8_t)(o->words[0] >> 8 * CELL_TYPE);
}

static bool find_owner(struct work *w)
{
	struct jsc_result r;

	for (size_t i = 0; i < w->count; i++) {
		const struct sample *s = &w->samples[i];

		for (uint32_t a = 1; a < CALLEE_WORDS; a++) {
			for (uint32_t b = 1; is_cell(s->callee.words[a]) && b < OBJECT_WORDS; b++) {
				if (s->callee.words[a] == s->block.words[b])
					jsc_votes_put(&w->votes, a << 8 | b, s->callee.words[a]);
			}
		}
	}
	if (!jsc_votes_decide(&w->votes, &r))
		return set_reason(w, "the executable of functions", &r);
	w->layout->callee_executable = (uint16_t)(8 * (r.best >> 8));
	w->layout->block_owner = (uint16_t)(8 * (r.best & 0xff));
	for (size_t i = 0; i < w->count; i++) {
		struct sample *s = &w->samples[i];
		uint64_t executable = s->callee.words[r.best >> 8];

		s->is_function = executable == s->block.words[r.best & 0xff] &&
				 read_words(w, executable, s->executable.words, OBJECT_WORDS);
	}
	return true;
}

/* --- executable, unlinked executable --- */

/* Compares the words of one object of the executable with those of the code block. */
static void compare_unlinked(struct work *w, const struct sample *s, uint32_t at)
{
	struct object unlinked;
	uint64_t address = s->executable.words[at];

	/* The executable also has its newest code block, whose words are all equal to this
	 * one's. */
	if (!read_words(w, address, unlinked.words, OBJECT_WORDS) ||
		type_of(&unlinked) == type_of(&s->block))
		return;
	for (uint32_t d = 1; d < OBJECT_WORDS; d++) {
		for (uint32_t c = 1; is_cell(unlinked.words[d]) && c < OBJECT_WORDS; c++) {
			if (unlinked.words[d] == s->block.words[c] &&
				unlinked.words[d] != s->pair->block)
				jsc_votes_put(&w->votes, at << 16 | d << 8 | c, unlinked.words[d]);
		}
	}
}

static bool find_unlinked(struct work *w)
{
	struct jsc_layout *l = w->layout;
	struct jsc_result r;

	for (size_t i = 0; i < w->count; i++) {
		for (uint32_t e = 1; w->samples[i].is_function && e < OBJECT_WORDS; e++)
			compare_unlinked(w, &w->samples[i], e);
	}
	if (!jsc_votes_decide(&w->votes, &r))
		return set_reason(w, "the unlinked code of functions", &r);
	l->executable_unlinked = (uint16_t)(8 * (r.best >> 16));
	l->unlinked_code = (uint16_t)(8 * (r.best >> 8 & 0xff));
	l->block_unlinked = (uint16_t)(8 * (r.best & 0xff));
	for (size_t i = 0; i < w->count; i++) {
		struct sample *s = &w->samples[i];

		s->is_function = s->is_function && read_words(w, s->executable.words[r.best >> 16],
							   s->unlinked.words, OBJECT_WORDS);
	}
	return true;
}

static bool find_type(const struct work *w, size_t offset, uint8_t *type)
{
	uint32_t counts[256] = { 0 }, all = 0;

	for (size_t i = 0; i < w->count; i++) {
		const struct sample *s = &w->samples[i];

		if (!s->is_function)
			continue;
		counts[type_of((const void *)((const char *)s + offset))]++;
		all++;
	}
	for (uint32_t i = 1; i < ARRAY_SIZE(counts); i++)
		*type = counts[i] > counts[*type] ? (uint8_t)i : *type;
	return all && 100 * counts[*type] >= TYPES_PERCENT * all;
}

static bool find_types(struct work *w)
{
	struct jsc_layout *l = w->layout;

	if (!find_type(w, offsetof(struct sample, callee), &l->type_function) ||
		!find_type(w, offsetof(struct sample, block), &l->type_block) ||
		!find_type(w, offsetof(struct sample, executable), &l->type_executable) ||
		!find_type(w, offsetof(struct sample, unlinked), &l->type_unlinked) ||
		l->type_executable <= NATIVE_BEFORE)
		return set_reason(w, "the types of objects: they are not as expected", NULL);
	l->type_native = (uint8_t)(l->type_executable - NATIVE_BEFORE);
	return true;
}

/* Reads a short text of one-byte letters. Returns its length; 0: there is none. */
static size_t read_letters(const struct work *w, uint64_t address, char *out, size_t size)
{
	uint64_t head[3];
	uint32_t references, length;

	if (!read_words(w, address, head, 3))
		return 0;
	references = (uint32_t)head[0];
	length = (uint32_t)(head[0] >> 32);
	if (!references || references > 1u << 28 || !length || length >= size ||
		!(head[2] & TEXT_8_BIT) || !w->read(w->user, head[1], out, length))
		return 0;
	out[length] = '\0';
	return length;
}

static bool is_identifier(const char *text, size_t length)
{
	return length && (text[0] < '0' || text[0] > '9') && strspn(text, NAME_OF) == length;
}

/* Votes for the offset of names, from behind: if two offsets have the same text in all functions,
 * the later one is the one with more names. `known`: an offset with the same text as this one is no
 * rival. */
static void vote_for_names(struct work *w, uint32_t known)
{
	char text[NAME_LETTERS + 1];

	for (size_t i = 0; i < w->count; i++) {
		const struct sample *s = &w->samples[i];

		for (uint32_t at = 1; s->is_function && at < NAME_WORDS; at++) {
			uint64_t name = s->unlinked.words[at];
			size_t length = read_letters(w, name, text, sizeof(text));

			if (is_identifier(text, length) &&
				(at == known || !known || name != s->unlinked.words[known]))
				jsc_votes_put(&w->votes, NAME_WORDS - at, name);
		}
	}
}

static bool find_name_offset(struct work *w)
{
	struct jsc_result r;

	vote_for_names(w, 0);
	jsc_votes_decide(&w->votes, &r);
	vote_for_names(w, NAME_WORDS - r.best);
	if (!r.votes || !jsc_votes_decide(&w->votes, &r))
		return set_reason(w, "the names of functions", &r);
	w->layout->unlinked_name = (uint16_t)(8 * (NAME_WORDS - r.best));
	return true;
}

/* Returns a hash of the path at an offset of a provider; 0: there is none. A provider is no cell:
 * the address of its methods comes first. */
static uint64_t path_at(const struct work *w, const struct sample *s, uint32_t place)
{
	uint64_t provider = s->executable.words[place >> 8], words[OBJECT_WORDS];
	char text[JSC_TEXT_PATH];
	size_t length;

	if (!read_words(w, provider, words, OBJECT_WORDS) || !is_cell(words[0]))
		return 0;
	length = read_letters(w, words[place & 0xff], text, sizeof(text));
	return length && text[0] == '/' ? hash_bytes(HASH_BEGIN, text, length) | 1 : 0;
}

/* Votes for the offset of paths. `known`: an offset with the same path as this one is no rival. */
static void vote_for_paths(struct work *w, uint32_t known)
{
	for (size_t i = 0; i < w->count; i++) {
		const struct sample *s = &w->samples[i];
		uint64_t best = s->is_function && known ? path_at(w, s, known) : 0;

		for (uint32_t at = 1; s->is_function && at < PROVIDER_WORDS; at++) {
			for (uint32_t q = 1; q < OBJECT_WORDS; q++) {
				uint64_t path = path_at(w, s, at << 8 | q);

				if (path && (at << 8 | q) == known)
					jsc_votes_put(&w->votes, known, s->pair->block);
				else if (path && path != best)
					jsc_votes_put(&w->votes, at << 8 | q, s->pair->block);
			}
		}
	}
}

static bool find_provider(struct work *w)
{
	struct jsc_result r;

	vote_for_paths(w, 0);
	jsc_votes_decide(&w->votes, &r);
	vote_for_paths(w, r.best);
	if (!jsc_votes_decide(&w->votes, &r))
		return set_reason(w, "the modules of functions", &r);
	w->layout->executable_provider = (uint16_t)(8 * (r.best >> 8));
	w->layout->provider_url = (uint16_t)(8 * (r.best & 0xff));
	return true;
}

/* --- compiled code --- */

/* Returns whether a tier is possible. A function in the interpreter may have been compiled for its
 * next call. */
static bool fits_tier(const struct sample *s, uint8_t tier)
{
	return s->pair->pc ? tier >= JSC_TIER_BASELINE && tier <= TIER_FTL
			   : tier == TIER_INTERPRETER || tier == JSC_TIER_BASELINE;
}

/* Counts for one byte of the objects to which a word of the code blocks leads. */
struct tier_counts {
	uint32_t of[TIER_FTL + 1], wrong;
};

static bool has_several_tiers(const struct tier_counts *counts)
{
	unsigned tiers = 0;

	for (size_t i = TIER_INTERPRETER; i < ARRAY_SIZE(counts->of); i++)
		tiers += counts->of[i] >= TIER_LEAST;
	return tiers > 1;
}

static void count_tiers(
	const struct work *w, struct tier_counts (*counts)[TIER_BYTES], uint32_t *all)
{
	for (size_t i = 0; i < w->count; i++) {
		const struct sample *s = &w->samples[i];

		*all += s->is_function;
		for (uint32_t j = 1; s->is_function && j < OBJECT_WORDS; j++) {
			unsigned char code[TIER_BYTES];
			bool is_read = read_words(
				w, s->block.words[j], (uint64_t *)(void *)code, TIER_BYTES / 8);

			for (uint32_t t = 8; t < TIER_BYTES; t++) {
				if (is_read && fits_tier(s, code[t]))
					counts[j][t].of[code[t]]++;
				else
					counts[j][t].wrong++;
			}
		}
	}
}

/* Finds the byte that has one value for functions in the interpreter and others for compiled
 * code. */
static bool find_tier(struct work *w)
{
	_cleanup_free_ struct tier_counts(*counts)[TIER_BYTES] =
		calloc(OBJECT_WORDS, sizeof(*counts));
	uint32_t all = 0;
	struct jsc_result r;

	if (!counts)
		return set_reason(w, "no memory", NULL);
	count_tiers(w, counts, &all);
	for (uint32_t j = 1; j < OBJECT_WORDS; j++) {
		for (uint32_t t = 8; t < TIER_BYTES; t++) {
			const struct tier_counts *c = &counts[j][t];

			if (100 * c->wrong > WRONG_PERCENT * all || !has_several_tiers(c))
				continue;
			/* Puts one vote for each function that fits. */
			for (uint32_t i = 0; i < all - c->wrong; i++)
				jsc_votes_put(&w->votes, j << 8 | t, i);
		}
	}
	if (!jsc_votes_decide(&w->votes, &r))
		return set_reason(w, "the compiled code of functions", &r);
	w->layout->block_code = (uint16_t)(8 * (r.best >> 8));
	w->layout->code_tier = (uint16_t)(r.best & 0xff);
	return true;
}

/* Returns whether the words are the bounds of code with `pc`. Code is allocated in units of
 * CODE_UNIT. */
static bool has_bounds(const uint64_t *words, uint64_t pc)
{
	return !(words[0] % CODE_UNIT) && words[0] <= pc && pc < words[1] &&
	       words[1] - words[0] <= FUNCTION_BYTES_MAX;
}

static bool has_size(const uint64_t *words, uint64_t pc)
{
	uint64_t size = words[0] >> 32;

	return !(words[1] % CODE_UNIT) && !(size % CODE_UNIT) && words[1] <= pc &&
	       pc - words[1] < size && size <= FUNCTION_BYTES_MAX;
}

static void compare_ranges(struct work *w, const struct sample *s, const uint64_t *code)
{
	uint64_t words[RANGE_WORDS];

	for (uint32_t k = 2; k < CODE_WORDS; k++) {
		if (!read_words(w, code[k], words, RANGE_WORDS))
			continue;
		for (uint32_t m = 0; m + 1 < RANGE_WORDS; m++) {
			if (has_bounds(words + m, s->pair->pc))
				jsc_votes_put(&w->votes, k << 9 | m << 1, s->pair->block);
			if (has_size(words + m, s->pair->pc))
				jsc_votes_put(&w->votes, k << 9 | m << 1 | 1, s->pair->block);
		}
	}
}

static bool decide_ranges(struct work *w, bool is_ftl, struct jsc_result *r)
{
	const struct jsc_layout *l = w->layout;
	uint64_t code[CODE_WORDS];

	for (size_t i = 0; i < w->count; i++) {
		const struct sample *s = &w->samples[i];
		uint8_t tier;

		if (!s->is_function || !s->pair->pc ||
			!read_words(w, s->block.words[l->block_code / 8], code, CODE_WORDS))
			continue;
		tier = ((const unsigned char *)code)[l->code_tier];
		if (fits_tier(s, tier) && (tier == TIER_FTL) == is_ftl)
			compare_ranges(w, s, code);
	}
	return jsc_votes_decide(&w->votes, r);
}

/* Finds the ranges of code. That of the last tier is optional: without it, frames of that tier have
 * no names. */
static bool find_ranges(struct work *w)
{
	struct jsc_layout *l = w->layout;
	struct jsc_result r;

	if (!decide_ranges(w, false, &r))
		return set_reason(w, "the range of compiled code", &r);
	l->code_range = (uint16_t)(8 * (r.best >> 9));
	l->range_at = (uint16_t)(8 * (r.best >> 1 & 0xff));
	l->range_kind = r.best & 1 ? JSC_RANGE_SIZE : JSC_RANGE_BOUNDS;
	if (decide_ranges(w, true, &r) &&
		(r.best & 0x1ff) == (unsigned)(l->range_at / 8 * 2 + l->range_kind))
		l->code_range_ftl = (uint16_t)(8 * (r.best >> 9));
	return true;
}

static void find_rare(struct work *w)
{
	struct jsc_result r;
	uint64_t words[OBJECT_WORDS];

	for (size_t i = 0; i < w->count; i++) {
		const struct sample *s = &w->samples[i];
		uint64_t marked = s->callee.words[w->layout->callee_executable / 8];

		if (!(marked & 1) || !read_words(w, marked & ~1ULL, words, OBJECT_WORDS))
			continue;
		for (uint32_t at = 1; at < OBJECT_WORDS; at++) {
			if (words[at] == s->block.words[w->layout->block_owner / 8])
				jsc_votes_put(&w->votes, at, words[at]);
		}
	}
	if (jsc_votes_decide(&w->votes, &r))
		w->layout->rare_executable = (uint16_t)(8 * r.best);
}

/* Finds the names of native functions, which have no code block. */
static void find_native(struct work *w)
{
	char text[NAME_LETTERS + 1];
	struct jsc_result r;

	for (size_t i = 0; i < w->count; i++) {
		const struct sample *s = &w->samples[i];
		struct object native;

		if (s->pair->block || type_of(&s->callee) != w->layout->type_function ||
			!read_words(w, s->callee.words[w->layout->callee_executable / 8],
				native.words, OBJECT_WORDS) ||
			type_of(&native) != w->layout->type_native)
			continue;
		for (uint32_t at = 1; at < OBJECT_WORDS; at++) {
			size_t length = read_letters(w, native.words[at], text, sizeof(text));

			if (is_identifier(text, length))
				jsc_votes_put(&w->votes, at, native.words[at]);
		}
	}
	if (jsc_votes_decide(&w->votes, &r))
		w->layout->native_name = (uint16_t)(8 * r.best);
}

/* Returns whether the frame is in code of the last tier, and that tier's range was not found: such
 * a frame never has a name. */
static bool is_unknown_tier(const struct work *w, const struct jsc_pair *pair)
{
	const struct jsc_layout *l = w->layout;
	uint64_t code;
	uint8_t tier = 0;

	return pair->pc && !l->code_range_ftl &&
	       read_words(w, pair->block + l->block_code, &code, 1) && is_cell(code) &&
	       w->read(w->user, code + l->code_tier, &tier, 1) && tier == TIER_FTL;
}

static bool test_pair(const struct work *w, const struct jsc_pair *pair, bool *is_function)
{
	_cleanup_free_ struct jsc_frame *f = calloc(1, sizeof(*f));
	struct object callee;

	*is_function = f && pair->block && read_words(w, pair->callee, callee.words, 1) &&
		       type_of(&callee) == w->layout->type_function && !is_unknown_tier(w, pair);
	if (!*is_function)
		return false;
	f->layout = *w->layout;
	f->raw = (struct profile_raw_js){
		.of.index = 1, .block = pair->block, .callee = pair->callee
	};
	f->pc = pair->pc;
	jsc_frame_follow(&f->raw, &f->layout, w->read, w->user);
	jsc_frame_read(f, w->read, w->user);
	return !f->refusal;
}

static bool test_layout(struct work *w, const struct jsc_calibration *c)
{
	uint32_t all = 0, passed = 0;

	for (uint32_t i = 1; i < c->count; i += 2) {
		bool is_function = false;

		passed += test_pair(w, &c->pairs[i], &is_function);
		all += is_function;
	}
	if (all >= PASSED_LEAST && 100 * passed >= PASSED_PERCENT * all)
		return true;
	snprintf(w->reason, w->reason_size, "a test of the layout found: %u of %u frames pass",
		passed, all);
	return false;
}

/* --- functions that have a name and a text --- */

static void keep_named(const struct work *w, struct jsc_calibration *c)
{
	const struct jsc_layout *l = w->layout;

	for (size_t i = 0; i < w->count && c->named < JSC_STARTS_MAX; i++) {
		const struct sample *s = &w->samples[i];
		struct jsc_named *n = &c->functions[c->named];
		uint64_t words[OBJECT_WORDS];
		size_t length;

		if (!s->is_function ||
			!read_words(w, s->executable.words[l->executable_provider / 8], words,
				OBJECT_WORDS) ||
			!read_letters(
				w, words[l->provider_url / 8], n->module, sizeof(n->module)) ||
			strncmp(n->module, BUN_NAME_BEGIN, strlen(BUN_NAME_BEGIN)) != 0)
			continue;
		length = read_letters(
			w, s->unlinked.words[l->unlinked_name / 8], n->name, sizeof(n->name));
		if (!is_identifier(n->name, length))
			continue;
		memcpy(n->unlinked, s->unlinked.words, sizeof(n->unlinked));
		c->named++;
	}
}

static bool calibrate_layout(struct work *w, struct jsc_calibration *c)
{
	if (!find_owner(w) || !find_unlinked(w) || !find_types(w) || !find_name_offset(w) ||
		!find_provider(w) || !find_tier(w) || !find_ranges(w))
		return false;
	find_rare(w);
	find_native(w);
	if (!test_layout(w, c))
		return false;
	keep_named(w, c);
	return true;
}

/* Reads every other pair, if its objects can be read. */
static void read_samples(struct work *w, const struct jsc_calibration *c)
{
	for (uint32_t i = 0; i < c->count; i += 2) {
		struct sample *s = &w->samples[w->count];

		*s = (struct sample){ .pair = &c->pairs[i] };
		if (read_words(w, s->pair->callee, s->callee.words, CALLEE_WORDS) &&
			(!s->pair->block ||
				read_words(w, s->pair->block, s->block.words, OBJECT_WORDS)))
			w->count++;
	}
}

void jsc_calibrate(struct jsc_calibration *c, jsc_read read, void *user)
{
	_cleanup_free_ struct sample *samples = calloc(c->count / 2 + 1, sizeof(*samples));
	struct work w = { .read = read,
		.user = user,
		.layout = &c->layout,
		.samples = samples,
		.reason = c->reason,
		.reason_size = sizeof(c->reason) };

	c->layout = (struct jsc_layout){ 0 };
	c->named = 0;
	c->is_known = false;
	if (samples) {
		read_samples(&w, c);
		c->is_known = calibrate_layout(&w, c);
	}
	jsc_votes_fini(&w.votes);
}
