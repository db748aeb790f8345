/* SPDX-License-Identifier: BSD-2-Clause */
/* Instructions of .eh_frame. */
#include "os/linux/profile/unwind_program.h"

#include <assert.h>
#include <string.h>

/* DWARF numbers of registers, in the psABI of each machine. */
#define X86_64_FP  6
#define X86_64_SP  7
#define AARCH64_FP 29
#define AARCH64_SP 31

enum {
	OP_ADVANCE = 0x40, /* has its operand in the low six bits, like the next two */
	OP_OFFSET = 0x80,
	OP_RESTORE = 0xc0,
	OP_NOP = 0x00,
	OP_ADVANCE_1 = 0x02,
	OP_ADVANCE_2 = 0x03,
	OP_ADVANCE_4 = 0x04,
	OP_OFFSET_EXTENDED = 0x05,
	OP_RESTORE_EXTENDED = 0x06,
	OP_UNDEFINED = 0x07,
	OP_SAME_VALUE = 0x08,
	OP_REGISTER = 0x09,
	OP_REMEMBER = 0x0a,
	OP_RESTORE_STATE = 0x0b,
	OP_FRAME = 0x0c,
	OP_FRAME_REGISTER = 0x0d,
	OP_FRAME_OFFSET = 0x0e,
	OP_FRAME_EXPRESSION = 0x0f,
	OP_EXPRESSION = 0x10,
	OP_OFFSET_SIGNED = 0x11,
	OP_FRAME_SIGNED = 0x12,
	OP_FRAME_OFFSET_SIGNED = 0x13,
	OP_VALUE_OFFSET = 0x14,
	OP_VALUE_OFFSET_SIGNED = 0x15,
	OP_VALUE_EXPRESSION = 0x16,
	OP_SIGN_RETURN = 0x2d, /* aarch64: the return address is signed from here on */
	OP_ARGUMENTS_SIZE = 0x2e,
	OP_OFFSET_NEGATIVE = 0x2f,
};

#define EXPRESSION_DEREF 0x06
#define EXPRESSION_BREG6 0x76

uint64_t unwind_uleb(struct cursor *c)
{
	uint64_t value = 0;

	assert(c);
	for (unsigned shift = 0; !c->failed; shift += 7) {
		uint8_t byte = cursor_u8(c);

		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			break;
	}
	return value;
}

int64_t unwind_sleb(struct cursor *c)
{
	uint64_t value = 0;
	unsigned shift = 0;
	uint8_t byte = 0x80;

	while (byte & 0x80 && !c->failed) {
		byte = cursor_u8(c);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	}
	if (byte & 0x40 && shift < 64)
		value |= ~UINT64_C(0) << shift;
	return (int64_t)value;
}

static uint64_t fp_of(enum machine machine)
{
	return machine == MACHINE_X86_64 ? X86_64_FP : AARCH64_FP;
}

static uint64_t sp_of(enum machine machine)
{
	return machine == MACHINE_X86_64 ? X86_64_SP : AARCH64_SP;
}

void unwind_run_init(struct unwind_run *r, enum machine machine, const struct unwind_common *common)
{
	assert(r);
	assert(common);
	r->machine = machine;
	r->common = common;
	r->state = common->initial;
	r->remembered_count = 0;
	r->is_unknown = false;
}

/* Returns the state of a register; NULL: the register is not followed. */
static struct unwind_saved *saved_of(
	const struct unwind_run *r, struct unwind_state *state, uint64_t reg)
{
	if (reg == fp_of(r->machine))
		return &state->fp;
	return reg == r->common->ra ? &state->ra : NULL;
}

static void put_saved(struct unwind_run *r, uint64_t reg, enum unwind_where where, int64_t offset)
{
	struct unwind_saved *saved = saved_of(r, &r->state, reg);

	if (saved)
		*saved = (struct unwind_saved){ where, offset };
}

/* Multiplies. Hostile numbers may give any result, but no undefined behavior. */
static int64_t multiply_wrapping(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a * (uint64_t)b);
}

static void put_offset(struct unwind_run *r, uint64_t reg, int64_t factored)
{
	put_saved(r, reg, WHERE_FRAME, multiply_wrapping(factored, r->common->data_align));
}

static void restore_register(struct unwind_run *r, uint64_t reg)
{
	struct unwind_state initial = r->common->initial;
	const struct unwind_saved *from = saved_of(r, &initial, reg);

	if (from)
		put_saved(r, reg, from->where, from->offset);
}

