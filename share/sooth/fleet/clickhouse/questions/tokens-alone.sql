-- Tokens while the user was away: of stretches of more than half an hour in which a session worked, and neither
-- waited for a prompt nor for an answer of its user, by project.
SELECT project, sum(tokens) AS tokens_alone, round(sum(ns) / 3.6e12, 6) AS hours
FROM
(
	SELECT project, sum(span.3) AS tokens, sum(span.4) AS ns
	FROM
	(
		SELECT host, boot_id, start_ticks, pid, project,
			arraySort(groupArray((start_ns, toUInt32(state IN ('idle', 'waits_for_user')),
				ifNull(input_tokens, 0) + ifNull(output_tokens, 0), time_ns - start_ns))) AS spans
		FROM phase_span
		GROUP BY host, boot_id, start_ticks, pid, project
	)
	ARRAY JOIN spans AS span, arrayCumSum(s -> s.2, spans) AS stretch
	WHERE span.2 = 0
	GROUP BY host, boot_id, start_ticks, pid, project, stretch
	HAVING ns > 1800e9
)
GROUP BY project
ORDER BY tokens_alone DESC, project
