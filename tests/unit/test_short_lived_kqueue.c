/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes that start and end on FreeBSD, by events of a kqueue: what is said of those that are
 * read in time, and of those that are not. */
#include "freebsd_host.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "analyze/records.h"
#include "probes/short_lived.h"

extern const struct backend backend_short_lived_kqueue;

static struct kinfo parent, child, other;
static struct host h;
static struct bsd_life_event events[8];
static size_t event_count, event_at;
static unsigned watched, refused;
static int lives[2];
static bool comes_meanwhile;
static struct text seen;

/* Nothing comes while it watches: its thread waits, and all is taken at the end. */
static int watch_lives(void)
{
	assert_int_equal(pipe(lives), 0);
	return lives[0];
}

static int watch_life(int descriptor, pid_t pid)
{
	assert_true(descriptor >= 0);
	watched++;
	return pid == 102 && refused ? -EPERM : 0;
}

/* A child that is read has an answer from its event on. */
static int next_life(int descriptor, struct bsd_life_event *out)
{
	size_t at = __atomic_load_n(&event_at, __ATOMIC_ACQUIRE);
	char byte;

	if (at == event_count) {
		if (comes_meanwhile && poll(&(struct pollfd){ descriptor, POLLIN, 0 }, 1, 0) > 0)
			assert_int_equal(read(descriptor, &byte, 1), 1);
		return 0;
	}
	*out = events[at];
	__atomic_store_n(&event_at, at + 1, __ATOMIC_RELEASE);
	return 1;
}

static int take(void *user, const struct sooth_schema *schema, const struct sooth_record *r)
{
	const struct short_lived_exit *e = record_as(r, SHORT_LIVED_PROCESS, sizeof(*e));
	const struct short_lived_watch *w = record_as(r, SHORT_LIVED_WATCH, sizeof(*w));
	const struct stream_limit *l = record_as(r, STREAM_LIMIT, sizeof(*l));
	const struct stream_loss *loss = record_as(r, STREAM_LOSS, sizeof(*loss));

	(void)user;
	(void)schema;
	if (w)
		fprintf(seen.stream, "watch all %u\n", w->is_of_all);
	if (e)
		fprintf(seen.stream, "%u of %u (%llu): %.16s %u, lived %llu ms\n", r->pid,
			e->parent_pid, (unsigned long long)e->parent_start_ticks, e->name,
			e->status, (unsigned long long)(e->life_ns / 1000000));
	if (l)
		fprintf(seen.stream, "limit %.*s\n", (int)record_text(r, &l->what).size,
			record_text(r, &l->what).data);
	if (loss)
		fprintf(seen.stream, "lost %llu\n", (unsigned long long)loss->records);
	return 0;
}

/* Until the thread has taken all. */
static void come(void)
{
	assert_int_equal(write(lives[1], "", 1), 1);
	while (__atomic_load_n(&event_at, __ATOMIC_ACQUIRE) < event_count)
		usleep(1000);
	usleep(1000);
}

static const char *look(void)
{
	static const struct backend *const backends_of[] = { &backend_short_lived_kqueue, NULL };
	struct sooth_observer *o;
	struct sooth_report *r;
	struct sooth_error err;

	h.source.watch_lives = watch_lives;
	h.source.watch_life = watch_life;
	h.source.next_life = next_life;
	h.os = bsd_test_os("freebsd", backends_of, &h.source);
	text_free(&seen);
	text_open(&seen);
	assert_int_equal(sooth_report_new(&r, "short_lived", &err), 0);
	sooth_report_on_record(r, take, NULL);
	assert_int_equal(observer_new_on(&o, &h.os, NULL, &err), 0);
	assert_int_equal(sooth_observer_set_host(o, &err), 0);
	assert_int_equal(sooth_observer_add_probe(o, "short_lived", SOOTH_STREAM, &err), 0);
	assert_int_equal(sooth_observer_connect_report(o, r, &err), 0);
	if (sooth_observer_start(o, &err))
		fail_msg("%s: %s", err.tried, err.why);
	if (comes_meanwhile)
		come();
	assert_int_equal(sooth_observer_stop(o, SOOTH_END_STOPPED, &err), 0);
	assert_int_equal(sooth_report_finish(r, &err), 0);
	sooth_report_free(r);
	sooth_observer_free(o);
	close(lives[1]);
	return text_close(&seen);
}

