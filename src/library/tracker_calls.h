/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Defines the public functions that every kind of tracker has: sooth_KIND_next() and so on, for the
 * tracker in a struct sooth_KIND. The file that includes this header first defines
 *
 *	static int start_tracker(const struct tracker_target *, const struct KIND_OPTIONS *,
 *		struct sooth_KIND **, struct sooth_error *);
 *
 * An entry of the queue begins with its struct sooth_KIND_event.
 */
#pragma once

#include <errno.h>

#include "library/tracker.h"

#define TRACKER_CALLS(kind, kind_options)                                                          \
	int sooth_##kind##_track(pid_t pid, const struct kind_options *options,                    \
		struct sooth_##kind **out, struct sooth_error *err)                                \
	{                                                                                          \
		return start_tracker(                                                              \
			&(struct tracker_target){ &pid, 1, NULL }, options, out, err);             \
	}                                                                                          \
                                                                                                   \
	int sooth_##kind##_track_multiple(const pid_t *pids, size_t count,                         \
		const struct kind_options *options, struct sooth_##kind **out,                     \
		struct sooth_error *err)                                                           \
	{                                                                                          \
		return start_tracker(                                                              \
			&(struct tracker_target){ pids, count, NULL }, options, out, err);         \
	}                                                                                          \
                                                                                                   \
	int sooth_##kind##_track_command(char *const *command, const struct kind_options *options, \
		struct sooth_##kind **out, struct sooth_error *err)                                \
	{                                                                                          \
		return start_tracker(                                                              \
			&(struct tracker_target){ NULL, 0, command }, options, out, err);          \
	}                                                                                          \
                                                                                                   \
	ssize_t sooth_##kind##_batch(struct sooth_##kind *t, int timeout_ms,                       \
		const struct sooth_##kind##_event *const **events, struct sooth_error *err)        \
	{                                                                                          \
		return tracker_batch(&t->tracker, timeout_ms, (const void *const **)events, err);  \
	}                                                                                          \
                                                                                                   \
	int sooth_##kind##_next(struct sooth_##kind *t, int timeout_ms,                            \
		const struct sooth_##kind##_event **event, struct sooth_error *err)                \
	{                                                                                          \
		const void *next;                                                                  \
		int status = tracker_next(&t->tracker, timeout_ms, &next, err);                    \
                                                                                                   \
		if (status > 0)                                                                    \
			*event = next;                                                             \
		return status;                                                                     \
	}                                                                                          \
                                                                                                   \
	int sooth_##kind##_each(struct sooth_##kind *t, sooth_##kind##_handler handler,            \
		void *user, struct sooth_error *err)                                               \
	{                                                                                          \
		const struct sooth_##kind##_event *event;                                          \
		int status;                                                                        \
                                                                                                   \
		do {                                                                               \
			status = sooth_##kind##_next(t, -1, &event, err);                          \
			if (status > 0 && (status = handler(user, event)))                         \
				return status;                                                     \
		} while (!tracker_is_over(&t->tracker) && (status >= 0 || status == -EINTR));      \
		return status;                                                                     \
	}                                                                                          \
                                                                                                   \
	bool sooth_##kind##_is_over(const struct sooth_##kind *t)                                  \
	{                                                                                          \
		return tracker_is_over(&t->tracker);                                               \
	}                                                                                          \
                                                                                                   \
	int sooth_##kind##_fd(struct sooth_##kind *t)                                              \
	{                                                                                          \
		return tracker_fd(&t->tracker);                                                    \
	}                                                                                          \
                                                                                                   \
	void sooth_##kind##_stats(                                                                 \
		const struct sooth_##kind *t, struct sooth_##kind##_stats *stats)                  \
	{                                                                                          \
		_Static_assert(                                                                    \
			sizeof(*stats) == sizeof(struct tracker_stats), "the same members");       \
		tracker_stats(&t->tracker, stats);                                                 \
	}                                                                                          \
                                                                                                   \
	int sooth_##kind##_mark(                                                                   \
		struct sooth_##kind *t, const char *phase, struct sooth_error *err)                \
	{                                                                                          \
		return sooth_observer_mark(t->tracker.observer, phase, err);                       \
	}                                                                                          \
                                                                                                   \
	int sooth_##kind##_pause(struct sooth_##kind *t, struct sooth_error *err)                  \
	{                                                                                          \
		return sooth_observer_pause(t->tracker.observer, err);                             \
	}                                                                                          \
                                                                                                   \
	int sooth_##kind##_resume(struct sooth_##kind *t, struct sooth_error *err)                 \
	{                                                                                          \
		return sooth_observer_resume(t->tracker.observer, err);                            \
	}                                                                                          \
                                                                                                   \
	struct sooth_observer *sooth_##kind##_observer(struct sooth_##kind *t)                     \
	{                                                                                          \
		return t->tracker.observer;                                                        \
	}                                                                                          \
                                                                                                   \
	pid_t sooth_##kind##_child_pid(const struct sooth_##kind *t)                               \
	{                                                                                          \
		return sooth_observer_child_pid(t->tracker.observer);                              \
	}                                                                                          \
                                                                                                   \
	int sooth_##kind##_child_status(struct sooth_##kind *t)                                    \
	{                                                                                          \
		return sooth_observer_child_status(t->tracker.observer);                           \
	}                                                                                          \
                                                                                                   \
	int sooth_##kind##_stop(struct sooth_##kind *t, struct sooth_error *err)                   \
	{                                                                                          \
		return tracker_stop(&t->tracker, err);                                             \
	}
