#!/usr/bin/env node
// SPDX-License-Identifier: BSD-2-Clause
// Runs the program of the package for this processor. Nothing is fetched: npm has installed the one that fits.
'use strict';

const { constants } = require('os');
const { spawn } = require('child_process');

const name = `sooth-linux-${process.arch}`;
let program;

try {
	program = require.resolve(`${name}/sooth`);
} catch {
	console.error(`sooth: the package ${name} is not installed`);
	console.error(`  why: ${process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch)
		? 'optional dependencies were left out' : `there is none for ${process.platform} on ${process.arch}`}`);
	console.error('  try: npm install --include=optional sooth, or build sooth from its sources');
	process.exit(3);
}
const words = [program, ...process.argv.slice(2)];

if (process.execve) // Node.js 22.15 on: no process in between
	process.execve(program, words);

const child = spawn(program, words.slice(1), { stdio: 'inherit' });

// A terminal sends these to both, and sooth decides what they mean. Those that only this process gets are passed on.
for (const signal of ['SIGINT', 'SIGQUIT'])
	process.on(signal, () => {});
for (const signal of ['SIGTERM', 'SIGHUP'])
	process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
	console.error(`sooth: cannot run ${program}\n  why: ${error.message}`);
	process.exit(5);
});
child.on('exit', (status, signal) => {
	if (!signal)
		process.exit(status);
	process.exit(128 + constants.signals[signal]);
});
