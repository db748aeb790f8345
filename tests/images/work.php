<?php
// SPDX-License-Identifier: BSD-2-Clause
// Three functions, one in the other, and a secret that no image may have.
$secret = implode("-", ["planted", "heap", "secret"]);

function innermost($end, $secret)
{
	$sum = 0;
	while ($end)
		$sum = ($sum + ord($secret[$sum % strlen($secret)])) % 1000;
	return $sum;
}

class Work
{
	function middle($end, $secret)
	{
		return innermost($end, $secret) + 1;
	}
}

function outermost($secret)
{
	return (new Work())->middle(1, $secret);
}

echo "ready\n";
outermost($secret);
