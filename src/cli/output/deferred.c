/* SPDX-License-Identifier: BSD-2-Clause */
/* Buffers a report until it is complete; on a terminal a pager may then show it. */
#include "cli/output/deferred.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/closed_at_exec.h"
#include "base/escape.h"
#include "cli/output/output.h"
#include "cli/rights/invoker.h"
#include "os/os.h"

#define DEFAULT_PAGER	"less -FRX"
#define WORDS_MAX	16
#define WORDS_BYTES	512
#define SHELL_SIGNS	"|&;<>()$`\\\"'*?[]#~%{}\n"
#define NOT_STARTED	127 /* exit status of a shell for a command that it cannot run */
#define NOT_EXECUTABLE	126
#define COLUMNS_DEFAULT 80

/* --- the pager --- */

/* Text longer than the terminal goes to the user's pager, which gets none of the privileges of
 * sooth: with sudo it runs as the user, who may have named it. */

/* PID of the pager: signals are passed on to it while it owns the terminal. */
static volatile sig_atomic_t shown_by;

static const char *pager_command(void)
{
	const char *own = getenv("SOOTH_PAGER");
	const char *common = own ? own : getenv("PAGER");
	const char *command = common ? common : DEFAULT_PAGER;

	command += strspn(command, " \t");
	return *command && strcmp(command, "cat") != 0 ? command : NULL;
}

/* Returns whether sooth is in the foreground: a pager in the background would be stopped as soon as
 * it reads the terminal. */
static bool is_in_foreground(void)
{
	return tcgetpgrp(STDIN_FILENO) == getpgrp();
}

/* Returns whether a pager may show the report: it is for people on the terminal of this process,
 * which the user can also type at. */
static bool pager_may_show(const struct output_options *o, FILE *stream)
{
	return !o->no_pager && !o->json && !o->format && !o->output && isatty(STDIN_FILENO) &&
	       isatty(fileno(stream)) && is_in_foreground() && pager_command();
}

/* --- what fits --- */

static size_t skip_color(const char *at, size_t size)
{
	size_t i = 2;

	if (size < 3 || at[0] != '\033' || at[1] != '[')
		return 0;
	while (i < size && at[i] != 'm')
		i++;
	return i < size ? i + 1 : 0;
}

/* Returns the rows of a line: one wider than the terminal takes several. */
static size_t line_height(const char *line, size_t size, unsigned columns)
{
	size_t width = 0, bytes;

	for (size_t i = 0; i < size; i += bytes) {
		bytes = skip_color(line + i, size - i);
		if (!bytes)
			width += terminal_columns(line + i, size - i, &bytes);
	}
	return width ? (width + columns - 1) / columns : 1;
}

/* Returns whether the text fits; one row is left for the prompt. */
static bool fits_terminal(FILE *stream, const char *text, size_t size)
{
	struct winsize terminal;
	size_t rows = 0;

	if (ioctl(fileno(stream), TIOCGWINSZ, &terminal) || !terminal.ws_row)
		return true;
	for (const char *end = text + size; text < end;) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t length = (size_t)((stop ? stop : end) - text);

		rows += line_height(
			text, length, terminal.ws_col ? terminal.ws_col : COLUMNS_DEFAULT);
		text += length + (stop != NULL);
	}
	return rows < terminal.ws_row;
}

/* --- the child --- */

static void exec_words(const char *command)
{
	char text[WORDS_BYTES], *words[WORDS_MAX + 1] = { 0 }, *rest = NULL;
	size_t count = 0;

	if (strpbrk(command, SHELL_SIGNS) || strlen(command) >= sizeof(text)) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		return;
	}
	memcpy(text, command, strlen(command) + 1);
	for (char *word = strtok_r(text, " \t", &rest); word && count < WORDS_MAX;
		word = strtok_r(NULL, " \t", &rest))
		words[count++] = word;
	if (words[0])
		execvp(words[0], words);
}

