/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The logs that Claude Code writes of its MCP servers, one file for each server and start: whether
 * the server was connected, and text on its standard output that is no message. Numbers, times and
 * names of servers leave it, no text of a server.
 */
#ifndef SOOTH_OS_LINUX_AGENT_LOGS_AGENT_SERVERS_H
#define SOOTH_OS_LINUX_AGENT_LOGS_AGENT_SERVERS_H

#include "os/agent_logs/agent_progress.h"
#include "probes/proc.h"

/* Zeroed: not read yet. */
struct agent_servers {
	uint64_t read_ns; /* CLOCK_MONOTONIC, of the last read that found logs; 0: none */
	/* A server that is not connected, the one that is tried longest. */
	char start[AGENT_SERVER_MAX + 1];
	uint64_t start_utc_ns;
	enum proc_mcp_start how;
	/* The server that has printed the most lines that are no messages. */
	char words[AGENT_SERVER_MAX + 1];
	uint32_t word_lines;
};

struct agent_servers_request {
	int root;	     /* root of the process: root_open() */
	const char *home;    /* of the agent, as the process sees it */
	const char *pattern; /* of the logs, below the home */
	const char *directory, *session;
	uint32_t uid;
	uint64_t start_utc_ns; /* of the process: earlier logs are not read */
	uint64_t end_cpu_ns;   /* CLOCK_THREAD_CPUTIME_ID; 0: no end */
};

/* Reads the logs, unless that was done a few seconds ago. */
void agent_servers_read(struct agent_servers *servers, const struct agent_servers_request *request);

#endif
