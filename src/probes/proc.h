/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proc: the state of processes, one record per process and sample. Values over an interval (CPU in
 * percent) are computed from two samples.
 */
#pragma once

#include <stddef.h>

#include <sooth/record.h>

enum proc_kind {
	PROC_PROCESS = 0x0100,
	PROC_SNAPSHOT = 0x0101,	 /* ends the records of one sample */
	PROC_LINKS = 0x0102,	 /* links of a process to others */
	PROC_SESSION = 0x0103,	 /* the session as an agent's own files describe it */
	PROC_INSTALLED = 0x0104, /* a version of an agent that is installed here */
};

/* Value of `terminal` without a controlling terminal. */
#define PROC_NO_TERMINAL 0

/* Whether the control group of a process is frozen. */
enum proc_frozen {
	PROC_FROZEN_NOT_REPORTED,
	PROC_FROZEN_NO,
	PROC_FROZEN_YES,
	PROC_FROZEN_ANSWERS,
};

/* Effect of SIGTERM on the process. */
enum proc_term {
	PROC_TERM_NOT_REPORTED,
	PROC_TERM_ENDS,
	PROC_TERM_IGNORED,
	PROC_TERM_HANDLED, /* a function of the program handles SIGTERM */
	PROC_TERM_ANSWERS,
};

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
	uint8_t is_foreground;	 /* the process group is the foreground group of its terminal */
	uint8_t is_brief;	 /* the process has nothing to do with an agent; little was
				  * read */
	struct sooth_text marks; /* NUL-separated: texts that the executable holds */
	struct sooth_text mark_version; /* version text after the last mark */
	struct sooth_text package;	/* npm package of the script or of the executable */
	struct sooth_text package_version;
	struct sooth_text user;		 /* name of uid; empty: it has none */
	struct sooth_text terminal_name; /* "pts/3"; empty: none */
	/* Older captures have nothing from here on, either. */
	uint8_t frozen; /* enum proc_frozen */
	uint8_t term;	/* enum proc_term */
	uint8_t unused[6];
	/* Older captures have nothing from here on, either. */
	uint8_t proxies_state;
	uint8_t unused_last[7];
	/* NUL-separated "HTTPS_PROXY=127.0.0.1:3128": the proxies that its environment names,
	 * without user and password. */
	struct sooth_text proxies;
};

#define PROC_PROCESS_LEAST 136
_Static_assert(PROC_PROCESS_LEAST == offsetof(struct proc_process, marks), "records only grow");
#define PROC_PROCESS_WITH_USER 184
_Static_assert(PROC_PROCESS_WITH_USER == offsetof(struct proc_process, frozen), "only grow");
#define PROC_PROCESS_WITH_FROZEN 192
_Static_assert(
	PROC_PROCESS_WITH_FROZEN == offsetof(struct proc_process, proxies_state), "only grow");

/* Ends a sample. A process without a record since from_ns has ended. */
struct proc_snapshot {
	struct sooth_record record;
	uint64_t from_ns;
	/* Older captures have nothing from here on. */
	uint8_t is_of_host;  /* every process of the host was read */
	uint8_t is_partial;  /* some processes are hidden from the caller (hidepid, a container) */
	uint8_t hides_users; /* the hidden ones are other users', because of hidepid */
	uint8_t is_of_root;  /* sudo would not show more: read as user 0, or in a container */
	uint8_t unused[4];
};

#define PROC_SNAPSHOT_LEAST 40
_Static_assert(PROC_SNAPSHOT_LEAST == offsetof(struct proc_snapshot, is_of_host), "only grows");

/* Destination of a standard stream. */
enum proc_stream {
	PROC_STREAM_NONE, /* closed */
	PROC_STREAM_NULL, /* /dev/null */
	PROC_STREAM_FILE,
	PROC_STREAM_TERMINAL,
	PROC_STREAM_PIPE,
	PROC_STREAM_SOCKET,
	PROC_STREAM_OTHER,
	PROC_STREAMS,
};

