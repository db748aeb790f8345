/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A known kind of AI coding agent, and how it is recognized. An agent is data: rules, each with a
 * pattern and a text with the reason; one engine (recognize/agent.c) serves all. Paths are compared
 * by whole components, never by parts of them. A name that only occurs somewhere in the arguments
 * does not count.
 */
#pragma once

#include <stdbool.h>

#include "base/cursor.h"

/* From the strongest to the weakest: the rules of one kind are tried for all agents, then those of
 * the next kind. */
enum agent_rule_kind {
	AGENT_RULE_BELOW,     /* the executable is below these folders */
	AGENT_RULE_PACKAGE,   /* an interpreter runs a script of this npm package */
	AGENT_RULE_MODULE,    /* Python runs this module, or an entry script of its name */
	AGENT_RULE_PROGRAM,   /* contents of the executable; see below */
	AGENT_RULE_NAME,      /* the file of the executable has this name */
	AGENT_RULE_SOMEWHERE, /* like BELOW, but the folders identify less */
	AGENT_RULE_TITLE,     /* a title that a JavaScript program wrote over its arguments */
	AGENT_RULE_COMMAND,   /* the process was started by this name, and has this name */
	AGENT_RULE_KINDS,
};

/* PROGRAM: the executable has a section that begins with `begins` (NULL: any), and its own text
 * contains `holds`. The own text of a program that Bun made (section .bun) is its options and the
 * script it begins with; of any other program, it is .rodata. `version_behind` is the text before
 * the version, near it or directly before it (""); NULL: there is no version. */
struct agent_program {
	const char *section;
	const char *begins;
	const char *holds;
	const char *version_behind;
};

/* The role of a process in the session of an agent. */
enum agent_role {
	AGENT_ROLE_MAIN,     /* the agent itself */
	AGENT_ROLE_LAUNCHER, /* it starts the main process and waits */
	AGENT_ROLE_HELPER,   /* one of the agent's own programs, or a short question to one */
	AGENT_ROLE_DAEMON,   /* a helper that outlives sessions by design */
	AGENT_ROLE_SPARE,    /* kept ready for a session; the main process once it has one */
	AGENT_ROLE_TOOL,     /* a tool call, and processes that it started */
	AGENT_ROLE_MCP,	     /* an MCP server, and processes that it started */
	AGENT_ROLE_STATUS_LINE,
	AGENT_ROLE_LANGUAGE_SERVER,
	AGENT_ROLES,
};

struct agent_rule {
	enum agent_rule_kind kind;
	enum agent_role role; /* role of a process that the rule recognizes */
	const char *what;     /* folders with "/" between, package, module, name */
	/* BELOW, PACKAGE, PROGRAM: name that the file must have too, with * for any part; NULL:
	 * any. */
	const char *called;
	struct agent_program program;
	const char *why; /* the reason, in words */
};

/* The last rule is empty. */
#define AGENT_RULES_MAX 16

/* A variable that an agent puts into the environment of the processes that it starts. */
enum agent_marker_kind {
	AGENT_MARKER_KIND,    /* the process is of this agent; the value does not matter */
	AGENT_MARKER_SESSION, /* the id of the session */
	AGENT_MARKER_PID,     /* pid of the main process, in its own pid namespace */
	AGENT_MARKER_TOOL,    /* as KIND; only tool calls have it */
};

struct agent_marker {
	const char *name; /* NULL ends the list */
	enum agent_marker_kind kind;
};
#define AGENT_MARKERS_MAX 12

/* The format of tool calls in the lines of its log. */
enum agent_log {
	AGENT_LOG_NONE,
	AGENT_LOG_CLAUDE,
	AGENT_LOG_CODEX,
	AGENT_LOG_GEMINI,
	AGENT_LOG_OPENCODE, /* one log for all processes */
};

#define AGENT_ANY_KEY "*"

/* The files in which an agent stores its session data, below its home. In the paths {pid} is the
 * process (in its own pid namespace), {session} its session's id, {directory} its working directory
 * with "-" for all but letters and digits (or, if there is no such file, any other directory),
 * {project} a folder whose `project_file` has the path of its working directory, and * any part of
 * one name. recognize/agent_path.h reads the paths. */
struct agent_files {
	const char *home_variable; /* variable of its environment, in place of HOME and `home` */
	const char *home;	   /* below HOME: ".claude" */
	const char *session_file;  /* JSON object; NULL: the first line of the log */
	/* Members of the session file. The start time is in clock ticks after boot or in UTC. */
	const char *session_key, *status_key, *start_key, *version_key;
	const char *changed_key; /* time of the last change of status, UTC */
	const char *waiting_key; /* what the agent waits for */
	const char *spare_key;	 /* true: the session is only kept ready for a user */
	/* The list that its daemon keeps of its sessions: a file for each, with the job in place of
	 * {session}; the member of the session file that names the job, and that of the list with
	 * its state. */
	const char *job_file, *job_key, *job_status_key;
	/* Members that must have the pid and the working directory of the process. */
	const char *pid_key, *directory_key; /* AGENT_ANY_KEY: any member */
	const char *open_file; /* file that the agent has open, with {session} in the path */
	/* Log file that grows as the agent works. Without session_file, and with a name *.json, it
	 * is one object; without start_key it began when the file was made. */
	const char *log;
	const char *project_file; /* ".project_root" */
	const char
		*database; /* of SQLite, with its answers; NULL: they are in the log, if at all */
	enum agent_log log_kind;
	const char *server_logs; /* that the agent writes of its MCP servers */
};

