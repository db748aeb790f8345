/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/freebsd/decode/kinfo_proc.h"

#include "base/units.h"
#include "os/bsd/signal_numbers.h"
#include "probes/proc.h"

#define KINFO_PROC(name, member, offset) AT_##name = offset,
enum kinfo_proc_at {
#include "os/freebsd/decode/layouts.def"
};

/* Offsets in struct rusage. */
#define RUSAGE(name, member, offset) AT_##name = offset,
enum rusage_at {
#include "os/freebsd/decode/layouts.def"
};

#define TDNAME_SIZE 17
#define WMESG_SIZE  9
#define COMM_SIZE   20
#define MORE_SIZE   4

#define TRACE_POINTS 0x00ffffff /* KTRFAC_MASK */
#define NODEV	     UINT64_MAX
#define NODEV_OLD    UINT32_MAX
#define TICKS_PER_S  100
#define CLASS_MASK   0x7 /* PRI_BASE: what is not PRI_FIFO_BIT */
#define CLASS_REAL   2	 /* PRI_REALTIME */

/* ki_stat; a wait that no signal can interrupt is sooth's state D. */
#define PROC_NUMBER(name, theirs, value) name = value,
enum kinfo_proc_number {
#include "os/freebsd/decode/layouts.def"
};

static char state_of(const struct bsd_bytes *b)
{
	switch (bsd_u8(b, AT_STAT)) {
	case STAT_RUN:
	case STAT_IDL:
		return 'R';
	case STAT_SLEEP:
		/* A kernel thread that waits for work. */
		if (bsd_u64(b, AT_FLAG) & FLAG_KERNEL)
			return 'I';
		return bsd_u64(b, AT_TDFLAGS) & TDF_SINTR ? 'S' : 'D';
	case STAT_STOP:
		return bsd_u64(b, AT_FLAG) & FLAG_STOPPED_TRACE ? 't' : 'T';
	case STAT_ZOMB:
		return 'Z';
	case STAT_WAIT:
		return 'I'; /* an interrupt thread without work */
	case STAT_LOCK:
		return 'D';
	default:
		return '?';
	}
}

static uint64_t time_ns(const struct bsd_bytes *b, size_t at)
{
	return bsd_u64(b, at) * NS_PER_S + bsd_u64(b, at + 8) * NS_PER_US;
}

static bool has_known_layout(const struct bsd_bytes *b)
{
	return b->size >= KINFO_PROC_SIZE && bsd_u32(b, AT_STRUCTSIZE) == KINFO_PROC_SIZE;
}

static uint64_t start_ticks(uint64_t start_utc_ns, uint64_t boot_utc_ns)
{
	return start_utc_ns > boot_utc_ns ? (start_utc_ns - boot_utc_ns) / (NS_PER_S / TICKS_PER_S)
					  : 0;
}

/* Returns a number for the terminal, used only to distinguish terminals. */
static uint32_t terminal_of(uint64_t device)
{
	uint32_t folded = (uint32_t)(device ^ device >> 32);

	if (device == NODEV || device == NODEV_OLD)
		return PROC_NO_TERMINAL;
	return folded ? folded : 1;
}

static struct bsd_signals signals_of(const struct bsd_bytes *b)
{
	return (struct bsd_signals){ .pending = bsd_signal_mask(bsd_u64(b, AT_SIGLIST)),
		.blocked = bsd_signal_mask(bsd_u64(b, AT_SIGMASK)),
		.ignored = bsd_signal_mask(bsd_u64(b, AT_SIGIGNORE)),
		.caught = bsd_signal_mask(bsd_u64(b, AT_SIGCATCH)) };
}

bool kinfo_proc_decode(
	struct bsd_process *out, const void *data, size_t size, const struct kinfo_scale *scale)
{
	const struct bsd_bytes b = { data, size };
	int32_t terminal_group = bsd_i32(&b, AT_TPGID);

