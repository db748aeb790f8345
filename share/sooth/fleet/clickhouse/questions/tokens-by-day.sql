-- What is used: tokens to and from each model, by day in UTC.
SELECT intDiv(end_utc_ns, 86400000000000) AS day_number, toDate(day_number) AS day, model,
	sum(ifNull(input_tokens, 0) + ifNull(output_tokens, 0)) AS tokens
FROM phase_span
GROUP BY day_number, model
ORDER BY day_number, model