/* The role of a child of the main process, by the agent's variables that the child has and lacks.
 * The first matching rule counts. If none matches, the place and streams of the child decide. */
enum agent_place {
	AGENT_PLACE_ANY,
	AGENT_PLACE_OWN,  /* in a session of its own, as setsid(2) makes it */
	AGENT_PLACE_SAME, /* in the process session of the main process */
};

struct agent_child {
	enum agent_role role;
	enum agent_place place;
	bool is_piped;	   /* the child's standard input and output are pipes or sockets */
	const char *has;   /* names with blanks between them; NULL ends the list */
	const char *lacks; /* like `has`; NULL: no condition */
	/* Its first arguments with blanks between them, * for any part of one: "*sh -c"; NULL: no
	 * condition. */
	const char *arguments;
	bool is_heard; /* its standard error is one too: servers mostly keep the agent's */
};
#define AGENT_CHILDREN_MAX 8

/* The role of a process of the agent that a rule calls MAIN, by its first arguments, those behind
 * its script. Written like those of a child: "daemon run". */
struct agent_part {
	enum agent_role role;
	const char *arguments; /* NULL ends the list */
	/* A helper that outlives its daemon, until the next one takes it over, as daemons and spare
	 * processes do. */
	bool outlives;
};
#define AGENT_PARTS_MAX 8

/* Command-line options whose value is the id of the session: "--resume". */
#define AGENT_OPTIONS_MAX 6

struct agent {
	const char *name;  /* "claude" */
	const char *title; /* "Claude Code" */
	const char *tried; /* versions that were tested; NULL: none */
	/* Folders that contain a folder named after the version; NULL: none. */
	const char *versions;
	/* Folder name of its Python distribution: "aider_chat"; NULL: none. */
	const char *distribution;
	struct agent_marker markers[AGENT_MARKERS_MAX];
	struct agent_files files;
	const char *session_options[AGENT_OPTIONS_MAX];
	struct agent_child children[AGENT_CHILDREN_MAX];
	struct agent_part parts[AGENT_PARTS_MAX];
	/* Names by which the agent starts its own executable as another program: "rg ugrep"; NULL:
	 * none. */
	const char *other_names;
	/* Arguments with which the agent works without a user and then ends: "-p --print". */
	const char *headless;
	/* Seconds without data from the model after which the agent ends the request: while an
	 * answer arrives, and before any data; 0: unknown. The versions are the first ones with
	 * these deadlines. */
	unsigned deadline_s, first_deadline_s;
	const char *deadline_since, *first_deadline_since;
	const char
		*questions;  /* tools that ask the user something: "AskUserQuestion"; NULL: none */
	const char *fork_of; /* agent whose markers its children have too: "opencode"; NULL: none */
	bool starts_itself;  /* its process starts the program again; the child is the agent */
	/* Whole components of the paths where the agent keeps the output of tool calls: "tasks". */
	const char *tool_outputs;
	/* Pattern of the last names in such a path, like those of `files`, with {session}: a
	 * process that writes to such a file belongs to that session. */
	const char *output_file;
	/* Begin of the script of a tool call's shell, `*` for anything. The main process itself
	 * starts that shell, in a session of its own. NULL: unknown. */
	const char *tool_shell;
	/* An argument of a process that has one session from its start to its end; NULL: none. */
	const char *one_session;
	struct agent_rule rules[AGENT_RULES_MAX];
};

/* The evidence about a process. A missing part is an empty span. */
struct agent_evidence {
	struct span executable; /* path, without " (deleted)" */
	struct span name;	/* comm */
	struct span arguments;	/* NUL-separated, secrets masked */
	struct span directory;
	struct span marks;	  /* NUL-separated, of the executable: "SECTION TEXT" */
	struct span mark_version; /* version after the last of these marks */
	struct span package;	  /* npm package of the script or of the executable */
	struct span package_version;
};

struct agent_match {
	const char *rule; /* description of the rule that matched */
	enum agent_role role;
	struct span version; /* empty: not found in the files read */
	/* Recognized by a title that has overwritten its arguments, which would name its files. */
	bool is_covered;
	bool is_own_word; /* the executable is hidden: recognized by its arguments and name only */
};

struct agent_set;

/* Returns the agent of the set (NULL: the built-in ones) with the strongest matching rule; NULL:
 * none. */
const struct agent *agent_recognise(const struct agent_set *set,
	const struct agent_evidence *evidence, struct agent_match *match);
size_t agent_rule_count(const struct agent *agent);
/* Returns the text without its platform, if it begins like a version, with a digit; else an empty
 * span. */
struct span agent_version(struct span text);
const char *agent_role_name(enum agent_role role);
