/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * First a sweep over the window notes which instructions are jump targets; then a walk from the
 * entry follows the one path that all relevant calls take, until a call, a fork or a jump back
 * ends it.
 */
#include "symbols/site.h"

/* The oldest supported kernel. */
#define KERNEL_FLOOR KERNEL_RELEASE(5, 10)

struct window {
	enum machine machine;
	const unsigned char *code;
	size_t size;
	uint8_t jumps[SITE_WINDOW_MAX];	 /* relative jumps and calls to here, up to 255 */
	bool is_fallen[SITE_WINDOW_MAX]; /* the instruction before may continue here */
};

struct walk {
	const struct window *window;
	const struct site_requirement *want;
	size_t at;
	bool by_jump;	 /* the path came here by a jump, not from the instruction before */
	uint8_t written; /* arguments */
	bool has_moved_return;
	bool has_test;	     /* the zero flag shows whether argument 0 is zero */
	bool is_past_null;   /* the path for NULL has branched off */
	struct site best;    /* emulated, but calls with a NULL argument pass too */
	struct site stepped; /* the first one that the kernel accepts */
	bool has_best, has_stepped;
};

static bool decode_instruction_at(const struct window *w, size_t at, struct instruction *out)
{
	return at < w->size && instruction_decode(w->machine, w->code + at, w->size - at, out);
}

static bool is_target_inside(const struct window *w, size_t at, int64_t distance)
{
	/* Neither sum overflows: distance has at most 32 bits. */
	return (int64_t)at + distance >= 0 && (int64_t)at + distance < (int64_t)w->size;
}

static bool has_target(const struct instruction *i)
{
	return i->kind == INSTRUCTION_JUMP || i->kind == INSTRUCTION_BRANCH ||
	       i->kind == INSTRUCTION_CALL;
}

static void window_open(struct window *w, enum machine machine, const void *code, size_t size)
{
	struct instruction i;

	*w = (struct window){ .machine = machine,
		.code = code,
		.size = size < SITE_WINDOW_MAX ? size : SITE_WINDOW_MAX };
	for (size_t at = 0; at < w->size;) {
		if (!decode_instruction_at(w, at, &i)) {
			at += instruction_step(machine);
			continue;
		}
		/* A call of the function's own entry is a normal call. */
		if (has_target(&i) && is_target_inside(w, at, i.target) &&
			!(i.kind == INSTRUCTION_CALL && (int64_t)at + i.target == 0)) {
			uint8_t *jumps = &w->jumps[(int64_t)at + i.target];

			*jumps += *jumps < UINT8_MAX;
		}
		at += i.length;
		if (at < w->size)
			w->is_fallen[at] = instruction_falls_through(&i);
	}
}

/* Returns whether only the path itself leads to the current instruction. */
static bool is_only_way(const struct walk *walk)
{
	const struct window *w = walk->window;

	if (walk->by_jump)
		return w->jumps[walk->at] <= 1 && !w->is_fallen[walk->at];
	return w->jumps[walk->at] == 0;
}

static struct site site_here(const struct walk *walk, const struct instruction *i, bool is_emulated)
{
	return (struct site){
		.offset = (uint32_t)walk->at,
		.instruction = *i,
		.is_emulated = is_emulated,
		.keeps_return = !walk->has_moved_return,
		.sees_null = !walk->is_past_null,
		.is_once = true,
		.is_refused = i->is_refused && !is_emulated,
	};
}

static bool is_emulated(const struct walk *walk, const struct instruction *i)
{
	uint32_t kernel = walk->want->kernel ? walk->want->kernel : KERNEL_FLOOR;

	return i->emulated_since != KERNEL_NEVER && i->emulated_since <= kernel;
}

/* Follows the non-NULL side of a branch; false when the branch tests something else. */
static bool follow_non_null(struct walk *walk, const struct instruction *i)
{
	bool is_test = i->tests_argument0 || walk->has_test;

	if (!walk->want->skips_null || !is_test)
		return false;
	if (i->condition == CONDITION_ZERO && i->target != i->length) {
		walk->by_jump = false;
		walk->at += i->length;
	} else if (i->condition == CONDITION_NONZERO &&
		   is_target_inside(walk->window, walk->at, i->target)) {
		walk->by_jump = true;
		walk->at = (size_t)((int64_t)walk->at + i->target);
	} else {
		return false;
	}
	walk->is_past_null = true;
	return true;
}

