/* SPDX-License-Identifier: BSD-2-Clause */
/* Walks over the instructions once, each at most twice: on a path that has met a target, and on one
 * that has not. */
#include "symbols/code_paths.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/cursor.h"
#include "base/map.h"

#define STEPS_MAX   4096
#define PENDING_MAX 256
#define STUB_STEPS  2 /* endbr64 or bti, then the jump */
#define SLOT_BYTES  4 /* size of the distance to a slot, at the end of the instruction */

struct place {
	uint64_t offset;
	uint64_t has_met; /* the path has met a target */
};

struct walk {
	int fd;
	enum machine machine;
	const struct elf_function *function;
	uint64_t shift; /* address as linked minus offset in the file */
	const struct elf_slots *slots;
	code_classify classify;
	void *user;
	struct map seen;
	struct place pending[PENDING_MAX];
	size_t pending_count;
	struct code_paths *out;
};

/* Functions that never return: a path ends at a call of one. */
static const char *const endless[] = { "__cxa_throw", "__cxa_rethrow", "_Unwind_Resume", "abort",
	"exit", "_exit", "__assert_fail", "__stack_chk_fail", "_ZSt9terminatev",
	"_ZSt17__throw_bad_allocv", "_ZSt28__throw_bad_array_new_lengthv" };

static bool never_returns(const char *name)
{
	return SPAN_ANY(span_of_string(name), span_equal, endless);
}

static bool decode_instruction_at(
	const struct walk *w, uint64_t offset, unsigned char *code, struct instruction *out)
{
	ssize_t size;

	do
		size = pread(w->fd, code, INSTRUCTION_LENGTH_MAX, (off_t)offset);
	while (size < 0 && errno == EINTR);
	return size > 0 && instruction_decode(w->machine, code, (size_t)size, out);
}

/* Finds the slot through which an instruction jumps or calls. */
static bool find_slot(const struct walk *w, uint64_t offset, const unsigned char *code,
	const struct instruction *i, struct elf_slot *slot)
{
	int32_t distance;

	if (w->machine != MACHINE_X86_64 || !i->is_ip_relative || i->length < SLOT_BYTES)
		return false;
	memcpy(&distance, code + i->length - SLOT_BYTES, sizeof(distance));
	return elf_slots_find(
		w->slots, offset + w->shift + i->length + (uint64_t)(int64_t)distance, slot);
}

/* The destination of a jump or call to code, which may be a stub of the PLT. */
struct destination {
	uint64_t offset;
	const char *name; /* name of its slot; "": none */
	bool is_defined;  /* the function is defined in this file */
};

static struct destination destination_of_slot(const struct walk *w, const struct elf_slot *slot)
{
	return (struct destination){ slot->address - w->shift, slot->name, slot->is_defined };
}

static struct destination destination_at(const struct walk *w, uint64_t offset)
{
	struct destination to = { offset, "", true };
	unsigned char code[INSTRUCTION_LENGTH_MAX];
	struct elf_slot slot;
	struct instruction i;

	for (int step = 0; step < STUB_STEPS && decode_instruction_at(w, offset, code, &i);
		step++) {
		if (i.kind == INSTRUCTION_JUMP_INDIRECT && find_slot(w, offset, code, &i, &slot))
			return destination_of_slot(w, &slot);
		if (i.kind != INSTRUCTION_NOP && i.kind != INSTRUCTION_PLAIN)
			break;
		offset += i.length;
	}
	return to;
}

static enum code_target classify(const struct walk *w, const struct destination *to)
{
	return w->classify(w->user, to->offset, to->is_defined, to->name);
}

static void add_pending_place(struct walk *w, uint64_t offset, bool has_met)
{
	struct place place = { offset, has_met };
	bool is_new;

	if (!map_put(&w->seen, &place, &is_new) || (is_new && w->pending_count == PENDING_MAX))
		w->out->is_cut = true;
	else if (is_new)
		w->pending[w->pending_count++] = place;
}

/* Continues with the next instruction, unless the function ends here. */
static void fall_through(struct walk *w, const struct place *at, size_t length, bool has_met)
{
	uint64_t end = w->function->offset + w->function->size, next = at->offset + length;

	if (!w->function->size || next != end)
		add_pending_place(w, next, has_met);
}

static void note_return(struct walk *w, const struct place *at)
{
	struct code_paths *out = w->out;

	out->avoids_targets |= !at->has_met;
	for (size_t i = 0; i < out->count; i++)
		if (out->returns[i] == at->offset)
			return;
	if (out->count == CODE_RETURNS_MAX)
		out->is_cut = true;
	else
		out->returns[out->count++] = at->offset;
}

static void follow_jump(struct walk *w, const struct place *at, const struct destination *to)
{
	enum code_target target = classify(w, to);

	if (target == CODE_TARGET || never_returns(to->name))
		return;
	if (to->is_defined)
		add_pending_place(w, to->offset, at->has_met || target);
	else
		w->out->is_cut = true;
}

static void follow_call(
	struct walk *w, const struct place *at, size_t length, const struct destination *to)
{
	if (!never_returns(to->name))
		fall_through(w, at, length, at->has_met || classify(w, to));
}

static void follow_place(struct walk *w, const struct place *at)
{
	struct destination to = { 0, "", false };
	unsigned char code[INSTRUCTION_LENGTH_MAX];
	struct elf_slot slot;
	struct instruction i;

	if (!decode_instruction_at(w, at->offset, code, &i)) {
		w->out->is_cut = true;
		return;
	}
	switch (i.kind) {
	case INSTRUCTION_RETURN:
		note_return(w, at);
		break;
	case INSTRUCTION_JUMP:
		to = destination_at(w, at->offset + (uint64_t)i.target);
		follow_jump(w, at, &to);
		break;
	case INSTRUCTION_BRANCH:
		to = destination_at(w, at->offset + (uint64_t)i.target);
		follow_jump(w, at, &to);
		fall_through(w, at, i.length, at->has_met);
		break;
	case INSTRUCTION_CALL:
		to = destination_at(w, at->offset + (uint64_t)i.target);
		follow_call(w, at, i.length, &to);
		break;
	case INSTRUCTION_JUMP_INDIRECT:
	case INSTRUCTION_CALL_INDIRECT:
		if (find_slot(w, at->offset, code, &i, &slot))
			to = destination_of_slot(w, &slot);
		if (i.kind == INSTRUCTION_JUMP_INDIRECT)
			follow_jump(w, at, &to);
		else
			follow_call(w, at, i.length, &to);
		break;
	case INSTRUCTION_STOP:
		break;
	default:
		fall_through(w, at, i.length, at->has_met);
	}
}

int code_paths_find(int fd, enum machine machine, const struct elf_function *function,
	const struct elf_slots *slots, code_classify classify, void *user, struct code_paths *out)
{
	_cleanup_free_ struct walk *w = calloc(1, sizeof(*w));

	assert(function);
	*out = (struct code_paths){ 0 };
	if (!w)
		return -ENOMEM;
	*w = (struct walk){ .fd = fd,
		.machine = machine,
		.function = function,
		.shift = function->address - function->offset,
		.slots = slots,
		.classify = classify,
		.user = user,
		.out = out };
	map_init(&w->seen, sizeof(struct place), 0, STEPS_MAX);
	add_pending_place(w, function->offset, false);
	while (w->pending_count) {
		struct place at = w->pending[--w->pending_count];

		follow_place(w, &at);
	}
	map_fini(&w->seen);
	return 0;
}
