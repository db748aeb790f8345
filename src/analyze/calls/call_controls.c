/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes values whose meaning an earlier argument determines: fcntl(2) commands, socket options by
 * level, protocols by family, futex(2) arguments by operation, quota commands by kind. Also writes
 * the structs that arguments point to. */
#include <inttypes.h>
#include <string.h>

#include "analyze/calls/call_written.h"
#include "base/cleanup.h"
#include "model/errno_names.h"
#include "probes/signal_names.h"

/* The layouts are those of 64-bit Linux. */
#define SOL_SOCKET_LINUX 1
#define SO_ERROR_LINUX	 4

/* --- what is waited for --- */

static void print_polled(const struct written *a)
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

static void print_epoll_events(const struct written *a)
{
	size_t bytes = epoll_event_bytes(a->w->call->abi), count = a->target.bytes.size / bytes;

	if (!a->target.is_there || (a->target.bytes.size && !count)) {
		written_as_pointer(a);
		return;
	}
	buffer_char(a->w->out, '[');
	for (size_t i = 0; i < count && i < ITEMS_SHOWN; i++) {
		uint32_t events;
		uint64_t data;

		memcpy(&events, a->target.bytes.data + bytes * i, sizeof(events));
		memcpy(&data, a->target.bytes.data + bytes * (i + 1) - sizeof(data), sizeof(data));
		buffer_string(a->w->out, i ? ", " : "");
		call_put_flags(a->w->out, &flags_epoll_events, 0, events);
		buffer_format(a->w->out, " data %" PRIu64, data);
	}
	buffer_string(a->w->out, count > ITEMS_SHOWN ? ", ...]" : "]");
}

/* --- times --- */

static bool read_two_longs(const struct written *a, int64_t out[2])
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

static void written_as_timespec(const struct written *a)
{
	int64_t time[2];

	if (read_two_longs(a, time))
		put_time(a->w->out, time[0], time[1], 9);
}

static void print_timeval(const struct written *a)
{
	int64_t time[2];

	if (read_two_longs(a, time))
		put_time(a->w->out, time[0], time[1], 6);
}