	if (!has_known_layout(&b) || bsd_i32(&b, AT_PID) < 0)
		return false;
	*out = (struct bsd_process){
		.id = { .pid = bsd_u32(&b, AT_PID) },
		.start_utc_ns = time_ns(&b, AT_START),
		.cpu_ns = bsd_u64(&b, AT_RUNTIME) * NS_PER_US,
		.rss_bytes = bsd_u64(&b, AT_RSSIZE) * scale->page_bytes,
		.vsz_bytes = bsd_u64(&b, AT_SIZE),
		.ppid = bsd_u32(&b, AT_PPID),
		.uid = bsd_u32(&b, AT_UID),
		.process_group = bsd_u32(&b, AT_PGID),
		.session = bsd_u32(&b, AT_SID),
		.terminal_group = terminal_group > 0 ? (uint32_t)terminal_group : 0,
		.terminal = terminal_of(bsd_u64(&b, AT_TDEV)),
		.threads = bsd_u32(&b, AT_NUMTHREADS),
		.tracer_pid = bsd_u32(&b, AT_TRACER),
		.is_kernel = (bsd_u64(&b, AT_FLAG) & FLAG_KERNEL) != 0,
		.is_traced = bsd_u32(&b, AT_TRACEFLAG) & TRACE_POINTS,
		.state = state_of(&b),
		.signals = signals_of(&b),
	};
	out->id.start_ticks = start_ticks(out->start_utc_ns, scale->boot_utc_ns);
	bsd_copy(out->name, sizeof(out->name), &b, AT_COMM, COMM_SIZE);
	return true;
}

bool kinfo_thread_decode(struct bsd_thread *out, const void *data, size_t size)
{
	const struct bsd_bytes b = { data, size };
	uint64_t system_ns = time_ns(&b, AT_RUSAGE + AT_STIME);
	size_t length;

	if (!has_known_layout(&b))
		return false;
	*out = (struct bsd_thread){
		.tid = bsd_u32(&b, AT_TID),
		.cpu_ns = bsd_u64(&b, AT_RUNTIME) * NS_PER_US,
		.system_ns = system_ns,
		.voluntary_switches = bsd_u64(&b, AT_RUSAGE + AT_NVCSW),
		.involuntary_switches = bsd_u64(&b, AT_RUSAGE + AT_NIVCSW),
		.faults = bsd_u64(&b, AT_RUSAGE + AT_MINFLT) + bsd_u64(&b, AT_RUSAGE + AT_MAJFLT),
		.major_faults = bsd_u64(&b, AT_RUSAGE + AT_MAJFLT),
		.signals = signals_of(&b),
		.nice = (int8_t)bsd_u8(&b, AT_NICE),
		.processor = bsd_u32(&b, bsd_i32(&b, AT_ONCPU) >= 0 ? AT_ONCPU : AT_LASTCPU),
		.is_realtime = (bsd_u8(&b, AT_PRI_CLASS) & CLASS_MASK) == CLASS_REAL,
		.wait_address = bsd_u64(&b, AT_WCHAN),
		.state = state_of(&b),
	};
	/* For a running thread the sleep time is the time since the boot: ignore it. */
	out->asleep_state =
		out->state == 'S' || out->state == 'D' ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	if (!out->asleep_state)
		out->asleep_ns = bsd_u32(&b, AT_SLPTIME) * NS_PER_S;
	/* A second array has the rest of the name. */
	bsd_copy(out->name, sizeof(out->name), &b, AT_TDNAME, TDNAME_SIZE);
	length = strlen(out->name);
	bsd_copy(out->name + length, sizeof(out->name) - length, &b, AT_MORETDNAME, MORE_SIZE);
	bsd_copy(out->wait_channel, sizeof(out->wait_channel), &b, AT_WMESG, WMESG_SIZE);
	if (bsd_u8(&b, AT_STAT) == STAT_LOCK)
		bsd_copy(out->wait_channel, sizeof(out->wait_channel), &b, AT_LOCKNAME, WMESG_SIZE);
	return true;
}
