/* SPDX-License-Identifier: BSD-2-Clause */
/* crypto-heavy: a process that others wait for spends most of its CPU time on encryption and
 * hashes: passwords hashed in an event loop, a new TLS connection for each request, checksums of
 * large files. Programs whose task is to encrypt or to hash are healthy, and so is a command that
 * works through its input. */
#include "analyze/evidence/batch_program.h"
#include "analyze/diagnosis/check_verdict.h"
#include "analyze/evidence/work_share.h"
#include "base/units.h"
#include "explain/finding.h"

static const struct finding_option options[] = {
	THRESHOLD("min-cpu", 50, 1, 1e5,
		"minimum CPU use of the process, in percent of one CPU; time in which its threads "
		"are ready to run counts too",
		.unit = SOOTH_UNIT_PERCENT),
	THRESHOLD("min-share", 50, 1, 100,
		"minimum share of the sampled CPU time that encryption and hashes use",
		.unit = SOOTH_UNIT_PERCENT),
};

/* Programs whose task is to encrypt data that passes through. */
static bool is_for_it(const struct check *e)
{
	static const char *const names[] = { "sshd", "ssh", "sshd-session", "stunnel", "stunnel4",
		"openvpn", "gpg-agent", "ssh-agent", "tor", "restic", "borg" };
	struct span name = e->process ? check_name(e->process) : span_of("", 0);

	return SPAN_ANY(name, span_equal, names) || batch_program_computes(name) ||
	       batch_program_measures(name);
}

static void report(const struct check *e, struct check_result *out, const struct work_share *w)
{
	struct buffer place = { 0 };

	work_put_place(&place, e);
	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "");
	finding_claim(out, "spends %.0f %% of its CPU time on encryption and hashes%s", w->percent,
		buffer_cstr(&place));
	buffer_fini(&place);
	work_emit(w, out, "encryption and hashes");
	finding_unseen(out, "whether that work is useful");
	finding_remedy(out,
		"sooth profile %u shows the callers; hash passwords in other threads, keep TLS "
		"connections open, compute a checksum once",
		e->id.pid);
	finding_end(out);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct work_share w;

	if (is_for_it(e))
		check_fine(out, "encrypts or hashes, as this program does");
	else if (!work_share_of(&w, e, out, PROFILE_WORK_CRYPTO) ||
		 !work_is_most(&w, e, out, "encryption and hashes"))
		return;
	else if (!work_is_awaited(e))
		check_fine(out, "a command that encrypts or hashes");
	else
		report(e, out, &w);
}

const struct finding_type finding_crypto_heavy = {
	.id = "crypto-heavy",
	.claim = "encryption and hashes use most of the CPU time",
	.probes = "proc,threads,profile",
	.needs_interval = true,
	FINDING_OPTIONS(options),
	.diagnose = diagnose,
};