/*
 * Recorded for processes that may belong to an agent's session: recognized, started by an agent, or
 * with an agent's markers in their environment; and for those requested by pid.
 */
struct proc_ties {
	struct sooth_record record;
	uint64_t pid_namespace; /* inode number */
	uint64_t stream_inode[3];
	uint32_t inner_pid; /* inner PID in its innermost pid namespace */
	uint8_t stream[3];  /* enum proc_stream of descriptors 0, 1, 2 */
	uint8_t stream_state[3];
	uint8_t markers_state;
	uint8_t namespace_state;
	uint8_t is_hangup_ignored; /* SIGHUP, as nohup(1) does */
	uint8_t hangup_state;
	/*
	 * The writers of stream 0, if it is a pipe or a socket. The list is truncated when the
	 * search ended at a nearby writer, or when some processes were not readable. It is not
	 * requested for a process without any link to an agent, even if has_writer is set: neither
	 * that process nor its children are agents.
	 */
	uint8_t has_writer;   /* a process has the other end of stream 0 */
	uint8_t writer_state; /* state of has_writer */
	uint8_t writers_state;
	uint8_t root_state;
	uint8_t unused[6];
	/* NUL-separated "NAME=VALUE" of the markers that agents declare; only "NAME" if the value
	 * is no plain identifier. */
	struct sooth_text markers;
	struct sooth_text stream_path[3]; /* paths of streams that are files */
	struct sooth_text writers;	  /* list of the pids that have the other end of stream 0 */
	struct sooth_text root;		  /* top directory of its git working tree */
	/* Older captures have nothing from here on. */
	uint32_t tracer_pid; /* the thread that traces its main thread (ptrace); 0: none */
	uint8_t tracer_state;
	uint8_t input_state;
	uint8_t unused_more[2];
	uint64_t input_utc_ns; /* stream 0 is a terminal: last input, rounded down to 8 s */
	/* Older captures have nothing from here on, either. */
	uint64_t written_bytes; /* bytes written by the process and the children it waited for, to
				   anything */
	uint64_t output_utc_ns; /* stream 1 is a file: when that was last written to */
	uint8_t written_state;
	uint8_t output_state;
	uint8_t unused_last[6];
	/* Older captures have nothing from here on, either. */
	uint64_t read_bytes; /* bytes read by the process and the children it waited for, from
				anything */
	uint64_t io_calls;   /* calls that read read_bytes or wrote written_bytes */
	uint64_t disk_read_bytes, disk_written_bytes; /* bytes from and to storage */
	uint8_t io_state;			      /* state of the four values above */
	uint8_t unused_end[7];
	/* Older captures have nothing from here on, either. Times of the first thread, since it
	 * started. */
	uint64_t thread_cpu_ns, thread_ready_ns; /* ready: while another thread had the CPU */
	uint8_t thread_state;			 /* state of thread_cpu_ns and thread_ready_ns */
	uint8_t unused_thread[7];
	/* Older captures have nothing from here on, either. Resident memory by class: of no file,
	 * of files, of shared memory and tmpfs; and what is in swap. */
	uint64_t rss_anonymous_bytes, rss_file_bytes, rss_shared_bytes, swap_bytes;
	uint8_t memory_state; /* of all four */
	uint8_t unused_memory[7];
};

#define PROC_LINKS_LEAST 136
_Static_assert(PROC_LINKS_LEAST == offsetof(struct proc_ties, tracer_pid), "records only grow");
#define PROC_LINKS_WITH_INPUT 152
_Static_assert(PROC_LINKS_WITH_INPUT == offsetof(struct proc_ties, written_bytes), "only grow");
#define PROC_LINKS_WITH_WRITTEN 176
_Static_assert(PROC_LINKS_WITH_WRITTEN == offsetof(struct proc_ties, read_bytes), "only grow");
#define PROC_LINKS_WITH_IO 216
_Static_assert(PROC_LINKS_WITH_IO == offsetof(struct proc_ties, thread_cpu_ns), "only grow");
#define PROC_LINKS_WITH_THREAD 240
_Static_assert(
	PROC_LINKS_WITH_THREAD == offsetof(struct proc_ties, rss_anonymous_bytes), "only grow");

