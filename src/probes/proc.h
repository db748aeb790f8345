/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proc: the state of processes at moments. One record a process and sample; what
 * needs an interval (CPU in percent) is for whoever has two of them.
 */
#ifndef SOOTH_PROBES_PROC_H
#define SOOTH_PROBES_PROC_H

#include <stddef.h>

#include <sooth/record.h>

enum proc_kind {
	PROC_PROCESS = 0x0100,
	PROC_SNAPSHOT = 0x0101, /* everything that was there has been told */
};

/* No controlling terminal. */
#define PROC_NO_TERMINAL 0

struct proc_process {
	struct sooth_record record;
	uint64_t cpu_ns; /* user and system time of all threads, living and dead */
	uint64_t rss_bytes;
	uint64_t vsz_bytes;
	uint32_t ppid;
	uint32_t uid; /* effective */
	uint32_t threads;
	uint32_t session;
	uint32_t process_group;
	uint32_t terminal; /* device number, PROC_NO_TERMINAL */
	uint32_t descriptors;
	char state;	    /* R S D T t Z X I, as Linux names them */
	uint8_t is_deleted; /* the executable was removed or replaced */
	uint8_t executable_state;
	uint8_t directory_state;
	uint8_t arguments_state;
	uint8_t control_group_state;
	uint8_t descriptors_state;
	uint8_t cpu_is_ticks;	      /* cpu_ns has the resolution of a clock tick */
	struct sooth_text name;	      /* comm */
	struct sooth_text arguments;  /* NUL-separated, secrets masked */
	struct sooth_text executable; /* path */
	struct sooth_text directory;  /* working directory */
	struct sooth_text control_group;
	/* Older captures have nothing from here on. */
	uint8_t marks_state;
	uint8_t package_state;
	uint8_t unused[2];
	struct sooth_text marks;	/* NUL-separated: texts that the executable holds */
	struct sooth_text mark_version; /* a version that stands behind the last of them */
	struct sooth_text package;	/* npm's, of the script or of the executable */
	struct sooth_text package_version;
};

#define PROC_PROCESS_LEAST 136
_Static_assert(PROC_PROCESS_LEAST == offsetof(struct proc_process, marks), "records only grow");

/* Whoever was told before from_ns and not since is gone. */
struct proc_snapshot {
	struct sooth_record record;
	uint64_t from_ns;
};

#endif