/* Writes a timer: first the delay, then the interval. The struct has the reverse order. */
static void print_timer(const struct written *a)
{
	unsigned digits = a->type->form == ARGUMENT_AS_TIMER_US ? 6 : 9;
	int64_t time[4];

	if (!written_read(a, time, sizeof(time)))
		return;
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

static void print_status(const struct written *a)
{
	uint32_t status;

	if (!written_read(a, &status, sizeof(status)))
		return;
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

static void print_length(const struct written *a)
{
	uint32_t length;

	if (!written_read(a, &length, sizeof(length)))
		return;
	buffer_format(a->w->out, "[%" PRIu32 "]", length);
}

/* Writes an int option, SO_ERROR by name; other options as a pointer, since their meaning
 * varies. */
static void print_option(const struct written *a)
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
		print_length(a);
}

static void print_rlimit(const struct written *a)
{
	int64_t limits[2];

	if (!read_two_longs(a, limits))
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

static void print_open_how(const struct written *a)
{
	uint64_t how[3];

	if (!written_read(a, how, sizeof(how)))
		return;
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

/* Writes struct clone_args: the flags are its first member, the signal its fifth. */
static void print_clone_args(const struct written *a)
{
	uint64_t args[5];

	if (!written_read(a, args, sizeof(args)))
		return;
	buffer_char(a->w->out, '{');
	call_put_flags(a->w->out, &flags_clone, 0, args[0] & ~0xffull);
	if (args[4]) {
		buffer_string(a->w->out, ", ");
		put_signal(a->w->out, (unsigned)args[4]);
	}
	buffer_char(a->w->out, '}');
}

static void print_signals(const struct written *a)
{
	bool has_any = false;
	uint64_t set;

	if (!written_read(a, &set, sizeof(set)))
		return;
	/* a set of most signals is written as "all but" */
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
	[ARGUMENT_AS_POLLED] = print_polled,
	[ARGUMENT_AS_EPOLL_EVENTS] = print_epoll_events,
	[ARGUMENT_AS_TIMESPEC] = written_as_timespec,
	[ARGUMENT_AS_TIMEVAL] = print_timeval,
	[ARGUMENT_AS_TIMER] = print_timer,
	[ARGUMENT_AS_TIMER_US] = print_timer,
	[ARGUMENT_AS_STATUS] = print_status,
	[ARGUMENT_AS_LENGTH] = print_length,
	[ARGUMENT_AS_OPTION] = print_option,
	[ARGUMENT_AS_RLIMIT] = print_rlimit,
	[ARGUMENT_AS_OPEN_HOW] = print_open_how,
	[ARGUMENT_AS_CLONE_ARGS] = print_clone_args,
	[ARGUMENT_AS_SIGNALS] = print_signals,
};

#define FUTEX_OPERATION	     1 /* index of the argument with the operation */
#define FUTEX_OPERATION_MASK 0x7fu
#define FUTEX_FIRST	     2 /* index of the first argument in `parts` */
#define FUTEX_PARTS	     4
#define BITSET_MATCH_ANY     0xffffffffu
#define WAKE_OPARG_SHIFT     8u

/* --- futex: its operation says which arguments it looks at, and what they are --- */

enum futex_part { UNUSED, COUNT, TIME, WORD, BITS, CHANGE, UNKNOWN };

/* meaning of the arguments from the third on; the last row: all other operations */
static const struct use {
	int operation;
	uint8_t parts[FUTEX_PARTS];
} uses[] = {
	{ 0, { COUNT, TIME } },			 /* FUTEX_WAIT */
	{ 1, { COUNT } },			 /* FUTEX_WAKE */
	{ 2, { COUNT } },			 /* FUTEX_FD */
	{ 3, { COUNT, COUNT, WORD } },		 /* FUTEX_REQUEUE */
	{ 4, { COUNT, COUNT, WORD, COUNT } },	 /* FUTEX_CMP_REQUEUE */
	{ 5, { COUNT, COUNT, WORD, CHANGE } },	 /* FUTEX_WAKE_OP */
	{ 6, { UNUSED, TIME } },		 /* FUTEX_LOCK_PI */
	{ 7, { UNUSED } },			 /* FUTEX_UNLOCK_PI */
	{ 8, { UNUSED } },			 /* FUTEX_TRYLOCK_PI */
	{ 9, { COUNT, TIME, UNUSED, BITS } },	 /* FUTEX_WAIT_BITSET */
	{ 10, { COUNT, UNUSED, UNUSED, BITS } }, /* FUTEX_WAKE_BITSET */
	{ 11, { COUNT, TIME, WORD } },		 /* FUTEX_WAIT_REQUEUE_PI */
	{ 12, { COUNT, COUNT, WORD, COUNT } },	 /* FUTEX_CMP_REQUEUE_PI */
	{ 13, { UNUSED, TIME } },		 /* FUTEX_LOCK_PI2 */
	{ -1, { COUNT, UNKNOWN, WORD, UNKNOWN } },
};

static enum futex_part futex_part_of(const struct written *a)
{
	const struct use *use = uses;
	int operation = (int)(a->w->call->arguments[FUTEX_OPERATION] & FUTEX_OPERATION_MASK);

	while (use->operation >= 0 && use->operation != operation)
		use++;
	return a->i < FUTEX_FIRST || a->i - FUTEX_FIRST >= FUTEX_PARTS
		       ? UNKNOWN
		       : use->parts[a->i - FUTEX_FIRST];
}

/* Writes what FUTEX_WAKE_OP does to the second word, and the comparison on which it wakes that
 * word's waiters: "FUTEX_OP_ADD<<28|0x1<<12|FUTEX_OP_CMP_GT<<24|0x2". */
static void put_change(struct buffer *out, uint32_t change)
{
	if (change >> 28 & WAKE_OPARG_SHIFT)
		buffer_string(out, "FUTEX_OP_OPARG_SHIFT<<28|");
	call_put_flags(out, &flags_futex_change, 0, change >> 28 & ~WAKE_OPARG_SHIFT);
	buffer_string(out, "<<28|");
	written_put_hex(out, change >> 12 & 0xfff);
	buffer_string(out, "<<12|");
	call_put_flags(out, &flags_futex_compare, 0, change >> 24 & 0xf);
	buffer_string(out, "<<24|");
	written_put_hex(out, change & 0xfff);
}

static void print_futex(const struct written *a)
{
	switch (futex_part_of(a)) {
	case TIME:
		written_as_timespec(a);
		break;
	case WORD:
		written_as_pointer(a);
		break;
	case BITS:
		if ((uint32_t)a->value == BITSET_MATCH_ANY)
			buffer_string(a->w->out, "FUTEX_BITSET_MATCH_ANY");
		else
			written_put_hex(a->w->out, (uint32_t)a->value);
		break;
	case CHANGE:
		put_change(a->w->out, (uint32_t)a->value);
		break;
	case COUNT:
		buffer_u64(a->w->out, (uint32_t)a->value);
		break;
	default:
		written_as_hex(a);
	}
}

/* --- fcntl --- */

/* meaning of the third argument and the result; the last row: all other commands */
static const struct control {
	int64_t command;
	enum { CONTROL_NONE, CONTROL_INT, CONTROL_COPY, CONTROL_FLAGS, CONTROL_HEX } what;
	const struct flag_table *flags, *result;
} controls[] = {
	{ 0, CONTROL_COPY, NULL, NULL },	       /* F_DUPFD */
	{ 1, CONTROL_NONE, NULL, &flags_descriptor },  /* F_GETFD */
	{ 2, CONTROL_FLAGS, &flags_descriptor, NULL }, /* F_SETFD */
	{ 3, CONTROL_NONE, NULL, &flags_open },	       /* F_GETFL */
	{ 4, CONTROL_FLAGS, &flags_open, NULL },       /* F_SETFL */
	{ 8, CONTROL_INT, NULL, NULL },		       /* F_SETOWN */
	{ 9, CONTROL_NONE, NULL, NULL },	       /* F_GETOWN */
	{ 10, CONTROL_FLAGS, &flags_signal, NULL },    /* F_SETSIG */
	{ 11, CONTROL_NONE, NULL, &flags_signal },     /* F_GETSIG */
	{ 1025, CONTROL_NONE, NULL, NULL },	       /* F_GETLEASE */
	{ 1030, CONTROL_COPY, NULL, NULL },	       /* F_DUPFD_CLOEXEC */
	{ 1031, CONTROL_INT, NULL, NULL },	       /* F_SETPIPE_SZ */
	{ 1032, CONTROL_NONE, NULL, NULL },	       /* F_GETPIPE_SZ */
	{ 1033, CONTROL_FLAGS, &flags_seals, NULL },   /* F_ADD_SEALS */
	{ 1034, CONTROL_NONE, NULL, &flags_seals },    /* F_GET_SEALS */
	{ -1, CONTROL_HEX, NULL, NULL },
};

static const struct control *control_of(uint64_t command)
{
	const struct control *c = controls;

	while (c->command >= 0 && c->command != call_int(command))
		c++;
	return c;
}

static void print_control(const struct written *a)
{
	const struct control *c = control_of(a->w->call->arguments[a->i - 1]);

	if (c->what == CONTROL_INT || c->what == CONTROL_COPY)
		written_as_int(a);
	else if (c->flags)
		call_put_flags(a->w->out, c->flags, a->w->call->abi, a->value);
	else
		written_as_hex(a);
}

bool written_control_copies(uint64_t command)
{
	return control_of(command)->what == CONTROL_COPY;
}

const struct flag_table *written_control_result(uint64_t command)
{
	return control_of(command)->result;
}

/* --- options and protocols of sockets --- */

/* Names by level or family: the same number has another name at another level. */
struct choice {
	int64_t by;
	const struct flag_table *names;
};

static const struct choice levels[] = {
	{ 0, &flags_ip_option },
	{ 1, &flags_socket_option },
	{ 6, &flags_tcp_option },
	{ 41, &flags_ipv6_option },
};

static const struct choice families[] = {
	{ 2, &flags_ip_protocol },	 /* AF_INET */
	{ 10, &flags_ip_protocol },	 /* AF_INET6 */
	{ 16, &flags_netlink_protocol }, /* AF_NETLINK */
};

static void put_chosen(
	const struct written *a, const struct choice *choices, size_t count, uint64_t by)
{
	for (size_t i = 0; i < count; i++) {
		if (choices[i].by == call_int(by)) {
			call_put_flags(a->w->out, choices[i].names, a->w->call->abi, a->value);
			return;
		}
	}
	written_as_int(a);
}

static void print_option_name(const struct written *a)
{
	put_chosen(a, levels, ARRAY_SIZE(levels), a->w->call->arguments[a->i - 1]);
}

static void print_protocol(const struct written *a)
{
	put_chosen(a, families, ARRAY_SIZE(families), a->w->call->arguments[a->i - 2]);
}

/* --- quotas --- */

static void print_quota_command(const struct written *a)
{
	uint32_t command = (uint32_t)a->value;

	buffer_string(a->w->out, "QCMD(");
	call_put_flags(a->w->out, &flags_quota, 0, command >> 8);
	buffer_string(a->w->out, ", ");
	call_put_flags(a->w->out, &flags_quota_of, 0, command & 0xff);
	buffer_char(a->w->out, ')');
}

/* --- all of them --- */

bool call_control_is_read(const struct written *a)
{
	if (a->type->form == ARGUMENT_AS_CONTROL)
		return control_of(a->w->call->arguments[a->i - 1])->what != CONTROL_NONE;
	return a->type->form != ARGUMENT_AS_FUTEX || futex_part_of(a) != UNUSED;
}

const call_writer call_control_writers[ARGUMENT_FORMS] = {
	[ARGUMENT_AS_CONTROL] = print_control,
	[ARGUMENT_AS_FUTEX] = print_futex,
	[ARGUMENT_AS_QUOTA_COMMAND] = print_quota_command,
	[ARGUMENT_AS_PROTOCOL] = print_protocol,
	[ARGUMENT_AS_OPTION_NAME] = print_option_name,
};