static void put_frame(struct unwind_run *r, uint64_t reg, int64_t offset)
{
	r->state.reg = reg;
	r->state.offset = offset;
	r->state.kind = reg == sp_of(r->machine)   ? UNWIND_SP
			: reg == fp_of(r->machine) ? UNWIND_FP
						   : UNWIND_RULE;
}

/* Sets the frame by an expression. Two forms are known: that of the linker's stubs, which depends
 * on the place within the stub, and that of functions that align their stack. */
static void put_frame_expression(struct unwind_run *r, struct span e)
{
	static const unsigned char stub[] = { 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x30, 0x2a, 0x33, 0x24,
		0x22 };
	struct cursor c = cursor_over(e.data, e.size);
	const unsigned char *bytes = (const void *)e.data;

	r->state.kind = UNWIND_RULE;
	if (r->machine != MACHINE_X86_64)
		return;
	if (e.size == sizeof(stub) && !memcmp(bytes, stub, 6) && bytes[6] >= 0x30 &&
		bytes[6] <= 0x3f && !memcmp(bytes + 7, stub + 7, 4)) {
		r->state.kind = UNWIND_PLT;
		r->state.offset = bytes[6] - 0x30;
	} else if (cursor_u8(&c) == EXPRESSION_BREG6) {
		r->state.offset = unwind_sleb(&c);
		if (cursor_u8(&c) == EXPRESSION_DEREF && !c.failed && cursor_at_end(&c))
			r->state.kind = UNWIND_FP_SAVED;
	}
}

static void put_expression(struct unwind_run *r, uint64_t reg, struct span e)
{
	struct cursor c = cursor_over(e.data, e.size);
	bool is_from_fp = r->machine == MACHINE_X86_64 && cursor_u8(&c) == EXPRESSION_BREG6;
	int64_t offset = unwind_sleb(&c);

	is_from_fp = is_from_fp && !c.failed && cursor_at_end(&c);
	put_saved(r, reg, is_from_fp ? WHERE_FP : WHERE_OTHER, offset);
}

static struct span read_block(struct cursor *c)
{
	uint64_t size = unwind_uleb(c);

	if (size > cursor_left(c))
		c->failed = true;
	return cursor_bytes(c, c->failed ? 0 : (size_t)size);
}

static void remember_state(struct unwind_run *r, bool is_back)
{
	if (is_back && r->remembered_count)
		r->state = r->remembered[--r->remembered_count];
	else if (!is_back && r->remembered_count < UNWIND_REMEMBERED_MAX)
		r->remembered[r->remembered_count++] = r->state;
	else
		r->is_unknown = true;
}

/* Executes an instruction that says where the frame is. False: it is not such an instruction. */
static bool execute_frame(struct unwind_run *r, struct cursor *c, uint8_t op)
{
	uint64_t reg;

	switch (op) {
	case OP_FRAME:
		reg = unwind_uleb(c);
		put_frame(r, reg, (int64_t)unwind_uleb(c));
		return true;
	case OP_FRAME_SIGNED:
		reg = unwind_uleb(c);
		put_frame(r, reg, multiply_wrapping(unwind_sleb(c), r->common->data_align));
		return true;
	case OP_FRAME_REGISTER:
		put_frame(r, unwind_uleb(c), r->state.offset);
		return true;
	case OP_FRAME_OFFSET:
		put_frame(r, r->state.reg, (int64_t)unwind_uleb(c));
		return true;
	case OP_FRAME_OFFSET_SIGNED:
		put_frame(
			r, r->state.reg, multiply_wrapping(unwind_sleb(c), r->common->data_align));
		return true;
	case OP_FRAME_EXPRESSION:
		put_frame_expression(r, read_block(c));
		return true;
	default:
		return false;
	}
}

