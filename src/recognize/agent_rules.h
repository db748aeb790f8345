/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows for the rules of an agent: the reason of a rule follows from its pattern. More members of
 * struct agent_rule may follow, such as .role. */
#pragma once

#include "recognize/agent.h"

/* A part of the agent, by its first arguments. */
#define PART(role_, words, ...)                                                                    \
	{                                                                                          \
		.role = AGENT_ROLE_##role_, .arguments = words, __VA_ARGS__                        \
	}
#define RULE_BELOW(folders, name, ...)                                                             \
	{                                                                                          \
		.kind = AGENT_RULE_BELOW, .what = folders, .called = name,                         \
		.why = "the executable is " name " below " folders, __VA_ARGS__                    \
	}
#define RULE_EXECUTABLE(package, name)                                                             \
	{                                                                                          \
		.kind = AGENT_RULE_BELOW, .what = "node_modules/" package, .called = name,         \
		.why = "the executable is " name " of the package " package                        \
	}
#define RULE_PACKAGE(name, ...)                                                                    \
	{                                                                                          \
		.kind = AGENT_RULE_PACKAGE, .what = name,                                          \
		.why = "JavaScript runs a script of the package " name, __VA_ARGS__                \
	}
/* Without a scope any other project may have the name: then `.called` has to follow. */
#define RULE_LAUNCHER(name, ...)                                                                   \
	{                                                                                          \
		.kind = AGENT_RULE_PACKAGE, .what = name, .role = AGENT_ROLE_LAUNCHER,             \
		.why = "JavaScript runs a script of the package " name ", its launcher",           \
		__VA_ARGS__                                                                        \
	}
#define RULE_PROGRAM(section_, text, ...)                                                          \
	{                                                                                          \
		.kind = AGENT_RULE_PROGRAM, .program.section = section_, .program.holds = text,    \
		.why = "the executable contains " text " in " section_, __VA_ARGS__                \
	}
#define RULE_NAME(name)                                                                            \
	{                                                                                          \
		.kind = AGENT_RULE_NAME, .what = name, .why = "the executable is called " name     \
	}
#define RULE_TITLE(text, ...)                                                                      \
	{                                                                                          \
		.kind = AGENT_RULE_TITLE, .what = text,                                            \
		.why = "JavaScript overwrote its arguments with the title \"" text "\"",           \
		__VA_ARGS__                                                                        \
	}
#define RULE_COMMAND(name)                                                                         \
	{                                                                                          \
		.kind = AGENT_RULE_COMMAND, .what = name,                                          \
		.why = "the command and the process are both called " name                         \
	}