/* 100 is there, and 102, another user's. The test's clock stands at 5000 s; what starts at that
 * time on the wall clock is as old as nothing. */
static int begin(void **state)
{
	static struct kinfo all[2];

	(void)state;
	host_open(&h);
	parent = kinfo(100, 1, 1001, "make");
	other = kinfo(102, 1, 1002, "sh");
	all[0] = parent;
	all[1] = other;
	h.answers[h.count++] = (struct answer){
		.name = { 1, 14, 8 }, .names = 3, .data = all, .size = sizeof(all)
	};
	answer(&h, 1, 100, &parent, sizeof(parent));
	answer(&h, 1, 102, &other, sizeof(other));
	event_count = event_at = 0;
	watched = refused = 0;
	return 0;
}

static void add(struct bsd_life_event e)
{
	events[event_count++] = e;
}

static void child_is_there(const char *name)
{
	child = kinfo(200, 100, 1001, name);
	/* 300 ms before the end. */
	put(child.bytes, 336, 1700000000 + 4999, 8);
	put(child.bytes, 344, 700000, 8);
	answer(&h, 1, 200, &child, sizeof(child));
}

static void test_read(void **state)
{
	(void)state;
	child_is_there("cc1");
	add((struct bsd_life_event){ .pid = 200, .parent = 100, .starts = true });
	add((struct bsd_life_event){ .pid = 200, .execs = true });
	add((struct bsd_life_event){ .pid = 200, .ends = true, .status = 3 << 8 });
	/* A process that was there for long. */
	add((struct bsd_life_event){ .pid = 100, .ends = true });
	assert_string_equal(look(), "watch all 1\n200 of 100 (6000): cc1 768, lived 300 ms\n");
	assert_int_equal(watched, 2);
}

/* Its parent has reaped it before it could be read: its end is known, and that there is no more. */
static void test_unread(void **state)
{
	const char *shown;

	(void)state;
	add((struct bsd_life_event){ .pid = 200, .parent = 100, .starts = true });
	add((struct bsd_life_event){ .pid = 200, .ends = true, .status = 3 << 8 });
	shown = look();
	assert_true(has(shown, "200 of 100 (6000): ? 768, lived 0 ms\n"));
	assert_true(has(shown, "limit names, CPU time and lifetime of 1 short-lived processes"));
}

/* By then another process has the pid. */
static void test_reused(void **state)
{
	(void)state;
	child_is_there("cc1");
	add((struct bsd_life_event){ .pid = 200, .parent = 100, .starts = true });
	add((struct bsd_life_event){ .pid = 200, .ends = true });
	add((struct bsd_life_event){ .pid = 200, .parent = 102, .starts = true });
	add((struct bsd_life_event){ .pid = 200, .ends = true, .status = 9 });
	assert_string_equal(look(), "watch all 1\n200 of 100 (6000): cc1 0, lived 300 ms\n"
				    "200 of 102 (6000): cc1 9, lived 300 ms\n");
}

static void test_refused(void **state)
{
	const char *shown;

	(void)state;
	refused = 1;
	add((struct bsd_life_event){ .pid = 100, .is_lost = true });
	shown = look();
	assert_true(has(shown, "watch all 0\n"));
	assert_true(has(shown, "limit other users' processes that end between two samples\n"));
	assert_true(has(shown, "lost 1\n"));
}

/* The thread takes what comes meanwhile: the process is there then, and no more at the end. */
static void test_meanwhile(void **state)
{
	(void)state;
	child_is_there("cc1");
	add((struct bsd_life_event){ .pid = 200, .parent = 100, .starts = true });
	add((struct bsd_life_event){ .pid = 200, .ends = true, .status = 3 << 8 });
	comes_meanwhile = true;
	assert_string_equal(look(), "watch all 1\n200 of 100 (6000): cc1 768, lived 300 ms\n");
	comes_meanwhile = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_read, begin),
		cmocka_unit_test_setup(test_unread, begin),
		cmocka_unit_test_setup(test_reused, begin),
		cmocka_unit_test_setup(test_refused, begin),
		cmocka_unit_test_setup(test_meanwhile, begin),
	};
	int status = cmocka_run_group_tests(tests, NULL, NULL);

	text_free(&seen);
	return status;
}