/* Whose turn it is in the conversation, by the agent's log. */
enum proc_turn {
	PROC_TURN_UNKNOWN,
	PROC_TURN_USER,	      /* the model has answered, or was interrupted */
	PROC_TURN_MODEL,      /* a prompt or a tool result has no answer */
	PROC_TURN_TOOL,	      /* a tool call has no result */
	PROC_TURN_PERMISSION, /* the user is asked whether a tool may run */
	PROC_TURNS,
};

/* How an MCP server was started, by the agent's log of it. */
enum proc_mcp_start {
	PROC_MCP_UNKNOWN,
	PROC_MCP_CONNECTS, /* the agent waits for its first answer */
	PROC_MCP_CONNECTED,
	PROC_MCP_MUTE, /* the agent has given up: no answer came */
	PROC_MCP_FAILED,
	PROC_MCP_STARTS,
};

/* One main process of an agent. Values missing in its files have a state. */
struct proc_session {
	struct sooth_record record;
	uint64_t activity_utc_ns; /* newest change of the log, or of the self-reported status */
	uint64_t tool_utc_ns;	  /* time of the last tool call in the log */
	uint8_t session_state;
	uint8_t status_state;
	uint8_t activity_state;
	uint8_t tool_state; /* state of tool and tool_utc_ns */
	uint8_t version_state;
	uint8_t unused[3];
	struct sooth_text session; /* the agent's own id of the session */
	struct sooth_text source;  /* description of the file that says so */
	struct sooth_text status;  /* "idle", "busy": self-reported */
	struct sooth_text tool;	   /* name of the last tool called */
	struct sooth_text version; /* version as the session file says */
	/* Older captures have nothing from here on. */
	uint64_t changed_utc_ns; /* last change of the status */
	uint64_t turn_utc_ns;	 /* time at which the turn began */
	uint32_t attempts;     /* attempts of the request to the model, by the log; 0: the first */
	uint16_t error_status; /* HTTP status of the attempt before, by the log */
	uint8_t turn;	       /* enum proc_turn */
	uint8_t turn_state;    /* state of turn, its time and attempts */
	uint8_t changed_state;
	uint8_t waiting_state;
	uint8_t call_state;
	uint8_t error_state;
	uint8_t unused_more[4];
	struct sooth_text waiting; /* what the agent waits for: "permission prompt" */
	struct sooth_text call;	   /* name of the oldest tool call without a result */
	/* Older captures have nothing from here on, either. The agent's log gives these values:
	 * from its first reading on, and as far back as could be read then. */
	uint64_t input_tokens; /* input tokens, also those from a cache */
	uint64_t output_tokens;
	uint64_t context_tokens; /* tokens in use: of the last request and its answer */
	uint32_t turns;		 /* answers of the model */
	uint8_t tokens_state;	 /* state of turns, input and output */
	uint8_t context_state;
	uint8_t model_state;
	uint8_t unused_last;
	struct sooth_text model;
	/* Older captures have nothing from here on, either. */
	struct sooth_text branch; /* git branch of its directory */
	struct sooth_text task;	  /* first words of the first prompt, by the log */
	uint8_t branch_state;
	uint8_t task_state;
	uint8_t repeats_state;	/* state of all that follows; absent: the log has no tool call */
	uint8_t repeated_calls; /* calls of the pattern: some that are made in turn */
	uint32_t repeats;	/* times in a row that the last tool calls were made, with the same
				   results */
	/* Older captures have nothing from here on, either. */
	uint64_t repeats_since_utc_ns, repeats_until_utc_ns;
	struct sooth_text repeated; /* name of the tool called last */
	/* Older captures have nothing from here on, either. All that follows is of its log. */
	uint64_t prompt_utc_ns; /* last prompt of the user, or where the reading began */
	uint64_t effect_utc_ns; /* last one with an effect: os/agent_logs/agent_progress.h */
	uint64_t answer_utc_ns; /* last answer of the model */
	uint64_t spent_input_tokens, spent_output_tokens; /* since the last effect */
	uint32_t spent_turns, spent_calls; /* answers, and tool calls, since the last effect */
	uint32_t unprompted_turns;	   /* answers since the last prompt */
	uint8_t progress_state;		   /* of all above */
	uint8_t rate_state;
	uint8_t window_state;
	uint8_t quota_state;
	uint64_t tokens_a_minute; /* in and out, of the last five minutes */
	uint64_t window_tokens;	  /* the model takes at most so many */
	uint64_t quota_resets_utc_ns;
	double quota_percent; /* used, of the limit that is nearest */
	/* The MCP server with an open call, else the one with the most trouble. */
	uint64_t mcp_total_ns, mcp_longest_ns; /* of its calls */
	uint32_t mcp_calls, mcp_errors;	       /* with a result, and with an error for a result */
	struct sooth_text mcp;
	/* Its job, by the list that the agent's daemon keeps. */
	struct sooth_text job, job_status;
	struct sooth_text log_end; /* NUL-separated: its last lines, without their text */
	uint8_t mcp_state;
	uint8_t job_state; /* of job and job_status */
	uint8_t unused_end[6];
	/* Older captures have nothing from here on, either. */
	uint64_t queued_utc_ns; /* oldest prompt in the agent's queue; 0: none; state: turn_state */
	/* A server that is not connected, else the one that prints the most lines beside its
	 * messages, by the agent's logs of its servers. */
	uint64_t mcp_start_utc_ns;
	struct sooth_text mcp_log;
	uint32_t mcp_word_lines;
	uint8_t mcp_start; /* enum proc_mcp_start */
	uint8_t mcp_log_state;
	uint8_t asked_state;
	uint8_t unused_after;
	/* Older captures have nothing from here on, either. */
	struct sooth_text asked; /* first words of the command, or the file, of `call` */
};