/* Moves to the next instruction of the path. Returns NULL, or the reason why there is none. */
static const char *advance_walk(struct walk *walk, const struct instruction *i)
{
	walk->written |= i->arguments_written;
	walk->has_moved_return |= i->changes_return;
	switch (i->kind) {
	case INSTRUCTION_BRANCH:
		if (!follow_non_null(walk, i))
			return "paths part before an emulated instruction";
		return NULL;
	case INSTRUCTION_JUMP:
		if (!is_target_inside(walk->window, walk->at, i->target))
			return "the function jumps away before an emulated instruction";
		walk->at = (size_t)((int64_t)walk->at + i->target);
		walk->by_jump = true;
		return NULL;
	case INSTRUCTION_PLAIN:
	case INSTRUCTION_NOP:
	case INSTRUCTION_PUSH:
	case INSTRUCTION_ADDRESS:
		walk->has_test = i->tests_argument0 || (walk->has_test && i->keeps_flags);
		walk->at += i->length;
		walk->by_jump = false;
		return NULL;
	default:
		return "the function calls or returns before an emulated instruction";
	}
}

/* Returns NULL if the requirements still hold at the current instruction; else the reason. */
static const char *find_broken_requirement(const struct walk *walk)
{
	if (!is_only_way(walk))
		return "jumps lead back before an emulated instruction";
	if (walk->written & walk->want->arguments)
		return "arguments are overwritten before an emulated instruction";
	if (walk->want->needs_return && walk->has_moved_return)
		return "the stack moves before an emulated instruction";
	return NULL;
}

static const char *why_chosen(const struct site *site, bool skips_null)
{
	if (skips_null && !site->sees_null)
		return "the first emulated instruction after the test for NULL";
	if (!site->offset)
		return "the first instruction is emulated";
	return "the first emulated instruction, arguments intact";
}

/* Walks until a site is final (true), or the path ends (with the reason). */
static bool walk_on(struct walk *walk, struct site *out, const char **why)
{
	struct instruction i;

	/* Every step advances by at least a byte, or takes a jump; each jump only once. */
	for (int steps = 0; steps < SITE_REACH_MAX && walk->at < SITE_REACH_MAX; steps++) {
		*why = find_broken_requirement(walk);
		if (*why)
			return false;
		*why = "sooth does not know an instruction before the emulated one";
		if (!decode_instruction_at(walk->window, walk->at, &i))
			return false;
		if (is_emulated(walk, &i)) {
			*out = site_here(walk, &i, true);
			out->why = why_chosen(out, walk->want->skips_null);
			if (!walk->want->skips_null || walk->is_past_null)
				return true;
			if (!walk->has_best)
				walk->best = *out;
			walk->has_best = true;
		}
		if (!walk->has_stepped && !i.is_refused) {
			walk->stepped = site_here(walk, &i, is_emulated(walk, &i));
			walk->has_stepped = true;
		}
		*why = advance_walk(walk, &i);
		if (*why)
			return false;
	}
	*why = "no emulated instruction within reach";
	return false;
}

/* Returns the entry as a site. */
static struct site site_at_entry(struct walk *walk)
{
	struct instruction i = { 0 };
	bool is_known = decode_instruction_at(walk->window, 0, &i);
	struct site site;

	*walk = (struct walk){ .window = walk->window, .want = walk->want };
	site = site_here(walk, &i, is_known && is_emulated(walk, &i));
	site.is_once = walk->window->size == 0 || is_only_way(walk);
	site.is_refused = !is_known || site.is_refused;
	return site;
}

void site_choose(enum machine machine, const void *code, size_t size,
	const struct site_requirement *requirement, struct site *out)
{
	const char *why = NULL;
	struct window window;
	struct walk walk = { .window = &window, .want = requirement };
	struct site site;

	window_open(&window, machine, code, size);
	if (!walk_on(&walk, &site, &why)) {
		site = walk.has_best	  ? walk.best
		       : walk.has_stepped ? walk.stepped
					  : site_at_entry(&walk);
		site.why = site.why ? site.why : why;
	}
	*out = site;
}