/* Executes an instruction that says where a register is. False: it is not such an instruction. */
static bool execute_register(struct unwind_run *r, struct cursor *c, uint8_t op)
{
	uint64_t reg;

	if (op < OP_OFFSET_EXTENDED || (op > OP_REGISTER && op < OP_EXPRESSION) ||
		(op > OP_VALUE_EXPRESSION && op != OP_OFFSET_NEGATIVE))
		return false;
	if (op == OP_FRAME_SIGNED || op == OP_FRAME_OFFSET_SIGNED)
		return false;
	reg = unwind_uleb(c);
	switch (op) {
	case OP_OFFSET_EXTENDED:
		put_offset(r, reg, (int64_t)unwind_uleb(c));
		break;
	case OP_OFFSET_SIGNED:
		put_offset(r, reg, unwind_sleb(c));
		break;
	case OP_OFFSET_NEGATIVE:
		put_offset(r, reg, multiply_wrapping((int64_t)unwind_uleb(c), -1));
		break;
	case OP_RESTORE_EXTENDED:
		restore_register(r, reg);
		break;
	case OP_UNDEFINED:
		put_saved(r, reg, WHERE_UNDEFINED, 0);
		break;
	case OP_SAME_VALUE:
		put_saved(r, reg, WHERE_KEPT, 0);
		break;
	case OP_EXPRESSION:
		put_expression(r, reg, read_block(c));
		break;
	case OP_VALUE_EXPRESSION:
		read_block(c);
		put_saved(r, reg, WHERE_OTHER, 0);
		break;
	default: /* in another register, or a value made of the frame: one operand each */
		unwind_uleb(c);
		put_saved(r, reg, WHERE_OTHER, 0);
	}
	return true;
}

static void execute_instruction(struct unwind_run *r, struct cursor *c, uint8_t op)
{
	switch (op & 0xc0) {
	case OP_OFFSET:
		put_offset(r, op & 0x3f, (int64_t)unwind_uleb(c));
		return;
	case OP_RESTORE:
		restore_register(r, op & 0x3f);
		return;
	default:
		break;
	}
	if (op == OP_NOP || op == OP_SIGN_RETURN || execute_frame(r, c, op) ||
		execute_register(r, c, op))
		return;
	if (op == OP_REMEMBER || op == OP_RESTORE_STATE)
		remember_state(r, op == OP_RESTORE_STATE);
	else if (op == OP_ARGUMENTS_SIZE)
		unwind_uleb(c);
	else
		r->is_unknown = true;
}

bool unwind_run_advance(struct unwind_run *r, struct cursor *c, uint64_t *next)
{
	assert(r);
	assert(c);
	while (!cursor_at_end(c) && !c->failed && !r->is_unknown && r->budget) {
		uint8_t op = cursor_u8(c);
		uint64_t delta = 0;

		r->budget--;
		if ((op & 0xc0) == OP_ADVANCE)
			delta = op & 0x3f;
		else if (op == OP_ADVANCE_1)
			delta = cursor_u8(c);
		else if (op == OP_ADVANCE_2)
			delta = cursor_u16(c);
		else if (op == OP_ADVANCE_4)
			delta = cursor_u32(c);
		else
			execute_instruction(r, c, op);
		if (delta && !c->failed) {
			*next = r->address + delta * r->common->code_align;
			return true;
		}
	}
	return false;
}

static bool fits_16_bits(int64_t offset)
{
	return offset > INT16_MIN && offset <= INT16_MAX;
}

static struct unwind_rule plain_rule(enum unwind_kind kind)
{
	return (struct unwind_rule){ .frame = (int32_t)kind, .fp = UNWIND_KEPT, .ra = UNWIND_KEPT };
}

struct unwind_rule unwind_rule_of(const struct unwind_run *r)
{
	assert(r);

	const struct unwind_state *s = &r->state;
	bool is_saved = s->kind == UNWIND_FP_SAVED;
	struct unwind_rule rule = plain_rule(s->kind);

	if (r->common->is_signal)
		return plain_rule(UNWIND_SIGNAL);
	if (s->ra.where == WHERE_UNDEFINED)
		return plain_rule(UNWIND_END);
	if (s->offset > UNWIND_OFFSET_MAX || s->offset < -UNWIND_OFFSET_MAX ||
		s->kind == UNWIND_RULE)
		return plain_rule(UNWIND_RULE);
	rule.frame = (int32_t)(s->offset * (1 << UNWIND_KIND_BITS) + s->kind);
	if (s->ra.where == WHERE_FRAME && fits_16_bits(s->ra.offset))
		rule.ra = (int16_t)s->ra.offset;
	else if (s->ra.where != WHERE_KEPT || r->machine == MACHINE_X86_64)
		return plain_rule(UNWIND_RULE);
	if (s->fp.where == (is_saved ? WHERE_FP : WHERE_FRAME) && fits_16_bits(s->fp.offset))
		rule.fp = (int16_t)s->fp.offset;
	else if (s->fp.where != WHERE_KEPT && s->fp.where != WHERE_UNDEFINED)
		return plain_rule(UNWIND_RULE);
	return rule;
}
