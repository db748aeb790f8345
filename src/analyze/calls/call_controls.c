/* SPDX-License-Identifier: BSD-2-Clause */
/* Values of which an argument before them says what they are: commands of fcntl(2), options of
 * sockets by their level, protocols by their family, arguments of futex(2) by its operation;
 * commands with the kind of quota they are about. */
#include "analyze/calls/call_written.h"

#include "base/cleanup.h"

#define FUTEX_OPERATION	     1 /* which argument */
#define FUTEX_OPERATION_MASK 0x7fu
#define FUTEX_FIRST	     2 /* whose parts a row begins with */
#define FUTEX_PARTS	     4
#define BITSET_MATCH_ANY     0xffffffffu
#define WAKE_OPARG_SHIFT     8u

/* --- futex: its operation says which arguments it looks at, and what they are --- */

enum futex_part { UNUSED, COUNT, TIME, WORD, BITS, CHANGE, UNKNOWN };

/* Of those from the third on; the last row is of all others. */
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

static enum futex_part part_of(const struct written *a)
{
	const struct use *use = uses;
	int operation = (int)(a->w->call->arguments[FUTEX_OPERATION] & FUTEX_OPERATION_MASK);

	while (use->operation >= 0 && use->operation != operation)
		use++;
	return a->i < FUTEX_FIRST || a->i - FUTEX_FIRST >= FUTEX_PARTS
		       ? UNKNOWN
		       : use->parts[a->i - FUTEX_FIRST];
}

static bool futex_takes(const struct written *a)
{
	return part_of(a) != UNUSED;
}

/* "FUTEX_OP_ADD<<28|0x1<<12|FUTEX_OP_CMP_GT<<24|0x2": what FUTEX_WAKE_OP does to the second word,
 * and of what it was before it also wakes there. */
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

static void as_futex(const struct written *a)
{
	switch (part_of(a)) {
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

/* What its third argument is, and its result; the last row is of all others. */
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

static void as_control(const struct written *a)
{
	const struct control *c = control_of(a->w->call->arguments[a->i - 1]);

	if (c->what == CONTROL_INT || c->what == CONTROL_COPY)
		written_as_int(a);
	else if (c->flags)
		call_put_flags(a->w->out, c->flags, a->w->call->abi, a->value);
	else
		written_as_hex(a);
}

static bool takes_none(uint64_t command)
{
	return control_of(command)->what == CONTROL_NONE;
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

/* The same number is another one at another level, of another family. */
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

static void as_option_name(const struct written *a)
{
	put_chosen(a, levels, ARRAY_SIZE(levels), a->w->call->arguments[a->i - 1]);
}

static void as_protocol(const struct written *a)
{
	put_chosen(a, families, ARRAY_SIZE(families), a->w->call->arguments[a->i - 2]);
}

/* --- quotas --- */

static void as_quota_command(const struct written *a)
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
		return !takes_none(a->w->call->arguments[a->i - 1]);
	return a->type->form != ARGUMENT_AS_FUTEX || futex_takes(a);
}

const call_writer call_control_writers[ARGUMENT_FORMS] = {
	[ARGUMENT_AS_CONTROL] = as_control,
	[ARGUMENT_AS_FUTEX] = as_futex,
	[ARGUMENT_AS_QUOTA_COMMAND] = as_quota_command,
	[ARGUMENT_AS_PROTOCOL] = as_protocol,
	[ARGUMENT_AS_OPTION_NAME] = as_option_name,
};
