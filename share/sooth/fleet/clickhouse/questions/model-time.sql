-- How long answers of a model take: answers, time in which sessions waited for them, seconds an answer.
SELECT model, sum(turns) AS answers, round(sumIf(time_ns - start_ns, state = 'waits_for_model') / 1e9, 3) AS seconds,
	round(seconds / answers, 3) AS seconds_an_answer
FROM phase_span
GROUP BY model
ORDER BY model
