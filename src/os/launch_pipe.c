/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/launch_pipe.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

bool launch_pipe_read(int pipe, struct launch_preload *preload)
{
	size_t size = 0;

	while (size < sizeof(*preload)) {
		ssize_t got = read(pipe, (char *)preload + size, sizeof(*preload) - size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		size += (size_t)got;
	}
	return true;
}

int launch_pipe_release(const struct os *os, struct launch *launch, struct sooth_error *err)
{
	assert(launch);

	_cleanup_close_ int start_pipe = TAKE_FD(launch->start_pipe);
	_cleanup_close_ int failure = TAKE_FD(launch->failure);
	int code = 0;

	(void)os;
	if (write(start_pipe, &launch->preload, sizeof(launch->preload)) !=
		(ssize_t)sizeof(launch->preload)) {
		if (errno != EPIPE)
			return error_errno(err, -errno, "let the launched command run");
		error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "run %s", launch->name);
		return error_why(err, "the command was killed before it started");
	}
	/* End of file: the exec closed the pipe, so it succeeded. */
	if (read(failure, &code, sizeof(code)) != sizeof(code))
		return 0;
	error_set(err, code,
		code == -ENOENT || code == -ENOTDIR ? SOOTH_FAULT_NO_COMMAND
						    : SOOTH_FAULT_NOT_EXECUTABLE,
		"run %s", launch->name);
	error_why(err, "%s",
		code == -EACCES ? "permission denied: the file is not executable, or its folder is "
				  "not accessible"
				: strerror(-code));
	error_remedy(err,
		"check the name of the command and that the file is executable (chmod +x FILE)");
	return code;
}

void launch_pipe_abandon(const struct os *os, struct launch *launch)
{
	int status;

	assert(launch);
	(void)os;
	if (launch->start_pipe >= 0) {
		close(launch->start_pipe); /* it reads end of file and exits */
		launch->start_pipe = -1;
		if (launch->pid > 0 && launch->status == -1 &&
			waitpid(launch->pid, &status, 0) == launch->pid)
			launch->status = status;
	}
	if (launch->failure >= 0)
		close(launch->failure);
	if (launch->descriptor >= 0)
		close(launch->descriptor);
	launch->failure = launch->descriptor = -1;
}
