/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stacks from a file as pictures, without anything being observed: tests and benchmarks give any
 * names and any number of them.
 *
 *   draw_stacks flamegraph|folded|json [--icicle] [--least SHARE] [--kinds] FILE [SECOND]
 *
 * A line is "frame;frame;frame 12"; %XX is a byte of a name. With two files they are compared.
 * --kinds gives frames kinds by their depth. Then it tells on standard error how long it took.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/graphs/call_graph_rows.h"
#include "base/clock.h"
#include "explain/registry.h"

#define FRAMES_MAX 600

static bool has_kinds;

static void die(const char *what)
{
	fprintf(stderr, "draw_stacks: %s\n", what);
	exit(2);
}

static int hex(char c)
{
	const char *digits = "0123456789abcdef", *at = strchr(digits, c);

	return c && at ? (int)(at - digits) : -1;
}

/* In place; a name may hold any byte. */
static struct span decode(char *text, size_t size)
{
	size_t to = 0;

	for (size_t at = 0; at < size; at++) {
		if (text[at] == '%' && at + 2 < size && hex(text[at + 1]) >= 0 &&
			hex(text[at + 2]) >= 0) {
			text[to++] = (char)(hex(text[at + 1]) << 4 | hex(text[at + 2]));
			at += 2;
		} else {
			text[to++] = text[at];
		}
	}
	return span_of(text, to);
}

static void add_line(struct call_graph *g, char *line)
{
	struct call_graph_frame stack[FRAMES_MAX];
	struct call_graph_values values = { { 0 } };
	char *number = strrchr(line, ' '), *at = line;
	size_t depth = 0;

	if (!number)
		die("a line without a number");
	*number++ = '\0';
	for (size_t v = 0; v < CALL_GRAPH_VALUES; v++)
		values.of[v] = strtoull(number, NULL, 10);
	while (depth < FRAMES_MAX) {
		size_t size = strcspn(at, ";");
		bool is_last = !at[size];

		stack[depth] = (struct call_graph_frame){ decode(at, size),
			(uint8_t)(has_kinds ? depth % FRAME_KINDS : 0) };
		depth++;
		if (is_last)
			break;
		at += size + 1;
	}
	call_graph_add(g, stack, depth, &values);
}

static void read_stacks(struct call_graph *g, const char *path)
{
	FILE *file = fopen(path, "r");
	size_t room = 0;
	char *line = NULL;

	if (!file || call_graph_init(g))
		die(path);
	while (getline(&line, &room, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (*line)
			add_line(g, line);
	}
	free(line);
	fclose(file);
}

static int draw(const char *sink, const struct call_graph *first, const struct call_graph *second,
	const struct call_graph_look *look)
{
	struct call_graph_comparison both = {
		.a = first, .b = second, .a_scale = 1, .noise_share = 0.1
	};
	struct report_head head = { "stacks", 1 };
	struct sooth_error err = { 0 };
	struct output *o;
	int status = output_new(&o, &err);

	if (!status)
		status = output_add_sink(
			o, registry_sink(sink), &(struct sink_options){ .stream = stdout }, &err);
	if (!status)
		status = output_begin(o, &head, &err);
	if (!status)
		status = second ? call_graph_compare(&both, look, o, &err)
				: call_graph_emit(first, look, o, &err);
	if (!status)
		status = output_end(o, &err);
	output_free(o);
	if (status)
		fprintf(stderr, "draw_stacks: %s: %s\n", err.tried, err.why);
	return status ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct call_graph_look look = { .title = "stacks", .about = "from a file" };
	struct call_graph graphs[2];
	const char *files[2] = { NULL };
	size_t count = 0;
	uint64_t begin, read;
	int status;

	for (int i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "--icicle"))
			look.is_icicle = true;
		else if (!strcmp(argv[i], "--kinds"))
			has_kinds = true;
		else if (!strcmp(argv[i], "--least") && i + 1 < argc)
			look.least_share = strtod(argv[++i], NULL);
		else if (count < 2)
			files[count++] = argv[i];
	}
	if (!count || !registry_sink(argv[1]))
		die("draw_stacks SINK [--icicle] [--kinds] [--least SHARE] FILE [SECOND]");
	begin = clock_monotonic_ns();
	for (size_t i = 0; i < count; i++)
		read_stacks(&graphs[i], files[i]);
	read = clock_monotonic_ns();
	status = draw(argv[1], &graphs[0], count > 1 ? &graphs[1] : NULL, &look);
	fprintf(stderr, "read %.3f s, drawn %.3f s\n", (double)(read - begin) / 1e9,
		(double)(clock_monotonic_ns() - read) / 1e9);
	for (size_t i = 0; i < count; i++)
		call_graph_fini(&graphs[i]);
	return status;
}
