/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/waits/wait_prompts.h"

#include <assert.h>

#include "analyze/waits/wait_lookup.h"
#include "base/cleanup.h"
#include "probes/syscall_names.h"

/* Where programs ask, by their sources: git's prompt.c and OpenSSH's readpass.c open /dev/tty, as
 * do tgetpass.c of sudo, getpass() of the C library (mysql, curl, kinit), sprompt.c of PostgreSQL
 * and UI_OpenSSL. misc_conv() of Linux-PAM (su, passwd), apt and npm read standard input. pinentry
 * opens the terminal that gpg-agent names. The kernel keeps 15 characters of a name. The question
 * itself is not read: a text covers all that the program asks there, or is "an answer". */
/* files that git or crontab opens in an editor, and what they hold */
#define EDITOR(name)                                                                               \
	{ name, "MERGE_MSG", false, "the message of a merge, in an editor that git opened" },      \
		{ name, "COMMIT_EDITMSG", false,                                                   \
			"the message of a commit, in an editor that git opened" },                 \
		{ name, "TAG_EDITMSG", false,                                                      \
			"the message of a tag, in an editor that git opened" },                    \
		{ name, "git-rebase-todo", false,                                                  \
			"the steps of a rebase, in an editor that git opened" },                   \
		{ name, "/crontab.", false, "a crontab, in an editor" },                           \
	{                                                                                          \
		name, "/sudoers", false, "a file of sudo, in an editor"                            \
	}

static const struct prompt {
	const char *name;  /* name of the process */
	const char *title; /* part of its command line; NULL: any */
	bool by_tty;	   /* only if it reads /dev/tty: otherwise it is a working session */
	const char *asks;
} prompts[] = {
	EDITOR("editor"),
	EDITOR("vi"),
	EDITOR("vim"),
	EDITOR("vim.basic"),
	EDITOR("vim.tiny"),
	EDITOR("nvim"),
	EDITOR("nano"),
	EDITOR("emacs"),
	{ "git-remote-http", NULL, false, "a user name or password" },
	{ "git-credential-", NULL, false, "a user name or password" },
	{ "git", "credential", false, "a user name or password" },
	{ "git", NULL, true, "a user name, a password or a confirmation" },
	{ "git-lfs", NULL, true, "a user name or password" },
	{ "svn", NULL, true, "a password or another answer" },
	{ "ssh", NULL, true, "a password, passphrase, code or whether to trust a host key" },
	{ "scp", NULL, true, "a password, passphrase, code or whether to trust a host key" },
	{ "sftp", NULL, true, "a password, passphrase, code or whether to trust a host key" },
	{ "ssh-add", NULL, false, "a passphrase" },
	{ "ssh-keygen", NULL, false, "a passphrase or another answer" },
	{ "ssh-copy-id", NULL, false, "a password or another answer" },
	{ "sudo", NULL, true, "a password" },
	{ "doas", NULL, true, "a password" },
	{ "su", NULL, false, "a password" },
	{ "runuser", NULL, false, "a password" },
	{ "passwd", NULL, false, "a password" },
	{ "login", NULL, false, "a user name or password" },
	{ "chsh", NULL, false, "a password or a shell" },
	{ "newgrp", NULL, false, "a password" },
	{ "polkit-agent-he", NULL, false, "a password" },
	{ "pkttyagent", NULL, false, "a password" },
	{ "gpg", NULL, false, "a passphrase or an answer" },
	{ "pinentry", NULL, false, "a passphrase or a confirmation" },
	{ "pinentry-tty", NULL, false, "a passphrase or a confirmation" },
	{ "pinentry-curses", NULL, false, "a passphrase or a confirmation" },
	{ "cryptsetup", NULL, false, "a passphrase or a confirmation" },
	{ "openssl", NULL, true, "a passphrase" },
	{ "curl", NULL, true, "a password" },
	{ "wget", NULL, true, "a password" },
	{ "kinit", NULL, false, "a password" },
	{ "psql", NULL, true, "a password or another answer" },
	{ "pg_dump", NULL, true, "a password" },
	{ "createdb", NULL, true, "a password" },
	{ "mysql", NULL, true, "a password" },
	{ "mariadb", NULL, true, "a password" },
	{ "mysqldump", NULL, true, "a password" },
	{ "smbclient", NULL, true, "a password" },
	{ "docker", "login", false, "an answer" },
	{ "podman", "login", false, "an answer" },
	{ "gh", "auth", false, "an answer" },
	{ "", "npm login", false, "an answer" },
	{ "", "npm adduser", false, "an answer" },
	{ "", "npm publish", false, "an answer" },
	{ "", "npm init", false, "an answer" },
	{ "", "npm exec", false, "whether to install a package" },
	{ "apt", NULL, false, "an answer (apt -y answers yes)" },
	{ "apt-get", NULL, false, "an answer (apt-get -y answers yes)" },
	{ "dpkg", NULL, false, "which version of a configuration file to keep" },
	{ "pip", NULL, false, "an answer" },
	{ "rm", NULL, false, "whether to remove a file" },
	{ "cp", NULL, false, "whether to overwrite a file" },
	{ "mv", NULL, false, "whether to overwrite a file" },
	{ "unzip", NULL, false, "a password or whether to replace a file" },
	{ "terraform", NULL, false, "an answer" },
};

