/* SPDX-License-Identifier: BSD-2-Clause */
/* Structs that arguments point to, in words; layouts are those of 64-bit Linux. */
#include "analyze/calls/call_written.h"

#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/errno_names.h"
#include "probes/signal_names.h"

#define SOL_SOCKET_LINUX 1
#define SO_ERROR_LINUX	 4

/* --- what is waited for --- */

static void as_polled(const struct written *a)
{
	size_t count = a->target.bytes.size / 8;

	if (!count) {
		written_as_pointer(a);
		return;
	}
	buffer_char(a->w->out, '[');
	for (size_t i = 0; i < count && i < ITEMS_SHOWN; i++) {
		const char *at = a->target.bytes.data + 8 * i;
		int16_t events, returned;
		int32_t fd;

		memcpy(&fd, at, sizeof(fd));
		memcpy(&events, at + 4, sizeof(events));
		memcpy(&returned, at + 6, sizeof(returned));
		buffer_string(a->w->out, i ? ", " : "");
		written_put_fd(a->w, fd);
		buffer_char(a->w->out, ' ');
		call_put_flags(a->w->out, &flags_poll_events, 0, (uint16_t)events);
		if (returned && call_succeeded(a->w->call)) {
			buffer_string(a->w->out, "→");
			call_put_flags(a->w->out, &flags_poll_events, 0, (uint16_t)returned);
		}
	}
	buffer_string(a->w->out,
		count > ITEMS_SHOWN || a->target.state == SOOTH_STATE_TRUNCATED ? ", ...]" : "]");
}

/* Packed on x86-64, 16 bytes each on aarch64: there the data is not shown. */
static void as_epoll_events(const struct written *a)
{
	size_t count = a->target.bytes.size / 12;

	if (!a->target.is_there || (a->target.bytes.size && !count) ||
		a->w->call->abi == SYSCALL_ABI_AARCH64) {
		written_as_pointer(a);
		return;
	}
	buffer_char(a->w->out, '[');
	for (size_t i = 0; i < count && i < ITEMS_SHOWN; i++) {
		uint32_t events;
		uint64_t data;

		memcpy(&events, a->target.bytes.data + 12 * i, sizeof(events));
		memcpy(&data, a->target.bytes.data + 12 * i + 4, sizeof(data));
		buffer_string(a->w->out, i ? ", " : "");
		call_put_flags(a->w->out, &flags_epoll_events, 0, events);
		buffer_format(a->w->out, " data %" PRIu64, data);
	}
	buffer_string(a->w->out, count > ITEMS_SHOWN ? ", ...]" : "]");
}

/* --- times --- */

static bool two_longs(const struct written *a, int64_t out[2])
{
	if (a->target.bytes.size < 2 * sizeof(int64_t)) {
		written_as_pointer(a);
		if (a->target.state == SOOTH_NOT_MEASURED(SOOTH_REASON_UNSEEN))
			buffer_string(a->w->out, " (entered before attach)");
		else if (a->target.state == SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED))
			buffer_string(a->w->out, " (not readable)");
		return false;
	}
	memcpy(out, a->target.bytes.data, 2 * sizeof(int64_t));
	return true;
}

static void put_time(struct buffer *out, int64_t s, int64_t fraction, unsigned digits)
{
	buffer_format(out, "%" PRId64 ".%0*" PRId64 "s", s, (int)digits, fraction);
}

void written_as_timespec(const struct written *a)
{
	int64_t time[2];

	if (two_longs(a, time))
		put_time(a->w->out, time[0], time[1], 9);
}

static void as_timeval(const struct written *a)
{
	int64_t time[2];

	if (two_longs(a, time))
		put_time(a->w->out, time[0], time[1], 6);
}

/* First how often, then how soon, as the struct has it; written the other way round. */
static void as_timer(const struct written *a)
{
	unsigned digits = a->type->form == ARGUMENT_AS_TIMER_US ? 6 : 9;
	int64_t time[4];

	if (a->target.bytes.size < sizeof(time)) {
		written_as_pointer(a);
		return;
	}
	memcpy(time, a->target.bytes.data, sizeof(time));
	buffer_string(a->w->out, "{in ");
	put_time(a->w->out, time[2], time[3], digits);
	if (time[0] || time[1]) {
		buffer_string(a->w->out, ", every ");
		put_time(a->w->out, time[0], time[1], digits);
	}
	buffer_char(a->w->out, '}');
}

/* --- structs --- */

static void put_signal(struct buffer *out, unsigned number)
{
	char name[SIGNAL_NAME_SIZE];

	buffer_string(out, signal_name(name, number));
}

