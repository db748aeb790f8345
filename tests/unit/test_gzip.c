/* SPDX-License-Identifier: BSD-2-Clause */
/* Bodies in gzip: what a reader unpacks, and which readers get them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <zlib.h>

#include "base/gzip.h"

static void check_round_trip(const unsigned char *data, size_t size)
{
	struct buffer packed = { 0 };
	unsigned char *got = malloc(size + 1);
	z_stream z = { .next_out = got, .avail_out = (uInt)size + 1 };

	buffer_string(&packed, "head"); /* it appends */
	assert_true(gzip_pack(&packed, data, size));
	z.next_in = packed.data + 4;
	z.avail_in = (uInt)packed.size - 4;
	assert_int_equal(inflateInit2(&z, MAX_WBITS + 16), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.total_out, size);
	assert_int_equal(z.avail_in, 0);
	assert_memory_equal(got, size ? data : got, size);
	inflateEnd(&z);
	buffer_fini(&packed);
	free(got);
}

static void what_is_packed_comes_back(void **state)
{
	static unsigned char noise[300000];

	(void)state;
	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (unsigned char)(i * i * 2654435761u >> 13);
	check_round_trip(noise, sizeof(noise));
	check_round_trip((const unsigned char *)"sooth_sessions 1\n", 17);
	check_round_trip(NULL, 0);
}

static void too_much_is_refused(void **state)
{
	struct buffer packed = { .limit = 10 };

	(void)state;
	assert_false(gzip_pack(&packed, "sooth_sessions 1\n", 17));
	assert_int_equal(packed.size, 0);
	buffer_fini(&packed);
	assert_false(gzip_pack(&packed, "", (size_t)UINT32_MAX + 1));
}

static void who_accepts_it(void **state)
{
	static const char *const yes[] = { "gzip", "GZip", "deflate, gzip;q=1.0, *;q=0.5",
		"br,\tgzip ; q=0.001", "gzip;q=0.010", ",,gzip,,", "gzip;",
		"gzip;q=", "gzip, gzip;q=0" };
	static const char *const no[] = { "", "identity", "gzip;q=0", "gzip; q=0.000", "GZIP;Q=0.",
		"xgzip", "gzipx", "g zip", "*", "deflate;gzip", "gzip\xc3\xa9", "\xff\xfe", ";",
		",", "gzip;q=0, gzip" };

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		assert_true(gzip_is_accepted(yes[i]));
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		assert_false(gzip_is_accepted(no[i]));
	assert_false(gzip_is_accepted(",,,,,,,,,,,,,,,,,,,,,,,,gzip")); /* a bound of the work */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_packed_comes_back),
		cmocka_unit_test(too_much_is_refused),
		cmocka_unit_test(who_accepts_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