static bool is_read_of_tty(const struct wait_link *link)
{
	const struct waits_thread *t = link->thread;
	const struct syscall_row *row =
		t && !t->call_state ? syscall_row_of((uint16_t)t->abi, t->syscall) : NULL;

	return row && row->transfer.direction == SYSCALL_READS && link->object &&
	       span_equal(record_text(&link->object->record, &link->object->path), "/dev/tty");
}

static bool fits_prompt(const struct prompt *p, const struct wait_link *link, bool is_by_tty)
{
	const struct waits_process *process = link->process;
	struct span title = record_text(&process->record, &process->title);

	return (!*p->name || span_equal(record_text(&process->record, &process->name), p->name)) &&
	       (!p->title || span_contains(title, p->title)) && (!p->by_tty || is_by_tty);
}

const char *wait_prompt_of(const struct wait_link *link)
{
	bool is_by_tty;

	assert(link);
	if (link->what != WAIT_TERMINAL_READ || !link->object || wait_is_pager(link->process))
		return NULL;
	is_by_tty = is_read_of_tty(link);
	for (size_t i = 0; i < ARRAY_SIZE(prompts); i++) {
		if (fits_prompt(&prompts[i], link, is_by_tty))
			return prompts[i].asks;
	}
	return NULL;
}

/* Returns whether a script follows the options, or -c or -e. */
static bool has_script(struct span title)
{
	size_t at = 0, begin;

	for (bool is_first = true; at < title.size; is_first = false) {
		struct span word;

		for (begin = at; at < title.size && title.data[at] != ' ' && title.data[at];)
			at++;
		word = span_of(title.data + begin, at - begin);
		at++;
		if (is_first || !word.size)
			continue;
		if (word.data[0] != '-' || span_equal(word, "-c") || span_equal(word, "-e") ||
			span_equal(word, "-m"))
			return true;
	}
	return false;
}

/* Returns whether commands are typed into the program, so that it rests at its prompt. */
static bool is_session(const struct waits_process *p)
{
	static const char *const interpreters[] = { "bash", "sh", "dash", "zsh", "fish", "ksh",
		"mksh", "ash", "busybox", "tcsh", "csh", "pwsh", "node", "deno", "bun", "ruby",
		"perl", "php", "lua", "R", "julia", "ghci", "scala", "jshell", "erl", "beam.smp",
		"iex", "guile", "sbcl", "ocaml", "swipl" };
	static const char *const clients[] = { "irb", "pry", "ipython", "psql", "mysql", "mariadb",
		"sqlite3", "redis-cli", "mongosh", "mongo", "gdb", "lldb", "ftp", "sftp", "lftp",
		"telnet", "nc", "ncat", "socat", "bc", "dc", "ed", "ex", "cat" };

	struct span name = record_text(&p->record, &p->name);
	bool is_interpreter =
		SPAN_ANY(name, span_equal, interpreters) || span_starts(name, "python");

	return SPAN_ANY(name, span_equal, clients) ||
	       (is_interpreter && !has_script(record_text(&p->record, &p->title)));
}

bool wait_has_prompt(const struct wait_link *link)
{
	const struct waits_thread *t = link->thread;
	const struct syscall_row *row =
		t && !t->call_state ? syscall_row_of((uint16_t)t->abi, t->syscall) : NULL;

	if (wait_prompt_of(link))
		return true;
	/* Programs with a screen of their own wait for several things at once. */
	return link->what == WAIT_TERMINAL_READ && row &&
	       row->transfer.direction == SYSCALL_READS && !wait_is_pager(link->process) &&
	       !is_session(link->process);
}

bool wait_is_terminal_program(struct span name)
{
	static const char *const programs[] = { "sshd", "sshd-session", "tmux: server", "tmux",
		"screen", "SCREEN", "xterm", "konsole", "kitty", "alacritty", "foot",
		"gnome-terminal-", "wezterm-gui", "xfce4-terminal", "mate-terminal", "urxvt", "st",
		"mosh-server", "ttyd", "dtach", "script" };

	return SPAN_ANY(name, span_equal, programs);
}
