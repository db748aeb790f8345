/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The counting that runs in the kernel, run here: buckets, slots and what
 * happens when they are all taken. And what the kernel side and user space must
 * agree on without sharing a header.
 */
#include "support.h"

#include "bpf/aggregate.h"
#include "probes/syscall_names.h"

static unsigned slow_bucket(uint64_t ns)
{
	unsigned bucket = 0;

	while (bucket < SYSCALLS_BUCKETS - 1 && ns >= (uint64_t)2 << bucket)
		bucket++;
	return bucket;
}

static void test_buckets(void **state)
{
	uint64_t seed = 1;

	(void)state;
	assert_int_equal(aggregate_bucket(0), 0);
	assert_int_equal(aggregate_bucket(1), 0);
	assert_int_equal(aggregate_bucket(2), 1);
	assert_int_equal(aggregate_bucket(3), 1);
	assert_int_equal(aggregate_bucket(UINT64_MAX), SYSCALLS_BUCKETS - 1);
	for (unsigned i = 1; i < 64; i++) {
		uint64_t first = (uint64_t)1 << i;
		unsigned bucket = i < SYSCALLS_BUCKETS ? i : SYSCALLS_BUCKETS - 1;

		assert_int_equal(aggregate_bucket(first), bucket);
		assert_int_equal(aggregate_bucket(first + (first - 1)), bucket);
		assert_int_equal(aggregate_bucket(first - 1), slow_bucket(first - 1));
	}
	for (int i = 0; i < 100000; i++) {
		uint64_t ns = random_next(&seed) >> random_below(&seed, 64);

		assert_int_equal(aggregate_bucket(ns), slow_bucket(ns));
	}
}

static void test_slots(void **state)
{
	struct aggregate *t = calloc(1, sizeof(*t));
	struct aggregate_slot *first;

	(void)state;
	assert_null(aggregate_slot(t, AGGREGATE_NUMBERS));
	assert_null(aggregate_slot(t, UINT32_MAX));
	first = aggregate_slot(t, AGGREGATE_NUMBERS - 1);
	assert_ptr_equal(first, &t->slots[0]);
	assert_int_equal(first->number, AGGREGATE_NUMBERS - 1);
	for (uint32_t i = 1; i < SYSCALLS_SLOTS; i++) {
		struct aggregate_slot *s = aggregate_slot(t, i);

		assert_ptr_equal(s, &t->slots[i]);
		s->count = i;
	}
	/* Full: no new one, the old ones stay where they are. */
	assert_null(aggregate_slot(t, SYSCALLS_SLOTS));
	assert_int_equal(t->slots_used, SYSCALLS_SLOTS);
	assert_ptr_equal(aggregate_slot(t, AGGREGATE_NUMBERS - 1), first);
	for (uint32_t i = 1; i < SYSCALLS_SLOTS; i++)
		assert_int_equal(aggregate_slot(t, i)->count, i);
	/* A number out of range, as the verifier must think possible, is no slot. */
	t->slot_of[300] = 255;
	assert_null(aggregate_slot(t, 300));
	free(t);
}

static void test_adding(void **state)
{
	struct aggregate_slot s = { 0 };

	(void)state;
	aggregate_slot_add(&s, 0, 100);
	aggregate_slot_add(&s, 5, 50);
	aggregate_slot_add(&s, 0, 0);
	assert_int_equal(s.count, 3);
	assert_int_equal(s.errors, 1);
	assert_int_equal(s.total_ns, 150);
	assert_int_equal(s.max_ns, 100);
	assert_int_equal(s.histogram[6], 1);
	assert_int_equal(s.histogram[5], 1);
	assert_int_equal(s.histogram[0], 1);
	aggregate_slot_add_untimed(&s, 1);
	assert_int_equal(s.count, 4);
	assert_int_equal(s.errors, 2);
	assert_int_equal(s.untimed, 1);
	assert_int_equal(s.total_ns, 150);
	assert_int_equal(s.histogram[0], 1);
}

static void test_errors(void **state)
{
	struct aggregate *t = calloc(1, sizeof(*t));

	(void)state;
	for (uint32_t i = 0; i < SYSCALLS_ERROR_SLOTS; i++)
		assert_true(aggregate_error(t, i / 2, 1 + i % 2));
	assert_false(aggregate_error(t, 99, 1));
	assert_false(aggregate_error(t, 0, 3));
	assert_true(aggregate_error(t, 1, 2)); /* known */
	assert_int_equal(t->errors_used, SYSCALLS_ERROR_SLOTS);
	assert_int_equal(t->errors[3].count, 2);
	assert_int_equal(t->errors[3].number, 1);
	assert_int_equal(t->errors[3].error, 2);
	assert_int_equal(t->errors[0].count, 1);
	free(t);
}

/* Numbers that the kernel returns for errors, and those that only look like one: addresses. */
static void test_what_is_an_error(void **state)
{
	(void)state;
	assert_true(aggregate_is_error(-1));
	assert_true(aggregate_is_error(-4095));
	assert_false(aggregate_is_error(-4096));
	assert_false(aggregate_is_error(0));
	assert_false(aggregate_is_error(1));
	assert_false(aggregate_is_error(INT64_MIN));
	assert_false(aggregate_is_error(INT64_MAX));
}

/* A number that abi.bpf.h gives a name, read from its text. */
static int kernel_number(const char *name)
{
	char line[256], found[64];
	FILE *file = fopen(ABI_HEADER, "r");
	int number = -1, value;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "#define ABI_%63s %d", found, &value) == 2 && !strcmp(found, name))
			number = value;
	}
	fclose(file);
	return number;
}

static void test_abis(void **state)
{
	(void)state;
	assert_int_equal(kernel_number("X86_64"), SYSCALL_ABI_X86_64);
	assert_int_equal(kernel_number("AARCH64"), SYSCALL_ABI_AARCH64);
	assert_int_equal(kernel_number("I386"), SYSCALL_ABI_I386);
	assert_int_equal(kernel_number("X32"), SYSCALL_ABI_X32);
	assert_int_equal(kernel_number("ARM"), SYSCALL_ABI_ARM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buckets),
		cmocka_unit_test(test_slots),
		cmocka_unit_test(test_adding),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_what_is_an_error),
		cmocka_unit_test(test_abis),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
