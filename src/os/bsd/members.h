/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes that a backend of this folder reads: the given ones, or all of a user or the host;
 * and the heads of its records. */
#pragma once

#include "base/map.h"
#include "collect/backend.h"
#include "os/bsd/source.h"

struct bsd_members {
	struct map processes; /* process_id -> bool: the process has not exec'd yet */
	bool has_reported;    /* the backend has written its limit */
};

typedef void (*bsd_member_visitor)(struct backend_run *run, const struct bsd_process *process);

/* Functions of a struct backend whose state begins with a struct bsd_members. */
int bsd_members_open(struct backend_run *run, struct sooth_error *err);
void bsd_members_close(struct backend_run *run);
int bsd_members_set(struct backend_run *run, const struct process_id *process, unsigned interest,
	struct sooth_error *err);
int bsd_members_stop(struct backend_run *run, struct sooth_error *err);

/* Visits each member that exists and still is the process that was given. A brief sample of a host
 * or a user visits only the given processes. */
int bsd_members_visit(struct backend_run *run, bsd_member_visitor visitor, struct sooth_error *err);
void bsd_members_visit_one(
	struct backend_run *run, const struct process_id *process, bsd_member_visitor visitor);

struct sooth_record bsd_record(const struct backend_run *run, const struct process_id *process,
	uint64_t tid, uint16_t kind);