#define PROC_SESSION_LEAST	   96
#define PROC_SESSION_WITH_CALL	   144
#define PROC_SESSION_WITH_MODEL	   184
#define PROC_SESSION_WITH_TASK	   208
#define PROC_SESSION_WITH_REPEATED 232
#define PROC_SESSION_WITH_JOB	   384
#define PROC_SESSION_WITH_SERVERS  416
_Static_assert(PROC_SESSION_WITH_SERVERS == offsetof(struct proc_session, asked), "only grows");
_Static_assert(PROC_SESSION_WITH_JOB == offsetof(struct proc_session, queued_utc_ns), "only grows");
_Static_assert(
	PROC_SESSION_WITH_REPEATED == offsetof(struct proc_session, prompt_utc_ns), "only grows");
_Static_assert(PROC_SESSION_WITH_TASK == offsetof(struct proc_session, repeats_since_utc_ns),
	"only grows");
_Static_assert(PROC_SESSION_WITH_MODEL == offsetof(struct proc_session, branch), "only grows");
_Static_assert(PROC_SESSION_WITH_CALL == offsetof(struct proc_session, input_tokens), "only grows");
_Static_assert(PROC_SESSION_LEAST == offsetof(struct proc_session, changed_utc_ns), "only grows");

/* A version that is installed. Recorded once, at the start; belongs to no process. */
struct proc_installed {
	struct sooth_record record;
	uint32_t uid; /* user with it in the home directory; UINT32_MAX: installed for all */
	/* In a record without an agent: `path`, a folder of that user, could not be read. */
	uint32_t is_unread;
	struct sooth_text agent; /* name of the agent */
	struct sooth_text version;
	struct sooth_text path;
};
