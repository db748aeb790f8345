/* SPDX-License-Identifier: BSD-2-Clause */
/* The view "profile-pages" prints an estimate with its error, but where the kernel's count of the
 * resident memory is outside of that. */
#include "analyze/profile/page_held.h"
#include "base/units.h"
#include "probes/proc.h"
#include "shown.h"

#define PAGE   4096ull
#define PID    7
#define STANDS 16  /* a recorded fault, for so many */
#define FAULTS 400 /* that were recorded */

static struct sooth_record head(uint16_t kind, uint64_t time_ns, size_t size)
{
	return (struct sooth_record){ .time_ns = time_ns,
		.kind = kind,
		.pid = PID,
		.start_ticks = 1,
		.words = (uint16_t)(size / SOOTH_RECORD_WORD),
		.fixed_words = (uint16_t)(size / SOOTH_RECORD_WORD) };
}

static void look(uint64_t time_ns, uint64_t rss_bytes)
{
	struct proc_process p = { .record = head(PROC_PROCESS, time_ns, sizeof(p)),
		.rss_bytes = rss_bytes };

	buffer_append(&records, &p, sizeof(p));
}

/* The output for a process that touched about FAULTS * STANDS pages, and grew by that much. */
static const char *shown_of(int64_t grown_bytes, const char *format)
{
	buffer_reset(&records);
	look(NS_PER_S, 100 << 20);
	for (uint64_t i = 0; i < FAULTS; i++) {
		struct profile_page p = { .record = head(PROFILE_PAGE, 2 * NS_PER_S + i, sizeof(p)),
			.address = (1 + i) << 20,
			.stack = 1,
			.faults = STANDS };

		buffer_append(&records, &p, sizeof(p));
	}
	look(3 * NS_PER_S, (uint64_t)((100 << 20) + grown_bytes));
	return show_view("heap", "profile-pages", NULL, format);
}

static void test_error(void **state)
{
	const char *text;

	(void)state;
	text = shown_of(FAULTS * STANDS * PAGE, "text");
	assert_true(has(text,
		"25.0M more resident by the kernel's count; 25.0M was touched and remains (+-"));
	assert_false(has(text, "an estimate"));
	assert_true(has(
		show_view("heap", "profile-pages", NULL, "json"), "\"remaining_bytes\": 26214400"));
	assert_false(has(shown.data, "\"remaining_error_bytes\": null"));
}

/* Twice as much, half as much, and less than before. */
static void test_contradicted(void **state)
{
	static const int64_t grown[] = { 2 * FAULTS * STANDS * PAGE, FAULTS * STANDS * PAGE / 2,
		-(20 << 20) };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(grown); i++) {
		const char *text = shown_of(grown[i], "text");

		assert_true(has(text, "(an estimate: its error is not measured, as the kernel's "
				      "count is outside of it)"));
		assert_false(has(text, "remains (+-"));
		text = show_view("heap", "profile-pages", NULL, "json");
		assert_true(has(text, "\"remaining_error_bytes\": null"));
		assert_true(has(text, "\"touched_error_bytes\": null"));
	}
	assert_true(has(shown_of(-(20 << 20), "text"),
		"20.0M less resident by the kernel's count; 25.0M was touched"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_error),
		TEST(test_contradicted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
