/* SPDX-License-Identifier: BSD-2-Clause */
/* Where errno is, by the code that says so: made by hand, and this process's own libc. */
#include "symbols/errno_location.h"

#include <errno.h>
#include <string.h>

#include "support.h"

#define DECODE(bytes, out) errno_location_decode(MACHINE_X86_64, bytes, sizeof(bytes), 0x1000, out)

static void test_slot(void **state)
{
	static const unsigned char code[] = { 0x48, 0x8b, 0x05, 0x79, 0x01, 0, 0, 0x64, 0x48, 0x03,
		0x04, 0x25, 0, 0, 0, 0, 0xc3 };
	struct errno_location l;

	(void)state;
	assert_true(DECODE(code, &l));
	assert_true(l.is_in_slot);
	assert_int_equal(l.slot, 0x1000 + 7 + 0x179);
}

static void test_constant(void **state)
{
	static const unsigned char musl[] = { 0xf3, 0x0f, 0x1e, 0xfa, 0x64, 0x48, 0x8b, 0x04, 0x25,
		0, 0, 0, 0, 0x48, 0x83, 0xc0, 0x34, 0xc3 };
	static const unsigned char fixed[] = { 0x48, 0xc7, 0xc0, 0xc0, 0xff, 0xff, 0xff, 0x64, 0x48,
		0x03, 0x04, 0x25, 0, 0, 0, 0, 0xc3 };
	struct errno_location l;

	(void)state;
	assert_true(DECODE(musl, &l));
	assert_false(l.is_in_slot);
	assert_int_equal(l.offset, 0x34);
	assert_true(DECODE(fixed, &l));
	assert_int_equal(l.offset, -64);
}

/* Every prefix, and every byte changed to another, is refused or at least read within its bounds.
 */
static void test_others(void **state)
{
	static const unsigned char code[] = { 0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0, 0x48, 0x83,
		0xc0, 0x34, 0xc3 };
	struct errno_location l;

	(void)state;
	for (size_t size = 0; size < sizeof(code); size++)
		assert_false(errno_location_decode(MACHINE_X86_64, code, size, 0, &l));
	for (size_t i = 0; i < sizeof(code); i++) {
		unsigned char other[sizeof(code)];

		memcpy(other, code, sizeof(code));
		other[i] ^= 0x11;
		assert_int_equal(DECODE(other, &l), i == 12); /* the offset may be any */
	}
	assert_false(errno_location_decode(MACHINE_AARCH64, code, sizeof(code), 0, &l));
}

#if defined(__x86_64__) && defined(__GLIBC__)
static void test_own(void **state)
{
	uint64_t address = (uint64_t)(uintptr_t)&__errno_location, pointer;
	struct errno_location l;

	(void)state;
	/* Other compilations of glibc may have another form; what is decoded has to be right. */
	if (!errno_location_decode(
		    MACHINE_X86_64, (const void *)(uintptr_t)address, 32, address, &l))
		return;
	__asm__("mov %%fs:0, %0" : "=r"(pointer));
	if (l.is_in_slot)
		pointer += *(const uint64_t *)(uintptr_t)l.slot;
	else
		pointer += (uint64_t)(int64_t)l.offset;
	assert_ptr_equal((void *)(uintptr_t)pointer, &errno);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slot),
		cmocka_unit_test(test_constant),
		cmocka_unit_test(test_others),
#if defined(__x86_64__) && defined(__GLIBC__)
		cmocka_unit_test(test_own),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
