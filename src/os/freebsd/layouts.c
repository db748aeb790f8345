/* SPDX-License-Identifier: BSD-2-Clause */
/* Compares the numbers in the decoders with the headers of this system: if this file does not
 * compile, the decoders are wrong. */
#include <errno.h>
#include <stddef.h>
#include <sys/param.h>
#include <sys/types.h>
#include <sys/event.h>
#include <sys/ktrace.h>
#include <sys/proc.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/socketvar.h>
#include <sys/sysctl.h>
#include <sys/un.h>
#include <sys/unpcb.h>
#include <sys/user.h>
#include <netinet/in.h>
#include <netinet/in_pcb.h>
#include <netinet/tcp.h>
#include <netinet/tcp_fsm.h>
#include <netinet/tcp_var.h>

#include "os/freebsd/decode/kinfo_proc.h"

#define AT(type, member, offset)                                                                   \
	_Static_assert(offsetof(struct type, member) == (offset), #type " " #member);
#define SAME(theirs, value) _Static_assert((theirs) == (value), #theirs);

#define KINFO_PROC(name, member, offset)    AT(kinfo_proc, member, offset)
#define RUSAGE(name, member, offset)	    AT(rusage, member, offset)
#define KINFO_FILE(name, member, offset)    AT(kinfo_file, member, offset)
#define KINFO_VMENTRY(name, member, offset) AT(kinfo_vmentry, member, offset)
#define KTR_HEADER(name, member, offset)    AT(ktr_header, member, offset)
#define KINFO_KSTACK(name, member, offset)  AT(kinfo_kstack, member, offset)
#define XTCPCB(name, member, offset)	    AT(xtcpcb, member, offset)
#define XINPCB(name, member, offset)	    AT(xinpcb, member, offset)
#define XUNPCB(name, member, offset)	    AT(xunpcb, member, offset)
#define KINFO_LOCKF(name, member, offset)   AT(kinfo_lockf, member, offset)
#define LOCKF_NUMBER(name, theirs, value)   SAME(theirs, value)
#define PROC_NUMBER(name, theirs, value)    SAME(theirs, value)
#define FILE_NUMBER(name, theirs, value)    SAME(theirs, value)
#define MAP_NUMBER(name, theirs, value)	    SAME(theirs, value)
#define TCP_NUMBER(name, theirs, value)	    SAME(theirs, value)
#define SYSCTL_NUMBER(name, theirs, value)  SAME(theirs, value)
#define KTRACE_NUMBER(name, theirs, value)  SAME(theirs, value)
#include "os/freebsd/decode/layouts.def"

#define ERROR(name, freebsd, darwin, linux_) SAME(name, freebsd)
#define ERROR_FREEBSD(name, freebsd, linux_) SAME(name, freebsd)
#include "os/bsd/errno.def"

_Static_assert(sizeof(struct kinfo_kstack) == 1096, "struct kinfo_kstack");
SAME(KKST_STATE_STACKOK, 0)
SAME(KKST_STATE_SWAPPED, 1)
SAME(KKST_STATE_RUNNING, 2)
_Static_assert(sizeof(struct kinfo_proc) == KINFO_PROC_SIZE, "struct kinfo_proc");

/* Payloads of ktrace records, as ktrace.c reads them. */
AT(ktr_syscall, ktr_code, 0)
AT(ktr_syscall, ktr_narg, 2)
AT(ktr_syscall, ktr_args, 8)
AT(ktr_sysret, ktr_code, 0)
AT(ktr_sysret, ktr_error, 4)
AT(ktr_sysret, ktr_retval, 8)
AT(ktr_genio, ktr_fd, 0)
AT(ktr_genio, ktr_rw, 4)
AT(ktr_psig, signo, 0)
AT(ktr_psig, action, 8)
AT(ktr_psig, code, 16)
AT(ktr_psig, mask, 20)
AT(ktr_csw, out, 0)
AT(ktr_csw, user, 4)
AT(ktr_csw, wmesg, 8)
AT(ktr_cap_fail, cap_type, 0)
AT(ktr_fault, vaddr, 0)
AT(ktr_fault, type, 8)
AT(ktr_faultend, result, 0)
AT(ktr_proc_ctor, sv_flags, 0)
AT(ktr_struct_array, struct_size, 0)
SAME(UIO_WRITE, 1)
SAME(EWOULDBLOCK, EAGAIN)
