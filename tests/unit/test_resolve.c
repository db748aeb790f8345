/* SPDX-License-Identifier: BSD-2-Clause */
/* Names with a bound in time: with a system that answers, is slow, or never answers. A
 * getnameinfo(3) of this file stands in place of the C library's. */
#include "support.h"

#include <netdb.h>
#include <time.h>
#include <unistd.h>

#include "cli/resolve.h"

static unsigned asked;
static unsigned delay_ms;

int getnameinfo(const struct sockaddr *address, socklen_t size, char *host, socklen_t host_size,
	char *service, socklen_t service_size, int flags)
{
	(void)address;
	(void)size;
	(void)service;
	(void)service_size;
	(void)flags;
	__atomic_add_fetch(&asked, 1, __ATOMIC_SEQ_CST);
	usleep(__atomic_load_n(&delay_ms, __ATOMIC_SEQ_CST) * 1000);
	snprintf(host, host_size, "host.example");
	return 0;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void test_remembered(void **state)
{
	struct resolver *r;
	struct sooth_error err;
	char name[256];

	(void)state;
	asked = delay_ms = 0;
	assert_int_equal(resolver_new(&r, 5000, &err), 0);
	for (int i = 0; i < 3; i++) {
		assert_true(resolver_name(r, "192.0.2.1", name, sizeof(name)));
		assert_string_equal(name, "host.example");
	}
	assert_int_equal(asked, 1);
	assert_true(resolver_name(r, "2001:db8::1", name, sizeof(name)));
	assert_false(resolver_name(r, "no address", name, sizeof(name)));
	assert_false(resolver_name(r, "192.0.2.1", name, 4));
	assert_int_equal(resolver_unanswered(r), 0);
	assert_int_equal(asked, 2);
	resolver_free(r);
}

static void test_dead(void **state)
{
	struct resolver *r;
	struct sooth_error err;
	char name[256], address[32];
	double begin = seconds();

	(void)state;
	delay_ms = 1500;
	assert_int_equal(resolver_new(&r, 100, &err), 0);
	for (int i = 0; i < 50; i++) {
		snprintf(address, sizeof(address), "192.0.2.%d", i);
		assert_false(resolver_name(r, address, name, sizeof(name)));
	}
	assert_int_equal(resolver_unanswered(r), 50);
	resolver_free(r);
	assert_true(seconds() - begin < 1.0);
	usleep(1700 * 1000); /* its thread ends by itself, and touches nothing that is gone */
}

static void test_slow(void **state)
{
	struct resolver *r;
	struct sooth_error err;
	char name[256], address[32];
	unsigned named = 0;

	(void)state;
	delay_ms = 60;
	assert_int_equal(resolver_new(&r, 200, &err), 0);
	for (int i = 0; i < 10; i++) {
		snprintf(address, sizeof(address), "192.0.2.%d", i);
		named += resolver_name(r, address, name, sizeof(name));
	}
	assert_in_range(named, 1, 4);
	assert_int_equal(resolver_unanswered(r), 10 - named);
	resolver_free(r);
	usleep(100 * 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_remembered),
		cmocka_unit_test(test_dead),
		cmocka_unit_test(test_slow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
