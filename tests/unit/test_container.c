/* SPDX-License-Identifier: BSD-2-Clause */
/* Containers by control groups: what each runtime makes, and what is none. */
#include "support.h"

#include "analyze/process_table/container.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_runtimes(void **state)
{
	static const struct {
		const char *group, *expected;
	} rows[] = {
		{ "/docker/" ID, "docker 0123456789ab" },
		{ "/system.slice/docker-" ID ".scope", "docker 0123456789ab" },
		{ "/system.slice/docker-" ID ".scope/init.scope", "docker 0123456789ab" },
		{ "/machine.slice/libpod-" ID ".scope/container", "podman 0123456789ab" },
		{ "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope",
			"podman 0123456789ab" },
		{ "/kubepods/burstable/pod3c1f/" ID, "kubernetes 0123456789ab" },
		{ "/kubepods.slice/kubepods-pod3c1f.slice/cri-containerd-" ID ".scope",
			"kubernetes 0123456789ab" },
		{ "/kubepods.slice/kubepods-besteffort.slice/crio-" ID ".scope",
			"kubernetes 0123456789ab" },
		{ "/lxc/web/system.slice", "lxc web" },
		{ "/lxc.payload.web/init.scope", "lxc web" },
		{ "/lxc.payload/web", "lxc web" },
		/* One in another: the inner one. */
		{ "/lxc/web/docker/" ID, "docker 0123456789ab" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char out[CONTAINER_SIZE] = "";

		if (!container_of_group(span_of(rows[i].group, strlen(rows[i].group)), out))
			fail_msg("%s is none", rows[i].group);
		assert_string_equal(out, rows[i].expected);
	}
}

static void test_none(void **state)
{
	static const char *const rows[] = { "", "/", "/user.slice/user-1000.slice/session-1.scope",
		"/system.slice/docker.service", "/docker/buildx", "/docker/0123",
		"/home/docker-notes/0123456789abcdef", "/system.slice/docker-compose.scope", "/lxc",
		"/lxc.payload.", "/kubepods/burstable/pod3c1f", "////", "docker" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char out[CONTAINER_SIZE] = "untouched";

		if (container_of_group(span_of(rows[i], strlen(rows[i])), out))
			fail_msg("%s is %s", rows[i], out);
		assert_string_equal(out, "untouched");
	}
}

static void test_monitors(void **state)
{
#define ARGUMENTS(text) span_of(text, sizeof(text) - 1)
	static const char conmon[] =
		"/usr/bin/conmon\0--api-version\0001\0-c\0" ID "\0-u\0" ID "\0-n\0web\0";
	static const char shim[] = "/usr/bin/containerd-shim-runc-v2\0-namespace\0moby\0-id\0" ID;
	struct container c;

	(void)state;
	assert_true(container_of_monitor(&c, ARGUMENTS("/usr/bin/conmon"), ARGUMENTS(conmon)));
	assert_true(span_equal(c.id, ID));
	assert_true(span_equal(c.label, "web"));
	assert_true(container_of_monitor(
		&c, ARGUMENTS("/usr/bin/containerd-shim-runc-v2"), ARGUMENTS(shim)));
	assert_true(span_equal(c.id, ID));
	assert_int_equal(c.label.size, 0);
	assert_false(container_of_monitor(&c, ARGUMENTS("/usr/bin/sh"), ARGUMENTS(conmon)));
	assert_false(container_of_monitor(
		&c, ARGUMENTS("/usr/bin/conmon"), ARGUMENTS("conmon\0-c\0web\0-n")));
#undef ARGUMENTS
}

static void test_long_names(void **state)
{
	char group[4096] = "/lxc/", out[CONTAINER_SIZE];

	(void)state;
	memset(group + 5, 'n', sizeof(group) - 5);
	assert_true(container_of_group(span_of(group, sizeof(group)), out));
	assert_int_equal(strlen(out), strlen("lxc ") + 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runtimes),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_monitors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
