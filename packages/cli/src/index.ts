/** The `headrace` command as a function: its arguments in, its exit code out. */
export { EXIT, type ExitCode } from './exit-code.ts'
export { run } from './program.ts'
export { processTerminal, type Terminal } from './terminal/terminal.ts'
