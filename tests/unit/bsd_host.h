/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A FreeBSD or macOS host made of recorded answers: an observer on the real backends of that
 * system, whose calls of the system are a test's.
 */
#ifndef SOOTH_TESTS_BSD_HOST_H
#define SOOTH_TESTS_BSD_HOST_H

#include "support.h"

#include <sooth/observer.h>
#include <sooth/report.h>
#include "collect/observer.h"
#include "os/bsd/services.h"
#include "os/bsd/source.h"

#define BSD_TEST_NOW_NS ((uint64_t)5000 * 1000000000)

/* Runs between start and stop; NULL: nothing does. */
static void (*bsd_test_meanwhile)(void) __attribute__((unused));

/* Sees each record; NULL: nothing does. */
static sooth_record_handler bsd_test_take __attribute__((unused));

static inline uint64_t bsd_test_now_ns(const struct os *os)
{
	(void)os;
	return BSD_TEST_NOW_NS;
}

static inline int64_t bsd_test_realtime_offset_ns(const struct os *os)
{
	(void)os;
	return (int64_t)1700000000 * 1000000000;
}

static inline struct os bsd_test_os(
	const char *name, const struct backend *const *backends, struct bsd_source *source)
{
	struct os os = { .name = name, .backends = backends, .script = source, BSD_OS_FUNCTIONS };

	os.now_ns = bsd_test_now_ns;
	os.realtime_offset_ns = bsd_test_realtime_offset_ns;
	return os;
}

/* The report of one sample of a probe: of the pids, or of the host (count 0). */
static inline char *bsd_test_show(const struct os *os, const char *probe, const char *view,
	const void *options, unsigned wanted, const int *pids, size_t count)
{
	struct sooth_observer *o;
	struct sooth_report *r;
	struct sooth_error err;
	struct text out;
	char *shown;

	text_open(&out);
	assert_int_equal(sooth_report_new(&r, probe, &err), 0);
	assert_int_equal(sooth_report_add_view(r, view, options, &err), 0);
	assert_int_equal(
		sooth_report_add_sink(r, "json",
			&(struct sooth_sink_options){
				.size = sizeof(struct sooth_sink_options), .stream = out.stream },
			&err),
		0);
	if (bsd_test_take)
		sooth_report_on_record(r, bsd_test_take, NULL);
	assert_int_equal(observer_new_on(&o, os, NULL, &err), 0);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(sooth_observer_add_pid(o, pids[i], &err), 0);
	if (!count)
		assert_int_equal(sooth_observer_set_host(o, &err), 0);
	if (sooth_observer_add_probe(o, probe, wanted, &err))
		fail_msg("%s: %s", err.tried, err.why);
	assert_int_equal(sooth_observer_connect_report(o, r, &err), 0);
	if (sooth_observer_start(o, &err))
		fail_msg("%s: %s", err.tried, err.why);
	if (bsd_test_meanwhile)
		bsd_test_meanwhile();
	assert_int_equal(sooth_observer_stop(o, SOOTH_END_STOPPED, &err), 0);
	assert_int_equal(sooth_report_finish(r, &err), 0);
	shown = strdup(text_close(&out));
	sooth_report_free(r);
	sooth_observer_free(o);
	text_free(&out);
	return shown;
}

static inline char *bsd_test_report(const struct os *os, const char *probe, const char *view,
	const void *options, const int *pids, size_t count)
{
	return bsd_test_show(os, probe, view, options, SOOTH_SAMPLE, pids, count);
}

static inline char *bsd_test_calls(const struct os *os, const char *probe, const char *view,
	unsigned wanted, const int *pids, size_t count)
{
	return bsd_test_show(os, probe, view, NULL, wanted, pids, count);
}

#endif
