/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The input is stacks of any bytes: frames divided by NUL, stacks by newlines. Whatever they are
 * called, the picture has its own elements and no others, nothing that XML forbids, and the widths
 * of the lines beside it add up.
 */
#include <string.h>

#include "analyze/graphs/call_graph_rows.h"
#include "base/escape.h"
#include "explain/registry.h"
#include "fuzz.h"

#define FRAMES_MAX 64

static void add_stack(struct call_graph *g, const char *data, size_t size)
{
	struct call_graph_frame stack[FRAMES_MAX];
	struct call_graph_values values = { { 1 + size % 5, size, 0, 0 } };
	size_t depth = 0;

	for (size_t at = 0; at <= size && depth < FRAMES_MAX; depth++) {
		size_t length = strnlen(data + at, size - at);

		stack[depth] = (struct call_graph_frame){ span_of(data + at, length),
			(uint8_t)(length * 7) };
		at += length + 1;
	}
	call_graph_add(g, stack, depth, &values);
}

static size_t count_of(const char *text, size_t size, const char *what)
{
	size_t count = 0;
	const char *at = text;

	while ((at = memmem(at, size - (size_t)(at - text), what, strlen(what)))) {
		at += strlen(what);
		count++;
	}
	return count;
}

static char *tell(
	const char *sink, const struct call_graph *a, const struct call_graph *b, size_t *size)
{
	struct call_graph_comparison both = { .a = a, .b = b, .a_scale = 0.5, .noise_share = 0.1 };
	struct call_graph_look look = { .value = CALL_GRAPH_CALLS };
	struct report_head head = { "fuzz", 1 };
	struct sooth_error err;
	struct output *o;
	char *text = NULL;
	FILE *stream = open_memstream(&text, size);

	CHECK(stream && !output_new(&o, &err));
	CHECK(!output_add_sink(
		o, registry_sink(sink), &(struct sink_options){ .stream = stream }, &err));
	CHECK(!output_begin(o, &head, &err));
	CHECK(!(b ? call_graph_compare(&both, &look, o, &err)
		  : call_graph_emit(a, &look, o, &err)));
	CHECK(!output_end(o, &err));
	output_free(o);
	fclose(stream);
	return text;
}

static void check_picture(const struct call_graph *a, const struct call_graph *b)
{
	size_t size;
	char *text = tell("flamegraph", a, b, &size);

	CHECK(count_of(text, size, "<script") == 3);
	CHECK(count_of(text, size, "</script>") == 3);
	CHECK(count_of(text, size, "]]>") == 3);
	CHECK(count_of(text, size, "<![CDATA[") == 3);
	CHECK(count_of(text, size, "</svg>") == 1);
	for (size_t at = 0, length; at < size; at += length) {
		length = utf8_length(text + at, size - at);
		CHECK(length);
		CHECK((unsigned char)text[at] >= ' ' || text[at] == '\n' || text[at] == '\t');
	}
	free(text);
}

static void check_folded(const struct call_graph *g)
{
	uint64_t sum = 0, expected = 0;
	size_t size;
	char *text = tell("folded", g, NULL, &size), *line = text;

	while (*line) {
		size_t length = strcspn(line, "\n");
		char *number;

		line[length] = '\0';
		number = strrchr(line, ' ');
		CHECK(number);
		sum += strtoull(number + 1, NULL, 10);
		line += length + 1;
	}
	for (size_t i = 0; i < call_graph_count(g); i++)
		expected += call_graph_node(g, i)->own.of[CALL_GRAPH_CALLS];
	CHECK(sum == expected);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct call_graph graphs[2];

	CHECK(!call_graph_init(&graphs[0]) && !call_graph_init(&graphs[1]));
	for (size_t at = 0, number = 0; at < size; number++) {
		const char *end = memchr(text + at, '\n', size - at);
		size_t length = end ? (size_t)(end - text) - at : size - at;

		add_stack(&graphs[number % 3 == 1], text + at, length);
		at += length + 1;
	}
	check_picture(&graphs[0], NULL);
	check_picture(&graphs[0], &graphs[1]);
	check_folded(&graphs[0]);
	call_graph_fini(&graphs[0]);
	call_graph_fini(&graphs[1]);
	return 0;
}
