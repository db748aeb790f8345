/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions of PHP by name. */
#include <stdio.h>

#include "os/linux/runtimes/runtime.h"
#include "os/linux/runtimes/script_stack.h"

/* Zend/zend_compile.h, zend_globals.h of PHP 8.2, without thread safety. */
#define PHP_CURRENT  488 /* of executor_globals */
#define PHP_FUNCTION 24	 /* of a zend_execute_data */
#define PHP_BEFORE   48
#define PHP_USER     2 /* ZEND_USER_FUNCTION */
#define PHP_NAME     8 /* of a zend_function */
#define PHP_CLASS    16
#define PHP_FILE     152
#define PHP_LINE     160
#define PHP_LENGTH   16 /* of a zend_string */
#define PHP_TEXT     24

static bool do_text(struct script_reading *r, uint64_t string, char out[SCRIPT_NAME_BYTES])
{
	return do_script_text(r, string + PHP_TEXT, do_script_pointer(r, string + PHP_LENGTH), out);
}

static void do_function(struct script_reading *r, uint64_t function)
{
	char name[SCRIPT_NAME_BYTES] = "<main>", class[SCRIPT_NAME_BYTES] = "",
	     path[SCRIPT_NAME_BYTES];
	char whole[2 * SCRIPT_NAME_BYTES + 2];
	uint64_t text = do_script_pointer(r, function + PHP_NAME),
		 scope = do_script_pointer(r, function + PHP_CLASS);
	uint32_t line = 0;

	if (text)
		do_text(r, text, name);
	if (text && scope)
		do_text(r, do_script_pointer(r, scope + PHP_NAME), class);
	do_text(r, do_script_pointer(r, function + PHP_FILE), path);
	do_script_get(r, function + PHP_LINE, &line, sizeof(line));
	snprintf(whole, sizeof(whole), "%s%s%s", class, *class ? "::" : "", name);
	if (!r->is_wrong && line)
		script_add(r, whole, path, line);
}

static void do_read(struct script_reading *r, uint64_t at)
{
	uint64_t frame = do_script_pointer(r, at + PHP_CURRENT);

	for (unsigned i = 0; frame && i < SCRIPT_STEPS_MAX && !r->is_wrong; i++) {
		uint64_t function = do_script_pointer(r, frame + PHP_FUNCTION);
		uint8_t type = 0;

		if (function && do_script_get(r, function, &type, sizeof(type)) && type == PHP_USER)
			do_function(r, function);
		frame = do_script_pointer(r, frame + PHP_BEFORE);
	}
}

static void init(void *state)
{
	static const struct script_engine engine = { "php", "executor_globals", "execute_ex",
		do_read };

	script_stack_init(state, &engine);
}

const struct runtime runtime_php = {
	.title = "PHP",
	.state_size = sizeof(struct script_stack),
	.init = init,
	.fini = script_stack_fini,
	.see = script_stack_see,
	.begin = script_stack_begin,
	.functions = script_stack_functions,
};
