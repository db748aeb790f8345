/* SPDX-License-Identifier: BSD-2-Clause */
/* Which label a peer gets, and what is wrong with a line of the user's. */
#include "support.h"

#include "analyze/sockets/peer_labels.h"

static struct peer_labels labels;

static int setup(void **state)
{
	(void)state;
	peer_labels_init(&labels);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	peer_labels_fini(&labels);
	return 0;
}

static const char *label_of(const char *address, unsigned port)
{
	static char copy[256];
	unsigned char bytes[16];
	struct span label = { 0 };

	assert_true(peer_address(bytes, span_of(address, strlen(address))));
	if (!peer_labels_find(&labels, bytes, port, &label))
		return "";
	snprintf(copy, sizeof(copy), "%.*s", (int)label.size, label.data);
	return copy;
}

static void parse(const char *text)
{
	struct sooth_error err;

	assert_int_equal(peer_labels_parse(&labels, "peers", text, strlen(text), &err), 0);
}

static void test_built_in(void **state)
{
	(void)state;
	assert_string_equal(label_of("160.79.104.10", 443), "Anthropic API");
	assert_string_equal(label_of("160.79.105.255", 443), "Anthropic API");
	assert_string_equal(label_of("::ffff:160.79.104.10", 443), "Anthropic API");
	assert_string_equal(label_of("160.79.106.0", 443), "HTTPS");
	assert_string_equal(label_of("160.79.103.255", 443), "HTTPS");
	assert_string_equal(label_of("2607:6bc0::10", 443), "Anthropic API");
	assert_string_equal(label_of("2607:6bc0:1::", 443), "HTTPS");
	assert_string_equal(label_of("127.0.0.1", 5432), "PostgreSQL");
	assert_string_equal(label_of("::1", 11434), "Ollama");
	assert_string_equal(label_of("10.1.2.3", 6379), "Redis");
	assert_string_equal(label_of("100.64.0.1", 6379), "Redis");
	assert_string_equal(label_of("203.0.113.5", 6379), ""); /* anything may use it */
	assert_string_equal(label_of("203.0.113.5", 4317), "OTLP (gRPC)");
	assert_string_equal(label_of("127.0.0.53", 53), "systemd-resolved");
	assert_string_equal(label_of("192.0.2.1", 53), "DNS");
	assert_string_equal(label_of("fe80::1%eth0", 5432), "PostgreSQL");
	assert_string_equal(label_of("127.0.0.1", 40000), "");
}

static void test_users(void **state)
{
	(void)state;
	parse("# mine\n\n"
	      "10.1.0.0/16:5432 orders database  # the main one\n"
	      "10.1.0.0/16 the office\n"
	      "10.1.2.0/24 the lab\r\n"
	      "[2001:db8::/32]:443 our API\n"
	      "2001:db8::5 one host\n"
	      "*:9999 test server\n"
	      "loopback:8080 the proxy\n"
	      "private:8080 some proxy\n"
	      "160.79.104.0/23 the model");
	assert_string_equal(label_of("10.1.5.5", 5432), "orders database");
	assert_string_equal(label_of("10.1.5.5", 5433), "the office");
	assert_string_equal(label_of("10.1.2.5", 1), "the lab");
	assert_string_equal(label_of("2001:db8:1::1", 443), "our API");
	assert_string_equal(label_of("2001:db8:1::1", 80), "HTTP");
	assert_string_equal(label_of("2001:db8::5", 80), "one host");
	assert_string_equal(label_of("203.0.113.5", 9999), "test server");
	assert_string_equal(label_of("127.1.1.1", 8080), "the proxy");
	assert_string_equal(label_of("192.168.1.1", 8080), "some proxy");
	assert_string_equal(label_of("160.79.104.1", 443), "the model");
}

static void test_refused_lines(void **state)
{
	static const struct {
		const char *text, *why;
	} wrong[] = {
		{ "10.0.0.1", "line 1: no label" },
		{ "# x\n10.0.0.1 ok\n10.0.0.300 x", "line 3: expected ADDRESS" },
		{ "10.0.0.0/33 x", "line 1: expected ADDRESS or ADDRESS/PREFIX" },
		{ "2001:db8::/129 x", "line 1: expected ADDRESS" },
		{ "10.0.0.0/ x", "line 1: expected ADDRESS" },
		{ "10.0.0.1:0 x", "line 1: expected a port" },
		{ "10.0.0.1:65536 x", "line 1: expected a port" },
		{ "10.0.0.1: x", "line 1: expected a port" },
		{ "[::1 x", "line 1: a bracket is not closed" },
		{ "[::1]80 x", "line 1: only a port" },
		{ "[]:80 x", "line 1: no address" },
		{ ":80 x", "line 1: no address" },
		{ "* x", "line 1: this rule matches every address" },
		{ "host.example:80 x", "line 1: expected ADDRESS" },
	};
	struct sooth_error err;
	size_t rules = labels.rules.size;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_not_equal(peer_labels_parse(&labels, "/home/me/peers", wrong[i].text,
					     strlen(wrong[i].text), &err),
			0);
		if (strncmp(err.why, wrong[i].why, strlen(wrong[i].why)))
			fail_msg("%s: %s", wrong[i].text, err.why);
		assert_true(has(err.tried, "/home/me/peers"));
		assert_int_equal(labels.rules.size, rules);
	}
}

static void test_hosts(void **state)
{
	static const char hosts[] = "127.0.0.1 localhost\n10.9.9.9 db.internal db # the one\n"
				    "nonsense\n10.9.9.8\n2001:db8::7\tseven\n";
	struct sooth_error err;

	(void)state;
	assert_int_equal(peer_labels_hosts(&labels, hosts, strlen(hosts), &err), 0);
	assert_string_equal(label_of("10.9.9.9", 4000), "db.internal");
	assert_string_equal(label_of("10.9.9.9", 443), "db.internal");
	assert_string_equal(label_of("10.9.9.9", 5432), "PostgreSQL");
	assert_string_equal(label_of("2001:db8::7", 22), "seven");
	assert_string_equal(label_of("127.0.0.1", 4000), "");
	parse("10.9.9.9 mine\n");
	assert_string_equal(label_of("10.9.9.9", 5432), "mine");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_built_in, setup, teardown),
		cmocka_unit_test_setup_teardown(test_users, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hosts, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
