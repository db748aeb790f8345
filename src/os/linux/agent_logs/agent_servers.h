/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The logs that Claude Code writes of its MCP servers, one file for each server and start: whether
 * the server was connected, and text on its standard output that is no message. Numbers, times and
 * names of servers leave it, no text of a server.
 */
#pragma once

#include "os/agent_logs/agent_progress.h"
#include "probes/proc.h"

struct agent_read;

/* Zeroed: not read yet. */
struct agent_servers {
	uint64_t read_ns; /* CLOCK_MONOTONIC, of the last read that found names; 0: none */
	/* The server that is not connected, else the one with the most lines that are no messages.
	 */
	struct agent_server_log {
		char name[AGENT_SERVER_MAX + 1];
		enum proc_mcp_start how;
		uint64_t utc_ns; /* when its connection was begun */
		uint32_t word_lines;
	} worst;
	bool is_cut; /* there were too many files, or they took too long */
};

/* Reads the logs of the session, unless that was done a few seconds ago. */
void agent_servers_read(struct agent_read *job, int root);
