/* SPDX-License-Identifier: BSD-2-Clause */
#include "support.h"

#include "base/cleanup.h"
#include "recognize/script_name.h"

/* The arguments have '|' for NUL here. */
static const struct {
	const char *name, *arguments, *script;
} cases[] = {
	{ "python3", "python3|-u|/srv/app/rates.py|--all", "rates.py" },
	{ "python3.11", "/usr/bin/python3.11|-X|dev|rates.py", "rates.py" },
	{ "python3", "python3|-m|pytest|-k|a.py", "pytest" },
	{ "python3", "python3|-c|import os; os.pause()|a.py", "" },
	{ "node", "node|--require|./hook.js|bot.js", "bot.js" },
	{ "MainThread", "node|/srv/My Files/bot.js", "bot.js" },
	{ "node", "node|-e|setInterval(() => {}, 1)|x.js", "" },
	{ "claude", "node|/usr/bin/claude", "" },
	{ "bash", "bash|-e|-o|pipefail|build.sh|x", "build.sh" },
	{ "bash", "-bash", "" },
	{ "bash", "bash|-lc|make; ./run.sh", "" },
	{ "bash", "bash|-euo|pipefail|-c|make", "" },
	{ "bash", "bash|--norc|-eo|pipefail|/tmp/step.sh", "step.sh" },
	{ "bash", "bash|-s|--|SuperSecret", "" },
	{ "sh", "sh|-|build.sh", "build.sh" },
	{ "bash", "/bin/bash|--rcfile|/etc/my.rc|--norc|job", "job" },
	{ "run.sh", "/bin/sh|./run.sh", "" },
	{ "a_very_long_nam", "/bin/sh|./a_very_long_name.sh", "" },
	{ "a_very_long_nam", "/bin/sh|./other.sh", "other.sh" },
	{ "ruby", "ruby3.1|-I|lib|queue.rb", "queue.rb" },
	{ "perl", "perl|-e|sleep", "" },
	{ "php", "php|-d|x=1|import.php", "import.php" },
	{ "java", "java|-Xmx64m|-cp|lib/a.jar|com.acme.Orders|7", "com.acme.Orders" },
	{ "java", "java|-jar|/srv/orders.jar", "orders.jar" },
	{ "sleep", "sleep|60", "" },
	{ "shred", "shred|a.sh", "" },
	{ "node", "", "" },
	{ "node", "node", "" },
	{ "node", "node|a-name-that-is-longer-than-what-fits-into-a-line-of-text.js", "" },
};

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char arguments[128], got[128];
		size_t size = strlen(cases[i].arguments);
		struct span script;

		memcpy(arguments, cases[i].arguments, size);
		for (size_t at = 0; at < size; at++) {
			if (arguments[at] == '|')
				arguments[at] = '\0';
		}
		script = script_name_of(span_of_string(cases[i].name), span_of(arguments, size));
		memcpy(got, script.data, script.size);
		got[script.size] = '\0';
		assert_string_equal(got, cases[i].script);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_names) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