static void as_status(const struct written *a)
{
	uint32_t status;

	if (a->target.bytes.size < sizeof(status)) {
		written_as_pointer(a);
		return;
	}
	memcpy(&status, a->target.bytes.data, sizeof(status));
	if (!(status & 0x7f)) {
		buffer_format(a->w->out, "[exit %u]", status >> 8 & 0xff);
	} else if ((status & 0xff) == 0x7f) {
		buffer_string(a->w->out, "[stopped by ");
		put_signal(a->w->out, status >> 8 & 0xff);
		buffer_char(a->w->out, ']');
	} else {
		buffer_string(a->w->out, "[killed by ");
		put_signal(a->w->out, status & 0x7f);
		buffer_string(a->w->out, status & 0x80 ? ", core]" : "]");
	}
}

static void as_length(const struct written *a)
{
	uint32_t length;

	if (a->target.bytes.size < sizeof(length)) {
		written_as_pointer(a);
		return;
	}
	memcpy(&length, a->target.bytes.data, sizeof(length));
	buffer_format(a->w->out, "[%" PRIu32 "]", length);
}

/* An int, of SO_ERROR by its name, or it is left at where it is: what others mean depends on the
 * option. */
static void as_option(const struct written *a)
{
	const uint64_t *arguments = a->w->call->arguments;
	const char *name = NULL;
	uint32_t error;

	if (a->target.bytes.size != sizeof(error)) {
		written_as_pointer(a);
		return;
	}
	memcpy(&error, a->target.bytes.data, sizeof(error));
	if (call_int(arguments[1]) == SOL_SOCKET_LINUX && call_int(arguments[2]) == SO_ERROR_LINUX)
		name = errno_name(error);
	if (name)
		buffer_format(a->w->out, "[%s]", name);
	else
		as_length(a);
}

static void as_rlimit(const struct written *a)
{
	int64_t limits[2];

	if (!two_longs(a, limits))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		buffer_string(a->w->out, i ? ", hard " : "{soft ");
		if (limits[i] == -1)
			buffer_string(a->w->out, "unlimited");
		else
			buffer_u64(a->w->out, (uint64_t)limits[i]);
	}
	buffer_char(a->w->out, '}');
}

static void as_open_how(const struct written *a)
{
	uint64_t how[3];

	if (a->target.bytes.size < sizeof(how)) {
		written_as_pointer(a);
		return;
	}
	memcpy(how, a->target.bytes.data, sizeof(how));
	buffer_char(a->w->out, '{');
	call_put_flags(a->w->out, &flags_open, a->w->call->abi, how[0]);
	buffer_string(a->w->out, ", ");
	written_put_octal(a->w->out, how[1]);
	if (how[2]) {
		buffer_string(a->w->out, ", ");
		call_put_flags(a->w->out, &flags_resolve, 0, how[2]);
	}
	buffer_char(a->w->out, '}');
}

/* struct clone_args: flags first, the signal fifth. */
static void as_clone_args(const struct written *a)
{
	uint64_t args[5];

	if (a->target.bytes.size < sizeof(args)) {
		written_as_pointer(a);
		return;
	}
	memcpy(args, a->target.bytes.data, sizeof(args));
	buffer_char(a->w->out, '{');
	call_put_flags(a->w->out, &flags_clone, 0, args[0] & ~0xffull);
	if (args[4]) {
		buffer_string(a->w->out, ", ");
		put_signal(a->w->out, (unsigned)args[4]);
	}
	buffer_char(a->w->out, '}');
}

static void as_signals(const struct written *a)
{
	bool has_any = false;
	uint64_t set;

	if (a->target.bytes.size < sizeof(set)) {
		written_as_pointer(a);
		return;
	}
	memcpy(&set, a->target.bytes.data, sizeof(set));
	/* Mostly all but a few. */
	buffer_string(a->w->out, __builtin_popcountll(set) > 32 ? "~[" : "[");
	if (__builtin_popcountll(set) > 32)
		set = ~set;
	for (unsigned i = 1; i <= 64; i++) {
		if (!(set >> (i - 1) & 1))
			continue;
		buffer_string(a->w->out, has_any ? " " : "");
		put_signal(a->w->out, i);
		has_any = true;
	}
	buffer_char(a->w->out, ']');
}

const call_writer call_struct_writers[ARGUMENT_FORMS] = {
	[ARGUMENT_AS_POLLED] = as_polled,
	[ARGUMENT_AS_EPOLL_EVENTS] = as_epoll_events,
	[ARGUMENT_AS_TIMESPEC] = written_as_timespec,
	[ARGUMENT_AS_TIMEVAL] = as_timeval,
	[ARGUMENT_AS_TIMER] = as_timer,
	[ARGUMENT_AS_TIMER_US] = as_timer,
	[ARGUMENT_AS_STATUS] = as_status,
	[ARGUMENT_AS_LENGTH] = as_length,
	[ARGUMENT_AS_OPTION] = as_option,
	[ARGUMENT_AS_RLIMIT] = as_rlimit,
	[ARGUMENT_AS_OPEN_HOW] = as_open_how,
	[ARGUMENT_AS_CLONE_ARGS] = as_clone_args,
	[ARGUMENT_AS_SIGNALS] = as_signals,
};
