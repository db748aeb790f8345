/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/runtimes/java/class_histogram.h"

#include "base/cleanup.h"

/* Returns whether the class is of the JDK, by its module or, before Java 9, by its package. */
static bool is_of_runtime(struct span name, struct span module)
{
	static const char *const modules[] = { "java.", "jdk." };
	static const char *const packages[] = { "java.", "javax.", "jdk.", "sun.", "com.sun." };
	size_t depth = 0;

	if (module.size)
		return SPAN_ANY(module, span_starts, modules);
	while (depth < name.size && name.data[depth] == '[')
		depth++;
	if (depth && depth < name.size && name.data[depth] != 'L')
		return true;
	depth += depth > 0 && depth < name.size;
	name = span_of(name.data + depth, name.size - depth);
	/* <methodKlass> and others of the JVM's own */
	return SPAN_ANY(name, span_starts, packages) || span_starts(name, "<");
}

static bool parse_line(struct span line, struct class_row *out)
{
	struct cursor c = cursor_over(line.data, line.size);
	struct span module = { 0 };

	cursor_decimal(&c);
	if (!cursor_skip(&c, ":"))
		return false;
	out->instances = cursor_decimal(&c);
	out->bytes = cursor_decimal(&c);
	out->name = cursor_word(&c);
	cursor_blanks(&c);
	if (cursor_skip(&c, "("))
		module = cursor_until(&c, ')');
	if (c.failed || !out->name.size)
		return false;
	out->is_of_runtime = is_of_runtime(out->name, module);
	if (out->name.size > CLASS_NAME_MOST)
		out->name.size = CLASS_NAME_MOST;
	return true;
}

bool class_histogram_next(struct cursor *text, struct class_row *out)
{
	while (!cursor_at_end(text)) {
		if (parse_line(cursor_line(text), out))
			return true;
	}
	return false;
}

bool class_histogram_is_whole(struct span text)
{
	while (text.size && text.data[text.size - 1] == '\n')
		text.size--;

	const char *last = span_last(text, '\n');

	return last &&
	       span_starts(span_of(last + 1, text.size - (size_t)(last + 1 - text.data)), "Total");
}

void class_name_put(struct buffer *out, struct span name)
{
	static const struct {
		char letter;
		const char *name;
	} types[] = { { 'B', "byte" }, { 'C', "char" }, { 'D', "double" }, { 'F', "float" },
		{ 'I', "int" }, { 'J', "long" }, { 'S', "short" }, { 'Z', "boolean" } };
	size_t depth = 0;

	while (depth < name.size && name.data[depth] == '[')
		depth++;
	name = span_of(name.data + depth, name.size - depth);
	if (depth && name.size > 1 && name.data[0] == 'L') {
		name = span_of(name.data + 1, name.size - 1);
		name.size -= name.data[name.size - 1] == ';';
	} else if (depth && name.size == 1) {
		for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
			if (types[i].letter == name.data[0]) {
				name = span_of_string(types[i].name);
				break;
			}
		}
	}
	buffer_append(out, name.data, name.size);
	for (; depth; depth--)
		buffer_string(out, "[]");
}