/* Sets the default action in the pager for signals that sooth ignores or catches. */
static void default_signals(void)
{
	static const int numbers[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGPIPE, SIGXFSZ };
	sigset_t none;

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		signal(numbers[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void run_pager(const char *command, int text) __attribute__((noreturn));

static void run_pager(const char *command, int text)
{
	default_signals();
	if (dup2(text, STDIN_FILENO) != STDIN_FILENO || !invoker_become())
		_exit(NOT_STARTED);
	/* A pager that runs as root must start no shell and no editor. */
	if (!getuid() || !geteuid())
		setenv("LESSSECURE", "1", 1);
	if (os_native.drop_all(&os_native))
		exec_words(command);
	_exit(NOT_STARTED);
}

/* --- the parent --- */

static void pass_signal_to_pager(int number)
{
	if (shown_by > 0)
		kill((pid_t)shown_by, number);
}

#define SIGNALS 4
static const int signals[SIGNALS] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP };

/* Passes signals on to the pager. Keys reach the pager by themselves; a signal to sooth does
 * not. */
static void pass_signals_to_pager(struct sigaction before[SIGNALS])
{
	for (size_t i = 0; i < SIGNALS; i++) {
		bool is_key = signals[i] == SIGINT || signals[i] == SIGQUIT;
		struct sigaction action = { .sa_handler = is_key ? SIG_IGN : pass_signal_to_pager };

		sigaction(signals[i], &action, &before[i]);
	}
}

static void restore_signals(const struct sigaction before[SIGNALS])
{
	for (size_t i = 0; i < SIGNALS; i++)
		sigaction(signals[i], &before[i], NULL);
}

/* Writes the text to the pager. If the pager ends early, its user has seen enough. */
static void feed_pager(int fd, const char *text, size_t size)
{
	while (size) {
		ssize_t done = write(fd, text, size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return;
		text += done;
		size -= (size_t)done;
	}
}

static int wait_for(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return 0;
	}
	return status;
}

/* A process that becomes the pager on request, with the rights that sooth had; pid 0: none. */
static struct {
	pid_t pid;
	int go, text; /* pipes to it */
} kept = { .go = -1, .text = -1 };

static void wait_to_become_pager(int go, int text) __attribute__((noreturn));

static void wait_to_become_pager(int go, int text)
{
	char request;

	close(TAKE_FD(kept.go));
	close(TAKE_FD(kept.text));
	if (read(go, &request, 1) != 1)
		_exit(0);
	run_pager(pager_command(), text);
}

pid_t pager_keep(void)
{
	int go[2], text[2];

	if (kept.pid || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || !pager_command() ||
		closed_at_exec_pipe(go))
		return kept.pid;
	if (closed_at_exec_pipe(text)) {
		close(go[0]);
		close(go[1]);
		return kept.pid;
	}
	kept.go = go[1];
	kept.text = text[1];
	kept.pid = fork();
	if (!kept.pid)
		wait_to_become_pager(go[0], text[0]);
	close(go[0]);
	close(text[0]);
	if (kept.pid < 0)
		kept.pid = 0;
	return kept.pid;
}

/* Ends the kept process if no pager was needed. */
static void drop_kept(void)
{
	if (kept.go >= 0)
		close(TAKE_FD(kept.go));
	if (kept.text >= 0)
		close(TAKE_FD(kept.text));
	if (kept.pid)
		wait_for(kept.pid);
	kept.pid = 0;
}

/* Returns the pid of the pager and the pipe to it, or 0. */
static pid_t start_pager(const char *command, int *to)
{
	int ends[2];
	pid_t pid = kept.pid;

	if (pid) {
		kept.pid = 0;
		*to = TAKE_FD(kept.text);
		if (write(kept.go, "", 1) != 1) {
			wait_for(pid);
			pid = 0;
		}
		close(TAKE_FD(kept.go));
		return pid;
	}
	if (closed_at_exec_pipe(ends))
		return 0;
	pid = fork();
	if (!pid)
		run_pager(command, ends[0]);
	close(ends[0]);
	*to = ends[1];
	return pid > 0 ? pid : 0;
}

/* Shows the text in the pager. False: the pager did not run, and nothing was shown. */
static bool show_in_pager(const char *command, const char *text, size_t size)
{
	struct sigaction before[SIGNALS];
	struct termios terminal;
	bool has_terminal = !tcgetattr(STDIN_FILENO, &terminal);
	int to = -1, status;
	pid_t pid;

	pass_signals_to_pager(before);
	pid = start_pager(command, &to);
	shown_by = pid;
	if (pid)
		feed_pager(to, text, size);
	cleanup_close(&to);
	status = pid ? wait_for(pid) : 0;
	shown_by = 0;
	restore_signals(before);
	/* A killed pager leaves the terminal without echo, so its modes are restored. */
	if (has_terminal && pid && WIFSIGNALED(status))
		tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal);
	return pid && !(WIFEXITED(status) && (WEXITSTATUS(status) == NOT_STARTED ||
						     WEXITSTATUS(status) == NOT_EXECUTABLE));
}

static int write_whole(FILE *stream, const char *text, size_t size, struct sooth_error *err)
{
	if (fwrite(text, 1, size, stream) != size || fflush(stream))
		return error_errno(err, -errno, "write the report");
	return 0;
}

/* Shows the text by the pager, or writes it to `stream` if it fits or no pager runs. */
static int pager_show(FILE *stream, const char *text, size_t size, struct sooth_error *err)
{
	const char *command = pager_command();

	if (fflush(stream))
		return error_errno(err, -errno, "write the report");
	if (command && !fits_terminal(stream, text, size) && show_in_pager(command, text, size))
		return 0;
	return write_whole(stream, text, size, err);
}

/* --- the report --- */

int held_begin(
	struct held *h, const struct output_options *options, FILE *to, struct sooth_error *err)
{
	assert(h);
	assert(options);
	*h = (struct held){ .to = to, .is_paged = pager_may_show(options, to) };
	if (!options->filter && !h->is_paged)
		return 0;
	h->stream = open_memstream(&h->text, &h->size);
	return h->stream ? 0 : error_no_memory(err);
}

int held_release(struct held *h, struct sooth_error *err)
{
	assert(h);
	if (!h->stream)
		return 0;
	if (fflush(h->stream))
		return error_no_memory(err);
	if (h->is_paged)
		return pager_show(h->to, h->text, h->size, err);
	return write_whole(h->to, h->text, h->size, err);
}

void held_fini(struct held *h)
{
	assert(h);
	if (h->stream)
		fclose(h->stream);
	free(h->text);
	drop_kept();
	*h = (struct held){ 0 };
}

int held_commit(struct held *h, struct out_file *file, int status, struct sooth_error *err)
{
	if (!status)
		status = held_release(h, err);
	held_fini(h);
	if (!status)
		status = out_file_commit(file, err);
	out_file_close(file);
	return status;
}
