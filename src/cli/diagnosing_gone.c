/* SPDX-License-Identifier: BSD-2-Clause */
/* Selected processes that have exited: what the kernel log knows of them. */
#include "cli/diagnosing_gone.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "analyze/diagnosis/findings.h"
#include "base/units.h"
#include "core/registry.h"
#include "os/os.h"

#define KNOWN_BY "ended-abnormally" /* the finding that reads the log */

static bool may_be_there(uint32_t pid, struct buffer *gone)
{
	struct process_id process;
	struct sooth_error ignored;

	if (os_native.identify(&os_native, (pid_t)pid, &process, &ignored) != -ESRCH)
		return true;
	buffer_append(gone, &pid, sizeof(pid));
	return false;
}

bool gone_find(const struct target_found *found, struct buffer *gone)
{
	bool is_one_there = false;

	for (size_t i = 0; i < target_found_count(found); i++)
		is_one_there |= may_be_there(target_found_pids(found)[i], gone);
	return !is_one_there;
}

/* Findings about other processes or the host are not about this one. */
static void want_ends_alone(struct check_settings *settings)
{
	for (size_t i = 0; registry_findings[i].type && i < CHECK_SETTINGS_MAX; i++) {
		if (strcmp(registry_findings[i].type->id, KNOWN_BY) != 0)
			settings->all[i].is_muted = true;
	}
}

static int emit_gone(uint32_t pid, struct sooth_error *err)
{
	error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "find process %u", pid);
	error_why(err,
		"no process has this PID, and the kernel log has nothing about an earlier one");
	return error_remedy(err, "check the PID; `sooth ps -a` lists processes");
}

int gone_check(uint32_t pid, const struct check_settings *settings, struct sooth_error *err)
{
	char text[16];
	struct check_settings ends = *settings;
	struct findings_reported result = { 0 };
	struct findings_options options = { .settings = &ends, .result = &result };
	struct target_options target = { .pids = { .items = { text }, .count = 1 } };
	struct output_options output = { 0 };
	struct arguments none = { 0 };
	struct run run = {
		.name = "diagnose",
		.target = &target,
		.output = &output,
		.arguments = &none,
		.probes = { { "proc", SOOTH_SAMPLE | SOOTH_BRIEF },
			{ "exit_reasons", SOOTH_SAMPLE | SOOTH_BRIEF } },
		.views = { { "findings", &options } },
		.is_silent = true,
		.may_be_gone = true,
		.allowed = TARGET_MAY_BE_HOST | TARGET_IS_HOST,
		.duration_ns = 1,
	};
	int status;

	snprintf(text, sizeof(text), "%u", pid);
	want_ends_alone(&ends);
	status = run_report(&run, err);
	return status < 0 || result.has_any ? status : emit_gone(pid, err);
}
