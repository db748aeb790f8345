/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the files of the history that a monitor keeps: numbered captures, of which the oldest are
 * removed. Readers need no lock: a file only grows by whole blocks. */
#pragma once

#include <stdint.h>

#include "base/buffer.h"
#include "cli/state/user_folder.h"

struct arguments;
struct sooth_report;

#define HISTORY_NAME_SIZE 32

struct history_file {
	char name[HISTORY_NAME_SIZE];
	uint32_t number;
	uint64_t bytes;
	uint64_t changed_utc_ns;
};

/* ~/.local/state/sooth/history, or below $XDG_STATE_HOME. */
extern const struct user_folder_kind history_folder_kind;

void history_name(char name[HISTORY_NAME_SIZE], uint32_t number);
/* Appends each struct history_file of the folder to `files`, the oldest first. */
int history_list(int folder, struct buffer *files, struct sooth_error *err);
/* This and what follows give up privileges before they read (cli/rights/explaining.h).
 * Passes all blocks of files written since `from_utc_ns` to the report. `path` NULL: the default
 * folder. -ENOENT: there is no history. */
int history_feed(
	struct sooth_report *r, const char *path, uint64_t from_utc_ns, struct sooth_error *err);
/* Returns whether the only word of a command line is a folder. */
bool history_is_folder(const struct arguments *a);
/* Passes all blocks of the history in the folder to the report. */
int history_read_folder(const char *path, struct sooth_report *report, struct sooth_error *err);
/* When and how the main process of a session ended. */
struct history_end {
	char agent[64];
	char how[128]; /* "killed by SIGKILL from bash (pid 9)"; empty: not known */
	uint64_t utc_ns;
};

/* Finds the last session of the last hour with that PID, in the default folder. False: it has not
 * ended. */
bool history_end_of(struct history_end *out, uint32_t pid);
/* Sets `out` to the first line of the worst answer that lasted when a running monitor last wrote,
 * of a session or of all (0). False: there is none. */
bool history_answer_of(char *out, size_t size, uint32_t main_pid);
/* Returns whether the capture of that name is a file of a history. */
bool history_is_file(const char *path);
