/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The called function: its form, and its arguments. Included by heap.bpf.c, behind struct thread.
 */
#pragma once

#define FORM_SLOTS 32 /* a power of two, so that the verifier understands the mask */

_Static_assert(HEAP_FORM_COUNT <= FORM_SLOTS, "each form has a slot");

static const struct heap_form_layout layouts[FORM_SLOTS] = {
#define FORM_LAYOUT(name_, ...) { __VA_ARGS__ },
	HEAP_FORMS(FORM_LAYOUT)
#undef FORM_LAYOUT
};

static inline const struct heap_form_layout *layout_of(uint32_t form)
{
	return &layouts[form & (FORM_SLOTS - 1)];
}

static inline struct heap_aggregate *aggregate_of(struct thread *t, uint32_t function)
{
	return &t->aggregates[function & (HEAP_FUNCTION_SLOTS - 1)];
}

/* Multiplies number and size, as the function itself has to. */
static inline void set_product(struct thread *t, uint64_t number, uint64_t size)
{
	uint64_t product = number * size;

	/* Else the compiler replaces the division by a 128-bit multiplication, which BPF lacks. */
	asm volatile("" : "+r"(product));
	t->is_overflow = (number | size) >> 32 && number && product / number != size;
	t->size = t->is_overflow ? ~0ULL : product;
}

/* Returns an argument from memory of the thread: a variable cannot select a register. */
static inline uint64_t argument(const struct thread *t, uint32_t which)
{
	return t->arguments[which & 7];
}

static inline void set_alignment(struct thread *t, uint32_t where)
{
	uint64_t alignment = argument(t, where);

	if (where & HEAP_IN_FLAGS)
		t->alignment_log2 = alignment & 63;
	else
		t->alignment_log2 = (uint8_t)log2_of(alignment);
}

static inline void read_call_arguments(struct thread *t, struct pt_regs *regs, uint32_t form)
{
	const struct heap_form_layout *layout = layout_of(form);

	t->arguments[1] = CALL_ARGUMENT_1(regs);
	t->arguments[2] = CALL_ARGUMENT_2(regs);
	t->arguments[3] = CALL_ARGUMENT_3(regs);
	t->arguments[4] = CALL_ARGUMENT_4(regs);
	t->arguments[5] = CALL_ARGUMENT_5(regs);
	t->form = (uint8_t)form;
	t->function = layout->function;
	t->is_overflow = 0;
	t->size = argument(t, layout->size);
	if (layout->number)
		set_product(t, argument(t, layout->number), t->size);
	t->old_address = argument(t, layout->old);
	set_alignment(t, layout->alignment);
}
